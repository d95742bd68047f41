"""What we write to: its width, whether it shows colours, and a sign of life while people wait."""

import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TextIO

QUIET_SECONDS = 2.0
"""Work that is done sooner shows no progress."""
_REPEAT_SECONDS = 10.0
_TICK_SECONDS = 0.2
_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class Style(StrEnum):
    """How a piece of text stands out, as the parameter of its escape sequence."""

    PLAIN = ""
    HEAD = "1"
    DIM = "2"
    WARN = "33"


@dataclass(frozen=True, slots=True)
class Terminal:
    """What is known of a stream.

    Attributes:
        width: columns that fit on a line, None for any number: a file or a pipe.
        colour: whether escape sequences are shown.
        live: whether a line can be written over.
    """

    width: int | None = None
    colour: bool = False
    live: bool = False

    def paint(self, text: str, style: Style) -> str:
        """The text in a style, or as it is."""
        return f"\x1b[{style}m{text}\x1b[0m" if self.colour and style and text else text


def detect(stream: TextIO, env: Mapping[str, str]) -> Terminal:
    """What a stream is. `NO_COLOR` and `TERM=dumb` turn colours off, `COLUMNS` sets the width of a pipe, too."""
    live = stream.isatty() and env.get("TERM") != "dumb"
    named = env.get("COLUMNS", "")
    if named.isdecimal() and int(named):
        width: int | None = int(named)
    else:
        width = shutil.get_terminal_size().columns if stream.isatty() else None
    return Terminal(width, colour=live and not env.get("NO_COLOR"), live=live)


class Doing:
    """What is being done, as it changes: said by whoever works, shown by whoever waits."""

    def __init__(self, text: str) -> None:
        self._text = text

    def say(self, text: str) -> None:
        """What is being done now."""
        self._text = text

    def __str__(self) -> str:
        return self._text


@contextmanager
def progress(doing: str | Doing, stream: TextIO, terminal: Terminal, quiet_s: float = QUIET_SECONDS) -> Iterator[None]:
    """Say on a stream what is being done, once it takes longer than `quiet_s`."""
    done = threading.Event()
    sign = threading.Thread(target=_show, args=(doing, stream, terminal, quiet_s, done), daemon=True)
    sign.start()
    try:
        yield
    finally:
        done.set()
        sign.join()


def _show(doing: str | Doing, stream: TextIO, terminal: Terminal, quiet_s: float, done: threading.Event) -> None:
    waited = quiet_s
    if done.wait(quiet_s):
        return
    pause = _TICK_SECONDS if terminal.live else _REPEAT_SECONDS
    frame = 0
    erase = "\x1b[K" if terminal.live and isinstance(doing, Doing) else ""  # what was said before may have been longer
    while True:
        head, tail = (f"\r{_FRAMES[frame % len(_FRAMES)]} ", "") if terminal.live else ("", "\n")
        stream.write(f"{head}{doing} ({waited:.0f} s){erase}{tail}")
        stream.flush()
        if done.wait(pause):
            break
        waited, frame = waited + pause, frame + 1
    if terminal.live:
        stream.write("\r\x1b[K")
        stream.flush()
