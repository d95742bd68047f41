"""The statement of one window: every nano of every node's devices, charged to holders and buckets.

The way of a node's money: price decisions cut the window into segments of constant price; the node's cost of a
segment is rounded once; it is apportioned over the node's devices; each device is cut into spans of constant holders;
the spans' parts are weighed exactly and the device's cost is apportioned over them. So the parts sum to the whole at
each level.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple, Protocol

from aicost.domain.attribution.claims import WHOLE, Claim, Tenancy, assign
from aicost.domain.attribution.devices import billed_devices
from aicost.domain.attribution.lanes import Device, Lane, lanes_of
from aicost.domain.attribution.mig.instances import Instance
from aicost.domain.attribution.parts import UNMEASURED, Activity, Known, Part, integer_weights, scaled, together
from aicost.domain.attribution.sharing.choosing import USUAL, Rules, rule_of_holders, with_slots
from aicost.domain.attribution.sharing.rules import SplitRule
from aicost.domain.attribution.spans import DeviceSpan, Hold, settle_handovers
from aicost.domain.attribution.split import split, split_shared
from aicost.domain.exact.apportion import apportion, apportion_each
from aicost.domain.exact.windows import Window
from aicost.domain.inventory.nodes import NodeRecord
from aicost.domain.ledger.rows import Component, Holder, Place
from aicost.domain.pricing.books import PriceDecision
from aicost.domain.pricing.quotes import node_gpu_cost_nanos
from aicost.domain.sampling.series import DeviceSeries

ActivityOf = Callable[[str, DeviceSpan, Window], Activity]
"""(device, the whole span under one holder, the part to integrate) -> activity."""


class KnownOf(Protocol):
    """What is known of a shared device."""

    def __call__(
        self, device: str, span: DeviceSpan, part: Window, claims: Sequence[Claim], /, *, by_sample: bool
    ) -> tuple[Known, ...]:
        """Say it of a part of a span; see `SharedTimelines.known`."""
        ...


AliveIn = Callable[[str, Window], bool]
"""(device, span) -> whether samples show that the device works in it."""


def nothing_known(
    _device: str, span: DeviceSpan, part: Window, _claims: Sequence[Claim], /, *, by_sample: bool
) -> tuple[Known, ...]:
    """No sample speaks of a shared device."""
    del by_sample
    return (Known(part.length_ms, None, (None,) * len(span.holds)),)


InstancesOf = Callable[[str], Sequence[Instance]]
"""Device -> the MIG instances that were created on it."""


def no_instances(_device: str) -> tuple[Instance, ...]:
    """The device is not cut."""
    return ()


_ALIVE = (True, True)


@dataclass(frozen=True, slots=True)
class NodeInput:
    """What the charges of one node rest on.

    Attributes:
        record: the node and its life.
        series: samples of its devices, padded on both sides of the window.
        tenancies: pods that held devices of it.
        holders: tenancy -> who it is in the ledger; indexed by `Tenancy.pod`.
        system: tenancies of exporters and diagnostics.
        prices: decisions that partition the window.
        activity: what samples say of a device.
        alive: whether samples show that a device works.
        padding_ms: how far the samples reach beyond the window.
        known: what samples say of a device that several pods share.
        instances: the MIG instances of a device.
        rules: how such a device is split, if its holders do not want it otherwise.
        wishes: tenancy -> the rule that its AIWorkload asks for; indexed by `Tenancy.pod`.
    """

    record: NodeRecord
    series: Sequence[DeviceSeries]
    tenancies: Sequence[Tenancy]
    holders: Mapping[int, Holder]
    system: frozenset[int]
    prices: Sequence[PriceDecision]
    activity: ActivityOf
    alive: AliveIn
    padding_ms: int
    known: KnownOf = nothing_known
    instances: InstancesOf = no_instances
    rules: Rules = USUAL
    wishes: Mapping[int, SplitRule] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Charge:
    """What a component of one node costs over one segment of constant price: the whole that the rows must sum to.

    Attributes:
        cost_nanos: None where no price is known.
        device_milliseconds: devices times time; 0 for CPU and memory.
    """

    node: str
    span: Window
    price: str
    currency: str
    cost_nanos: int | None
    device_milliseconds: int
    reason: str
    component: Component = Component.GPU


@dataclass(frozen=True, slots=True)
class LaidOut:
    """A node with its devices, before anything is asked of their samples.

    Attributes:
        devices: those that are billed, in order; none where the node was not there.
        lanes: what can be held of each device.
        guesses: the times at which some pod's device was guessed.
        segments: spans of constant price within the node's presence.
        surplus: devices beyond the number that the node was bought with.
    """

    node: NodeInput
    devices: tuple[str, ...]
    lanes: Mapping[str, Sequence[Lane]]
    guesses: tuple[Window, ...]
    segments: tuple[tuple[PriceDecision, Window], ...]
    surplus: tuple[str, ...]


@dataclass(slots=True)
class Line:
    """Parts of one device and segment that end in one row.

    Attributes:
        weight: device time in parts per billion times milliseconds, exact.
        measured: the part of the weight that has samples behind it.
        errors: half-widths of the error bars of its parts, in the same unit.
        blind: some part of it was not measured at all.
    """

    hold: Hold | None
    part: Part
    weight: Fraction | int = 0
    measured: int = 0
    errors: list[int] = field(default_factory=list)
    blind: bool = False


class SettledSpan(NamedTuple):
    """One span of one device inside a segment: what samples say of it, and the parts that it was split into.

    Attributes:
        whole: the span as far as its holders stay, beyond the segment too: samples are read over all of it.
        known: of a shared device, the parts over which the same is known.
        share: what it is of the device: less than the whole for a MIG instance, and for what is left beside instances.
    """

    whole: DeviceSpan
    span: DeviceSpan
    activity: Activity
    parts: tuple[Part, ...]
    known: tuple[Known, ...] = ()
    share: Fraction = WHOLE


class SettledDevice(NamedTuple):
    """One device over one segment of constant price: the whole, its spans, and what the whole was divided into.

    Attributes:
        charge: what all devices of the node cost over the segment.
        cost_nanos: this device's part of the charge; None where no price is known.
        lines: what ends in one row each.
        weights: weight of each line as an integer.
        times_ms, costs_nanos: device time and cost of each line, apportioned by the weights.
    """

    decision: PriceDecision
    charge: Charge
    device: str
    cost_nanos: int | None
    spans: tuple[SettledSpan, ...]
    lines: tuple[Line, ...]
    weights: tuple[int, ...]
    times_ms: tuple[int, ...]
    costs_nanos: tuple[int | None, ...]


def settle_node(window: Window, node: NodeInput) -> Sequence[SettledDevice]:
    """Divide what one node's devices cost: segment by segment, and in each of them device by device."""
    (settled,) = settle_nodes([lay_out(window, node)])
    return settled


