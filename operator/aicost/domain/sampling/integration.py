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
from typing import NamedTuple

import numpy as np

from aicost.domain.exact.windows import SECOND_MS, Window
from aicost.domain.sampling.counters.counting import counter_pieces
from aicost.domain.sampling.pieces import Pieces, merge, no_pieces, outside, without
from aicost.domain.sampling.series import COLLECTION_MS, COUNTERS, OF_PODS, Millis, Parts, Signal
from aicost.domain.sampling.uncertainty import (
    LAG_MS,
    OF_PROCESSES,
    between,
    half_width,
    of_lag,
    of_rounding,
    of_sampling,
    settling_ms,
    steps,
    unsettled_steps,
)

CARRIED_INTERVALS = 2
LONGEST_INTERVAL_MS = 300 * SECOND_MS
_FEWEST_STEPS = 3
MOST_COVERED_MS = 9_000_000_000
"""104 days: more could overflow 64 bits at full activity."""


class Integral(NamedTuple):
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

    __slots__ = ("_active", "_covered", "_runs", "pieces", "signals")

    def __init__(self, pieces: Pieces, signals: tuple[Signal, ...]) -> None:
        self.pieces = pieces
        self.signals = signals
        self._runs: tuple[Window, ...] | None = None
        lengths = pieces.end_ms - pieces.start_ms
        self._covered = _running_sums(lengths)
        if self._covered[-1] > MOST_COVERED_MS:
            raise ValueError(f"samples cover {self._covered[-1]} ms: integrate at most {MOST_COVERED_MS} ms at once")
        self._active = _running_sums(pieces.value * lengths)

    @property
    def covered_ms(self) -> int:
        """Time that samples speak of in all."""
        return int(self._covered[-1])

    @property
    def runs(self) -> tuple[Window, ...]:
        """The spans that it covers without a hole, in order of time."""
        if self._runs is None:
            starts, ends = self.pieces.start_ms, self.pieces.end_ms
            breaks = np.flatnonzero(starts[1:] > ends[:-1])
            firsts = [*starts[:1].tolist(), *starts[breaks + 1].tolist()]
            lasts = [*ends[breaks].tolist(), *ends[-1:].tolist()]
            self._runs = tuple(map(Window, firsts, lasts))
        return self._runs

    def at_rest(self) -> "Coverage":
        """The same time, in which nothing was done."""
        pieces, none = self.pieces, np.zeros_like(self.pieces.value)
        still = Pieces(pieces.start_ms, pieces.end_ms, none, none, pieces.source, pieces.at_ms)
        return Coverage(still, self.signals)

    def over(self, part: Window) -> Integral:
        """Integrate a part of the span, half-open."""
        first = int(self.pieces.end_ms.searchsorted(part.start_ms, side="right"))
        last = int(self.pieces.start_ms.searchsorted(part.end_ms, side="left"))
        if first >= last:
            return Integral(samples=self._samples(part))
        active_before, covered_before = self._until(part.start_ms)
        active_after, covered_after = self._until(part.end_ms)
        return Integral(
            active_ppb_ms=active_after - active_before,
            covered_ms=covered_after - covered_before,
            samples=self._samples(part),
            error_ppb_ms=self._error(part, slice(first, last), active_after - active_before),
            signals=self._used(slice(first, last)),
        )

    def _until(self, moment: int) -> tuple[int, int]:
        """Activity and covered time before a moment."""
        index = int(self.pieces.start_ms.searchsorted(moment, side="left")) - 1
        if index < 0:
            return 0, 0
        length = min(moment, int(self.pieces.end_ms[index])) - int(self.pieces.start_ms[index])
        active = int(self._active[index]) + int(self.pieces.value[index]) * length
        return active, int(self._covered[index]) + length

    def _samples(self, part: Window) -> int:
        at_ms = self.pieces.at_ms
        return int(np.count_nonzero((at_ms >= part.start_ms) & (at_ms < part.end_ms)))

    def _error(self, part: Window, inside: slice, active: int) -> int:
        pieces = self.pieces
        ends, starts = pieces.end_ms[inside], pieces.start_ms[inside]
        lengths = np.minimum(ends, part.end_ms) - np.maximum(starts, part.start_ms)
        covered = self._by_signal(lengths, inside)
        rounding = (of_rounding(signal, time) for signal, time in zip(self.signals, covered, strict=True))
        variances = [*between(pieces.step[inside], lengths).tolist(), self._lag_error(part), *rounding]
        return half_width([*variances, *(of_sampling(active) for signal in self.signals if signal in OF_PROCESSES)])

    def _by_signal(self, lengths: Millis, inside: slice) -> list[int]:
        """Time that each signal covers."""
        if len(self.signals) == 1:
            return [int(lengths.sum())]
        counted: list[int] = np.bincount(self.pieces.source[inside], lengths, len(self.signals)).astype(int).tolist()
        return counted

    def _lag_error(self, part: Window) -> float:
        """Variance for the lag: by how much the load changed from the head to the tail of what the part covers.

        Counters say what was until they were read: they do not lag.
        """
        if COUNTERS.issuperset(self.signals):
            return 0.0
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
        if len(self.signals) == 1:
            return self.signals
        used = self.pieces.source[inside]
        return tuple(signal for index, signal in enumerate(self.signals) if (used == index).any())


