"""What samples prove of a span: pieces of constant activity, and their integral over any part of it.

The rule: a gauge is the mean over some time before it, so a sample speaks of the time since the sample before it, if
that is at most `CARRIED_INTERVALS` intervals ago. Where a longer silence lies between two samples, each speaks for one
interval of it. The last sample of a span is carried on for `CARRIED_INTERVALS` intervals, never beyond the span's end.
What no sample reaches is not covered: not idle, not busy, unknown.

An exporter collects each 30 s and shows the mean since the collection before, so the first samples of a span still show
what was there before it: an earlier holder, or nobody. They prove nothing where later samples of the span exist; the
first of these then reaches back to the span's start. A held span that ended so early uses what it has, with an error
bar that says so. What nobody holds must be proven: it waits for two collections, and early samples alone are none.

Pieces depend on the whole span and its samples alone, never on the part that is asked for. All amounts are integers
(parts per billion times milliseconds), so the parts of a span add up exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aicost.domain.exact.windows import SECOND_MS, Window
from aicost.domain.sampling.pieces import Pieces, merge, no_pieces, outside
from aicost.domain.sampling.series import COLLECTION_MS, Millis, Parts, Signal
from aicost.domain.sampling.uncertainty import (
    LAG_MS,
    between,
    half_width,
    of_lag,
    of_rounding,
    settling_ms,
    steps,
    unsettled_steps,
)

CARRIED_INTERVALS = 2
LONGEST_INTERVAL_MS = 300 * SECOND_MS
_FEWEST_STEPS = 3
_MOST_COVERED_MS = 9_000_000_000
"""104 days: more could overflow 64 bits at full activity."""


@dataclass(frozen=True, slots=True)
class Integral:
    """What samples say of one part of a span.

    Attributes:
        active_ppb_ms: activity times time, in parts per billion times milliseconds: `sum(value * length)`.
        covered_ms: time that samples speak of; the rest of the part is not measured.
        samples: samples taken inside the part.
        error_ppb_ms: half-width of the 95 % error bar of `active_ppb_ms`, rounded up.
        signals: what was used, best first.
    """

    active_ppb_ms: int = 0
    covered_ms: int = 0
    samples: int = 0
    error_ppb_ms: int = 0
    signals: tuple[Signal, ...] = ()


class Coverage:
    """Pieces with running sums, so that many parts of one span are integrated cheaply."""

    __slots__ = ("_active", "_covered", "_sampled", "pieces", "signals")

    def __init__(self, pieces: Pieces, signals: tuple[Signal, ...]) -> None:
        self.pieces = pieces
        self.signals = signals
        lengths = pieces.end_ms - pieces.start_ms
        self._covered = np.concatenate(([0], np.cumsum(lengths)))
        if self._covered[-1] > _MOST_COVERED_MS:
            raise ValueError(f"samples cover {self._covered[-1]} ms: integrate at most {_MOST_COVERED_MS} ms at once")
        self._active = np.concatenate(([0], np.cumsum(pieces.value * lengths)))
        self._sampled = np.sort(pieces.at_ms)

    @property
    def covered_ms(self) -> int:
        """Time that samples speak of in all."""
        return int(self._covered[-1])

    def over(self, part: Window) -> Integral:
        """Integrate a part of the span, half-open."""
        first = int(np.searchsorted(self.pieces.end_ms, part.start_ms, side="right"))
        last = int(np.searchsorted(self.pieces.start_ms, part.end_ms, side="left"))
        if first >= last:
            return Integral(samples=self._samples(part))
        active_before, covered_before = self._until(part.start_ms)
        active_after, covered_after = self._until(part.end_ms)
        return Integral(
            active_ppb_ms=active_after - active_before,
            covered_ms=covered_after - covered_before,
            samples=self._samples(part),
            error_ppb_ms=self._error(part, slice(first, last)),
            signals=self._used(slice(first, last)),
        )

    def _until(self, moment: int) -> tuple[int, int]:
        """Activity and covered time before a moment."""
        index = int(np.searchsorted(self.pieces.start_ms, moment, side="left")) - 1
        if index < 0:
            return 0, 0
        length = min(moment, int(self.pieces.end_ms[index])) - int(self.pieces.start_ms[index])
        active = int(self._active[index]) + int(self.pieces.value[index]) * length
        return active, int(self._covered[index]) + length

    def _samples(self, part: Window) -> int:
        low, high = np.searchsorted(self._sampled, (part.start_ms, part.end_ms))
        return int(high - low)

    def _error(self, part: Window, inside: slice) -> int:
        pieces = self.pieces.pick(inside)
        lengths = np.minimum(pieces.end_ms, part.end_ms) - np.maximum(pieces.start_ms, part.start_ms)
        covered = np.bincount(pieces.source, lengths, len(self.signals)).astype(np.int64).tolist()
        rounding = (of_rounding(signal, time) for signal, time in zip(self.signals, covered, strict=True))
        return half_width([*between(pieces.step, lengths).tolist(), self._lag_error(part), *rounding])

    def _lag_error(self, part: Window) -> float:
        """Variance for the lag: by how much the load changed from the head to the tail of what the part covers."""
        start = max(part.start_ms, int(self.pieces.start_ms[0]))
        end = min(part.end_ms, int(self.pieces.end_ms[-1]))
        length = min(LAG_MS, (end - start) // 2)
        head, tail = self._mean(Window(start, start + length)), self._mean(Window(end - length, end))
        return 0.0 if head is None or tail is None else of_lag(tail - head)

    def _mean(self, part: Window) -> int | None:
        """Mean activity of what is covered of a part."""
        (before, start), (after, end) = self._until(part.start_ms), self._until(part.end_ms)
        return (after - before) // (end - start) if end > start else None

    def _used(self, inside: slice) -> tuple[Signal, ...]:
        return tuple(self.signals[index] for index in np.unique(self.pieces.source[inside]))


def expected_interval(at_ms: Millis, default_ms: int) -> int:
    """Time between samples that these times show, in whole seconds: their median step, rounded up.

    Never below what the source aims at (two exporters for one device halve the steps, not the interval), never above
    five minutes, and the default where there are too few samples to tell.
    """
    steps = np.sort(np.diff(at_ms))
    if len(steps) < _FEWEST_STEPS:
        return default_ms
    median = int(steps[(len(steps) - 1) // 2])
    return max(default_ms, min(-(-median // SECOND_MS) * SECOND_MS, LONGEST_INTERVAL_MS))


@dataclass(frozen=True, slots=True, eq=False)
class SignalSamples:
    """All samples of one signal of a device, sorted.

    Attributes:
        value: activity in parts per billion.
        interval_ms: time between samples.
        collection_ms: how often the exporter collects.
    """

    signal: Signal
    at_ms: Millis
    value: Parts
    interval_ms: int
    collection_ms: int = COLLECTION_MS


def cover(samples: SignalSamples, span: Window, *, held: bool = True) -> Coverage:
    """What the samples of one signal prove of a span.

    Args:
        samples: those outside the span are left out.
        span: the whole time that one holder held the device, or nobody, beyond the billing window too.
        held: somebody held the device.
    """
    low, high = np.searchsorted(samples.at_ms, (span.start_ms, span.end_ms))
    times, values = samples.at_ms[low:high], samples.value[low:high]
    interval_ms, settling = samples.interval_ms, settling_ms(samples.collection_ms, held=held)
    early = int(np.searchsorted(times, span.start_ms + settling))
    if early < len(times):
        unseen = interval_ms < int(times[early]) - span.start_ms <= settling + interval_ms
        step = steps(values[early:], before=values[:early], unseen=unseen)
        pieces = _pieces(times[early:], values[early:], step, span, interval_ms, settling + interval_ms)
    elif early and held:
        pieces = _pieces(times, values, unsettled_steps(values), span, interval_ms, interval_ms)
    else:
        pieces = no_pieces()
    return Coverage(pieces, (samples.signal,))


def _pieces(times: Millis, values: Parts, step: Parts, span: Window, interval_ms: int, reach_ms: int) -> Pieces:
    """The time that each sample speaks of; the first one reaches back to the span's start if that is near enough."""
    joined = np.diff(times) <= CARRIED_INTERVALS * interval_ms
    near = int(times[0]) - span.start_ms <= reach_ms
    first = span.start_ms if near else int(times[0]) - interval_ms
    last = min(span.end_ms, int(times[-1]) + CARRIED_INTERVALS * interval_ms)
    starts = np.append(first, np.where(joined, times[:-1], times[1:] - interval_ms))
    ends = np.append(times[:-1] + np.where(joined, 0, interval_ms), last)
    pieces = Pieces(starts, ends, values, step, np.zeros(len(times), np.int64), times)
    return pieces.pick(starts < ends)


def combine(primary: Coverage, fallback: Coverage) -> Coverage:
    """The primary signal where it covers, the fallback where only that does."""
    filler = outside(fallback.pieces, primary.pieces)
    merged = merge(primary.pieces, filler, len(primary.signals))
    return Coverage(merged, primary.signals + fallback.signals)


def cover_best(samples: Sequence[SignalSamples], span: Window, *, held: bool = True) -> Coverage | None:
    """Cover a span by several signals, best first, as far as is needed; None where there is no signal at all."""
    coverage: Coverage | None = None
    for one in samples:
        if coverage is not None and coverage.covered_ms == span.length_ms:
            break
        own = cover(one, span, held=held)
        coverage = own if coverage is None else combine(coverage, own)
    return coverage
