"""What samples say of the devices of one node, ready to be integrated."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from aicost.domain.attribution.spans import DeviceSpan
from aicost.domain.attribution.split import UNMEASURED, Activity
from aicost.domain.exact.windows import Window
from aicost.domain.sampling.integration import Coverage, SignalSamples, cover_best, expected_interval
from aicost.domain.sampling.series import COLLECTION_MS, DeviceSeries, Millis, Parts, Signal

LADDER = (Signal.ENGINE_ACTIVE, Signal.GPU_UTIL)
"""Signals that utilisation for cost rests on, best first: the next one fills what the better one leaves open."""

NOT_BOUNDED_MS = 1 << 62


class Timelines:
    """Activity of whole devices over time. Samples of one device under several holders are one timeline."""

    def __init__(
        self,
        series: Sequence[DeviceSeries],
        interval_ms: int,
        known_until_ms: int = NOT_BOUNDED_MS,
        collection_ms: int = COLLECTION_MS,
    ) -> None:
        self._series, self._interval_ms, self._known_until_ms = series, interval_ms, known_until_ms
        self._samples = _by_device(series, interval_ms, collection_ms)
        self._coverages: dict[tuple[str, Window, bool], Coverage | None] = {}

    def alive(self, device: str, span: Window) -> bool:
        """Whether samples speak of a device for half of a span or more, with an interval on both sides of it.

        A device that fell off the bus may be shown for a moment longer, and a short span may lie between two samples.
        """
        at_ms = [one.at_ms for one in self._series if one.device == device]
        times = np.unique(np.concatenate(at_ms)) if at_ms else np.zeros(0, np.int64)
        interval_ms = expected_interval(times, self._interval_ms)
        start_ms = span.start_ms - interval_ms
        end_ms = max(start_ms, min(span.end_ms + interval_ms, self._known_until_ms))
        low, high = np.searchsorted(times, (start_ms, end_ms))
        shown = np.minimum(np.diff(times[low:high], append=end_ms), interval_ms)
        return 2 * int(shown.sum()) >= end_ms - start_ms

    def activity(self, device: str, whole: DeviceSpan, part: Window) -> Activity:
        """Integrate a part of a span during which the device's holders did not change."""
        held = bool(whole.holds)
        key = (device, whole.span, held)
        if key not in self._coverages:
            samples = self._samples.get(device, [])
            self._coverages[key] = cover_best(samples, whole.span, held=held)
        coverage = self._coverages[key]
        if coverage is None:
            return UNMEASURED
        integral = coverage.over(part)
        signal = "+".join(signal.value for signal in integral.signals)
        return Activity(integral.active_ppb_ms, integral.covered_ms, integral.error_ppb_ms, signal)


def _by_device(series: Iterable[DeviceSeries], interval_ms: int, collection_ms: int) -> dict[str, list[SignalSamples]]:
    """Merge the series of each device and signal, best signal first; an instance does not speak for the whole GPU."""
    parts: dict[tuple[str, Signal], list[DeviceSeries]] = defaultdict(list)
    for one in series:
        if one.signal in LADDER and one.instance is None:
            parts[one.device, one.signal].append(one)
    merged: dict[str, list[SignalSamples]] = defaultdict(list)
    for signal in LADDER:
        for device in sorted(device for device, of in parts if of is signal):
            at_ms, value = _merge(parts[device, signal])
            interval = expected_interval(at_ms, interval_ms)
            merged[device].append(SignalSamples(signal, at_ms, value, interval, collection_ms))
    return merged


def _merge(series: list[DeviceSeries]) -> tuple[Millis, Parts]:
    """One sorted timeline of several series; where two speak of the same moment, the greater value counts."""
    at_ms = np.concatenate([one.at_ms for one in series])
    value = np.concatenate([one.value for one in series])
    order = np.lexsort((value, at_ms))
    at_ms, value = at_ms[order], value[order]
    last = np.append(at_ms[1:] != at_ms[:-1], True) if len(at_ms) else np.zeros(0, bool)
    return at_ms[last], value[last]