def settle_nodes(nodes: Iterable[LaidOut]) -> Iterator[Sequence[SettledDevice]]:
    """The same for nodes that were laid out before: what belongs to one after what belongs to the other."""
    drafts = [list(_drafts(laid)) for laid in nodes]
    every = [draft for some in drafts for draft in some]
    weights = [draft.weights for draft in every]
    times = iter(apportion_each([draft.charge.span.length_ms for draft in every], weights))
    priced = [draft for draft in every if draft.cost_nanos is not None]
    costs = iter(apportion_each([draft.cost_nanos or 0 for draft in priced], [draft.weights for draft in priced]))
    for some in drafts:
        yield [_settle(draft, next(times), None if draft.cost_nanos is None else next(costs)) for draft in some]


def questions(laid: LaidOut) -> Iterator[tuple[str, DeviceSpan, Window]]:
    """What will be asked of whole devices that are not shared: device, the whole span, and a part of it."""
    for _, segment in laid.segments:
        for device in laid.devices:
            for span in (span for lane in laid.lanes[device] for span in lane.spans):
                inside = span.span.overlap(segment)
                if inside is not None and not span.shared_for and not is_guesswork(laid, span, inside):
                    yield device, span, inside


def charge_of(node: str, segment: Window, decision: PriceDecision, devices: int) -> Charge:
    """Cost of a node's devices over a segment: `devices * price * dt`, rounded once."""
    quote, device_ms = decision.chosen, devices * segment.length_ms
    if quote is None:
        return Charge(node, segment, "", "", None, device_ms, decision.reason)
    cost = node_gpu_cost_nanos(decision, devices, segment.length_ms)
    return Charge(node, segment, f"{quote.book}/{quote.entry}", quote.currency, cost, device_ms, decision.reason)


