"""What is known of a stream, and the sign of life."""

import io
import re
from threading import Event

from aicost.entrypoints.cli.terminal import Terminal, detect, progress


class Tty(io.StringIO):
    def isatty(self):
        return True


def test_a_pipe_has_no_width_and_no_colour():
    assert detect(io.StringIO(), {}) == Terminal(None, colour=False, live=False)


def test_a_terminal_has_both_unless_people_say_no():
    assert detect(Tty(), {"COLUMNS": "100"}) == Terminal(100, colour=True, live=True)
    assert not detect(Tty(), {"NO_COLOR": "1"}).colour
    assert not detect(Tty(), {"TERM": "dumb"}).colour


def test_a_width_can_be_named_for_a_pipe():
    assert detect(io.StringIO(), {"COLUMNS": "72"}).width == 72


def test_quick_work_is_silent():
    out = io.StringIO()
    with progress("reading", out, Terminal()):
        pass
    assert out.getvalue() == ""


class Heard(io.StringIO):
    """Lets go once something was written."""

    def __init__(self):
        super().__init__()
        self.event = Event()

    def write(self, text):
        count = super().write(text)
        self.event.set()
        return count


def test_slow_work_says_what_it_does_and_for_how_long():
    out = Heard()
    with progress("reading the ledger", out, Terminal(), quiet_s=0.01):
        assert out.event.wait(10)
    assert out.getvalue() == "reading the ledger (0 s)\n"


def test_a_terminal_is_left_as_it_was():
    out = Heard()
    with progress("reading", out, Terminal(live=True), quiet_s=0.01):
        assert out.event.wait(10)
    assert re.fullmatch(r"(\r. reading \(\d s\))+\r\x1b\[K", out.getvalue())
