"""What makes two nodes alike: then the same pods, but for names and moments, hold the same devices in the same way.

Who holds which device, and what is asked of its samples, is decided by rules that look at words, at the order of
moments and at what samples show. All that they look at stands in `Look.key`. Whoever makes a rule look at more adds it
there, or makes a node that has it a case of its own.

Moments count by their order alone: a pod that was bound a week ago holds a device as one that was bound an hour ago.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from aicost.domain.attribution.claims import Evidence, Place, names_on, ranked, weigh
from aicost.domain.attribution.devices import billed_of
from aicost.domain.attribution.resolvers.parts import HAMI, VOLCANO
from aicost.domain.attribution.resolvers.scene import FRACTION, FRACTION_MEMORY, RESERVATION_NAMESPACES
from aicost.domain.attribution.resolvers.sizes import sizing_labels
from aicost.domain.attribution.resolvers.table import may_hold
from aicost.domain.attribution.spans import HANDOVER_MS
from aicost.domain.attribution.system_pods import is_system
from aicost.domain.attribution.tenancies import whole_span
from aicost.domain.exact.windows import Window
from aicost.domain.inventory.nodes import NodeRecord, SharingMode
from aicost.domain.inventory.pods import PodRecord
from aicost.domain.pricing.books import PriceDecision
from aicost.domain.sampling.series import COUNTERS, DeviceSeries

PodName = tuple[str, str]
_REGISTERED = frozenset({HAMI.registered, VOLCANO.registered})
_FRACTIONS = frozenset({FRACTION, FRACTION_MEMORY})


class Site(NamedTuple):
    """A node with what was gathered about it.

    Attributes:
        series: samples of its devices, padded on both sides of the window.
        pods: index and record of each pod that was bound to it.
        prices: decisions that partition the window.
    """

    record: NodeRecord
    series: Sequence[DeviceSeries]
    pods: Sequence[tuple[int, PodRecord]]
    prices: tuple[PriceDecision, ...]


class Occupant(NamedTuple):
    """A pod that may hold devices of a node; they are sorted as pods are given theirs.

    Attributes:
        pod: as `Tenancy.pod`.
    """

    start_ms: int
    uid: str
    name: PodName
    end_ms: int
    pod: int
    record: PodRecord


class Look(NamedTuple):
    """A node as far as its layout goes.

    Attributes:
        key: nodes with equal keys are alike.
        devices: those that are billed, in order.
        surplus: devices beyond the number that the node was bought with.
        by_device: samples of each device.
        occupants: the pods that may hold devices.
        moments: all at which something may change, in order.
    """

    key: tuple[object, ...]
    devices: tuple[str, ...]
    surplus: tuple[str, ...]
    by_device: Mapping[str, Sequence[DeviceSeries]]
    occupants: Sequence[Occupant]
    moments: Sequence[int]


class Frame(NamedTuple):
    """What all nodes of a window share.

    Attributes:
        around: the window with the padding of the samples on both sides.
        known: (namespace, name) of all pods that the watch knows or knew.
        interval_ms: time between samples.
    """

    window: Window
    around: Window
    known: AbstractSet[PodName]
    interval_ms: int


def look_at(site: Site, frame: Frame) -> Look | None:
    """How a node looks; None for a case of its own: its GPUs are shared or cut, or what held them is uncertain."""
    record, facts = site.record, site.record.facts
    present, presence = record.presence(frame.window), record.presence(frame.around)
    if present is None or presence is None or facts.sharing is not SharingMode.EXCLUSIVE:
        return None
    if not _REGISTERED.isdisjoint(facts.annotations) or any(span.overlaps(presence) for span, _ in record.unhealthy):
        return None
    seen = _by_device_and_name(site.series)
    if seen is None or not seen[1].keys() <= frame.known:
        return None
    by_device, shown = seen
    occupants = _occupants(site, presence, shown, frame)
    if occupants is None:
        return None
    counts = dict.fromkeys(by_device, 0)
    if 0 < facts.gpus < len(counts):  # only where they are too many do samples choose
        counts = {device: sum([len(one.at_ms) for one in series]) for device, series in by_device.items()}
    devices, surplus = billed_of(facts, counts)
    bounds = [present, presence, *(one.span for one in site.prices)]
    moments = sorted({edge for one in bounds for edge in (one.start_ms, one.end_ms)}.union(*_edges(occupants)))
    rank = {moment: position for position, moment in enumerate(moments)}.__getitem__
    key = (
        len(devices),
        facts.gpu_model,
        tuple(facts.capacity.items()),
        sizing_labels(facts.labels),
        tuple((rank(one.start_ms), rank(one.end_ms)) for one in bounds),
        _pods_key(occupants, shown, devices, rank),
        _handovers(occupants),
    )
    return Look(key, devices, surplus, by_device, occupants, moments)


def _by_device_and_name(
    series: Iterable[DeviceSeries],
) -> tuple[dict[str, list[DeviceSeries]], dict[PodName, list[DeviceSeries]]] | None:
    """The series of each device, and those that name each pod; None where GPUs are cut into instances."""
    by_device: dict[str, list[DeviceSeries]] = defaultdict(list)
    shown: dict[PodName, list[DeviceSeries]] = defaultdict(list)
    for one in series:
        if one.instance:
            return None
        by_device[one.device].append(one)
        if one.holder is not None or one.holders:
            for name in names_on(one):
                shown[name].append(one)
    return by_device, shown


def _occupants(
    site: Site, presence: Window, shown: Mapping[PodName, Sequence[DeviceSeries]], frame: Frame
) -> list[Occupant] | None:
    """The pods that may hold devices while the node is there; None if one is not like most: see `_is_plain`."""
    found: list[Occupant] = []
    for index, record in site.pods:
        pod = record.facts
        name = (pod.namespace, pod.name)
        if pod.bound_ms is None or not (pod.devices or name in shown or record.claimed or may_hold(pod)):
            continue
        if not _is_plain(record):
            return None
        span = whole_span(record, (), frame.interval_ms, frame.window.end_ms)
        if span.length_ms and span.overlaps(presence):
            found.append(Occupant(span.start_ms, pod.uid, name, span.end_ms, index, record))
    found.sort()
    return found if len({one.uid for one in found} - {""}) == len(found) else None


def _is_plain(record: PodRecord) -> bool:
    """Whether a pod holds what it asks for as extended resources, from a moment that was seen to one that was seen."""
    pod = record.facts
    named_elsewhere = record.claimed or not _FRACTIONS.isdisjoint(pod.annotations)
    return not (named_elsewhere or record.gap or pod.namespace in RESERVATION_NAMESPACES)


def _edges(occupants: Iterable[Occupant]) -> Iterable[tuple[int, int]]:
    return ((one.start_ms, one.end_ms) for one in occupants)


def _pods_key(
    occupants: Sequence[Occupant],
    shown: Mapping[PodName, Sequence[DeviceSeries]],
    devices: Sequence[str],
    rank: Callable[[int], int],
) -> tuple[object, ...]:
    """For each pod what it asks for, when it comes and goes, and where samples show it, the likeliest device first."""
    position = {device: index for index, device in enumerate(devices)}
    found: list[object] = []
    for one in occupants:
        pod, series = one.record.facts, shown.get(one.name, ())
        evidence: dict[Place, Evidence] = {}
        weigh(evidence, one.uid, Window(one.start_ms, one.end_ms), series, position)
        measured = not COUNTERS.issuperset([each.signal for each in series])
        places = tuple([position[device] for device, _ in ranked(evidence)])
        life = rank(one.start_ms), rank(one.end_ms)
        found.append((tuple(pod.devices.items()), measured, life, places, is_system(pod.containers)))
    return tuple(found)


def _handovers(occupants: Sequence[Occupant]) -> tuple[tuple[int, int, int], ...]:
    """Pods that end so shortly after others were bound that they may have handed over to them."""
    starts = [one.start_ms for one in occupants]
    found = []
    for index, one in enumerate(occupants):
        first, after = bisect_left(starts, one.end_ms - HANDOVER_MS), bisect_left(starts, one.end_ms)
        if first < after:
            found.append((index, first, after))
    return tuple(found)
