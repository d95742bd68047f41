"""Who held which device of a node, when, and with what share of it.

The API server says how many devices a pod held and for how long; samples say which ones. Both are needed: a pod that
pulls its image holds a device that no sample names, and a sample may name a pod that ended long ago.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from aicost.domain.exact.windows import MINUTE_MS, Window
from aicost.domain.inventory.nodes import NodeFacts, SharingMode
from aicost.domain.sampling.series import DeviceSeries

WHOLE = Fraction(1)
_SLOTTED = frozenset({SharingMode.TIME_SLICING, SharingMode.MPS})
LINGERS_MS = MINUTE_MS
"""Exporters may go on to name a pod that has ended. Where a device wore a pod's name within this time before the pod
was bound, it is the name of an earlier pod."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One device, or a share of one, that a pod holds.

    Attributes:
        share: raw share of the device: 1 for a whole GPU, 1/4 for one slot of four.
        device: UUID of the device where somebody names it (an annotation, a ResourceClaim, the kubelet), else empty.
        instance: MIG instance on that device, by its GPU-instance id or its own UUID, where somebody names it.
    """

    share: Fraction
    device: str = ""
    instance: str = ""


@dataclass(frozen=True, slots=True)
class Tenancy:
    """A pod on a node while it held devices.

    Attributes:
        pod: index into the pods of the attribution; a pod whose shares change has several tenancies, one after another.
        name: (namespace, name), as samples call it.
        uid: identity of the pod; a pod recreated under its name is another one.
        span: whole time that it held its devices, beyond the billing window too.
        asks: one for each device that it asked for (two of share 1 for two whole GPUs); empty for a pod that asked for
            none but that samples show on a device.
        uncertain: the end went unseen and was told from samples; whoever holds the device next cuts it short.
        flags: what else a reader of its rows should know, such as a device that was named and is not there.
    """

    pod: int
    name: tuple[str, str]
    uid: str
    span: Window
    asks: tuple[Ask, ...]
    uncertain: bool = False
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """A tenancy's hold on one device.

    Attributes:
        seen: it was named on this device, by samples or by what it asked for, or no other device was left to it.
        instance: MIG instance of the device that it was named on, by id or by its own UUID; empty for none.
    """

    tenancy: Tenancy
    share: Fraction
    seen: bool
    instance: str = ""


@dataclass(slots=True)
class _Board:
    """Devices of one node with the claims given out so far."""

    claims: dict[str, list[Claim]] = field(default_factory=lambda: defaultdict(list))

    def load(self, device: str, span: Window) -> Fraction:
        """Sum of the shares that overlap the span: an upper bound of what is taken at any moment in it."""
        return sum((c.share for c in self.claims[device] if c.tenancy.span.overlaps(span)), Fraction(0))


def assign(
    facts: NodeFacts, devices: Sequence[str], tenancies: Sequence[Tenancy], series: Iterable[DeviceSeries]
) -> Mapping[str, tuple[Claim, ...]]:
    """Give each tenancy its devices: those that it names itself, then those that samples name, then free ones in order.

    A name of a device that the node does not have is no name.

    Returns:
        Device -> claims. A device that was picked although another would have done as well is marked unseen: that the
        pod held a device is certain, which one is not, so its activity proves nothing.
    """
    if not devices:
        return {}
    evidence = _evidence(tenancies, series, devices)
    board = _Board()
    missing: list[tuple[Tenancy, tuple[Ask, ...]]] = []
    slot = Fraction(1, max(1, facts.slots_per_gpu)) if facts.sharing in _SLOTTED else WHOLE
    ordered = sorted(tenancies, key=lambda t: (t.span.start_ms, t.uid, t.name))
    unnamed = [_place_named(board, devices, tenancy, evidence.get(tenancy.pod, {})) for tenancy in ordered]
    for tenancy, asks in zip(ordered, unnamed, strict=True):
        left = _place_seen(board, tenancy, asks, evidence.get(tenancy.pod, {}), slot)
        if left:
            missing.append((tenancy, left))
    exclusive, only = facts.sharing is SharingMode.EXCLUSIVE, len(devices) == 1
    certain = [only or (exclusive and _is_forced(board, devices, t, len(left))) for t, left in missing]
    for (tenancy, left), forced in zip(missing, certain, strict=True):
        _place_unseen(board, devices, tenancy, left, seen=forced)
    return {device: tuple(board.claims[device]) for device in devices if board.claims[device]}


def _is_forced(board: _Board, devices: Sequence[str], tenancy: Tenancy, wanted: int) -> bool:
    """True if samples leave the tenancy exactly the devices it asked for: then which ones is no guess."""
    return sum(not board.load(device, tenancy.span) for device in devices) == wanted


def names_on(series: DeviceSeries) -> tuple[tuple[str, str], ...]:
    """The pods, as (namespace, name), that samples show on a device: none, one, or several that share it."""
    return series.holders or ((series.holder,) if series.holder else ())


Place = tuple[str, str]
"""A device and its MIG instance; the instance is empty for the whole device."""


@dataclass(slots=True)
class Evidence:
    """What samples say for a pod on a device, or on a MIG instance of one.

    Attributes:
        samples: how many name the pod there while it held devices.
        worn: the device wore the same name just before: an earlier pod's, which may still be there.
    """

    samples: int = 0
    worn: bool = False


def _evidence(
    tenancies: Sequence[Tenancy], series: Iterable[DeviceSeries], devices: Sequence[str]
) -> dict[int, dict[Place, Evidence]]:
    """Tenancy -> device and instance -> samples that name the pod there while it held it."""
    shown: dict[tuple[str, str], list[DeviceSeries]] = defaultdict(list)
    for one in series:
        for name in names_on(one):
            shown[name].append(one)
    found: dict[int, dict[Place, Evidence]] = defaultdict(dict)
    known = frozenset(devices)
    for tenancy in tenancies:
        weigh(found[tenancy.pod], tenancy.uid, tenancy.span, shown.get(tenancy.name, ()), known)
    return found


def weigh(
    found: dict[Place, Evidence], uid: str, span: Window, series: Iterable[DeviceSeries], devices: Container[str]
) -> None:
    """Add what samples say for a pod while it held devices.

    Args:
        found: what they say of it at other times.
        uid: of the pod.
        span: when it held devices.
        series: those that name it.
        devices: those that the node was billed for.
    """
    first, last, at_ms = span.start_ms, span.end_ms, None
    before = start = end = 0
    for one in series:
        if one.device not in devices or (one.holder_uid and one.holder_uid != uid):
            continue
        if one.at_ms is not at_ms:  # an exporter reads all of a node at once: the same times come again and again
            at_ms = one.at_ms
            if len(at_ms) and first <= at_ms.item(0) and at_ms.item(-1) < last:
                before, start, end = 0, 0, len(at_ms)  # most pods hold their devices longer than samples reach
            else:
                before, start, end = at_ms.searchsorted((first - LINGERS_MS, first, last)).tolist()
        if end > start:
            place = one.device, one.instance or ""
            evidence = found.get(place)
            if evidence is None:
                evidence = found[place] = Evidence()
            evidence.samples += end - start
            evidence.worn |= start > before


def ranked(evidence: Mapping[Place, Evidence]) -> list[Place]:
    """Where samples show a pod: first what took on its name after it was bound, then what has most samples.

    A device that is shown by its instances is not shown as a whole.
    """
    if len(evidence) <= 1:
        return list(evidence)
    cut_up = {device for device, instance in evidence if instance}
    places = [place for place in evidence if place[1] or place[0] not in cut_up]
    return sorted(places, key=lambda place: (evidence[place].worn, -evidence[place].samples, place))


def _place_named(
    board: _Board, devices: Sequence[str], tenancy: Tenancy, evidence: Mapping[Place, Evidence]
) -> tuple[Ask, ...]:
    """Place the asks that name their device; return the others.

    Claims and samples call an instance by different names: that of the samples is what its activity is found by.
    """
    named = tuple(ask for ask in tenancy.asks if ask.device and ask.device in devices)
    if not named:
        return tenancy.asks
    for ask in named:
        shown = [instance for device, instance in evidence if device == ask.device and instance]
        instance = shown[0] if len(shown) == 1 else ask.instance
        board.claims[ask.device].append(Claim(tenancy, ask.share, seen=True, instance=instance))
    return tuple(ask for ask in tenancy.asks if ask not in named)


def _place_seen(
    board: _Board, tenancy: Tenancy, asks: tuple[Ask, ...], evidence: Mapping[Place, Evidence], usual: Fraction
) -> tuple[Ask, ...]:
    """Place the asks of a tenancy on the devices that samples name; return those still to place.

    One of which nobody knows what it asked for holds the usual share of each device that it is named on.

    Further parts of devices are on the same devices, as far as these have room: an exporter names a pod once, however
    many parts it holds.
    """
    places = ranked(evidence)
    if not tenancy.asks:
        for device, instance in places:
            board.claims[device].append(Claim(tenancy, usual, seen=True, instance=instance))
        return ()
    taken = {ask.device for ask in tenancy.asks}
    free = [(device, instance) for device, instance in places if device not in taken]
    for (device, instance), ask in zip(free, asks, strict=False):
        board.claims[device].append(Claim(tenancy, ask.share, seen=True, instance=instance))
    return tuple(ask for ask in asks[len(free) :] if not _place_beside(board, tenancy, ask, free))


def _place_beside(board: _Board, tenancy: Tenancy, ask: Ask, places: Sequence[Place]) -> bool:
    """Place a further part of a device where the tenancy holds one already; whether there was room."""
    for device in dict.fromkeys(device for device, _ in places if ask.share < WHOLE):
        if board.load(device, tenancy.span) + ask.share <= 1:
            board.claims[device].append(Claim(tenancy, ask.share, seen=True))
            return True
    return False


def _place_unseen(
    board: _Board, devices: Sequence[str], tenancy: Tenancy, asks: tuple[Ask, ...], *, seen: bool
) -> None:
    """Place asks that no sample names: on the first device with room, else on the least loaded."""
    for ask in asks:
        load = {device: board.load(device, tenancy.span) for device in devices}
        room = next((device for device in devices if load[device] + ask.share <= 1), None)
        pick = room if room is not None else min(devices, key=load.__getitem__)
        board.claims[pick].append(Claim(tenancy, ask.share, seen=seen and room is not None))
