"""Run a budget against what a ledger recorded."""

from dataclasses import replace

from aicost.domain.budgets.periods import Rolling, Total, current_period
from aicost.domain.budgets.plans import BudgetPlan
from aicost.domain.budgets.simulation.days import days_of
from aicost.domain.budgets.simulation.figures import FORECAST_DAYS, Figures
from aicost.domain.budgets.simulation.flow import undisturbed
from aicost.domain.budgets.simulation.history import History, history_of
from aicost.domain.budgets.simulation.moments import cycle_from
from aicost.domain.budgets.simulation.record import Record
from aicost.domain.budgets.simulation.stepping import Stepper
from aicost.domain.budgets.simulation.stops import Stops
from aicost.domain.budgets.simulation.values import Outcome, Simulation
from aicost.domain.budgets.spend.scopes import Scope
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, Window


def lead_of(plan: BudgetPlan, span: Window) -> int:
    """When a simulation of a span begins: with the period that the span begins in."""
    if isinstance(plan.rule, Rolling):
        return span.start_ms
    if isinstance(plan.rule, Total):
        return plan.rule.start_ms
    return min(span.start_ms, current_period(plan.rule, span.start_ms).start_ms)


def needed(plan: BudgetPlan, span: Window) -> Window:
    """The time that has to be known: forecasts and burn rates look back from where the simulation begins."""
    back = max(FORECAST_DAYS * DAY_MS, plan.rule.length_ms if isinstance(plan.rule, Rolling) else 0)
    start = lead_of(plan, span) - back - DAY_MS
    return Window(max(0, start - start % DAY_MS), span.end_ms)


def simulate(plan: BudgetPlan, scope: Scope, record: Record, span: Window, *, acts: bool = True) -> Simulation | None:
    """Say what a budget would have done; None where nothing is known of the span.

    Args:
        plan: the budget. It is taken as if it had been there since the simulation began, and not paused.
        scope: the cost that counts.
        record: what was recorded in the time that `needed` says, told apart by `KEYS` and the keys of the scope.
        span: the time to look at.
        acts: whether workloads are stopped; else the gates alone are simulated.
    """
    plan = replace(plan, created_ms=0, paused=False)
    history = history_of(record, scope, plan.currency)
    known = history.known and history.known.overlap(Window(lead_of(plan, span), _end(plan, span)))
    shown = known and known.overlap(span)
    if history.known is None or known is None or shown is None:
        return None
    stepper = Stepper(plan, _figures(history, history.known), Stops(plan, history.workloads), acts)
    now = cycle_from(known.start_ms)
    while now < known.end_ms:
        stepper.step(now)
        now = stepper.next_ms(now, known.end_ms)
    return _result(stepper, history, known, shown)


def _end(plan: BudgetPlan, span: Window) -> int:
    ends = plan.rule.end_ms if isinstance(plan.rule, Total) else None
    return max(lead_of(plan, span), span.end_ms if ends is None else min(span.end_ms, ends))


def _figures(history: History, known: Window) -> Figures:
    total = history.total
    lengths = (end - start for start, end in zip(total.starts_ms, total.ends_ms, strict=True))
    return Figures(
        course=undisturbed(total),
        held=history.held,
        grain_ms=min(lengths, default=HOUR_MS),
        labels=history.labels,
        foreign=history.foreign,
        known=known,
    )


def _result(stepper: Stepper, history: History, simulated: Window, shown: Window) -> Simulation:
    stops, course = stepper.finish(simulated.end_ms), stepper.figures.course
    outcomes = []
    for term in stepper.terms:
        ends = term.period.end_ms
        part = Window(
            max(simulated.start_ms, term.period.start_ms) if ends is not None else simulated.start_ms,
            simulated.end_ms if ends is None else min(ends, simulated.end_ms),
        )
        recorded, spent = (one.spent(part.start_ms, part.end_ms) for one in (course.whole, course.counted))
        outcomes.append(Outcome(term, part, recorded, spent))
    return Simulation(
        plan=stepper.plan,
        span=shown,
        began_ms=simulated.start_ms,
        acts=stepper.acts,
        turns=stepper.turns,
        stops=stops,
        kept=list(stepper.stops.kept.values()),
        holds=stepper.holds,
        days=days_of(stepper.plan.rule, shown, stepper.terms, course, stepper.turns),
        periods=outcomes,
        labels=history.labels,
        foreign=tuple(history.foreign),
        unpriced_ms=history.unpriced_ms,
        grain_ms=stepper.figures.grain_ms,
    )
