"""The statement of one window: every nano of every node's devices, charged to holders and buckets.

The way of a node's money: price decisions cut the window into segments of constant price; the node's cost of a
segment is rounded once; it is apportioned over the node's devices; each device is cut into spans of constant holders;
the spans' parts are weighed exactly and the device's cost is apportioned over them. So the parts sum to the whole at
each level.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import isqrt

from aicost.domain.attribution.claims import Tenancy, assign
from aicost.domain.attribution.devices import billed_devices
from aicost.domain.attribution.spans import DeviceSpan, Hold, cut, settle_handovers
from aicost.domain.attribution.split import UNMEASURED, Activity, Part, integer_weights, split
from aicost.domain.exact.apportion import apportion, divide
from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.inventory.nodes import NodeRecord
from aicost.domain.ledger.rows import Component, Holder, Place, Row
from aicost.domain.pricing.books import PriceDecision
from aicost.domain.pricing.quotes import node_gpu_cost_nanos
from aicost.domain.sampling.series import PPB, DeviceSeries

ActivityOf = Callable[[str, DeviceSpan, Window], Activity]
"""(device, the whole span under one holder, the part to integrate) -> activity."""
AliveIn = Callable[[str, Window], bool]
"""(device, span) -> whether samples show that the device works in it."""

NOBODY = Holder()
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


@dataclass(frozen=True, slots=True)
class Charge:
    """What one node's devices cost over one segment of constant price: the whole that the rows must sum to.

    Attributes:
        cost_nanos: None where no price is known.
        device_milliseconds: devices times time.
    """

    node: str
    span: Window
    price: str
    currency: str
    cost_nanos: int | None
    device_milliseconds: int
    reason: str


@dataclass(frozen=True, slots=True)
class NodeStatement:
    """Rows of one node and the charges that they sum to.

    Attributes:
        surplus: UUIDs that samples show beyond the number of devices the node was bought with; not billed.
    """

    rows: tuple[Row, ...]
    charges: tuple[Charge, ...]
    surplus: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Layout:
    """Spans of each device, and the times at which some pod's device was guessed."""

    spans: Mapping[str, Sequence[DeviceSpan]]
    guesses: tuple[Window, ...]


@dataclass(slots=True)
class _Line:
    """Parts of one device and segment that end in one row."""

    hold: Hold | None
    part: Part
    weight: Fraction | int = 0
    measured: int = 0
    errors: list[int] = field(default_factory=list)
    blind: bool = False


def state_node(cluster: str, window: Window, node: NodeInput) -> NodeStatement:
    """Charge the devices of one node for one window."""
    presence = node.record.presence(window)
    devices, surplus = billed_devices(node.record.facts, node.series)
    if presence is None or not devices:
        return NodeStatement((), (), surplus)
    layout = _lay_out(window, node, devices)
    rows: list[Row] = []
    charges: list[Charge] = []
    for decision in node.prices:
        segment = decision.span.overlap(presence)
        if segment is None:
            continue
        charge = _charge(node.record.facts.name, segment, decision, len(devices))
        charges.append(charge)
        costs = [None] * len(devices) if charge.cost_nanos is None else apportion(charge.cost_nanos, [1] * len(devices))
        for device, cost in zip(devices, costs, strict=True):
            place = _place(cluster, node.record, device)
            lines = _weigh(node, device, segment, layout)
            rows += _rows(window, place, node, segment, decision, cost, lines)
    return NodeStatement(tuple(rows), tuple(charges), surplus)


def unbalanced_nanos(statements: Sequence[NodeStatement]) -> int:
    """Sum over nodes, prices and currencies of |charge - sum of rows|: 0, or a bug."""
    balance: dict[tuple[str, str, str], int] = defaultdict(int)
    for statement in statements:
        for charge in statement.charges:
            balance[charge.node, charge.price, charge.currency] += charge.cost_nanos or 0
        for row in statement.rows:
            balance[row.place.node, row.price, row.currency] -= row.cost_nanos or 0
    return sum(abs(rest) for rest in balance.values())


def _charge(node: str, segment: Window, decision: PriceDecision, devices: int) -> Charge:
    """Cost of a node's devices over a segment: `devices * price * dt`, rounded once."""
    quote, device_ms = decision.chosen, devices * segment.length_ms
    if quote is None:
        return Charge(node, segment, "", "", None, device_ms, decision.reason)
    cost = node_gpu_cost_nanos(decision, devices, segment.length_ms)
    return Charge(node, segment, f"{quote.book}/{quote.entry}", quote.currency, cost, device_ms, decision.reason)


def _lay_out(window: Window, node: NodeInput, devices: Sequence[str]) -> _Layout:
    """Cut each device's time at its holders, over the padded window so that integrals do not depend on its bounds."""
    claims = assign(node.record.facts, devices, node.tenancies, node.series)
    around = Window(window.start_ms - node.padding_ms, window.end_ms + node.padding_ms)
    presence = node.record.presence(around) or Window(window.start_ms, window.start_ms)
    holds = {device: settle_handovers(claims.get(device, ())) for device in devices}
    lost = _lost_devices(node, devices, holds)
    spans = {device: cut(presence, holds[device], lost[device]) for device in devices}
    guesses = tuple(hold.span for held in holds.values() for hold in held if not hold.claim.seen)
    return _Layout(spans, guesses)


