"""Unit costs of a scope against the targets of its workloads."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from aicost.domain.budgets.plans import PPM
from aicost.domain.budgets.units.counts import UnitCount
from aicost.domain.exact.apportion import divide

WorkloadName = tuple[str, str]
"""Namespace and name of an AIWorkload."""


@dataclass(frozen=True, slots=True)
class UnitTarget:
    """What one unit of a workload may cost.

    Attributes:
        nanos, per: nano-units for so many units; None where no target is set.
        margin_percent: how far above it still counts as within.
    """

    workload: WorkloadName
    nanos: int | None = None
    per: int = 1
    currency: str = ""
    margin_percent: int = 0


@dataclass(frozen=True, slots=True)
class Achieved:
    """What a scope achieved for its money.

    Attributes:
        unit_ppm: cost over what the units may have cost, in parts per million; None where none was counted or has a
            target.
        within_ppm: where it is still within target and margin.
        success_ppm: successes over units; None where they are not known.
    """

    unit_ppm: int | None = None
    within_ppm: int = PPM
    success_ppm: int | None = None

    @property
    def held_ppm(self) -> int | None:
        """Cost over what the units may have cost with their margin; None where it is not known. It held up to 1."""
        return None if self.unit_ppm is None else -(-self.unit_ppm * PPM // self.within_ppm)

    @property
    def is_within(self) -> bool | None:
        """Whether unit cost held; None where it is not known."""
        return None if self.unit_ppm is None else self.unit_ppm <= self.within_ppm


def achieved(
    targets: Iterable[UnitTarget],
    counts: Mapping[WorkloadName, UnitCount],
    costs: Mapping[WorkloadName, int],
    currency: str,
) -> Achieved:
    """Put cost, units and targets of several workloads together: a ratio of sums, not a mean of ratios.

        unit = sum of costs / sum of (units x target)        over the workloads that have both

    Args:
        targets: of the workloads in scope.
        counts: units and successes in a span.
        costs: cost in the same span, in nano-units of the currency.
        currency: of the budget; a target in another one says nothing.
    """
    known = [(one, counts[one.workload]) for one in targets if one.workload in counts]
    judged = [(one, count) for one, count in known if one.nanos and one.currency == currency and count.units]
    allowed = sum((Fraction((one.nanos or 0) * (count.units or 0), one.per) for one, count in judged), Fraction(0))
    cost = sum(costs.get(one.workload, 0) for one, _ in judged)
    ratio = cost / allowed if allowed else None
    margin = max((one.margin_percent for one, _ in judged), default=0)
    return Achieved(
        unit_ppm=None if ratio is None else divide(ratio.numerator * PPM, ratio.denominator),
        within_ppm=PPM + margin * PPM // 100,
        success_ppm=_success_ppm([count for _, count in known]),
    )


def _success_ppm(counts: list[UnitCount]) -> int | None:
    judged = [(one.successes, one.units) for one in counts if one.units and one.successes is not None]
    units = sum(units or 0 for _, units in judged)
    return min(PPM, divide(sum(good or 0 for good, _ in judged) * PPM, units)) if units else None
