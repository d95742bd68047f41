"""Which components of the cost are in the amounts, and which are not."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from aicost.domain.ledger.rows import Component
from aicost.domain.reporting.sums import GroupSum


@dataclass(frozen=True, slots=True)
class Covering:
    """What the amounts of a ledger leave out.

    Attributes:
        missing: components of which nothing is in any amount: nothing counts them, or nothing prices them.
        partly: components of which some quantity has no price.
    """

    missing: tuple[str, ...]
    partly: tuple[str, ...]


def covering(groups: Iterable[GroupSum]) -> Covering:
    """What some sums leave out. GPUs are always covered: what they lack is said in GPU-hours."""
    cost: Counter[str] = Counter()
    priced: Counter[str] = Counter()
    unpriced: Counter[str] = Counter()
    for group in groups:
        cost[group.component] += abs(group.cost_nanos)
        priced[group.component] += group.quantity - group.unpriced_quantity
        unpriced[group.component] += group.unpriced_quantity
    there = {name for name in Component if name is Component.GPU or cost[name] or priced[name]}
    return Covering(
        tuple(one.value for one in Component if one not in there),
        tuple(one.value for one in Component if one in there and one is not Component.GPU and unpriced[one] > 0),
    )