def _lost_devices(
    node: NodeInput, devices: Sequence[str], holds: Mapping[str, Sequence[Hold]]
) -> Mapping[str, list[Window]]:
    """Which devices were lost in each unhealthy time of the node: those without samples first, then those nobody held.

    A device that a pod holds and that samples speak of works, whatever the kubelet offers: its plugin was restarting.
    """
    lost: dict[str, list[Window]] = {device: [] for device in devices}
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


def _weigh(node: NodeInput, device: str, segment: Window, layout: _Layout) -> list[_Line]:
    """Split each span of a device in a segment and add up what ends in the same row."""
    lines: dict[tuple[object, ...], _Line] = {}
    for span in layout.spans[device]:
        inside = span.span.overlap(segment)
        if inside is None:
            continue
        clipped = DeviceSpan(inside, span.holds, unhealthy=span.unhealthy)
        alone = span.exclusive
        system = alone is not None and alone.claim.tenancy.pod in node.system
        for part in split(clipped, _activity(node, layout, device, span, inside), system=system):
            _add(lines, part)
    return list(lines.values())


def _activity(node: NodeInput, layout: _Layout, device: str, span: DeviceSpan, inside: Window) -> Activity:
    """Samples of an unheld device prove nothing while some pod's device on this node is only guessed."""
    if not span.holds and any(guess.overlap(inside) for guess in layout.guesses):
        return UNMEASURED
    return node.activity(device, span, inside)


def _add(lines: dict[tuple[object, ...], _Line], part: Part) -> None:
    """Add a part to the line of its row."""
    pod = part.hold.claim.tenancy.pod if part.hold else None
    seen = part.hold is None or part.hold.claim.seen
    line = lines.setdefault((pod, part.bucket, part.method, part.quality, part.signal, seen), _Line(part.hold, part))
    line.weight += part.weight
    line.measured += part.measured
    line.blind |= part.error is None
    if part.error:
        line.errors.append(part.error)


def _rows(
    window: Window,
    place: Place,
    node: NodeInput,
    segment: Window,
    decision: PriceDecision,
    cost: int | None,
    lines: Sequence[_Line],
) -> list[Row]:
    """Apportion a device's cost and time of a segment over its lines."""
    weights = integer_weights([line.weight for line in lines])
    times = apportion(segment.length_ms, weights)
    costs = [None] * len(lines) if cost is None else apportion(cost, weights)
    return [
        _row(window, place, node, decision, line, amount, time)
        for line, amount, time in zip(lines, costs, times, strict=True)
    ]


def _row(
    window: Window,
    place: Place,
    node: NodeInput,
    decision: PriceDecision,
    line: _Line,
    cost: int | None,
    time_ms: int,
) -> Row:
    quote = decision.chosen
    return Row(
        window=window,
        revision=0,
        component=Component.GPU,
        place=place,
        holder=node.holders[line.hold.claim.tenancy.pod] if line.hold else NOBODY,
        bucket=line.part.bucket,
        method=line.part.method,
        quality=line.part.quality,
        signal=line.part.signal,
        currency=quote.currency if quote else "",
        cost_nanos=cost,
        gpu_milliseconds=time_ms,
        measured_milliseconds=min(time_ms, divide(line.measured, PPB)),
        error_nanos=_error_nanos(decision, line),
        price=f"{quote.book}/{quote.entry}" if quote else "",
        list_price=bool(quote and quote.list_price),
        flags=_flags(line.hold),
    )


def _error_nanos(decision: PriceDecision, line: _Line) -> int | None:
    """Error bar of an amount; independent errors add in squares. None where nothing was measured.

    A line without a price has no amount, so no error either: it takes the bar from nothing that it is summed with.
    """
    if line.blind:
        return None
    if decision.chosen is None:
        return 0
    error_ppb_ms = isqrt(sum(error * error for error in line.errors))
    quote = decision.chosen
    return divide(quote.gpu_hour_nanos_num * error_ppb_ms, quote.gpu_hour_den * HOUR_MS * PPB)


def _flags(hold: Hold | None) -> tuple[str, ...]:
    """What a reader should know of a row."""
    if hold is None:
        return ()
    tenancy = hold.claim.tenancy
    flags = (("gap", tenancy.uncertain), ("assumed-device", not hold.claim.seen), ("unseen-pod", not tenancy.uid))
    return tuple(name for name, true in flags if true)


def _place(cluster: str, record: NodeRecord, device: str) -> Place:
    facts = record.facts
    return Place(
        cluster=cluster,
        node=facts.name,
        device=device,
        gpu_model=facts.gpu_model or "",
        provider=facts.provider,
        region=facts.region,
        zone=facts.zone,
        instance_type=facts.instance_type,
        capacity_type=facts.capacity_type.value,
    )
