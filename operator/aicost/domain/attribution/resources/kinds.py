"""The two resources beside the GPUs, and how each is counted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from aicost.domain.attribution.resources.use import Levels, PodUse
from aicost.domain.exact.windows import SECOND_MS
from aicost.domain.inventory.nodes import NodeFacts
from aicost.domain.ledger.rows import Component, Quality
from aicost.domain.pricing.quotes import RestCost

_KIB = 2**10
_MIB = 2**20
_MICRO = 1_000


@dataclass(frozen=True, slots=True)
class Kind:
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


_CPU = Kind(
    Component.CPU,
    Quality.MEASURED_COUNTER,
    "cpu-usage",
    lambda node: node.cpu_millis * _MICRO,
    lambda cpu, _: cpu * _MICRO,
    lambda use: use.cpu,
    lambda node, length_ms: Fraction(node.cpu_millis * length_ms, SECOND_MS),
    lambda rest: rest.cpu,
)
_MEMORY = Kind(
    Component.MEMORY,
    Quality.MEASURED_GAUGE,
    "working-set",
    lambda node: node.memory_bytes // _KIB,
    lambda _, memory: -(-memory // _KIB),
    lambda use: use.memory,
    lambda node, length_ms: Fraction(node.memory_bytes * length_ms, _MIB * SECOND_MS),
    lambda rest: rest.memory,
)
KINDS: Mapping[Component, Kind] = {kind.component: kind for kind in (_CPU, _MEMORY)}
