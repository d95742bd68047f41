"""What samples say of a shared device and of each pod on it: parts of a span over which the same is known."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import isqrt

import numpy as np

from aicost.domain.attribution.claims import Claim, Tenancy
from aicost.domain.attribution.parts import Activity, Known
from aicost.domain.attribution.sharing.believing import Believed, believable
from aicost.domain.attribution.spans import DeviceSpan, Hold
from aicost.domain.exact.windows import Window
from aicost.domain.inventory.nodes import SharingMode
from aicost.domain.ledger.rows import Quality
from aicost.domain.sampling.counters.counting import resets_of
from aicost.domain.sampling.integration import Coverage, Integral, SignalSamples, cover_best, expected_interval
from aicost.domain.sampling.pieces import without
from aicost.domain.sampling.series import COUNTERS, OF_PODS, DeviceSeries, Millis, Parts, Signal

PodName = tuple[str, str]
Where = tuple[str, str]
"""Device and instance; the instance is empty for a whole device."""


@dataclass(frozen=True, slots=True)
class Measure:
    """Signals that measure the same thing of a device and of the pods on it, best first."""

    device: tuple[Signal, ...]
    pods: tuple[Signal, ...]


ENGINE = Measure((Signal.BUSY_SECONDS, Signal.ENGINE_ACTIVE, Signal.GPU_UTIL), (Signal.POD_SECONDS, Signal.POD_UTIL))
"""Time-slicing: one pod at a time has the engine, so time is what is divided."""
PROCESSORS = Measure((Signal.SM_ACTIVE,), (Signal.POD_SM_SECONDS,))
"""MPS: several pods compute at the same time, each on some of the multiprocessors."""
UNDIVIDED = Measure((Signal.SM_ACTIVE, Signal.ENGINE_ACTIVE, Signal.GPU_UTIL), ())
"""MPS where nobody counts multiprocessors by pod: what the driver says of clients cannot be relied on."""


def measure_of(sharing: SharingMode, signals: AbstractSet[Signal]) -> Measure:
    """What is divided among the pods of a device.

    Args:
        sharing: how the node shares its devices.
        signals: what samples show of pods on the device.
    """
    if sharing is not SharingMode.MPS:
        return ENGINE
    return PROCESSORS if Signal.POD_SM_SECONDS in signals else UNDIVIDED


class SharedTimelines:
    """Activity of shared devices and of the pods on them, over time.

    Attributes:
        counted: devices and instances on which somebody counts what each pod does.
    """

    def __init__(
        self, series: Sequence[DeviceSeries], sharing: SharingMode, interval_ms: int, collection_ms: int
    ) -> None:
        self._sharing, self._interval_ms, self._collection_ms = sharing, interval_ms, collection_ms
        self._series = series
        self._by_place: dict[Where, list[DeviceSeries]] | None = None
        self.counted = {_where(one) for one in series if one.signal is Signal.POD_SECONDS}
        self._places: dict[Where, _Place] = {}

    def known(
        self, device: str, span: DeviceSpan, part: Window, claims: Iterable[Claim], *, by_sample: bool
    ) -> tuple[Known, ...]:
        """What is known of a part of a span in which several pods share a device.

        Args:
            device: the device.
            span: the whole span with its holders.
            part: the part of it.
            claims: all that ever held a share of the device: what they did at other times is theirs, not a stray's.
            by_sample: cut at each sample, not only where something begins or ceases to be known.
        """
        place = self._place((device, span.instance))
        whole = span.shared_for or span.span
        names = {claim.tenancy.name for claim in claims}
        held = [place.of_hold(hold) for hold in span.holds]
        strays = [found for name in sorted(place.names - names) if (found := place.of_name(name, whole))]
        certain = any(hold.claim.seen for hold in span.holds)
        own = place.of_device(whole) if certain else None
        if own and all(one and COUNTERS.issuperset(one.signals) for one in held):
            changes = {edge for claim in claims for edge in (claim.tenancy.span.start_ms, claim.tenancy.span.end_ms)}
            own = _undivided(own, span.span, held, sorted(changes))
        return tuple(_known(part, own, held, strays, by_sample=by_sample))

    def counters(self, where: Where, tenancy: Tenancy) -> Sequence[SignalSamples]:
        """The counter of a pod on a device or instance, empty for none."""
        return [one for one in self._place(where).of_pod(tenancy) if one.signal is Signal.POD_SECONDS]

    def _place(self, where: Where) -> "_Place":
        if where not in self._places:
            if self._by_place is None:
                self._by_place = defaultdict(list)
                for one in self._series:
                    self._by_place[_where(one)].append(one)
            series = self._by_place.get(where, [])
            measure = measure_of(self._sharing, {one.signal for one in series if one.signal in OF_PODS})
            self._places[where] = _Place(series, measure, self._interval_ms, self._collection_ms)
        return self._places[where]


def _where(series: DeviceSeries) -> Where:
    return series.device, series.instance or ""


class _Place:
    """Timelines of one device or instance."""

    def __init__(self, series: Sequence[DeviceSeries], measure: Measure, interval_ms: int, collection_ms: int) -> None:
        self._interval_ms, self._collection_ms, self._measure = interval_ms, collection_ms, measure
        self._resets = resets_of((one.at_ms, one.value) for one in series if one.signal in COUNTERS)
        self._device = [found for signal in measure.device if (found := self._merged(signal, series))]
        self._pods = self._by_pod([one for one in series if one.signal in measure.pods])
        self.names = frozenset(name for name, _ in self._pods)
        self._covered: dict[Window, Coverage | None] = {}
        self._of_holds: dict[tuple[PodName, str, Window], Coverage | None] = {}

    def of_device(self, span: Window) -> Coverage | None:
        """What samples prove of the device, None where there are none."""
        if span not in self._covered:
            self._covered[span] = cover_best(self._device, span)
        return self._covered[span]

    def of_hold(self, hold: Hold) -> Coverage | None:
        """What samples prove of a pod for as long as it holds its share.

        Who counts what each process does sees all of them: a pod that has no counter computed nothing.
        """
        tenancy = hold.claim.tenancy
        if not hold.claim.seen:
            return None
        key = (tenancy.name, tenancy.uid, hold.span)
        if key not in self._of_holds:
            samples = self.of_pod(tenancy)
            self._of_holds[key] = cover_best(samples, hold.span) if samples else self._silent(hold.span)
        return self._of_holds[key]

    def of_pod(self, tenancy: Tenancy) -> Sequence[SignalSamples]:
        """All samples of a pod, best signal first."""
        return [*self._pods.get((tenancy.name, tenancy.uid), ()), *self._pods.get((tenancy.name, ""), ())]

    def of_name(self, name: PodName, span: Window) -> Coverage | None:
        """What samples prove of a pod that holds nothing."""
        samples = [one for (of, _), found in self._pods.items() if of == name for one in found]
        return cover_best(samples, span)

    def _silent(self, span: Window) -> Coverage | None:
        counted = [one for one in self._device if one.signal is Signal.BUSY_SECONDS]
        found = cover_best(counted, span) if Signal.POD_SECONDS in self._measure.pods else None
        return None if found is None else found.at_rest()

    def _merged(self, signal: Signal, series: Sequence[DeviceSeries]) -> SignalSamples | None:
        mine = [one for one in series if one.signal is signal]
        return self._samples(signal, *merged(mine)) if mine else None

    def _samples(self, signal: Signal, at_ms: Millis, value: Parts, blind: Sequence[Window] = ()) -> SignalSamples:
        interval_ms = expected_interval(at_ms, self._interval_ms)
        return SignalSamples(signal, at_ms, value, interval_ms, self._collection_ms, self._resets, blind)

    def _by_pod(self, series: Sequence[DeviceSeries]) -> Mapping[tuple[PodName, str], list[SignalSamples]]:
        """Samples of each pod by name and uid, best signal first; gauges only as far as they measure something."""
        found: dict[tuple[PodName, str], list[SignalSamples]] = defaultdict(list)
        for signal in self._measure.pods:
            mine = [one for one in series if one.signal is signal and one.holder is not None]
            told = Believed([(one.at_ms, one.value) for one in mine]) if signal in COUNTERS else self._believable(mine)
            for one, (at_ms, value) in zip(mine, told.columns, strict=True):
                if one.holder is not None and len(at_ms):
                    found[one.holder, one.holder_uid or ""].append(self._samples(signal, at_ms, value, told.blind))
        return found

    def _believable(self, series: Sequence[DeviceSeries]) -> Believed:
        own = next((one for one in reversed(self._device) if one.signal not in COUNTERS), None)
        return believable(series, (own.at_ms, own.value) if own else None) if series else Believed([])


def _known(
    part: Window,
    device: Coverage | None,
    holders: Sequence[Coverage | None],
    strays: Sequence[Coverage],
    *,
    by_sample: bool,
) -> Iterator[Known]:
    """Cut a part wherever some coverage begins or ends, and join pieces over which the same is covered.

    By sample, it is cut at each of them too, and nothing is joined.
    """
    coverages = [device, *holders, *strays]
    edges = {part.start_ms, part.end_ms}
    for run in (run for one in coverages if one for run in one.runs):
        edges |= {edge for edge in (run.start_ms, run.end_ms) if part.start_ms < edge < part.end_ms}
    if by_sample:
        times = [np.concatenate((one.pieces.start_ms, one.pieces.end_ms)) for one in coverages if one]
        edges |= {edge for column in times for edge in column.tolist() if part.start_ms < edge < part.end_ms}
    groups: dict[tuple[int, tuple[bool, ...]], list[Window]] = {}
    for start, end in pairwise(sorted(edges)):
        piece = Window(start, end)
        covered = tuple(one is not None and _covers(one, piece) for one in coverages)
        groups.setdefault((start if by_sample else 0, covered), []).append(piece)
    for (_, covered), pieces in groups.items():
        found = [_activity(one, pieces) if has and one else None for one, has in zip(coverages, covered, strict=True)]
        length = sum(piece.length_ms for piece in pieces)
        others = tuple(one for one in found[1 + len(holders) :] if one)
        yield Known(length, found[0], tuple(found[1 : 1 + len(holders)]), others)


def _undivided(device: Coverage, span: Window, held: Sequence[Coverage | None], changes: Sequence[int]) -> Coverage:
    """What is known of a device but for gains that were read after somebody came or went, where all pods are counted.

    Such a gain is a mean over two sets of holders and says nothing of either. What pods gained belongs to their lives.
    """
    pieces, moments = device.pieces, np.array(changes, np.int64)
    counters = [number for number, signal in enumerate(device.signals) if signal in COUNTERS]
    across = moments.searchsorted(pieces.start_ms, side="right") < moments.searchsorted(pieces.end_ms)
    across &= np.isin(pieces.source, counters) & (pieces.start_ms < span.end_ms) & (span.start_ms < pieces.end_ms)
    mean = pieces.pick(np.flatnonzero(across))
    inside = [
        Window(max(start, span.start_ms), min(end, span.end_ms))
        for start, end in zip(mean.start_ms.tolist(), mean.end_ms.tolist(), strict=True)
    ]
    told = [one for one in inside if all(pod and _covers(pod, one) for pod in held)]
    return Coverage(without(pieces, told), device.signals) if told else device


def _covers(coverage: Coverage, piece: Window) -> bool:
    return any(run.start_ms <= piece.start_ms and piece.end_ms <= run.end_ms for run in coverage.runs)


def _activity(coverage: Coverage, pieces: Sequence[Window]) -> Activity:
    return activity_of([coverage.over(piece) for piece in pieces])


def activity_of(integrals: Sequence[Integral]) -> Activity:
    """Integrals over pieces of time as one activity; independent errors add in squares."""
    if len(integrals) == 1:
        (one,) = integrals
        return Activity(one.active_ppb_ms, one.covered_ms, one.error_ppb_ms, *_said(one.signals))
    signals = tuple(dict.fromkeys(signal for one in integrals for signal in one.signals))
    error = isqrt(sum(one.error_ppb_ms**2 for one in integrals))
    busy, covered = sum(one.active_ppb_ms for one in integrals), sum(one.covered_ms for one in integrals)
    return Activity(busy, covered, error, *_said(signals))


@lru_cache(maxsize=256)
def _said(signals: tuple[Signal, ...]) -> tuple[str, Quality]:
    """The names of signals, and what rests on them."""
    counted = bool(signals) and COUNTERS.issuperset(signals)
    quality = Quality.MEASURED_COUNTER if counted else Quality.MEASURED_GAUGE
    return "+".join(signal.value for signal in signals), quality


def merged(series: Sequence[DeviceSeries]) -> tuple[Millis, Parts]:
    """One sorted timeline of several series; where two speak of the same moment, the greater value counts."""
    if len(series) == 1:
        return series[0].at_ms, series[0].value
    at_ms = np.concatenate([one.at_ms for one in series])
    value = np.concatenate([one.value for one in series])
    order = at_ms.argsort(kind="stable")
    times = at_ms[order]
    last = np.ones(len(times), bool)
    np.not_equal(times[1:], times[:-1], out=last[:-1])
    if not last.all():
        order = np.lexsort((value, at_ms))
    return times[last], value[order][last]