def lay_out(window: Window, node: NodeInput) -> LaidOut:
    """Cut each device's time at its holders, over the padded window so that integrals do not depend on its bounds."""
    facts, present = node.record.facts, node.record.presence(window)
    devices, surplus = billed_devices(facts, node.series)
    if present is None or not devices:
        return LaidOut(node, (), {}, (), (), surplus)
    segments = tuple((one, part) for one in node.prices if (part := one.span.overlap(present)))
    claims = assign(facts, devices, node.tenancies, node.series)
    around = Window(window.start_ms - node.padding_ms, window.end_ms + node.padding_ms)
    presence = node.record.presence(around) or Window(window.start_ms, window.start_ms)
    lost = _lost_devices(node, devices, claims) if node.record.unhealthy else {}
    lanes = _lanes(node, presence, {device: claims.get(device, ()) for device in devices}, lost)
    spans = (span for found in lanes.values() for lane in found for span in lane.spans)
    guesses = {hold.span: None for span in spans for hold in span.holds if not hold.claim.seen}
    return LaidOut(node, devices, lanes, tuple(guesses), segments, surplus)


def _lanes(
    node: NodeInput, presence: Window, claims: Mapping[str, Sequence[Claim]], lost: Mapping[str, Sequence[Window]]
) -> dict[str, tuple[Lane, ...]]:
    """The lanes of each device; whole devices that the same pods hold in the same way have the same."""
    found: dict[str, tuple[Lane, ...]] = {}
    known: dict[tuple[object, ...], tuple[Lane, ...]] = {}
    for device, held in claims.items():
        instances, model = node.instances(device), node.record.facts.gpu_model
        whole = Device(presence, held, lost.get(device, ()), instances, model)
        if instances or whole.lost:
            found[device] = lanes_of(whole)
            continue
        key = tuple((id(one.tenancy), one.share, one.seen, one.instance) for one in held)
        if key not in known:
            known[key] = lanes_of(whole)
        found[device] = known[key]
    return found


def _lost_devices(
    node: NodeInput, devices: Sequence[str], claims: Mapping[str, Sequence[Claim]]
) -> Mapping[str, list[Window]]:
    """Which devices were lost in each unhealthy time of the node: those without samples first, then those nobody held.

    A device that a pod holds and that samples speak of works, whatever the kubelet offers: its plugin was restarting.
    """
    lost: dict[str, list[Window]] = {device: [] for device in devices}
    holds = {device: settle_handovers(claims.get(device, ())) for device in devices}
    for span, missing in node.record.unhealthy:
        life = {device: _signs_of_life(node, device, span, holds[device]) for device in devices}
        ranked = sorted(
            (device for device in devices if life[device] != _ALIVE), key=lambda device: (life[device], device)
        )
        for device in ranked[:missing]:
            lost[device].append(span)
    return lost


def _signs_of_life(node: NodeInput, device: str, span: Window, holds: Sequence[Hold]) -> tuple[bool, bool]:
    """Whether samples show that a device works in a span, and whether a pod held it then."""
    return node.alive(device, span), any(hold.span.overlap(span) for hold in holds)


def _spans(node: NodeInput, device: str, segment: Window, layout: LaidOut) -> tuple[SettledSpan, ...]:
    """Split each span of a device in a segment."""
    found = []
    for lane in layout.lanes[device]:
        for span in lane.spans:
            inside = span.span.overlap(segment)
            if inside is not None:
                found.append(_settled(node, device, lane, span, inside, layout))
    return tuple(found)


