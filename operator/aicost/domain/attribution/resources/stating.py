"""The statement of a node's CPU and memory for one window: what pods hold of them, priced, as rows.

The way of the money is that of the GPUs: price decisions cut the window into segments, the cost of a component over a
segment is rounded once, and it is apportioned over the parts by exact weights. So is the quantity.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from aicost.domain.attribution.resources.dividing import Portion, divide_capacity
from aicost.domain.attribution.resources.holding import Demand, holdings
from aicost.domain.attribution.resources.use import Levels, PodUse
from aicost.domain.attribution.statement import Charge
from aicost.domain.exact.apportion import apportion, divide
from aicost.domain.exact.windows import SECOND_MS, Window
from aicost.domain.inventory.nodes import NodeFacts, NodeRecord
from aicost.domain.ledger.rows import Bucket, Component, Holder, Method, Place, Quality, Row
from aicost.domain.pricing.books import PriceDecision
from aicost.domain.pricing.quotes import RestCost, node_rest_cost

NOBODY = Holder()
UNDIVIDED = "undivided"
"""Flag of CPU whose cost holds that of the memory: no reference rate tells the two apart."""
_SAMPLED = frozenset({Bucket.USED, Bucket.ALLOCATED_IDLE})
_KIB = 2**10
_MIB = 2**20
_MICRO = 1_000


@dataclass(frozen=True, slots=True)
class Resident:
    """A pod on a node, as a holder of CPU and memory.

    Attributes:
        holder: who it is in the ledger; pods with equal holders end in the same rows.
        steps: spans with thousandths of cores and bytes that it asked for: they follow each other without a gap.
        use: what samples say that it used.
        system: it is a part of the platform.
        uncertain: its end went unseen.
    """

    holder: Holder
    steps: Sequence[tuple[Window, int, int]]
    use: PodUse
    system: bool = False
    uncertain: bool = False


@dataclass(frozen=True, slots=True)
class _Kind:
    """How one resource is counted.

    Attributes:
        capacity: what a node has of it, in the unit of use: millionths of cores, or KiB.
        asked: what a pod asks for, in the same unit.
        used: what samples say.
        quantity: exact quantity of a whole node over some milliseconds, in the unit of `Row.quantity`.
        cost: its part of the cost beside the GPUs.
    """

    component: Component
    quality: Quality
    signal: str
    capacity: Callable[[NodeFacts], int]
    asked: Callable[[int, int], int]
    used: Callable[[PodUse], Levels]
    quantity: Callable[[NodeFacts, int], Fraction]
    cost: Callable[[RestCost], int | None]


_CPU = _Kind(
    Component.CPU,
    Quality.MEASURED_COUNTER,
    "cpu-usage",
    lambda node: node.cpu_millis * _MICRO,
    lambda cpu, _: cpu * _MICRO,
    lambda use: use.cpu,
    lambda node, length_ms: Fraction(node.cpu_millis * length_ms, SECOND_MS),
    lambda rest: rest.cpu,
)
_MEMORY = _Kind(
    Component.MEMORY,
    Quality.MEASURED_GAUGE,
    "working-set",
    lambda node: node.memory_bytes // _KIB,
    lambda _, memory: -(-memory // _KIB),
    lambda use: use.memory,
    lambda node, length_ms: Fraction(node.memory_bytes * length_ms, _MIB * SECOND_MS),
    lambda rest: rest.memory,
)
KINDS: Mapping[Component, _Kind] = {kind.component: kind for kind in (_CPU, _MEMORY)}


def state_resources(
    window: Window,
    record: NodeRecord,
    place: Place,
    prices: Sequence[PriceDecision],
    residents: Sequence[Resident],
    components: Sequence[Component] = tuple(KINDS),
) -> tuple[tuple[Row, ...], tuple[Charge, ...]]:
    """Charge CPU and memory of one node for one window.

    Args:
        window: billing window, or a part of it.
        record: the node and its life.
        place: where it is; the device is empty.
        prices: decisions that partition the window.
        residents: pods that were there, each within the node's presence.
        components: which of the two are charged.

    Returns:
        The rows, and the charges that they sum to. A node that does not say how much it has of a resource has no rows
        of it: there is nothing to divide.
    """
    presence = record.presence(window)
    if presence is None:
        return (), ()
    rows: list[Row] = []
    charges: list[Charge] = []
    for kind in (KINDS[component] for component in KINDS if component in components):
        for settled in _settle(kind, record.facts, presence, prices, residents):
            charges.append(settled.charge)
            rows += _rows(window, place, residents, settled)
    return tuple(rows), tuple(charges)


@dataclass(frozen=True, slots=True)
class _Settled:
    """One component of a node over one segment, divided.

    Attributes:
        quantity: of the whole node, rounded once.
    """

    kind: _Kind
    decision: PriceDecision
    charge: Charge
    quantity: int
    portions: tuple[Portion, ...]


def _settle(
    kind: _Kind,
    node: NodeFacts,
    presence: Window,
    prices: Sequence[PriceDecision],
    residents: Sequence[Resident],
) -> Iterator[_Settled]:
    capacity = kind.capacity(node)
    if capacity <= 0:
        return
    segments = [(one, part) for one in prices if (part := one.span.overlap(presence))]
    demands = [_demand(resident, kind) for resident in residents]
    table = holdings(demands, presence, [segment.start_ms for _, segment in segments])
    starts = table.starts
    system = [resident.system for resident in residents]
    for decision, segment in segments:
        inside = (starts >= segment.start_ms) & (starts < segment.end_ms)
        whole = kind.quantity(node, segment.length_ms)
        yield _Settled(
            kind,
            decision,
            _charge(node.name, kind, segment, decision),
            divide(whole.numerator, whole.denominator),
            divide_capacity(table, capacity, system, inside),
        )


def _demand(resident: Resident, kind: _Kind) -> Demand:
    return Demand([(step, kind.asked(cpu, memory)) for step, cpu, memory in resident.steps], kind.used(resident.use))


def _charge(node: str, kind: _Kind, segment: Window, decision: PriceDecision) -> Charge:
    quote, cost = decision.chosen, kind.cost(node_rest_cost(decision, segment.length_ms))
    if quote is None or cost is None:
        reason = decision.reason if quote is None else f"{quote.book}/{quote.entry} says no price of {kind.component}"
        return Charge(node, segment, "", "", None, 0, reason, kind.component)
    price = f"{quote.book}/{quote.entry}"
    return Charge(node, segment, price, quote.currency, cost, 0, decision.reason, kind.component)


_LineKey = tuple[int, Bucket, bool]
"""Which holder, which bucket, and whether its end went unseen."""
_Words = tuple[Quality, str, tuple[str, ...]]
"""Quality, signal and flags."""


def _rows(window: Window, place: Place, residents: Sequence[Resident], settled: _Settled) -> Iterator[Row]:
    """Apportion cost and quantity over what ends in the same row."""
    holders: dict[int, Holder] = {id(NOBODY): NOBODY}
    weights: dict[_LineKey, int] = defaultdict(int)
    for portion in settled.portions:
        resident = None if portion.pod is None else residents[portion.pod]
        holder = resident.holder if resident else NOBODY
        holders[id(holder)] = holder
        weights[id(holder), portion.bucket, bool(resident and resident.uncertain)] += portion.weight
    charge, shares, words = settled.charge, list(weights.values()), _words(settled, weights, residents)
    costs = [None] * len(shares) if charge.cost_nanos is None else apportion(charge.cost_nanos, shares)
    component, quote, known = settled.kind.component, settled.decision.chosen, charge.cost_nanos is not None
    listed = bool(known and quote and quote.list_price)
    for (who, bucket, uncertain), nanos, quantity in zip(
        weights, costs, apportion(settled.quantity, shares), strict=True
    ):
        if nanos or quantity:
            quality, signal, flags = words[bucket, uncertain]
            # By position: there are more of these rows than of all others, and to pass names takes longer.
            yield Row(
                window, 0, component, place, holders[who], bucket, Method.REQUEST_OR_USE, quality, signal,
                charge.currency, nanos, 0, 0, None, charge.price, listed, flags, "", quantity,
            )  # fmt: skip


def _words(
    settled: _Settled, weights: Mapping[_LineKey, int], residents: Sequence[Resident]
) -> Mapping[tuple[Bucket, bool], _Words]:
    """What rows of each bucket say of themselves, by whether an end went unseen."""
    kind, quote, buckets = settled.kind, settled.decision.chosen, {bucket for _, bucket, _ in weights}
    measured = Bucket.ALLOCATED_UNMEASURED not in buckets and len(residents) > 0
    undivided = settled.charge.cost_nanos is not None and quote is not None and quote.undivided
    undivided = undivided and kind.component is Component.CPU
    found: dict[tuple[Bucket, bool], _Words] = {}
    for bucket, uncertain in {(bucket, uncertain) for _, bucket, uncertain in weights}:
        sampled = bucket in _SAMPLED or (measured and bucket is not Bucket.ALLOCATED_UNMEASURED)
        flags = tuple(name for name, true in (("gap", uncertain), (UNDIVIDED, undivided)) if true)
        quality, signal = (kind.quality, kind.signal) if sampled else (Quality.ASSUMED, "")
        found[bucket, uncertain] = quality, signal, flags
    return found
