"""Which values of single pods on a shared device are measurements.

An exporter that cannot tell processes apart shows every pod at 0 while the device is busy, and older ones show the
device's own value for each pod. Neither measures a pod. Such moments are left out, with the time of which their samples
would speak: what a pod did then is not known, and no other sample tells it. So are spans in which pods contradict the
device for long (`blind_spans`): the node's condition says then that attribution is blind.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aicost.domain.exact.windows import Window
from aicost.domain.sampling.integration import expected_interval
from aicost.domain.sampling.series import COLLECTION_MS, PPB, DeviceSeries, Millis, Parts
from aicost.domain.trust.blindness import blind_spans
from aicost.domain.trust.traces import Trace

BUSY = PPB // 20
"""From 5 % on a device is busy: below that, each of several pods may well be rounded to 0."""

LASTING_MS = 2 * COLLECTION_MS
"""Idle pods on a busy device contradict it after so long: an exporter may show what was one collection ago."""


class Believed(NamedTuple):
    """What measures something.

    Attributes:
        columns: times and values of the samples, for each series in order.
        blind: spans of which no sample of a pod tells anything.
    """

    columns: Sequence[tuple[Millis, Parts]]
    blind: Sequence[Window] = ()


def believable(pods: Sequence[DeviceSeries], device: tuple[Millis, Parts] | None) -> Believed:
    """The samples of pods that measure something.

    Args:
        pods: one series for each pod on the device.
        device: times and values of the device's own utilisation, None where nothing shows it.
    """
    if device is None or not len(device[0]):
        return Believed([(one.at_ms, one.value) for one in pods])
    shown = _by_moment(pods)
    false = _false_moments(shown, _at(shown.at_ms, *device)) | _in_any(shown.at_ms, _blind(pods, device))
    if not false.any():
        return Believed([(one.at_ms, one.value) for one in pods])
    kept = [~false[shown.at_ms.searchsorted(one.at_ms)] for one in pods]
    columns = [(one.at_ms[true], one.value[true]) for one, true in zip(pods, kept, strict=True)]
    ends, starts = shown.at_ms, np.append(shown.at_ms[0] - COLLECTION_MS, shown.at_ms[:-1])
    return Believed(columns, [Window(int(starts[first]), int(ends[after - 1])) for first, after in _runs(false)])


class _Moments(NamedTuple):
    """What is shown of all pods at each moment.

    Attributes:
        several: whether it is more than one pod that is shown.
    """

    at_ms: Millis
    largest: Parts
    smallest: Parts
    several: NDArray[np.bool_]


def _by_moment(pods: Sequence[DeviceSeries]) -> _Moments:
    """The pods of a device are mostly shown at the same moments: by one exporter, for as long as they live."""
    first = pods[0].at_ms
    if all(np.array_equal(first, one.at_ms) for one in pods[1:]):
        values = np.stack([one.value for one in pods])
        return _Moments(first, values.max(axis=0), values.min(axis=0), np.full(len(first), len(pods) > 1))
    every, index = np.unique(np.concatenate([one.at_ms for one in pods]), return_inverse=True)
    values = np.concatenate([one.value for one in pods])
    largest, smallest = np.zeros(len(every), np.int64), np.full(len(every), np.iinfo(np.int64).max)
    np.maximum.at(largest, index, values)
    np.minimum.at(smallest, index, values)
    return _Moments(every, largest, smallest, np.bincount(index, minlength=len(every)) > 1)


def _blind(pods: Sequence[DeviceSeries], device: tuple[Millis, Parts]) -> Sequence[Window]:
    """Spans in which the pods contradict the device for long, by the rule that the node's condition goes by."""
    interval_ms = expected_interval(device[0], COLLECTION_MS)
    return blind_spans(Trace(*device), [Trace(one.at_ms, one.value) for one in pods], interval_ms)


def _in_any(times: Millis, spans: Sequence[Window]) -> NDArray[np.bool_]:
    inside = np.zeros(len(times), bool)
    for span in spans:
        inside |= (times >= span.start_ms) & (times < span.end_ms)
    return inside


def _false_moments(shown: _Moments, device: Parts) -> NDArray[np.bool_]:
    """Moments at which several pods all have the device's own value, or at which all are idle on a busy device.

    For a moment the latter is no wonder: where a pod has ended, the device's value may be what it did last.
    """
    copied = shown.several & (shown.smallest == shown.largest) & (shown.largest == device) & (device > 0)
    return np.asarray(copied | _lasting((shown.largest == 0) & (device >= BUSY), shown.at_ms))


def _lasting(found: NDArray[np.bool_], moments: Millis) -> NDArray[np.bool_]:
    """Those that follow each other for longer than a change of holders explains."""
    if not found.any():
        return found
    lasting = np.zeros(len(found), bool)
    for first, after in _runs(found):
        lasting[first:after] = moments[after - 1] - moments[first] >= LASTING_MS
    return lasting


def _runs(found: NDArray[np.bool_]) -> Iterable[tuple[int, int]]:
    """First position of each run of what was found, and the one after its last."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], found, [False])).astype(np.int8)))
    return zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _at(moments: Millis, times: Millis, values: Parts) -> Parts:
    """The device's value at each moment: that of its last sample until then, 0 before the first."""
    found = times.searchsorted(moments, side="right") - 1
    return np.where(found >= 0, values[found], 0)
