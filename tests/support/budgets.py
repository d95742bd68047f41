"""Budgets, their figures and their decisions, by the few words that a test is about."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

from aicost.domain.budgets.deciding.figures import BudgetSpend, Data
from aicost.domain.budgets.deciding.state import GateState, begin
from aicost.domain.budgets.gates import Basis, Gate, Mode
from aicost.domain.budgets.pace import Spend, stand
from aicost.domain.budgets.periods import Calendar, Period
from aicost.domain.budgets.plans import PPM, BudgetPlan, BudgetRef, Rung, Safety
from aicost.domain.exact.amounts import NANOS_PER_UNIT
from aicost.domain.exact.windows import DAY_MS, SECOND_MS

LIMIT = 1000 * NANOS_PER_UNIT
MONTH = Period(0, 30 * DAY_MS)
START = 10 * DAY_MS
"""A third of the month is gone."""
CYCLE_MS = 15 * SECOND_MS
REF = BudgetRef("month", "research", "uid-1")


def rung(gate: Gate, at_percent: int, basis: Basis = Basis.ACTUAL, **more: Any) -> Rung:
    """A rung at a percentage, which closes five points below."""
    at = at_percent * PPM // 100
    return Rung(f"{gate.lower()}-{at_percent}", gate, basis, at, at - PPM // 20, **more)


LADDER = (
    rung(Gate.NOTIFY, 50),
    rung(Gate.ANNOTATE, 70),
    rung(Gate.FREEZE_GROWTH, 80),
    rung(Gate.DENY_NEW, 100),
    rung(Gate.SUSPEND, 120),
)


def plan(*ladder: Rung, **more: Any) -> BudgetPlan:
    """A budget of 1,000 that enforces all of its ladder."""
    known: dict[str, Any] = {"rule": Calendar(), "mode": Mode.ENFORCE, "max_gate": Gate.FAST_FAIL, **more}
    return BudgetPlan(REF, "USD", ((-(2**63), LIMIT),), ladder=known.pop("ladder", ladder or LADDER), **known)


def data(now_ms: int, **more: Any) -> Data:
    """Figures of this very moment that nothing is wrong with."""
    known: dict[str, Any] = {"telemetry": Fraction(1), "price": Fraction(1), "labels": Fraction(1), **more}
    return Data(now_ms, **known)


def figures(percent: int, now_ms: int = START, limit_nanos: int = LIMIT, **more: Any) -> BudgetSpend:
    """Figures of a budget that has spent so much of 1,000.

    Args:
        percent: spend in percent of 1,000, whatever the limit.
        now_ms: the moment.
        limit_nanos: the limit.
        more: fields of `BudgetSpend`, and `stale_ms`, `labels` ... of `Data`.
    """
    facts = {name: more.pop(name) for name in ("telemetry", "price", "labels", "jumps", "foreign") if name in more}
    known = replace(data(now_ms, **facts), as_of_ms=now_ms - more.pop("stale_ms", 0))
    spend = Spend(LIMIT * percent // 100, 0, 0, DAY_MS, 0, committed_nanos=more.get("committed_nanos", 0))
    period = more.pop("period", MONTH)
    return BudgetSpend(
        period, more.pop("key", period.start_ms), stand(limit_nanos, period, spend, now_ms), known, **more
    )


def fresh(budget: BudgetPlan) -> GateState:
    """A state before anything was evaluated."""
    return begin(MONTH.start_ms, budget.mode)


def safety(**more: Any) -> Safety:
    """The usual rules but for some."""
    return replace(Safety(), **more)
