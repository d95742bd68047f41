"""When values per pod contradict the value of the device: then they say nothing about who computed.

The known way in which it happens: an exporter that cannot map processes to pods shows 0 for each of them, beside a
device that is busy. A moment contradicts where the device is busy and its pods explain next to nothing of it, or where
one pod claims more than the whole device does. Moments in which the device is nearly idle say nothing either way. Pods
that explain a part are believed: the rest of the device is somebody else's, and nobody is billed for it.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from aicost.domain.exact.windows import MINUTE_MS, Window
from aicost.domain.sampling.series import PPB, Millis, Parts
from aicost.domain.trust.traces import Trace

BLIND_AFTER_MS = 10 * MINUTE_MS
"""For how long values must contradict before they are no longer believed."""
BUSY = PPB // 10
"""Below this a device is too idle for its pods to contradict it."""
EXPLAINED_NUM, EXPLAINED_DEN = 1, 20
"""Share of the device's activity that its pods must explain: less is noise."""
ABOVE = PPB // 4
"""A pod whose activity is above the device's by more than this claims what cannot be."""
CARRIED_INTERVALS = 2
"""How many intervals a value speaks for: it may be that old."""
SMOOTHED = 3
"""Samples that are averaged: values per process lag behind those of the device by a sample or two."""
LONGEST_PAUSE_MS = 2 * MINUTE_MS
"""Time without a contradicting moment after which a run of them ends."""


def blind_spans(device: Trace, pods: Sequence[Trace], interval_ms: int) -> tuple[Window, ...]:
    """Spans of ten minutes or more in which values per pod contradict the device.

    A span begins with the first contradicting moment: what was seen in the ten minutes before they were over is not
    to be believed either.

    Args:
        device: activity of the whole device in parts per billion.
        pods: activity of each pod on it, in the same unit; a pod with several rows as one trace.
        interval_ms: time between samples.
    """
    if not len(device.at_ms) or not pods:
        return ()
    reach_ms = CARRIED_INTERVALS * interval_ms
    whole = _smooth(device.value)
    each = [_values_at(_smoothed(pod), device.at_ms, reach_ms) for pod in pods]
    known = np.logical_and.reduce([mask for _, mask in each])
    total = np.sum([value for value, _ in each], axis=0)
    largest = np.max([value for value, _ in each], axis=0)
    busy = whole >= BUSY
    unexplained = busy & (total * EXPLAINED_DEN < whole * EXPLAINED_NUM)
    contradicts = known & (unexplained | (largest > whole + ABOVE))
    if not contradicts.any():
        return ()
    agrees = known & busy & ~contradicts
    longest = max(LONGEST_PAUSE_MS, reach_ms)
    return tuple(_runs(device.at_ms, contradicts, agrees, longest))


def _runs(
    at_ms: Millis, contradicts: NDArray[np.bool_], agrees: NDArray[np.bool_], longest_ms: int
) -> Iterator[Window]:
    """Runs of contradicting moments, which an agreeing one ends, or too long a pause."""
    first = last = -1
    for position in np.flatnonzero(contradicts | agrees).tolist():
        moment = int(at_ms[position])
        if first >= 0 and (agrees[position] or moment - last > longest_ms):
            yield from _long_enough(first, last)
            first = -1
        if contradicts[position]:
            first, last = (moment if first < 0 else first), moment
    if first >= 0:
        yield from _long_enough(first, last)


def _long_enough(first: int, last: int) -> Iterator[Window]:
    if last - first >= BLIND_AFTER_MS:
        yield Window(first, last + 1)


def _smoothed(trace: Trace) -> Trace:
    return Trace(trace.at_ms, _smooth(trace.value))


def _smooth(value: Parts) -> Parts:
    """The mean of each sample and those before it, as many as there are of `SMOOTHED`."""
    sums = np.concatenate([np.zeros(1, np.int64), np.cumsum(value)])
    ends = np.arange(1, len(value) + 1)
    starts = np.maximum(0, ends - SMOOTHED)
    mean: Parts = (sums[ends] - sums[starts]) // (ends - starts)
    return mean


def _values_at(trace: Trace, at_ms: Millis, reach_ms: int) -> tuple[Parts, NDArray[np.bool_]]:
    """A trace's value at each moment, by its last sample; and where that is not too old."""
    if not len(trace.at_ms):
        return np.zeros(len(at_ms), np.int64), np.zeros(len(at_ms), bool)
    index = trace.at_ms.searchsorted(at_ms, side="right") - 1
    there = np.maximum(index, 0)
    known = (index >= 0) & (at_ms - trace.at_ms[there] <= reach_ms)
    return trace.value[there], known
