"""Who is stopped and comes back in a simulation, step by step as a controller would do it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from aicost.domain.budgets.deciding.decide import GateDecision
from aicost.domain.budgets.gates import Gate, at_least, stops_pods
from aicost.domain.budgets.plans import BudgetPlan, RestorePolicy, Rung
from aicost.domain.budgets.simulation.flow import Course, Flow
from aicost.domain.budgets.simulation.values import Stop
from aicost.domain.budgets.simulation.victims import Kept, choose, over_rate
from aicost.domain.budgets.simulation.workloads import Seen, Workloads
from aicost.domain.exact.windows import HOUR_MS


@dataclass(frozen=True, slots=True)
class Cycle:
    """Workloads that are announced together, and when they will be stopped."""

    gate: Gate
    victims: tuple[Seen, ...]
    announced_ms: int
    due_ms: int


@dataclass(slots=True)
class Stops:
    """Who is stopped.

    Attributes:
        plan: the budget.
        workloads: what ran.
        waiting: what is announced.
        active: number of a workload -> its stop, and its cost over time.
        done: stops that are over.
        kept: number of a workload -> why it is left alone.
        last_ms: when something was stopped last.
        look_ms: from when on one looks again for more.
    """

    plan: BudgetPlan
    workloads: Workloads
    waiting: list[Cycle] = field(default_factory=list)
    active: dict[int, tuple[Stop, Flow]] = field(default_factory=dict)
    done: list[Stop] = field(default_factory=list)
    kept: dict[int, tuple[Seen, Kept]] = field(default_factory=dict)
    last_ms: int | None = None
    look_ms: int = 0

    def plan_for(self, last: GateDecision, now_ms: int, *, announced: bool) -> int:
        """Announce whom the next step would stop; gives how many.

        With a gate that is announced those are chosen that go with it. While one is open, more are announced as long
        as it takes: each time that nothing is under way and the cooldown is over, and then in each hour once.
        """
        pending, gate = last.state.pending, last.gate
        if pending and stops_pods(pending.gate):
            return self._announce(pending.gate, last, now_ms, pending.due_ms) if announced else 0
        if gate is None or not stops_pods(gate) or self._is_resting(now_ms):
            return 0
        self.look_ms = now_ms - now_ms % HOUR_MS + HOUR_MS
        return self._announce(gate, last, now_ms, now_ms + self.plan.safety.notice_ms)

    def take(self, gate: Gate | None, course: Course, now_ms: int) -> tuple[Course, int]:
        """Stop what is due and whose gate is open; gives the course from then on, and how many."""
        due = [one for one in self.waiting if one.due_ms <= now_ms and at_least(gate, one.gate)]
        self.waiting = [one for one in self.waiting if one not in due]
        found = [(one, cycle) for cycle in due for one in cycle.victims]
        flows = {seen.number: self.workloads.flow_of(seen.number) for seen, _ in found}
        course = course.changed(now_ms, self._gone, list(flows.values()), ()) if found else course
        for seen, cycle in found:
            stop = Stop(seen, cycle.gate, cycle.announced_ms, now_ms, now_ms, returned=False, saved_nanos=0)
            self.active[seen.number] = (stop, flows[seen.number])
            self.last_ms = now_ms
        return course, len(found)

    def withdraw(self, gate: Gate | None) -> None:
        """Forget what was announced for gates that are neither open nor announced any more."""
        self.waiting = [one for one in self.waiting if at_least(gate, one.gate)]

    def release(self, gate: Gate | None, course: Course, now_ms: int) -> Course:
        """Let come back what the gate no longer asks for, where the budget lets it come back by itself."""
        let_go = {one for one in Gate if not at_least(gate, one) and self._returns(one)}
        back = [number for number, (stop, _) in self.active.items() if stop.gate in let_go]
        if not back:
            return course
        course = course.changed(now_ms, self._gone, (), [self.active[number][1] for number in back])
        for number in back:
            self._end(number, now_ms, returned=True)
        return course

    def finish(self, now_ms: int) -> Sequence[Stop]:
        """All stops, in the order in which they were made; what is stopped still is counted up to now."""
        for number in list(self.active):
            self._end(number, now_ms, returned=False)
        return sorted(self.done, key=lambda one: one.stopped_ms)

    def timers(self) -> tuple[int | None, ...]:
        """When a step is due, and when it is time to look for more."""
        due = min((one.due_ms for one in self.waiting), default=None)
        return due, self._rested_ms, self.look_ms

    def _announce(self, gate: Gate, last: GateDecision, now_ms: int, due_ms: int) -> int:
        rung: Rung | None = last.rung
        handled = self.active.keys() | {one.number for cycle in self.waiting for one in cycle.victims}
        over = over_rate(last.spend, rung, now_ms)
        if over <= 0 and gate is not Gate.FAST_FAIL:
            return 0
        choice = choose(self.workloads.at(now_ms, handled), self.plan.safety.victims, over, gate)
        self.kept |= {one.number: (one, why) for one, why in choice.kept}
        if choice.victims:
            self.waiting.append(Cycle(gate, choice.victims, now_ms, due_ms))
        return len(choice.victims)

    def _is_resting(self, now_ms: int) -> bool:
        return bool(self.waiting) or now_ms < max(self.look_ms, self._rested_ms)

    @property
    def _rested_ms(self) -> int:
        """When the cooldown after the last step is over."""
        return 0 if self.last_ms is None else self.last_ms + self.plan.safety.cooldown_ms

    def _returns(self, gate: Gate) -> bool:
        """Whether a stop is undone with its gate. What failed fast waits for an approval; nobody approves here."""
        return self.plan.safety.restore is RestorePolicy.ON_ROLLOVER and gate is not Gate.FAST_FAIL

    def _end(self, number: int, now_ms: int, *, returned: bool) -> None:
        stop, cost = self.active.pop(number)
        saved = cost.spent(stop.stopped_ms, now_ms)
        self.done.append(replace(stop, until_ms=now_ms, returned=returned, saved_nanos=saved))

    @property
    def _gone(self) -> list[Flow]:
        return [cost for _, cost in self.active.values()]
