"""A line that says how far a backfill has come."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TextIO

from aicost.crd.status.texts import gpu_hours, money
from aicost.domain.exact.windows import Window, describe_length, to_rfc3339
from aicost.entrypoints.cli.output.table import printable
from aicost.entrypoints.cli.terminal import Terminal
from aicost.usecases.close_windows import WindowClosed

_WIDTH = 10
_WORTH_A_LINE_S = 4.0
_EVERY = 24
"""A file or a pipe gets a line for each day."""


@dataclass(slots=True)
class Tally:
    """What was posted.

    Attributes:
        windows, samples, rows: how many.
        cost_nanos: by currency.
        device_ms, measured_ms, priced_ms: device time in all, with samples, with a price.
        unpriced: (GPU model, instance type) -> device time without a price.
    """

    windows: int = 0
    samples: int = 0
    rows: int = 0
    cost_nanos: Counter[str] = field(default_factory=Counter)
    device_ms: int = 0
    measured_ms: int = 0
    priced_ms: int = 0
    unpriced: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, done: WindowClosed) -> None:
        """Add one window."""
        statement = done.computed.statement
        self.windows, self.samples = self.windows + 1, self.samples + done.computed.samples
        self.rows += len(statement.rows)
        self.device_ms += statement.device_milliseconds
        self.measured_ms += statement.measured_milliseconds
        self.priced_ms += statement.priced_milliseconds
        for row in statement.rows:
            if row.cost_nanos is None:
                self.unpriced[row.place.gpu_model, row.place.instance_type] += row.gpu_milliseconds
            else:
                self.cost_nanos[row.currency] += row.cost_nanos

    def costs(self) -> str:
        """What it came to, for people."""
        amounts = [money(nanos, currency) for currency, nanos in sorted(self.cost_nanos.items())]
        return " + ".join(amounts) or "no price"


class Line:
    """Writes on a stream that may be a terminal: one line over and over, or a line for each day.

    Args:
        stream: where to.
        terminal: what it is.
    """

    def __init__(self, stream: TextIO, terminal: Terminal) -> None:
        self._stream, self._terminal = stream, terminal
        self.tally = Tally()
        self._shown = False

    def follow(
        self, windows: Iterator[WindowClosed], due: int, pods_at: Callable[[Window], int]
    ) -> Iterator[WindowClosed]:
        """Pass windows on and tell of each."""
        begun = time.monotonic()
        for done in windows:
            self.tally.add(done)
            left_s = (time.monotonic() - begun) / self.tally.windows * (due - self.tally.windows)
            self._tell(done, due, left_s, pods_at(done.window))
            yield done

    def wait(self, seconds: float, why: str) -> None:
        """Wait for a server that does not answer, and say so."""
        self._write(f"waiting {seconds:.0f} s: {why}", lasting=seconds >= _WORTH_A_LINE_S)
        time.sleep(seconds)

    def stop(self) -> None:
        """Take the line away."""
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._shown = False

    def _tell(self, done: WindowClosed, due: int, left_s: float, pods: int) -> None:
        filled = _WIDTH * self.tally.windows // max(1, due)
        bar = "█" * filled + "░" * (_WIDTH - filled)
        left = describe_length(round(left_s * 1_000))
        hours = gpu_hours(self.tally.device_ms)
        text = (
            f"{bar} {self.tally.windows}/{due} hours, {left} left, {self.tally.costs()}, {hours} GPU-hours, "
            f"{pods} pod{'' if pods == 1 else 's'}, {to_rfc3339(done.window.end_ms)[:16]}"
        )
        self._write(text, lasting=self.tally.windows % _EVERY == 0 or self.tally.windows == due)

    def _write(self, text: str, *, lasting: bool) -> None:
        if self._terminal.live:
            self._stream.write(f"\r\x1b[K{printable(text)[: (self._terminal.width or 200) - 1]}")
            self._shown = True
        elif lasting:
            self._stream.write(f"{printable(text)}\n")
        self._stream.flush()
