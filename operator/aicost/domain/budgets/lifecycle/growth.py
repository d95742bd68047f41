"""Limits that grow with success, and work that is ready for its next stage."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import takewhile

from aicost.domain.budgets.memory import Grown, PastPeriod
from aicost.domain.budgets.plans import PPM, BudgetPlan, Growth
from aicost.domain.identity.stages import Stage

_NEXT = {Stage.SANDBOX: Stage.EXPERIMENT, Stage.EXPERIMENT: Stage.PILOT, Stage.PILOT: Stage.PRODUCTION}


def held(past: PastPeriod, least_success: Fraction) -> bool:
    """Whether unit cost and success held in a period. What was not counted did not hold."""
    success = past.success_ppm
    return past.unit_ppm is not None and past.unit_ppm <= PPM and success is not None and success >= least_success * PPM


def held_in_a_row(history: Sequence[PastPeriod], least_success: Fraction) -> int:
    """Periods in a row, the latest first, in which both held."""
    return sum(1 for _ in takewhile(lambda past: held(past, least_success), history))


def grown(budget: BudgetPlan, before: Grown, history: Sequence[PastPeriod]) -> Grown:
    """How the limit has grown once a period is over: asked once per period, with that period first in the history.

    A limit grows by a step each time that unit cost and success have held for as many periods as the budget names; the
    count begins anew then. It never grows beyond its bound, and never by itself shrinks.
    """
    growth = budget.growth
    if growth is None or not history:
        return before
    if not held(history[0], growth.least_success):
        return Grown(0, before.limit_nanos, _why_not(history[0], growth))
    periods = before.held_periods + 1
    if periods < growth.held_periods:
        left = growth.held_periods - periods
        return Grown(periods, before.limit_nanos, f"Unit cost and success held; {left} more of such periods to grow.")
    return _grow(budget, growth, before, history[0])


def _grow(budget: BudgetPlan, growth: Growth, before: Grown, past: PastPeriod) -> Grown:
    written = budget.limit_nanos(past.period.end_ms or past.period.start_ms)
    now = max(written, before.limit_nanos or 0)
    larger = min(growth.most_nanos, now * (100 + growth.increase_percent) // 100)
    if larger <= now:
        return Grown(0, before.limit_nanos, "Unit cost and success held; the limit is at its bound already.")
    return Grown(0, larger, f"Unit cost and success held for {growth.held_periods} periods: the limit has grown.")


def _why_not(past: PastPeriod, growth: Growth) -> str:
    if past.unit_ppm is None or past.success_ppm is None:
        missing = "unit cost" if past.unit_ppm is None else "success rate"
        return f"The {missing} of the last period is not known: the limit does not grow."
    if past.unit_ppm > PPM:
        return f"Unit cost was {past.unit_ppm * 100 / PPM:.0f}% of its target in the last period: no growth."
    least = float(growth.least_success * 100)
    return f"Success was {past.success_ppm * 100 / PPM:.1f}% in the last period, below {least:.1f}%: no growth."


@dataclass(frozen=True, slots=True)
class Ready:
    """Whether work is ready for its next stage; a person promotes it.

    Attributes:
        to: the next stage; None where there is none, or the budget names no stage.
    """

    is_ready: bool
    to: Stage | None
    why: str


def ready(budget: BudgetPlan, history: Sequence[PastPeriod]) -> Ready | None:
    """Whether work is ready for its next stage; None where the budget does not ask."""
    rule, stage = budget.promotion, budget.stage
    if rule is None:
        return None
    following = _NEXT.get(stage) if stage else None
    if following is None:
        why = "There is no next stage." if stage else "The budget names no stage: set spec.stage."
        return Ready(is_ready=False, to=None, why=why)
    periods = held_in_a_row(history, rule.least_success)
    if periods >= rule.held_periods:
        return Ready(
            is_ready=True, to=following, why=f"Unit cost and success held for {periods} periods: ready for {following}."
        )
    return Ready(
        is_ready=False, to=following, why=f"Unit cost and success held for {periods} of {rule.held_periods} periods."
    )
