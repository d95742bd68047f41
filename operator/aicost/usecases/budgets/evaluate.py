"""Evaluate a budget: figures, limit, decision, nudges, redlines, and what to remember."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from aicost.domain.budgets.deciding.decide import GateDecision, climb
from aicost.domain.budgets.deciding.figures import BudgetSpend, Data, blindness
from aicost.domain.budgets.evaluation import Evaluation
from aicost.domain.budgets.gates import Mode
from aicost.domain.budgets.lifecycle.growth import grown, ready
from aicost.domain.budgets.limits import Limit, Past, base_of, limit_of
from aicost.domain.budgets.memory import Grown, Memory, PastPeriod
from aicost.domain.budgets.nudges.nudge import NudgeFinding, nudges
from aicost.domain.budgets.nudges.seen import Seen
from aicost.domain.budgets.nudges.state import NudgeState
from aicost.domain.budgets.overrides.values import Override
from aicost.domain.budgets.overrides.weigh import Weighed, weigh
from aicost.domain.budgets.pace import stand
from aicost.domain.budgets.periods import Period, current_period, period_before, period_key
from aicost.domain.budgets.plans import BudgetPlan, Redline
from aicost.domain.budgets.prices import PriceCheck, check_prices
from aicost.domain.budgets.redlines import Judged, RedlineFinding, RedlineMove, judge_redline
from aicost.domain.budgets.spend.found import ScopeSpend
from aicost.domain.budgets.spend.scopes import Scope, scope_of
from aicost.domain.budgets.spend.sums import total
from aicost.domain.budgets.units.targets import Achieved
from aicost.domain.exact.windows import HOUR_MS
from aicost.usecases.budgets.spending import Known, spend_of

HISTORY = 3
"""Periods that are over and still remembered."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What people and earlier steps say of one budget.

    Attributes:
        overrides: requests that name it.
        stopped_nanos: cost per hour of what it has stopped.
        prices_accepted_ms: the last word of a person that prices are right; 0 for none.
    """

    plan: BudgetPlan
    memory: Memory
    overrides: Sequence[Override] = ()
    stopped_nanos: int = 0
    prices_accepted_ms: int = 0


@dataclass(frozen=True, slots=True)
class World:
    """What all budgets are evaluated against.

    Attributes:
        namespaces: name -> labels.
        as_of_ms: the moment that the newest measured figures are of; None: there are none.
        achieved: what a scope achieved in a period, by plan, scope, its spend and the period.
        seen: what nudges look at, by plan, scope and its spend.
        judged: workloads that a redline judges, by redline, plan, scope and its spend.
    """

    known: Known
    namespaces: Mapping[str, Mapping[str, str]]
    as_of_ms: int | None
    achieved: Callable[[BudgetPlan, Scope, ScopeSpend, Period], Achieved] = field(
        default=lambda _plan, _scope, _found, _period: Achieved()
    )
    seen: Callable[[BudgetPlan, Scope, ScopeSpend], Seen] = field(default=lambda _plan, _scope, _found: Seen())
    judged: Callable[[Redline, BudgetPlan, Scope, ScopeSpend], Sequence[Judged]] = field(
        default=lambda _redline, _plan, _scope, _found: ()
    )


def evaluate(asked: Asked, world: World) -> Evaluation:
    """Evaluate one budget.

    1. Its period, and whether a new one has begun. 2. Its limit. 3. Its figures, and how far they can be trusted.
    4. Its gate. 5. Nudges and redlines. 6. What to remember.
    """
    one = _look(asked, world)
    decisions = climb(one.plan, one.spend, asked.memory.gate, world.known.now_ms)
    hints = _nudges(one, asked.memory, world)
    redlines = _redlines(one, asked.memory, world)
    return Evaluation(
        plan=one.plan,
        scope=one.scope,
        period=one.spend.period,
        limit=one.limit,
        found=one.found,
        spend=one.spend,
        decisions=decisions,
        nudges=hints,
        redlines=redlines,
        weighed=one.weighed,
        achieved=one.achieved,
        ready=ready(one.plan, one.history),
        before=asked.memory,
        memory=_remembered(asked, one, decisions[-1], hints, redlines),
        now_ms=world.known.now_ms,
        rolled=one.rolled,
    )


@dataclass(frozen=True, slots=True)
class _Looked:
    """Figures and limit of one budget, before anything is decided."""

    plan: BudgetPlan
    scope: Scope
    limit: Limit
    found: ScopeSpend
    spend: BudgetSpend
    weighed: Weighed
    achieved: Achieved
    history: tuple[PastPeriod, ...]
    growth: Grown
    check: PriceCheck
    rolled: bool
    now_ms: int


def _look(asked: Asked, world: World) -> _Looked:
    now, plan = world.known.now_ms, asked.plan
    scope, period = scope_of(plan, world.namespaces), current_period(plan.rule, now)
    found = spend_of(world.known, scope, plan.currency, period)
    history, rolled = _history(asked, scope, period, world)
    growth = _growth(asked, history, period) if rolled else asked.memory.grown
    base = base_of(plan, period, growth.limit_nanos)
    weighed = weigh(asked.overrides, plan, period, base[0], now)
    limit = limit_of(base, plan, _past(plan, history, period), weighed)
    acting = replace(plan, mode=Mode.ADVISE) if weighed.glass and plan.mode is Mode.ENFORCE else plan
    check, achieved = _prices(asked, found), world.achieved(plan, scope, found, period)
    spend = BudgetSpend(
        period=period,
        key=period_key(plan.rule, period),
        standing=stand(limit.nanos, period, found.spend, now),
        data=_data(found, world, check),
        committed_nanos=found.spend.committed_nanos,
        stopped_nanos=asked.stopped_nanos,
        unit_cost_ppm=achieved.unit_ppm,
        carried_nanos=limit.carried_nanos,
    )
    return _Looked(acting, scope, limit, found, spend, weighed, achieved, history, growth, check, rolled, now)


def _remembered(
    asked: Asked,
    one: _Looked,
    last: GateDecision,
    hints: Sequence[NudgeFinding],
    redlines: Sequence[RedlineFinding],
) -> Memory:
    """What to remember: of messages only those of this period."""
    memory = asked.memory
    return replace(
        memory,
        gate=last.state,
        held=_held(memory.held, last, one.now_ms),
        period=one.spend.period,
        limit_nanos=one.limit.nanos,
        unit_ppm=one.achieved.held_ppm,
        success_ppm=one.achieved.success_ppm,
        history=one.history,
        said=() if one.rolled else memory.said,
        nudges=_states(one, memory, hints),
        nudged_hour=_hour(one.now_ms),
        redlines=tuple(each.state for each in redlines if each.move is not RedlineMove.WITHDRAWN),
        prices=one.check.known,
        accepted_ms=max(memory.accepted_ms, asked.prices_accepted_ms),
        grown=one.growth,
    )


def _states(one: _Looked, memory: Memory, hints: Sequence[NudgeFinding]) -> tuple[NudgeState, ...]:
    """What nudges remember; between two looks it stays as it is."""
    looked = bool(one.plan.nudges) and _hour(one.now_ms) != memory.nudged_hour
    return tuple(each.state for each in hints) if looked or not one.plan.nudges else memory.nudges


def _held(before: tuple[str, int], last: GateDecision, now_ms: int) -> tuple[str, int]:
    """What holds the gate, since when."""
    reason = str(last.reason) if last.is_blind else ""
    return before if before[0] == reason else (reason, now_ms)


def _history(asked: Asked, scope: Scope, period: Period, world: World) -> tuple[tuple[PastPeriod, ...], bool]:
    """The periods that are over, and whether one has ended since the last evaluation.

    What was spent in them is asked of the ledger as it is now: late differences count.
    """
    memory, plan = asked.memory, asked.plan
    before = period_before(plan.rule, period)
    rolled = memory.period is not None and before is not None and memory.period.start_ms < period.start_ms
    known = memory.history
    if rolled and before is not None and memory.period == before:
        over = PastPeriod(before, memory.limit_nanos, 0, memory.unit_ppm, memory.success_ppm)
        known = (over, *known)[:HISTORY]
    return tuple(replace(one, spent_nanos=_spent(plan, scope, one.period, world)) for one in known), rolled


def _growth(asked: Asked, history: Sequence[PastPeriod], period: Period) -> Grown:
    """How the limit has grown in a new period. Where the one before was not watched, none has held in a row."""
    before = asked.memory.grown
    if asked.memory.period == period_before(asked.plan.rule, period):
        return grown(asked.plan, before, history)
    return replace(before, held_periods=0, message="")


def _spent(plan: BudgetPlan, scope: Scope, period: Period, world: World) -> int:
    closed = world.known.closed.since(period.start_ms, period.end_ms).inside(scope)
    return total(closed, plan.currency).nanos + _still_open(plan, scope, period, world)


def _still_open(plan: BudgetPlan, scope: Scope, period: Period, world: World) -> int:
    """The part of a period that is over which no closed window holds yet."""
    sums = world.known.open.between(period.start_ms, period.end_ms)
    return total(sums.inside(scope), plan.currency).nanos


def _past(plan: BudgetPlan, history: Sequence[PastPeriod], period: Period) -> Past | None:
    """The period before, as far as it is known; a budget that was made after it carries nothing from it."""
    last = history[0] if history else None
    if last is None or last.period.end_ms != period.start_ms or plan.created_ms >= period.start_ms:
        return None
    return Past(last.period, last.limit_nanos, last.spent_nanos)


def _prices(asked: Asked, found: ScopeSpend) -> PriceCheck:
    accepted = asked.prices_accepted_ms > asked.memory.accepted_ms
    return check_prices(found.committed, asked.memory.prices, asked.plan.safety.price_jump_factor, accepted=accepted)


def _data(found: ScopeSpend, world: World, check: PriceCheck) -> Data:
    return Data(
        as_of_ms=world.as_of_ms,
        telemetry=found.telemetry,
        price=found.price,
        labels=found.labels,
        jumps=check.jumps,
        foreign=tuple(sorted(found.period.foreign)),
    )


def _nudges(one: _Looked, memory: Memory, world: World) -> tuple[NudgeFinding, ...]:
    """Once an hour: what they look at is by the hour."""
    if not one.plan.nudges or _hour(one.now_ms) == memory.nudged_hour:
        return ()
    return nudges(one.plan, world.seen(one.plan, one.scope, one.found), memory.nudges, one.now_ms)


def _hour(at_ms: int) -> int:
    return at_ms // HOUR_MS


def _redlines(one: _Looked, memory: Memory, world: World) -> tuple[RedlineFinding, ...]:
    blind = one.plan.paused or blindness(one.spend.data, one.plan.safety, one.now_ms) is not None
    return tuple(
        finding
        for redline in one.plan.redlines
        for finding in judge_redline(
            redline,
            world.judged(redline, one.plan, one.scope, one.found),
            memory.redlines,
            one.now_ms,
            blind=blind,
        )
    )
