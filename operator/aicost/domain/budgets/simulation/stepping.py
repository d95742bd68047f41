"""A budget against the past: the controller's own decision, asked at each moment at which it could change."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from aicost.domain.budgets.deciding.decide import GateDecision, Move, Why, climb
from aicost.domain.budgets.deciding.figures import Blindness
from aicost.domain.budgets.deciding.state import GateState, begin
from aicost.domain.budgets.gates import hardest, stops_pods
from aicost.domain.budgets.limits import Past, base_of, limit_of
from aicost.domain.budgets.overrides.weigh import Weighed
from aicost.domain.budgets.periods import Rolling, current_period, period_key
from aicost.domain.budgets.plans import BudgetPlan
from aicost.domain.budgets.simulation.figures import Figures, Term
from aicost.domain.budgets.simulation.moments import CYCLE_MS, Sides, cycle_from, next_change, sides
from aicost.domain.budgets.simulation.stops import Stops
from aicost.domain.budgets.simulation.values import Hold, Stop, Turn


@dataclass(slots=True)
class Stepper:
    """Walks through the past.

    Attributes:
        plan: the budget.
        figures: what it sees.
        stops: who is stopped.
        acts: whether anybody is; else the gates alone are simulated.
        terms: periods so far, with their limits.
    """

    plan: BudgetPlan
    figures: Figures
    stops: Stops
    acts: bool
    state: GateState = field(default_factory=GateState)
    terms: list[Term] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    _seen: Sides = ()
    _last: GateDecision | None = None
    _held: tuple[Blindness, int] | None = None

    def step(self, now_ms: int) -> None:
        """Ask once, as a controller does.

        1. The period that holds, and its limit. 2. The decision, by the figures of the moment. 3. What comes back,
        what is stopped, and what is announced. 4. What to remember of it.
        """
        term = self._term(now_ms)
        if self._last is None:
            self.state = begin(term.key, self.plan.mode)
        spend = self.figures.at(term, now_ms)
        decisions = climb(self.plan, spend, self.state, now_ms)
        self.state, self._last = decisions[-1].state, decisions[-1]
        self._seen = sides(self.plan, spend, now_ms)
        told, stopped = self._act(decisions, now_ms) if self.acts else (0, 0)
        self._remember(decisions, told, stopped, now_ms)
        self._hold(decisions[-1], now_ms)

    def finish(self, end_ms: int) -> Sequence[Stop]:
        """End the walk; gives all that was stopped."""
        self._hold(None, end_ms)
        return self.stops.finish(end_ms)

    def next_ms(self, now_ms: int, end_ms: int) -> int:
        """When to ask next: nothing would change before."""
        if self._is_counting():
            return min(now_ms + CYCLE_MS, end_ms)
        until = min((at for at in self._timers() if at > now_ms), default=end_ms)
        return next_change(self._look, self._seen, now_ms, min(until, end_ms))

    def _term(self, now_ms: int) -> Term:
        """The period that holds, with its limit; a rolling period has another start each hour, and the same limit."""
        last = self.terms[-1] if self.terms else None
        if last and last.period.end_ms is not None and now_ms < last.period.end_ms:
            return last
        period = current_period(self.plan.rule, now_ms)
        key = period_key(self.plan.rule, period)
        if last and last.key == key:
            self.terms[-1] = replace(last, period=period)
        else:
            limit = limit_of(base_of(self.plan, period, None), self.plan, self._past(last), Weighed())
            self.terms.append(Term(period, key, limit.nanos))
        return self.terms[-1]

    def _past(self, last: Term | None) -> Past | None:
        """The period before, as far as it was simulated: what is carried into the first one is not known."""
        if last is None or last.period.end_ms is None:
            return None
        spent = self.figures.course.counted.spent(last.period.start_ms, last.period.end_ms)
        return Past(last.period, last.limit_nanos, spent)

    def _look(self, at_ms: int) -> Sides:
        """The sides at a later moment of the same period."""
        term = self.terms[-1]
        if isinstance(self.plan.rule, Rolling):
            term = replace(term, period=current_period(self.plan.rule, at_ms))
        return sides(self.plan, self.figures.at(term, at_ms), at_ms)

    def _is_counting(self) -> bool:
        """Whether a rung is reached and waits for more evaluations that agree."""
        blind = self._last is not None and self._last.is_blind
        return not blind and any(one.agreed and one.since_ms is None for one in self.state.rungs)

    def _timers(self) -> list[int]:
        """Moments at which time alone changes something."""
        state, safety = self.state, self.plan.safety
        reason = self._last.reason if self._last else None
        found = [
            state.pending.due_ms if state.pending else None,
            state.since_ms + safety.min_hold_ms if reason is Why.IN_HOLD else None,
            (state.stopped_ms or 0) + safety.cooldown_ms if reason is Why.IN_COOLDOWN else None,
            self.terms[-1].period.end_ms,
            *(self.stops.timers() if self.acts and stops_pods(state.gate) else ()),
        ]
        return [cycle_from(at) for at in found if at is not None]

    def _act(self, decisions: Sequence[GateDecision], now_ms: int) -> tuple[int, int]:
        """How many are told, and how many are stopped. Nothing is done on figures that are of no use."""
        last, course, stops = decisions[-1], self.figures.course, self.stops
        if last.is_blind:
            return 0, 0
        course = stops.release(last.gate, course, now_ms)
        course, stopped = stops.take(last.gate, course, now_ms)
        pending = last.state.pending
        stops.withdraw(hardest(last.gate, pending.gate if pending else None))
        told = stops.plan_for(last, now_ms, announced=any(one.move is Move.ANNOUNCED for one in decisions))
        if course is not self.figures.course:
            self.figures = replace(self.figures, course=course, _days={})
        return told, stopped

    def _remember(self, decisions: Sequence[GateDecision], told: int, stopped: int, now_ms: int) -> None:
        """Keep what moved or has something to tell; what is done to workloads stands with the last move."""
        moved = [one for one in decisions if one.move is not Move.STEADY or one.crossed]
        if not moved and (told or stopped):
            moved = [decisions[-1]]
        self.turns += [Turn(now_ms, one) for one in moved[:-1]]
        self.turns += [Turn(now_ms, one, told, stopped) for one in moved[-1:]]

    def _hold(self, last: GateDecision | None, now_ms: int) -> None:
        """Note from when to when the figures are of no use; without a decision, that the time is over."""
        why = last.reason if last and isinstance(last.reason, Blindness) else None
        if self._held and self._held[0] is not why:
            self.holds.append(Hold(*self._held, now_ms))
            self._held = None
        if why and self._held is None:
            self._held = (why, now_ms)
