"""What samples say of the devices of one node, ready to be integrated."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from aicost.domain.attribution.claims import Claim
from aicost.domain.attribution.parts import UNMEASURED, Activity, Known
from aicost.domain.attribution.sharing.knowing import ENGINE, SharedTimelines, activity_of, merged
from aicost.domain.attribution.spans import DeviceSpan
from aicost.domain.exact.windows import Window
from aicost.domain.inventory.nodes import SharingMode
from aicost.domain.sampling.alike.integrals import Asked, integrals
from aicost.domain.sampling.integration import Coverage, Integral, SignalSamples, cover_best, expected_interval
from aicost.domain.sampling.series import COLLECTION_MS, COUNTERS, DeviceSeries, Millis

LADDER = ENGINE.device
"""Signals that utilisation for cost rests on, best first: the next one fills what the better one leaves open."""

NOT_BOUNDED_MS = 1 << 62


class Timelines:
    """Activity of devices and their instances over time. Samples under several holders are one timeline."""

    def __init__(
        self,
        series: Sequence[DeviceSeries],
        interval_ms: int,
        known_until_ms: int = NOT_BOUNDED_MS,
        collection_ms: int = COLLECTION_MS,
        sharing: SharingMode = SharingMode.EXCLUSIVE,
    ) -> None:
        self._series, self._interval_ms, self._known_until_ms = series, interval_ms, known_until_ms
        self._samples = _by_place(series, interval_ms, collection_ms)
        self._shared = SharedTimelines(series, sharing, interval_ms, collection_ms)
        self._coverages: dict[tuple[str, str, Window, bool, bool], Coverage | None] = {}
        self._foreseen: dict[tuple[str, int, int, int, int], Activity] = {}

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
        if not whole.instance:
            foreseen = self._foreseen.get((device, *_bounds(whole.span, part)))
            if foreseen is not None:
                return foreseen
        coverage = self.coverage(device, whole)
        if coverage is None:
            return UNMEASURED
        return activity_of([coverage.over(part)])

    def asked(self, device: str, whole: DeviceSpan, part: Window) -> Asked | None:
        """What `activity` would integrate; None where it is more than the samples of the device as a whole."""
        place = (device, "")
        if whole.instance or whole.shared_for or place in self._shared.counted:
            return None
        samples = self._samples.get(place)
        if not samples:
            return None
        return Asked(samples[0], len(samples) == 1, whole.span, part, bool(whole.holds))

    def foresee(self, device: str, asked: Asked, integral: Integral) -> None:
        """Remember an answer of `activity` that was found together with others."""
        self._foreseen[device, *_bounds(asked.span, asked.part)] = activity_of([integral])

    def known(
        self, device: str, span: DeviceSpan, part: Window, claims: Iterable[Claim], *, by_sample: bool
    ) -> tuple[Known, ...]:
        """What is known of a part of a span in which several pods share a device; see `SharedTimelines`."""
        return self._shared.known(device, span, part, claims, by_sample=by_sample)

    def coverage(self, device: str, whole: DeviceSpan) -> Coverage | None:
        """What samples prove of a span of one device, or of one of its instances; None where there are none at all.

        Where a pod that is alone there came or went between two readings of the device's counter, its own one tells.
        """
        span, held, place = whole.shared_for or whole.span, bool(whole.holds), (device, whole.instance)
        own = self._own(place, whole)
        key = (*place, span, held, bool(own))
        if key not in self._coverages:
            samples = self._samples.get(place, [])
            counted = sum(one.signal in COUNTERS for one in samples) if own else 0
            self._coverages[key] = cover_best([*samples[:counted], *own, *samples[counted:]], span, held=held)
        return self._coverages[key]

    def of_device(self, device: str, span: Window) -> Coverage | None:
        """What samples prove of a whole device over a time in which somebody holds it, whoever that is."""
        return cover_best(self._samples.get((device, ""), []), span, held=True)

    def _own(self, place: tuple[str, str], whole: DeviceSpan) -> Sequence[SignalSamples]:
        """The counter of the pod that is alone on a device."""
        alone = whole.exclusive if place in self._shared.counted else None
        return () if alone is None else self._shared.counters(place, alone.claim.tenancy)


def _bounds(span: Window, part: Window) -> tuple[int, int, int, int]:
    return span.start_ms, span.end_ms, part.start_ms, part.end_ms


def foresee(questions: Iterable[tuple[Timelines, str, DeviceSpan, Window]]) -> None:
    """Answer at once what will be asked one by one: the devices of a node are read together, those of many alike."""
    pairs = [
        (timelines, device, asked)
        for timelines, device, whole, part in questions
        if (asked := timelines.asked(device, whole, part)) is not None
    ]
    for (timelines, device, asked), integral in zip(pairs, integrals([one for _, _, one in pairs]), strict=True):
        if integral is not None:
            timelines.foresee(device, asked, integral)


def _by_place(
    series: Iterable[DeviceSeries], interval_ms: int, collection_ms: int
) -> dict[tuple[str, str], list[SignalSamples]]:
    """The samples of each device and instance: an instance does not speak for the whole GPU, nor the GPU for it."""
    places: dict[tuple[str, str], list[DeviceSeries]] = defaultdict(list)
    for one in series:
        places[one.device, one.instance or ""].append(one)
    intervals = Intervals(interval_ms)
    return {place: samples_of(found, collection_ms, intervals) for place, found in places.items()}


class Intervals:
    """The time between samples, found once for all that were taken at the same times.

    Args:
        default_ms: what the source aims at.
    """

    def __init__(self, default_ms: int) -> None:
        self._default_ms = default_ms
        self._known: dict[int, tuple[Millis, int]] = {}
        self._equal: dict[bytes, int] = {}

    def of(self, at_ms: Millis) -> int:
        """The time between samples. Most of those that were taken together have their times as one object."""
        known = self._known.get(id(at_ms))
        if known is None:
            times = at_ms.tobytes()
            if times not in self._equal:
                self._equal[times] = expected_interval(at_ms, self._default_ms)
            known = self._known[id(at_ms)] = at_ms, self._equal[times]
        return known[1]


def samples_of(series: Sequence[DeviceSeries], collection_ms: int, intervals: Intervals) -> list[SignalSamples]:
    """Merge the series of each signal of one device or instance, best signal first.

    Args:
        series: all of it.
        collection_ms: how often the exporters collect.
        intervals: the time between samples.
    """
    found = []
    for signal in LADDER:
        mine = [one for one in series if one.signal is signal]
        if mine:
            at_ms, value = merged(mine)
            found.append(SignalSamples(signal, at_ms, value, intervals.of(at_ms), collection_ms))
    return found


def best_of(
    series: Sequence[DeviceSeries], collection_ms: int, intervals: Intervals
) -> tuple[SignalSamples, bool] | None:
    """The first of `samples_of`, and whether it is the only one; None for none."""
    there = [one.signal for one in series]
    signals = [signal for signal in LADDER if signal in there]
    if not signals:
        return None
    best = signals[0]
    at_ms, value = merged([one for one in series if one.signal is best])
    return SignalSamples(best, at_ms, value, intervals.of(at_ms), collection_ms), len(signals) == 1