def _running_sums(amounts: Millis) -> Millis:
    """Sums before each amount, and of them all."""
    sums = np.zeros(len(amounts) + 1, np.int64)
    np.cumsum(amounts, out=sums[1:])
    return sums


def expected_interval(at_ms: Millis, default_ms: int) -> int:
    """Time between samples that these times show, in whole seconds: their median step, rounded up.

    Never below what the source aims at (two exporters for one device halve the steps, not the interval), never above
    five minutes, and the default where there are too few samples to tell.
    """
    steps = at_ms[1:] - at_ms[:-1]
    if len(steps) < _FEWEST_STEPS:
        return default_ms
    middle = (len(steps) - 1) // 2
    steps.partition(middle)
    median = int(steps[middle])
    return max(default_ms, min(-(-median // SECOND_MS) * SECOND_MS, LONGEST_INTERVAL_MS))


@dataclass(frozen=True, slots=True, eq=False)
class SignalSamples:
    """All samples of one signal of a device, sorted.

    Attributes:
        value: activity in parts per billion; of a counter, its readings in nanoseconds.
        interval_ms: time between samples.
        collection_ms: how often the exporter collects.
        resets: of a counter, when others of the same source were first read after a reset; None for no others.
        blind: spans of which no sample tells anything, sorted: none is carried into them.
    """

    signal: Signal
    at_ms: Millis
    value: Parts
    interval_ms: int
    collection_ms: int = COLLECTION_MS
    resets: Millis | None = None
    blind: Sequence[Window] = ()


def cover(samples: SignalSamples, span: Window, *, held: bool = True) -> Coverage:
    """What the samples of one signal prove of a span.

    Args:
        samples: those outside the span are left out.
        span: the whole time that one holder held the device, or nobody, beyond the billing window too.
        held: somebody held the device.
    """
    low, high = int(samples.at_ms.searchsorted(span.start_ms)), int(samples.at_ms.searchsorted(span.end_ms))
    times, values = samples.at_ms[low:high], samples.value[low:high]
    told = spoken(times, values, span, samples.interval_ms, samples.collection_ms, held=held)
    pieces = no_pieces() if told is None else _pieces(*told)
    return Coverage(without(pieces, samples.blind) if samples.blind else pieces, (samples.signal,))


class Spoken(NamedTuple):
    """Samples with the time that each speaks of; of several series that were read at the same times, row by row.

    Attributes:
        at_ms: times of the samples.
        start_ms, end_ms: the time that each speaks of, which may be none.
        value, step: by series.
    """

    at_ms: Millis
    start_ms: Millis
    end_ms: Millis
    value: Parts
    step: Parts


def spoken(
    times: Millis, values: Parts, span: Window, interval_ms: int, collection_ms: int, *, held: bool
) -> Spoken | None:
    """The time of a span that its samples speak of; None where they prove nothing.

    Args:
        times: of the samples inside the span.
        values: the last axis is that of the times.
        span: the whole time that one holder held the device, or nobody.
        interval_ms: time between samples.
        collection_ms: how often the exporter collects.
        held: somebody held the device.
    """
    settling = settling_ms(collection_ms, held=held)
    early = int(times.searchsorted(span.start_ms + settling))
    if early < len(times):
        unseen = interval_ms < int(times[early]) - span.start_ms <= settling + interval_ms
        step = steps(values[..., early:], before=values[..., :early], unseen=unseen)
        reach_ms = settling + interval_ms
        return Spoken(times[early:], *_reaches(times[early:], span, interval_ms, reach_ms), values[..., early:], step)
    if early and held:
        return Spoken(times, *_reaches(times, span, interval_ms, interval_ms), values, unsettled_steps(values))
    return None


def cover_counter(samples: SignalSamples, span: Window) -> Coverage:
    """What the readings of one counter prove of a span; a pod's span is the time for which it held the device."""
    of_pod = samples.signal in OF_PODS
    readings, resets = (samples.at_ms, samples.value), samples.resets
    pieces = counter_pieces(*readings, span, samples.interval_ms, of_pod=of_pod, resets=resets)
    return Coverage(pieces, (samples.signal,))


def _reaches(times: Millis, span: Window, interval_ms: int, reach_ms: int) -> tuple[Millis, Millis]:
    """The time that each sample speaks of; the first one reaches back to the span's start if that is near enough."""
    near = int(times[0]) - span.start_ms <= reach_ms
    starts, ends = np.empty_like(times), np.empty_like(times)
    starts[0] = span.start_ms if near else int(times[0]) - interval_ms
    ends[-1] = min(span.end_ms, int(times[-1]) + CARRIED_INTERVALS * interval_ms)
    starts[1:], ends[:-1] = times[:-1], times[:-1]
    silent = times[1:] - times[:-1] > CARRIED_INTERVALS * interval_ms
    if silent.any():
        starts[1:][silent] = times[1:][silent] - interval_ms
        ends[:-1][silent] += interval_ms
    return starts, ends


def _pieces(times: Millis, starts: Millis, ends: Millis, values: Parts, step: Parts) -> Pieces:
    pieces = Pieces(starts, ends, values, step, np.zeros(len(times), np.int64), times)
    filled = starts < ends
    return pieces if filled.all() else pieces.pick(filled)


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
        own = cover_counter(one, span) if one.signal in COUNTERS else cover(one, span, held=held)
        coverage = own if coverage is None else combine(coverage, own)
    return coverage
