"""How far a backfill has come, on a terminal and in a log."""

import io
from dataclasses import dataclass

import pytest

from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.entrypoints.cli.output.backfill import progress
from aicost.entrypoints.cli.output.backfill.progress import Line
from aicost.entrypoints.cli.terminal import Terminal
from support.ledger_rows import hour, make_row


@dataclass
class Statement:
    """What a line asks of a statement."""

    rows: tuple
    device_milliseconds: int = HOUR_MS
    measured_milliseconds: int = HOUR_MS // 2
    priced_milliseconds: int = HOUR_MS


@dataclass
class Computed:
    statement: Statement
    samples: int = 240


@dataclass
class Closed:
    window: Window
    computed: Computed


def closed(number: int, *rows) -> Closed:
    return Closed(hour(number), Computed(Statement(rows)))


def follow(terminal: Terminal, windows: int) -> tuple[str, Line]:
    stream = io.StringIO()
    line = Line(stream, terminal)
    some = (closed(number, make_row(cost=1_500_000_000, gpu_ms=HOUR_MS)) for number in range(windows))
    assert len(list(line.follow(some, windows, lambda _: 7))) == windows
    line.stop()
    return stream.getvalue(), line


def test_a_log_gets_a_line_for_each_day_and_one_at_the_end():
    said, line = follow(Terminal(), 50)
    lines = said.splitlines()
    assert [text.split()[1] for text in lines] == ["24/50", "48/50", "50/50"]
    assert "7 pods" in lines[-1]
    assert "$75.00" in lines[-1]
    assert line.tally.device_ms == 50 * HOUR_MS


def test_a_terminal_gets_one_line_that_is_gone_at_the_end():
    said, _ = follow(Terminal(80, live=True), 3)
    assert "\n" not in said
    assert said.endswith("\r\x1b[K")
    assert max(len(part) for part in said.split("\r\x1b[K")) < 80


def test_what_has_no_price_is_counted_by_model_and_machine():
    line = Line(io.StringIO(), Terminal())
    list(line.follow(iter([closed(0, make_row(cost=None, gpu_ms=HOUR_MS))]), 1, lambda _: 0))
    assert line.tally.unpriced == {("nvidia-h100", "p5.48xlarge"): HOUR_MS}
    assert line.tally.costs() == "no price"


@pytest.mark.parametrize(("seconds", "told"), [(1.0, ""), (8.0, "waiting 8 s: it is ??\n")])
def test_waiting_is_told_in_a_log_where_it_takes_a_while(monkeypatch, seconds, told):
    slept = []
    monkeypatch.setattr(progress.time, "sleep", slept.append)
    stream = io.StringIO()
    Line(stream, Terminal()).wait(seconds, "it is \x1b\x07")
    assert (stream.getvalue(), slept) == (told, [seconds])