def _settled(
    node: NodeInput, device: str, lane: Lane, span: DeviceSpan, inside: Window, layout: LaidOut
) -> SettledSpan:
    """Split one span of a device, or of a part of it, in a segment."""
    clipped = DeviceSpan(inside, span.holds, span.unhealthy, span.shared_for, span.instance)
    if span.shared_for:
        rule = rule_of_holders(node.rules.split, [node.wishes.get(hold.claim.tenancy.pod) for hold in span.holds])
        known = node.known(device, span, inside, lane.claims, by_sample=rule is not SplitRule.TWO_PART)
        clipped = with_slots(clipped, node.rules.slots, node.record.facts.sharing)
        parts = split_shared(clipped, known, rule, system=node.system)
        activity = together([one.device for one in known])
        return SettledSpan(span, clipped, activity, scaled(parts, lane.share), known, lane.share)
    activity = _activity(node, layout, device, span, inside)
    parts = split(clipped, activity, system=node.system, left=lane.left)
    return SettledSpan(span, clipped, activity, scaled(parts, lane.share), (), lane.share)


def _activity(node: NodeInput, layout: LaidOut, device: str, span: DeviceSpan, inside: Window) -> Activity:
    """Samples of an unheld device prove nothing while some pod's device on this node is only guessed."""
    return UNMEASURED if is_guesswork(layout, span, inside) else node.activity(device, span, inside)


def is_guesswork(laid: LaidOut, span: DeviceSpan, inside: Window) -> bool:
    """Whether nobody is known to hold a device while which one some pod held is a guess."""
    return not span.holds and any(guess.overlap(inside) for guess in laid.guesses)


def _add(lines: dict[tuple[object, ...], Line], part: Part) -> None:
    """Add a part to the line of its row."""
    pod = part.hold.claim.tenancy.pod if part.hold else None
    seen = part.hold is None or part.hold.claim.seen
    line = lines.setdefault((pod, part.bucket, part.method, part.quality, part.signal, seen), Line(part.hold, part))
    line.weight += part.weight
    line.measured += part.measured
    line.blind |= part.error is None
    if part.error:
        line.errors.append(part.error)


class _Draft(NamedTuple):
    """A device of a segment with its lines, before it is apportioned over them; see `SettledDevice`."""

    decision: PriceDecision
    charge: Charge
    device: str
    cost_nanos: int | None
    spans: tuple[SettledSpan, ...]
    lines: tuple[Line, ...]
    weights: list[int]


def _drafts(laid: LaidOut) -> Iterator[_Draft]:
    """Add up what ends in the same row."""
    node, devices = laid.node, laid.devices
    for decision, segment in laid.segments:
        charge = charge_of(node.record.facts.name, segment, decision, len(devices))
        costs = [None] * len(devices) if charge.cost_nanos is None else apportion(charge.cost_nanos, [1] * len(devices))
        for device, cost in zip(devices, costs, strict=True):
            spans, found = _spans(node, device, segment, laid), dict[tuple[object, ...], Line]()
            for span in spans:
                for part in span.parts:
                    _add(found, part)
            lines = tuple(found.values())
            weights = integer_weights([line.weight for line in lines])
            yield _Draft(decision, charge, device, cost, spans, lines, weights)


def _settle(draft: _Draft, times: Sequence[int], costs: Sequence[int] | None) -> SettledDevice:
    return SettledDevice(
        draft.decision,
        draft.charge,
        draft.device,
        draft.cost_nanos,
        draft.spans,
        draft.lines,
        tuple(draft.weights),
        tuple(times),
        (None,) * len(draft.lines) if costs is None else tuple(costs),
    )


def place_of(cluster: str, record: NodeRecord, device: str) -> Place:
    """Where a device of a node is; the device is empty for what is no device."""
    return places_of(cluster, record, [device])[0]


def places_of(cluster: str, record: NodeRecord, devices: Sequence[str]) -> list[Place]:
    """Where each of some devices of a node is."""
    facts = record.facts
    model, kind, capacity = facts.gpu_model or "", facts.instance_type, facts.capacity_type.value
    where = model, facts.provider, facts.region, facts.zone, kind, capacity
    return [Place(cluster, facts.name, device, *where) for device in devices]
