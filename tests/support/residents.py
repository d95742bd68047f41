"""Pods that hold CPU and memory on one node, in a few words, and a second way to divide what they hold."""

from collections.abc import Iterable, Sequence
from fractions import Fraction

import numpy as np

from aicost.domain.attribution.resources.kinds import KINDS
from aicost.domain.attribution.resources.stating import Host, Resident, state_resources
from aicost.domain.attribution.resources.use import UNKNOWN, Levels, PodUse
from aicost.domain.exact.windows import Window
from aicost.domain.inventory.nodes import NodeFacts, NodeRecord
from aicost.domain.ledger.rows import Bucket, Component, Holder, Place, Row
from aicost.domain.pricing.books import PriceDecision, PriceQuote
from support.nodes import HOUR, at, span

GIB = 2**30
DOLLAR = 1_000_000_000
PLACE = Place("c", "n1", "")
Steps = Sequence[tuple[float, float, float]]
"""From minute, to minute, cores or GiB."""


def host(cores: float = 4, gib: float = 16, **life) -> NodeRecord:
    facts = NodeFacts("n1", "n1", 0, cpu_millis=round(cores * 1_000), memory_bytes=round(gib * GIB))
    return NodeRecord(facts, **({"seen_ms": HOUR.end_ms, "since_ms": 0} | life))


def levels(steps: Steps, unit: int) -> Levels:
    if not steps:
        return UNKNOWN
    starts, ends, level = zip(*steps, strict=True)
    columns = ([at(one) for one in starts], [at(one) for one in ends], [round(one * unit) for one in level])
    return Levels(*(np.array(column, np.int64) for column in columns))


def resident(name: str, asks: Steps, cpu: Steps = (), memory: Steps = (), **more) -> Resident:
    """A pod that asks for so many cores, and as many GiB, over time; and what it uses of each."""
    steps = [(span(start, end), round(cores * 1_000), round(cores * GIB)) for start, end, cores in asks]
    return Resident(Holder("team", name), steps, PodUse(levels(cpu, 10**6), levels(memory, 2**20)), **more)


def priced(cpu: int | Fraction | None, memory: int | Fraction | None, where: Window = HOUR, entry="e") -> PriceDecision:
    """CPU and memory of the node cost so much per hour, in nanos, as parts of the node's price."""
    whole = Fraction((cpu or 0) + (memory or 0))
    parts = {"cpu": None if cpu is None else Fraction(cpu), "memory": None if memory is None else Fraction(memory)}
    quote = PriceQuote("b", entry, "USD", 0, 1, False, "", "", node_hour=whole, **parts)
    return PriceDecision(where, quote, (), "")


def housed(
    window: Window, residents: Sequence[Resident], prices: Sequence[PriceDecision], life: NodeRecord | None = None
) -> Host:
    """A node with its pods."""
    record = life or host()
    presence = record.presence(window)
    assert presence is not None
    return Host(record, PLACE, presence, prices, tuple(residents))


def state_host(one: Host, components: Sequence[Component] = tuple(KINDS), window: Window = HOUR):
    """Rows and charges of one node alone."""
    (stated,) = state_resources(window, [one], components)
    return stated


def dollars(rows: Iterable[Row], component: Component = Component.CPU) -> dict[tuple[str, str], float]:
    """Cost in dollars by pod and bucket."""
    found: dict[tuple[str, str], float] = {}
    for row in rows:
        if row.component is component:
            key = (row.holder.pod, row.bucket.value)
            found[key] = found.get(key, 0) + (row.cost_nanos or 0) / DOLLAR
    return found


def by_the_second(residents: Sequence[Resident], capacity: int, where: Window) -> dict[tuple[str, Bucket], Fraction]:
    """CPU in millionths of cores times ms, by pod and bucket: second by second, without the product's columns."""
    found: dict[tuple[str, Bucket], Fraction] = {}

    def add(pod: str, bucket: Bucket, amount: Fraction) -> None:
        if amount:
            found[pod, bucket] = found.get((pod, bucket), Fraction(0)) + amount

    for moment in range(where.start_ms, where.end_ms, 1_000):
        there = [(one, _asks(one, moment), _uses(one, moment)) for one in residents if _asks(one, moment) is not None]
        held = [(one, max(asks, uses or 0), asks, uses) for one, asks, uses in there]
        total = sum(hold for _, hold, _, _ in held)
        scale = Fraction(min(capacity, total), total) * 1_000 if total else Fraction(0)
        for one, hold, asks, uses in held:
            if one.system:
                add(one.holder.pod, Bucket.SYSTEM, hold * scale)
            elif uses is None:
                add(one.holder.pod, Bucket.ALLOCATED_UNMEASURED, asks * scale)
            else:
                add(one.holder.pod, Bucket.USED, uses * scale)
                add(one.holder.pod, Bucket.ALLOCATED_IDLE, (hold - uses) * scale)
        add("", Bucket.UNALLOCATED, Fraction(max(0, capacity - total) * 1_000))
    return found


def _asks(one: Resident, moment: int) -> int | None:
    return next((cpu * 1_000 for step, cpu, _ in one.steps if moment in step), None)


def _uses(one: Resident, moment: int) -> int | None:
    cpu = one.use.cpu
    pieces = zip(cpu.start_ms.tolist(), cpu.end_ms.tolist(), cpu.level.tolist(), strict=True)
    return next((level for start, end, level in pieces if start <= moment < end), None)
