"""Counters as pieces of constant activity: between two readings the load is taken to be even.

The gain from one reading to the next is exact, however far apart they are. What was counted between the last reading
and a reset is lost, so nothing is known of the time between the readings around it. A pod's counter gains only while
the pod lives, so a gain that was read after its end belongs to its life, and a first reading that its life so far can
hold began at 0 with it. Of a device's counter a gain counts that lies wholly within the span: one that was read after
somebody came or went says nothing of either.
"""

from collections.abc import Iterable

import numpy as np

from aicost.domain.exact.windows import Window
from aicost.domain.sampling.pieces import Pieces, no_pieces
from aicost.domain.sampling.series import PPB, Millis, Parts

PPB_MS_PER_NANOSECOND = PPB // 1_000_000
"""A nanosecond of activity as parts per billion times milliseconds."""
CARRIED_INTERVALS = 2
_SLACK_NS = 1_000_000_000
"""How much more than its life a first reading may hold: clocks of two machines differ."""


def resets_of(counters: Iterable[tuple[Millis, Parts]]) -> Millis:
    """When counters were read lower than before, sorted: who counts them began anew, for all that it counts."""
    found = [at_ms[1:][value[1:] < value[:-1]] for at_ms, value in counters]
    return np.unique(np.concatenate([np.zeros(0, np.int64), *found]))


def counter_pieces(
    at_ms: Millis, value: Parts, span: Window, interval_ms: int, *, of_pod: bool, resets: Millis | None = None
) -> Pieces:
    """The activity within a span that the readings of one counter prove.

    Args:
        at_ms: times of the readings, sorted.
        value: the readings in nanoseconds.
        span: the span; of a pod's counter, the time for which it held the device.
        interval_ms: time between readings: after the last one the load is carried on for two of these.
        of_pod: the counter is a pod's, not a device's.
        resets: when other counters of the same source were first read after a reset, sorted.
    """
    low = max(0, int(at_ms.searchsorted(span.start_ms, side="right")) - 1)
    high = int(at_ms.searchsorted(span.end_ms)) + 1
    times, readings = at_ms[low:high], value[low:high]
    if of_pod and len(times) and _is_birth(int(times[0]), int(readings[0]), span, interval_ms):
        times, readings = np.concatenate(([span.start_ms], times)), np.concatenate(([0], readings))
    if len(times) < 2 or times[-1] <= span.start_ms:
        return no_pieces()
    gains = np.diff(readings) * PPB_MS_PER_NANOSECOND
    known = gains >= 0
    if resets is not None and len(resets):
        known &= np.diff(resets.searchsorted(times, side="right")) == 0
    starts, ends = np.maximum(times[:-1], span.start_ms), np.minimum(times[1:], span.end_ms)
    rates = np.minimum(gains // np.maximum(ends - starts, 1), PPB)
    none = np.zeros_like(rates)
    pieces = _carried(Pieces(starts, ends, rates, none, none, times[1:]), span, interval_ms)
    own = (pieces.start_ms < pieces.end_ms) & np.append(known, known[-1:])[: len(pieces.start_ms)]
    if not of_pod:
        own[: len(rates)] &= (starts == times[:-1]) & (ends == times[1:])
    return pieces.pick(own)


def _is_birth(first_ms: int, reading: int, span: Window, interval_ms: int) -> bool:
    """Whether a counter began with its pod: it is read soon after, and holds no more than the pod has lived."""
    lived_ms = first_ms - span.start_ms
    return 0 < lived_ms <= CARRIED_INTERVALS * interval_ms and reading <= lived_ms * 1_000_000 + _SLACK_NS


def _carried(pieces: Pieces, span: Window, interval_ms: int) -> Pieces:
    """With a last piece for what comes after the last reading; how true that is nobody knows."""
    last = int(pieces.end_ms[-1])
    end = min(span.end_ms, last + CARRIED_INTERVALS * interval_ms)
    if end <= last:
        return pieces
    rate = int(pieces.value[-1])
    return Pieces(
        np.append(pieces.start_ms, last),
        np.append(pieces.end_ms, end),
        np.append(pieces.value, rate),
        np.append(pieces.step, max(rate, PPB - rate)),
        np.append(pieces.source, 0),
        np.append(pieces.at_ms, -1),
    )
