"""Sums of cost by group, and what a budget takes from them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aicost.domain.budgets.spend.scopes import Grouped, Scope, Values
from aicost.domain.ledger.rows import HELD, Bucket
from aicost.domain.reporting.sums import GroupSum

_HELD = frozenset(bucket.value for bucket in HELD)


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums of some span, ready to be asked by scope."""

    groups: Grouped
    sums: Sequence[GroupSum]

    def inside(self, scope: Scope) -> list[GroupSum]:
        """The sums in scope."""
        return [self.sums[place] for place in self.groups.inside(scope)]


def indexed(keys: Values, sums: Sequence[GroupSum]) -> Sums:
    """Sums that can be asked by scope."""
    values = [one.keys for one in sums]
    return Sums(Grouped(keys, values, [one.bucket in _HELD for one in sums], [one.component for one in sums]), sums)


@dataclass(frozen=True, slots=True)
class Total:
    """What some sums come to.

    Attributes:
        nanos: cost in the currency of the budget.
        foreign: other currencies that the cost is in.
        gpu_ms, measured_ms, unpriced_ms: device time, with samples, and without a price.
        listed_nanos: cost that rests on public list prices.
    """

    nanos: int = 0
    foreign: frozenset[str] = frozenset()
    gpu_ms: int = 0
    measured_ms: int = 0
    unpriced_ms: int = 0
    listed_nanos: int = 0

    def __add__(self, other: "Total") -> "Total":
        return Total(
            self.nanos + other.nanos,
            self.foreign | other.foreign,
            self.gpu_ms + other.gpu_ms,
            self.measured_ms + other.measured_ms,
            self.unpriced_ms + other.unpriced_ms,
            self.listed_nanos + other.listed_nanos,
        )


def total(sums: Iterable[GroupSum], currency: str) -> Total:
    """Add up; amounts of another currency are named and not added."""
    found = list(sums)
    foreign = {one.currency for one in found if one.currency not in {currency, ""} and one.cost_nanos}
    return Total(
        nanos=sum(one.cost_nanos for one in found if one.currency == currency),
        foreign=frozenset(foreign),
        gpu_ms=sum(one.gpu_milliseconds for one in found),
        measured_ms=sum(one.measured_milliseconds for one in found),
        unpriced_ms=sum(one.unpriced_gpu_milliseconds for one in found),
        listed_nanos=sum(one.list_price_nanos for one in found if one.currency == currency),
    )


def idle_and_busy(sums: Iterable[GroupSum]) -> tuple[int, int]:
    """Measured device time that was held and idle, and that was used."""
    found = list(sums)
    idle = sum(one.gpu_milliseconds for one in found if one.bucket == Bucket.ALLOCATED_IDLE)
    return idle, sum(one.gpu_milliseconds for one in found if one.bucket == Bucket.USED)
