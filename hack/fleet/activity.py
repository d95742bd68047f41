"""Activity programs: what a pod does to one GPU, as exact levels over time.

A program is piecewise constant. Its clock starts at 0 ms, when the pod starts. A level is the part of the GPU that is
busy, from 0 to 1, as a Fraction. Two independent ways lead to the busy time: `segments` walks the program step by step
(the truth uses it), `integral` is a closed form (the exporter uses it, because its energy counter reaches back to the
boot of the node).
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple, Protocol

ZERO = Fraction(0)
ONE = Fraction(1)


class Segment(NamedTuple):
    """One constant piece: `[from_ms, to_ms)` at `level`."""

    from_ms: int
    to_ms: int
    level: Fraction


class Program(Protocol):
    """What a pod does to one GPU. Times are milliseconds since the pod started and never negative."""

    def level_at(self, at_ms: int) -> Fraction:
        """The level that holds at this millisecond."""
        ...

    def next_change(self, at_ms: int) -> int | None:
        """The first moment after `at_ms` at which the level may differ; None if it stays."""
        ...

    def integral(self, to_ms: int) -> Fraction:
        """Busy milliseconds in `[0, to_ms)`, in closed form."""
        ...


def segments(program: Program, from_ms: int, to_ms: int) -> Iterator[Segment]:
    """The constant pieces of `[from_ms, to_ms)`, in order, without holes."""
    at = from_ms
    while at < to_ms:
        change = program.next_change(at)
        end = to_ms if change is None else min(change, to_ms)
        yield Segment(at, end, program.level_at(at))
        at = end


def busy_ms(program: Program, from_ms: int, to_ms: int) -> Fraction:
    """Busy milliseconds in `[from_ms, to_ms)`, in closed form."""
    return program.integral(to_ms) - program.integral(from_ms)


def _checked(level: Fraction) -> None:
    if not 0 <= level <= 1:
        raise ValueError(f"activity level {level} is not a part of one GPU: give a number from 0 to 1")


@dataclass(frozen=True, slots=True)
class Steady:
    """The same level for ever: 0 is an idle pod, or an inference server that holds its memory and has no traffic."""

    level: Fraction

    def __post_init__(self) -> None:
        _checked(self.level)

    def level_at(self, at_ms: int) -> Fraction:
        """See `Program`."""
        del at_ms
        return self.level

    def next_change(self, at_ms: int) -> int | None:
        """See `Program`."""
        del at_ms
        return None

    def integral(self, to_ms: int) -> Fraction:
        """See `Program`."""
        return self.level * to_ms


@dataclass(frozen=True, slots=True)
class Duty:
    """A cycle: `busy` milliseconds at `high`, the rest of `period_ms` at `low`."""

    high: Fraction
    low: Fraction
    period_ms: int
    busy: int

    def __post_init__(self) -> None:
        _checked(self.high)
        _checked(self.low)
        if not 0 < self.busy < self.period_ms:
            raise ValueError(f"busy part {self.busy} ms must lie inside the period of {self.period_ms} ms")

    def level_at(self, at_ms: int) -> Fraction:
        """See `Program`."""
        return self.high if at_ms % self.period_ms < self.busy else self.low

    def next_change(self, at_ms: int) -> int | None:
        """See `Program`."""
        start = at_ms - at_ms % self.period_ms
        return start + (self.busy if at_ms - start < self.busy else self.period_ms)

    def integral(self, to_ms: int) -> Fraction:
        """See `Program`."""
        cycles, rest = divmod(to_ms, self.period_ms)
        high_ms = cycles * self.busy + min(rest, self.busy)
        return self.high * high_ms + self.low * (to_ms - high_ms)


@dataclass(frozen=True, slots=True)
class Burst:
    """A quiet `base` with one `peak` of `length_ms` in each period, at a place that looks random and never changes."""

    base: Fraction
    peak: Fraction
    period_ms: int
    length_ms: int
    seed: int = 0

    def __post_init__(self) -> None:
        _checked(self.base)
        _checked(self.peak)
        if not 0 < self.length_ms <= self.period_ms:
            raise ValueError(f"burst of {self.length_ms} ms must fit into the period of {self.period_ms} ms")

    def _start(self, cycle: int) -> int:
        digest = hashlib.sha256(f"{self.seed}/{cycle}".encode()).digest()
        return cycle * self.period_ms + int.from_bytes(digest[:8], "big") % (self.period_ms - self.length_ms + 1)

    def level_at(self, at_ms: int) -> Fraction:
        """See `Program`."""
        start = self._start(at_ms // self.period_ms)
        return self.peak if start <= at_ms < start + self.length_ms else self.base

    def next_change(self, at_ms: int) -> int | None:
        """See `Program`."""
        cycle = at_ms // self.period_ms
        start = self._start(cycle)
        edges = (start, start + self.length_ms, (cycle + 1) * self.period_ms)
        return min(edge for edge in edges if edge > at_ms)

    def integral(self, to_ms: int) -> Fraction:
        """See `Program`."""
        cycles = to_ms // self.period_ms
        inside = min(max(to_ms - self._start(cycles), 0), self.length_ms)
        return self.base * to_ms + (self.peak - self.base) * (cycles * self.length_ms + inside)


@dataclass(frozen=True, slots=True)
class Steps:
    """Levels that begin at given moments; before the first one the GPU is idle, after the last one it stays."""

    steps: tuple[tuple[int, Fraction], ...]

    def __post_init__(self) -> None:
        starts = [at for at, _ in self.steps]
        if starts != sorted(set(starts)) or any(at < 0 for at in starts):
            raise ValueError(f"steps must begin at rising times from 0 ms on, not at {starts}")
        for _, level in self.steps:
            _checked(level)

    def level_at(self, at_ms: int) -> Fraction:
        """See `Program`."""
        return next((level for start, level in reversed(self.steps) if start <= at_ms), ZERO)

    def next_change(self, at_ms: int) -> int | None:
        """See `Program`."""
        return next((start for start, _ in self.steps if start > at_ms), None)

    def integral(self, to_ms: int) -> Fraction:
        """See `Program`."""
        ends = [start for start, _ in self.steps[1:]] + [to_ms]
        pairs = zip(self.steps, ends, strict=False)
        return sum((level * max(min(end, to_ms) - start, 0) for (start, level), end in pairs), ZERO)


def ramp(first: Fraction, last: Fraction, count: int, step_ms: int) -> Steps:
    """`count` equal steps of `step_ms` from `first` to `last`, which then stays."""
    if count < 2:
        raise ValueError(f"a ramp of {count} steps has no slope: give 2 or more")
    rise = (last - first) / (count - 1)
    return Steps(tuple((i * step_ms, first + rise * i) for i in range(count)))


IDLE = Steady(ZERO)
