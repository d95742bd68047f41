"""The statement of nodes' CPU and memory for one window: what pods hold of them, priced, as rows.

The way of the money is that of the GPUs: price decisions cut the window into segments, the cost of a component over a
segment is rounded once, and it is apportioned over the parts by exact weights. So is the quantity.

All nodes are stated together: those on which something may change at the same moments are divided in one pass.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from aicost.domain.attribution.resources.dividing import BUCKETS, Weights, divide_capacities, divide_capacity
from aicost.domain.attribution.resources.holding import Demand, edges_of, holdings_between
from aicost.domain.attribution.resources.use import Levels, PodUse
from aicost.domain.attribution.statement import Charge
from aicost.domain.exact.apportion import apportion_each, divide
from aicost.domain.exact.windows import SECOND_MS, Window
from aicost.domain.inventory.nodes import NodeFacts, NodeRecord
from aicost.domain.ledger.columns import RowColumns, Wording
from aicost.domain.ledger.rows import Bucket, Component, Holder, Method, Place, Quality
from aicost.domain.pricing.books import PriceDecision
from aicost.domain.pricing.quotes import RestCost, node_rest_cost

NOBODY = Holder()
UNDIVIDED = "undivided"
"""Flag of CPU whose cost holds that of the memory: no reference rate tells the two apart."""
_SAMPLED = frozenset({Bucket.USED, Bucket.ALLOCATED_IDLE})
_KIB = 2**10
_MIB = 2**20
_MICRO = 1_000


class Resident(NamedTuple):
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


@dataclass(frozen=True, slots=True)
class Host:
    """A node with what its CPU and memory are divided by.

    Attributes:
        place: where it is; the device is empty.
        presence: the part of the window in which it was there.
        prices: decisions that partition the window.
        residents: pods that were there, each within the node's presence.
    """

    record: NodeRecord
    place: Place
    presence: Window
    prices: Sequence[PriceDecision]
    residents: Sequence[Resident]


def state_resources(
    window: Window, hosts: Sequence[Host], components: Sequence[Component] = tuple(KINDS)
) -> list[tuple[RowColumns, tuple[Charge, ...]]]:
    """Charge CPU and memory of nodes for one window.

    Args:
        window: billing window, or a part of it.
        hosts: the nodes.
        components: which of the two are charged.

    Returns:
        For each node its rows, and the charges that they sum to. A node that does not say how much it has of a resource
        has no rows of it: there is nothing to divide.
    """
    pools = [pool for kind in KINDS.values() if kind.component in components for pool in _pools(kind, hosts)]
    pools.sort(key=lambda pool: pool.host)
    lines = [_lines(pool.weights, hosts[pool.host].residents) for pool in pools]
    shares = [list(one.values()) for one in lines]
    quantities = apportion_each([pool.quantity for pool in pools], shares)
    known = [index for index, pool in enumerate(pools) if pool.charge.cost_nanos is not None]
    costs: list[Sequence[int | None]] = [[None] * len(one) for one in shares]
    split = apportion_each([pools[index].charge.cost_nanos or 0 for index in known], [shares[index] for index in known])
    for index, parts in zip(known, split, strict=True):
        costs[index] = parts
    found: list[tuple[RowColumns, list[Charge]]] = [(RowColumns(), []) for _ in hosts]
    words = _Words(window)
    for pool, keys, cost, quantity in zip(pools, lines, costs, quantities, strict=True):
        rows, charges = found[pool.host]
        charges.append(pool.charge)
        _add(
            rows,
            hosts[pool.host],
            words.of(pool, keys, hosts[pool.host].residents),
            zip(keys, cost, quantity, strict=True),
        )
    return [(rows, tuple(charges)) for rows, charges in found]


class _Pool(NamedTuple):
    """One component of a node over one segment of constant price, divided.

    Attributes:
        host: place of the node among the hosts.
        quantity: of the whole node, rounded once.
    """

    host: int
    kind: _Kind
    decision: PriceDecision
    charge: Charge
    quantity: int
    weights: Weights


_Segments = tuple[tuple[int, int], ...]


def _pools(kind: _Kind, hosts: Sequence[Host]) -> Iterator[_Pool]:
    """Divide one component of all nodes, segment by segment; in the order of the segments of each node."""
    alike: dict[tuple[tuple[int, ...], _Segments], list[tuple[int, list[Demand]]]] = defaultdict(list)
    for index, host in enumerate(hosts):
        if kind.capacity(host.record.facts) > 0:
            segments = tuple((one.start_ms, one.end_ms) for _, one in _segments(host))
            demands = [_demand(resident, kind) for resident in host.residents]
            edges = edges_of(demands, host.presence, (start for start, _ in segments))
            alike[edges, segments].append((index, demands))
    for (edges, segments), some in alike.items():
        divided = _divide(kind, edges, segments, [(hosts[index], demands) for index, demands in some])
        for (index, _), weights in zip(some, divided, strict=True):
            for (decision, segment), one in zip(_segments(hosts[index]), weights, strict=True):
                facts = hosts[index].record.facts
                whole = kind.quantity(facts, segment.length_ms)
                charge = _charge(facts.name, kind, segment, decision)
                yield _Pool(index, kind, decision, charge, divide(whole.numerator, whole.denominator), one)


def _segments(host: Host) -> list[tuple[PriceDecision, Window]]:
    return [(one, part) for one in host.prices if (part := one.span.overlap(host.presence))]


def _divide(
    kind: _Kind, edges: tuple[int, ...], segments: _Segments, some: Sequence[tuple[Host, Sequence[Demand]]]
) -> list[list[Weights]]:
    """The weights of nodes whose edges and segments are the same: for each node, segment by segment."""
    found: list[list[Weights]] = [[] for _ in some]
    housed = [index for index, (_, demands) in enumerate(some) if demands]
    table = holdings_between([demand for index in housed for demand in some[index][1]], edges)
    system = [resident.system for index in housed for resident in some[index][0].residents]
    firsts, row = [], 0
    for index in housed:
        firsts.append(row)
        row += len(some[index][1])
    capacities = [kind.capacity(some[index][0].record.facts) for index in housed]
    empty = [index for index, (_, demands) in enumerate(some) if not demands]
    for start_ms, end_ms in segments:
        part = table.within((table.starts >= start_ms) & (table.starts < end_ms))
        if housed:
            for index, weights in zip(housed, divide_capacities(part, firsts, capacities, system), strict=True):
                found[index].append(weights)
        for index in empty:
            found[index].append(divide_capacity(part.of(slice(0)), kind.capacity(some[index][0].record.facts), ()))
    return found


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
"""Which holder, by identity, which bucket, and whether its end went unseen."""


def _lines(weights: Weights, residents: Sequence[Resident]) -> dict[_LineKey, int]:
    """The weight of what ends in the same row."""
    found: dict[_LineKey, int] = {}
    for resident, parts in zip(residents, weights.pods, strict=True):
        for bucket, weight in zip(BUCKETS, parts, strict=True):
            if weight:
                key = (id(resident.holder), bucket, resident.uncertain)
                found[key] = found.get(key, 0) + weight
    if weights.unallocated:
        found[id(NOBODY), Bucket.UNALLOCATED, False] = weights.unallocated
    return found


def _add(
    rows: RowColumns,
    host: Host,
    words: Mapping[tuple[Bucket, bool], Wording],
    lines: Iterable[tuple[_LineKey, int | None, int]],
) -> None:
    """A row for each line that comes to something."""
    holders = {id(one.holder): one.holder for one in host.residents}
    before = len(rows)
    for (who, bucket, uncertain), nanos, quantity in lines:
        if nanos or quantity:
            rows.wording.append(words[bucket, uncertain])
            rows.holder.append(holders.get(who, NOBODY))
            rows.cost_nanos.append(nanos)
            rows.quantity.append(quantity)
    added = len(rows) - before
    rows.place += [host.place] * added
    rows.gpu_milliseconds += [0] * added
    rows.measured_milliseconds += [0] * added
    rows.error_nanos += [None] * added


@dataclass(frozen=True, slots=True)
class _Words:
    """What rows say of themselves, each wording once."""

    window: Window
    known: dict[tuple[object, ...], Wording] = field(default_factory=dict)

    def of(
        self, pool: _Pool, lines: Iterable[_LineKey], residents: Sequence[Resident]
    ) -> Mapping[tuple[Bucket, bool], Wording]:
        """What rows of each bucket say, by whether an end went unseen."""
        kinds = {(bucket, uncertain) for _, bucket, uncertain in lines}
        kind, quote, buckets = pool.kind, pool.decision.chosen, {bucket for bucket, _ in kinds}
        measured = Bucket.ALLOCATED_UNMEASURED not in buckets and len(residents) > 0
        known = pool.charge.cost_nanos is not None and quote is not None
        undivided = known and quote is not None and quote.undivided and kind.component is Component.CPU
        listed = known and quote is not None and quote.list_price
        found: dict[tuple[Bucket, bool], Wording] = {}
        for bucket, uncertain in kinds:
            sampled = bucket in _SAMPLED or (measured and bucket is not Bucket.ALLOCATED_UNMEASURED)
            flags = tuple(name for name, true in (("gap", uncertain), (UNDIVIDED, undivided)) if true)
            key = (kind.component, bucket, sampled, pool.charge.currency, pool.charge.price, listed, flags)
            if key not in self.known:
                quality, signal = (kind.quality, kind.signal) if sampled else (Quality.ASSUMED, "")
                said = (quality, signal, pool.charge.currency, pool.charge.price, listed, flags)
                self.known[key] = Wording(self.window, 0, kind.component, bucket, Method.REQUEST_OR_USE, *said)
            found[bucket, uncertain] = self.known[key]
        return found
