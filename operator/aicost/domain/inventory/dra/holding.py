"""What pods hold through claims and which cards nodes have by their slices, told together.

So claims and slices are read once, where facts are gathered: a pod's record says what its claims gave it, and a node's
how many cards it has and what they are called.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from aicost.domain.exact.windows import DAY_MS, MINUTE_MS, Window
from aicost.domain.inventory.accelerators import Unit, count_of
from aicost.domain.inventory.dra.claims import AllocatedDevice, AllocationStep, ClaimedDevice, ClaimRecord
from aicost.domain.inventory.dra.slices import (
    PARTITIONS,
    SliceDevice,
    SliceRecord,
    cards_of,
    is_accelerator,
    size_of,
    taken_of,
)
from aicost.domain.inventory.gpu_models import canonical_model
from aicost.domain.inventory.nodes import NodeRecord
from aicost.domain.inventory.pods import PodRecord
from aicost.domain.workloads.gpus.slices import partition_share

_NOTHING, _WHOLE = Fraction(0), Fraction(1)
_MILLI = 1_000
_MIB = 1 << 20
_LATE_MS = MINUTE_MS
"""How late an allocation may be heard of, for a pod that was gone by then."""

_Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class _Known:
    """A device that a claim may name."""

    device: SliceDevice
    card: str
    size: Fraction | None


@dataclass(frozen=True, slots=True)
class Offers:
    """What drivers offer, sorted for looking up.

    Attributes:
        known: (driver, pool, device) -> the device, also where it is not listed any more.
        cards: node -> its cards, in order of their names.
        most: node -> the largest number of cards that were listed at once.
        models: node -> model of its cards, where slices name one alone.
    """

    known: Mapping[_Key, _Known]
    cards: Mapping[str, tuple[str, ...]]
    most: Mapping[str, int]
    models: Mapping[str, str]


def offers_of(slices: Iterable[SliceRecord]) -> Offers:
    """Sort slices of accelerators by what claims and nodes ask of them."""
    pools: defaultdict[tuple[str, str, str], list[SliceRecord]] = defaultdict(list)
    for record in slices:
        if record.facts.node and is_accelerator(record.facts.driver):
            pools[record.facts.node, record.facts.driver, record.facts.pool].append(record)
    known: dict[_Key, _Known] = {}
    cards: defaultdict[str, set[str]] = defaultdict(set)
    most: defaultdict[str, int] = defaultdict(int)
    models: defaultdict[str, set[str]] = defaultdict(set)
    for (node, driver, pool), records in sorted(pools.items()):
        there = [one for one in records if one.gone_ms is None] or records
        listed = {device.name: device for one in there for device in one.facts.devices}
        every = {device.name: device for one in records for device in (*one.past, *one.facts.devices)} | listed
        behind = cards_of(node, every.values())
        cards[node] |= {behind[name] for name in listed}
        most[node] += max(len({behind[name] for name in listed}), *(one.most for one in there))
        models[node] |= {model for one in listed.values() if (model := _model(one))}
        known |= {(driver, pool, name): one for name, one in _sized(every, behind).items()}
    single = {node: next(iter(found)) for node, found in models.items() if len(found) == 1}
    return Offers(known, {node: tuple(sorted(found)) for node, found in cards.items()}, dict(most), single)


def _sized(every: Mapping[str, SliceDevice], behind: Mapping[str, str]) -> dict[str, _Known]:
    beside: defaultdict[str, list[SliceDevice]] = defaultdict(list)
    for name, device in every.items():
        beside[behind[name]].append(device)
    return {
        name: _Known(device, behind[name], size_of(device, _model(device), beside[behind[name]]))
        for name, device in every.items()
    }


def _model(device: SliceDevice) -> str | None:
    memory = None if device.is_partition else device.capacity.get("memory", 0) // _MILLI // _MIB or None
    return canonical_model(device.product, memory) if device.product else None


def with_cards(record: NodeRecord, offers: Offers) -> NodeRecord:
    """A node with the cards that slices show.

    Where no device plugin offers anything, the kubelet counts nothing: that is then no sign of a lost card.
    """
    facts, name = record.facts, record.facts.name
    if name not in offers.cards:
        return record
    named = tuple(dict.fromkeys((*offers.cards[name], *facts.cards)))
    shown = replace(
        facts,
        cards=named,
        gpus=max(facts.gpus, offers.most[name]),
        gpu_model=facts.gpu_model or offers.models.get(name),
    )
    counted = count_of(facts.capacity, Unit.DEVICE, Unit.SLOT, Unit.INSTANCE)
    return replace(record, facts=shown, unhealthy=record.unhealthy if counted else ())


def with_claimed(pods: Iterable[PodRecord], claims: Iterable[ClaimRecord], offers: Offers) -> tuple[PodRecord, ...]:
    """Pods with what their claims gave them."""
    by_name: defaultdict[tuple[str, str], list[ClaimRecord]] = defaultdict(list)
    for record in claims:
        by_name[record.facts.namespace, record.facts.name].append(record)
    return tuple(_with_claimed(pod, by_name, offers) if pod.facts.claims else pod for pod in pods)


def _with_claimed(
    pod: PodRecord, by_name: Mapping[tuple[str, str], Sequence[ClaimRecord]], offers: Offers
) -> PodRecord:
    if pod.facts.bound_ms is None:
        return pod
    found: list[ClaimedDevice] = []
    for name in dict.fromkeys(pod.facts.claims):
        for claim, step in _allocation(pod, by_name.get((pod.facts.namespace, name), ())):
            found += (_claimed(claim, one, offers) for one in step.devices if is_accelerator(one.driver))
    return replace(pod, claimed=tuple(found)) if found else pod


def _allocation(pod: PodRecord, claims: Sequence[ClaimRecord]) -> Sequence[tuple[str, AllocationStep]]:
    """The allocation of a claim that a pod ran with: the one that it shared most time with."""
    start_ms = pod.facts.bound_ms or 0
    end_ms = start_ms + DAY_MS * 366 if pod.held_until_ms is None else pod.held_until_ms
    span = Window(start_ms, max(start_ms, end_ms))
    steps = [
        (record.facts.uid, step)
        for record in claims
        for step in record.steps
        if step.since_ms < span.end_ms + _LATE_MS and (step.until_ms is None or step.until_ms > span.start_ms)
    ]
    steps.sort(key=lambda one: (-one[1].length_within(span), one[1].since_ms, one[0]))
    return steps[:1]


def _claimed(claim: str, given: AllocatedDevice, offers: Offers) -> ClaimedDevice:
    known = offers.known.get((given.driver, given.pool, given.device))
    if known is None:
        share = _NOTHING if given.admin else partition_share(given.device)
        return ClaimedDevice(claim, "", _WHOLE if share is None else share, assumed=share is None)
    instance = known.device.uuid or given.device if known.device.is_partition else ""
    if given.admin:
        return ClaimedDevice(claim, known.card, _NOTHING, instance)
    share = _share(known, given.consumed)
    return ClaimedDevice(claim, known.card, _WHOLE if share is None else share, instance, assumed=share is None)


def _share(known: _Known, consumed: Mapping[str, int]) -> Fraction | None:
    """Share of the card that an allocation takes of a device; None where its size is not told.

    A claim that took nothing of a device that may be shared holds none of it.
    """
    if not consumed:
        return known.size
    taken = taken_of(known.device, consumed)
    size = _WHOLE if PARTITIONS in known.device.capacity else known.size
    return None if taken is None or size is None else taken * size
