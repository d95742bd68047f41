"""The statement of nodes' CPU and memory for one window: what pods hold of them, priced, as rows.

The way of the money is that of the GPUs: price decisions cut the window into segments, the cost of a component over a
segment is rounded once, and it is apportioned over the parts by exact weights. So is the quantity.

All nodes are stated in one pass. A segment in which more is held than there is, or which 64 bits might not do for, is
divided alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import compress, pairwise
from operator import or_
from typing import Any, NamedTuple

import numpy as np

from aicost.domain.attribution.resources.cells import Cells, Column, Flags, Plot
from aicost.domain.attribution.resources.dividing import BUCKETS, divide_capacity
from aicost.domain.attribution.resources.holding import Demand, Steps, holdings
from aicost.domain.attribution.resources.kinds import KINDS, Kind
from aicost.domain.attribution.resources.lines import lines_of
from aicost.domain.attribution.resources.use import PodUse
from aicost.domain.attribution.resources.wording import Price, Words
from aicost.domain.attribution.statement import Charge
from aicost.domain.exact.apportion import apportion, divide
from aicost.domain.exact.windows import Window
from aicost.domain.inventory.nodes import NodeRecord
from aicost.domain.ledger.columns import RowColumns, Wording
from aicost.domain.ledger.rows import Bucket, Component, Holder, Place
from aicost.domain.pricing.books import PriceDecision
from aicost.domain.pricing.quotes import node_rest_cost

NOBODY = Holder()


class Resident(NamedTuple):
    """A pod on a node, as a holder of CPU and memory.

    Attributes:
        holder: who it is in the ledger; pods with the same holder end in the same rows.
        steps: what it asked for while it was there.
        use: what samples say that it used.
        system: it is a part of the platform.
        uncertain: its end went unseen.
    """

    holder: Holder
    steps: Steps
    use: PodUse
    system: bool = False
    uncertain: bool = False


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
    found: list[tuple[RowColumns, list[Charge]]] = [(RowColumns(), []) for _ in hosts]
    houses, words = _houses(hosts), Words(window)
    for kind in (one for one in KINDS.values() if one.component in components):
        pools = [_pool(kind, hosts[segment.host], segment) for segment in houses.segments]
        for segment, pool, lines in zip(houses.segments, pools, _lines(kind, houses, pools, words), strict=True):
            if pool.counted:
                rows, charges = found[segment.host]
                charges.append(pool.charge)
                _add(rows, hosts[segment.host].place, lines)
    return [(rows, tuple(charges)) for rows, charges in found]


class _Segment(NamedTuple):
    """A span of constant price on a node.

    Attributes:
        host: place of the node among all.
    """

    host: int
    decision: PriceDecision
    span: Window


class _Houses(NamedTuple):
    """All nodes, one after another.

    Attributes:
        segments, residents: of all nodes.
        holders: everybody whom rows may go to, nobody first.
        holder: for each pod, its place among the holders.
        system: for each pod, as `Resident` says.
        uncertain: for each pod, 1 or 0, as `Resident` says.
    """

    hosts: Sequence[Host]
    segments: Sequence[_Segment]
    residents: Sequence[Resident]
    cells: Cells
    holders: Sequence[Holder]
    holder: Column
    system: Flags
    uncertain: Column


def _houses(hosts: Sequence[Host]) -> _Houses:
    segments = [
        _Segment(number, decision, span)
        for number, host in enumerate(hosts)
        for decision in host.prices
        if (span := decision.span.overlap(host.presence))
    ]
    spans: list[list[Window]] = [[] for _ in hosts]
    for one in segments:
        spans[one.host].append(one.span)
    plots = [
        Plot(some, [one.steps for one in host.residents], [one.use for one in host.residents])
        for host, some in zip(hosts, spans, strict=True)
    ]
    residents = [one for host in hosts for one in host.residents]
    holders = {id(NOBODY): NOBODY} | {id(one.holder): one.holder for one in residents}
    numbers = {key: number for number, key in enumerate(holders)}
    return _Houses(
        hosts,
        segments,
        residents,
        Cells(plots),
        list(holders.values()),
        np.array([numbers[id(one.holder)] for one in residents], np.int64),
        np.array([one.system for one in residents], np.bool_),
        np.array([one.uncertain for one in residents], np.int64),
    )


class _Pool(NamedTuple):
    """One component of a node over one segment.

    Attributes:
        counted: the node says how much it has.
        quantity: of the whole node, rounded once.
    """

    counted: bool
    charge: Charge
    quantity: int
    price: Price


def _pool(kind: Kind, host: Host, segment: _Segment) -> _Pool:
    """What is to be divided."""
    facts, quote = host.record.facts, segment.decision.chosen
    whole = kind.quantity(facts, segment.span.length_ms)
    charge = _charge(facts.name, kind, segment.span, segment.decision)
    known = quote if charge.cost_nanos is not None else None
    undivided = known is not None and known.undivided and kind.component is Component.CPU
    price = Price(charge.currency, charge.price, listed=bool(known and known.list_price), undivided=undivided)
    return _Pool(kind.capacity(facts) > 0, charge, divide(whole.numerator, whole.denominator), price)


def _charge(node: str, kind: Kind, segment: Window, decision: PriceDecision) -> Charge:
    quote, cost = decision.chosen, kind.cost(node_rest_cost(decision, segment.length_ms))
    if quote is None or cost is None:
        reason = decision.reason if quote is None else f"{quote.book}/{quote.entry} says no price of {kind.component}"
        return Charge(node, segment, "", "", None, 0, reason, kind.component)
    price = f"{quote.book}/{quote.entry}"
    return Charge(node, segment, price, quote.currency, cost, 0, decision.reason, kind.component)


class _Lines(NamedTuple):
    """Lines of one segment, column by column."""

    wording: Sequence[Wording]
    holder: Sequence[Holder]
    nanos: Sequence[int | None]
    quantity: Sequence[int]


def _lines(kind: Kind, houses: _Houses, pools: Sequence[_Pool], words: Words) -> Iterator[_Lines]:
    """The lines of each segment."""
    uses, capacities = (
        [kind.used(one.use) for one in houses.residents],
        [kind.capacity(one.record.facts) for one in houses.hosts],
    )
    shares = houses.cells.divide(kind.asked, uses, capacities, houses.system)
    counted = np.array([pool.counted for pool in pools], np.bool_)
    lines = lines_of(shares, counted & ~shares.odd, houses.holder, houses.uncertain)
    nanos, quantity = (
        lines.split([pool.charge.cost_nanos or 0 for pool in pools]),
        lines.split([pool.quantity for pool in pools]),
    )
    empty = np.array([not houses.hosts[one.host].residents for one in houses.segments], np.bool_)
    wording = words.of(kind, [pool.price for pool in pools], lines, empty)
    holder = [houses.holders[number] for number in lines.holder.tolist()]
    bounds = np.searchsorted(lines.segment, np.arange(len(pools) + 1)).tolist()
    alone = (counted & shares.odd).tolist()
    for segment, pool, odd, (first, last) in zip(houses.segments, pools, alone, pairwise(bounds), strict=True):
        if odd:
            yield _alone(kind, houses.hosts[segment.host], segment.span, pool, words)
        else:
            cost = [None] * (last - first) if pool.charge.cost_nanos is None else nanos[first:last]
            yield _Lines(wording[first:last], holder[first:last], cost, quantity[first:last])


def _alone(kind: Kind, host: Host, segment: Window, pool: _Pool, words: Words) -> _Lines:
    """The lines of one segment, worked out without regard to any other."""
    demands = [
        Demand([(step, kind.asked(cpu, memory)) for step, cpu, memory in one.steps], kind.used(one.use))
        for one in host.residents
    ]
    system = [one.system for one in host.residents]
    weights = divide_capacity(holdings(demands, segment), kind.capacity(host.record.facts), system)
    found: dict[tuple[int, Bucket, bool], int] = {}
    for resident, parts in zip(host.residents, weights.pods, strict=True):
        for bucket, weight in zip(BUCKETS, parts, strict=True):
            if weight:
                key = (id(resident.holder), bucket, resident.uncertain)
                found[key] = found.get(key, 0) + weight
    if weights.unallocated:
        found[id(NOBODY), Bucket.UNALLOCATED, False] = weights.unallocated
    holders = {id(one.holder): one.holder for one in host.residents} | {id(NOBODY): NOBODY}
    blind = not host.residents or any(bucket is Bucket.ALLOCATED_UNMEASURED for _, bucket, _ in found)
    shares, cost = list(found.values()), pool.charge.cost_nanos
    return _Lines(
        [words.say(kind, pool.price, bucket, blind=blind, uncertain=uncertain) for _, bucket, uncertain in found],
        [holders[who] for who, _, _ in found],
        [None] * len(shares) if cost is None else apportion(cost, shares),
        apportion(pool.quantity, shares),
    )


def _add(rows: RowColumns, place: Place, lines: _Lines) -> None:
    """A row for each line that comes to something."""
    something = list(map(or_, (nanos or 0 for nanos in lines.nanos), lines.quantity))
    some: Sequence[Sequence[Any]] = lines if all(something) else [list(compress(column, something)) for column in lines]
    wording, holder, nanos, quantity = some
    many = len(wording)
    rows.wording += wording
    rows.place += [place] * many
    rows.holder += holder
    rows.cost_nanos += nanos
    rows.gpu_milliseconds += [0] * many
    rows.measured_milliseconds += [0] * many
    rows.error_nanos += [None] * many
    rows.quantity += quantity
