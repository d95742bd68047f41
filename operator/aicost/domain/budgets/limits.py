"""The limit of a period: what is written, what it has grown by, what was carried, and what was approved."""

from dataclasses import dataclass

from aicost.domain.budgets.overrides.weigh import Weighed
from aicost.domain.budgets.periods import Calendar, Period
from aicost.domain.budgets.plans import BudgetPlan, CarryMode
from aicost.domain.exact.apportion import divide


@dataclass(frozen=True, slots=True)
class Past:
    """The period before.

    Attributes:
        limit_nanos: its limit, with all that was carried into it and approved.
        spent_nanos: what was spent in it, by the ledger as it is now.
    """

    period: Period
    limit_nanos: int
    spent_nanos: int


@dataclass(frozen=True, slots=True)
class Limit:
    """The limit of a period and its parts: they sum to it, but for the least that it keeps.

    Attributes:
        prorated_ms: from when on it is pro-rated; None where it is whole.
    """

    nanos: int
    base_nanos: int
    carried_nanos: int = 0
    approved_nanos: int = 0
    minor_nanos: int = 0
    prorated_ms: int | None = None


def base_of(budget: BudgetPlan, period: Period, grown_nanos: int | None) -> tuple[int, int | None]:
    """The limit before anything is carried or approved, and from when on it is pro-rated."""
    written = budget.limit_nanos(period.start_ms)
    if budget.growth and grown_nanos is not None:
        written = max(written, min(grown_nanos, budget.growth.most_nanos))
    length, created = period.length_ms, budget.created_ms
    prorated = budget.prorate_first and isinstance(budget.rule, Calendar)
    if not prorated or length is None or not period.start_ms < created < period.start_ms + length:
        return written, None
    return max(1, divide(written * (period.start_ms + length - created), length)), created


def limit_of(base: tuple[int, int | None], budget: BudgetPlan, past: Past | None, weighed: Weighed) -> Limit:
    """The limit of a period.

        limit = max(least, base + carried) + approved      carried = min(most, unused), or minus what was overspent

    The least is what an overrun leaves of the base: it is no more than that.

    Args:
        base: see `base_of`.
        budget: what is asked for.
        past: the period before; None where there is none, or the budget was made after it.
        weighed: what was approved.
    """
    nanos, since = base
    carried = _carried(budget, past)
    kept = max(1, min(budget.carry.least_nanos, nanos), nanos + carried)
    return Limit(
        nanos=kept + weighed.approved_nanos,
        base_nanos=nanos,
        carried_nanos=kept - nanos,
        approved_nanos=weighed.approved_nanos,
        minor_nanos=weighed.minor_nanos,
        prorated_ms=since,
    )


def _carried(budget: BudgetPlan, past: Past | None) -> int:
    carry = budget.carry
    if past is None or carry.mode is CarryMode.NONE:
        return 0
    left = past.limit_nanos - past.spent_nanos
    if left >= 0:
        unused = left if carry.most_nanos is None else min(left, carry.most_nanos)
        return unused if carry.mode in {CarryMode.UNUSED, CarryMode.BOTH} else 0
    return left if carry.mode in {CarryMode.OVERAGE, CarryMode.BOTH} else 0
