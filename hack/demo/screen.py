"""What the person at the terminal sees: one line per step, answers of real commands, a proof."""

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

WIDTH = 100
_LABEL = 40
_STILL_SECONDS = 20.0


class Step:
    """One step that goes on. On a terminal its line is rewritten; elsewhere a line comes now and then."""

    def __init__(self, head: str, out: TextIO, *, live: bool) -> None:
        self._head, self._out, self._live = head, out, live
        self._began = self._said = time.monotonic()
        self._note = ""

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return time.monotonic() - self._began

    def note(self, text: str) -> None:
        """Say how far it is."""
        self._note = text
        if self._live:
            self._write("\r", "\033[K")
        elif time.monotonic() - self._said >= _STILL_SECONDS:
            self._said = time.monotonic()
            self._write("", "\n")

    def end(self) -> None:
        """Leave the line as it shall stay."""
        self._write("\r" if self._live else "", "\033[K\n" if self._live else "\n")

    def _write(self, before: str, after: str) -> None:
        width = min(WIDTH, shutil.get_terminal_size((WIDTH + 1, 0)).columns - 1) if self._live else WIDTH
        line = f"{self._head} {self.seconds:5.1f} s  {self._note}".rstrip()
        self._out.write(f"{before}{line[:width]}{after}")
        self._out.flush()


class Screen:
    """Writes to a terminal or a file.

    Args:
        steps: how many steps there are.
        out: where to write.
    """

    def __init__(self, steps: int, out: TextIO = sys.stdout) -> None:
        self._steps, self._out, self._number = steps, out, 0

    @contextmanager
    def step(self, text: str) -> Iterator[Step]:
        """Show one step: while it goes on, and how long it took. A step that fails leaves its line as it was."""
        self._number += 1
        step = Step(f"[{self._number}/{self._steps}] {text:<{_LABEL}}", self._out, live=self._out.isatty())
        step.note("")
        try:
            yield step
        finally:
            step.end()

    def title(self, text: str) -> None:
        """Begin a part."""
        self.print(f"\n{text}\n{'-' * len(text)}")

    def command(self, line: str, output: str) -> None:
        """Show a command as it was run, and all that it answered."""
        self.print(f"\n$ {line}\n{output.rstrip()}")

    def print(self, text: str = "") -> None:
        """Write a line."""
        self._out.write(f"{text}\n")
        self._out.flush()
