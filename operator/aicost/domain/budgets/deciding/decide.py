"""The one decision about a budget's gate: controller, simulation and documents ask the same function."""

from dataclasses import dataclass, replace
from enum import StrEnum

from aicost.domain.budgets.deciding.figures import Blindness, BudgetSpend, blindness
from aicost.domain.budgets.deciding.rungs import Wish, crossed, evaluated, step_above, step_below, wish
from aicost.domain.budgets.deciding.state import GateState, Pending, begin, begin_again, told
from aicost.domain.budgets.gates import Gate, Mode, at_least, rank, stops_pods
from aicost.domain.budgets.plans import BudgetPlan, Rung


class Move(StrEnum):
    """What a decision does."""

    STEADY = "Steady"
    OPENED = "Opened"
    ANNOUNCED = "Announced"
    WITHDRAWN = "Withdrawn"
    CLOSED = "Closed"


class Why(StrEnum):
    """Why a gate moves, or why it does not."""

    NOTHING_REACHED = "NothingReached"
    AT_ITS_PLACE = "AtItsPlace"
    RUNG_REACHED = "RungReached"
    BELOW_EXIT = "BelowExit"
    MORE_ALLOWED = "MoreAllowed"
    ROLLOVER = "Rollover"
    MODE_CHANGED = "ModeChanged"
    MAX_GATE_LOWERED = "MaxGateLowered"
    PAUSED = "Paused"
    IN_NOTICE = "InNotice"
    IN_COOLDOWN = "InCooldown"
    IN_HOLD = "InHold"
    MAX_GATE = "MaxGate"
    LABELS_THIN = "LabelsThin"


Reason = Why | Blindness


@dataclass(frozen=True, slots=True)
class GateDecision:
    """What becomes of a gate now, with its reason and all that it rests on.

    Attributes:
        before, gate: the gate before and after.
        rung: the rung that asks for it, None where none does.
        asked: the hardest gate that a rung names, whether it may open or not.
        crossed: rungs whose message is due now, each once in a period.
        state: what to remember: `previous` of the next decision.
        spend: the figures that were looked at.
    """

    move: Move
    reason: Reason
    before: Gate | None
    gate: Gate | None
    rung: Rung | None
    asked: Gate | None
    crossed: tuple[Rung, ...]
    state: GateState
    spend: BudgetSpend

    @property
    def is_blind(self) -> bool:
        """Whether it held still because the figures cannot be acted on."""
        return isinstance(self.reason, Blindness)

    @property
    def is_settled(self) -> bool:
        """Whether asking again at the same moment would change nothing."""
        return self.move not in {Move.OPENED, Move.CLOSED}


def decide(budget: BudgetPlan, spend: BudgetSpend, previous: GateState, now_ms: int) -> GateDecision:
    """Move the gate by one step at most, or say why it stays.

    1. Nothing moves while the budget is paused or the figures cannot be acted on. 2. A new period, or another mode,
    begins at the foot of the ladder. 3. Each rung is evaluated. 4. The gate climbs to the next step that a rung asks
    for, or falls to what is still asked for, as holds, notices and caps allow.

    Args:
        budget: what is asked for.
        spend: the figures now.
        previous: `state` of the decision before.
        now_ms: the present moment.
    """
    held = Why.PAUSED if budget.paused else blindness(spend.data, budget.safety, now_ms)
    if held:
        return _stay(held, previous, spend)
    if previous.key != spend.key:
        return _begin(budget, spend, begin(spend.key, budget.mode), previous, Why.ROLLOVER, now_ms)
    if previous.mode is not budget.mode and Mode.ENFORCE in {previous.mode, budget.mode}:
        return _begin(budget, spend, begin_again(previous, budget.mode), previous, Why.MODE_CHANGED, now_ms)
    return _move(budget, spend, replace(previous, mode=budget.mode), now_ms)


def climb(budget: BudgetPlan, spend: BudgetSpend, previous: GateState, now_ms: int) -> tuple[GateDecision, ...]:
    """Decide until nothing moves any more: each rung is stepped on, and those that need no notice at once.

    Returns:
        The decisions in their order, at least one. The last one's state is what to remember.
    """
    found = [decide(budget, spend, previous, now_ms)]
    while not found[-1].is_settled:
        found.append(decide(budget, spend, found[-1].state, now_ms))
    return tuple(found)


def _stay(why: Reason, state: GateState, spend: BudgetSpend, **known: object) -> GateDecision:
    """Nothing moves."""
    more = {"rung": None, "asked": None, "crossed": (), **known}
    return GateDecision(Move.STEADY, why, state.gate, state.gate, state=state, spend=spend, **more)  # type: ignore[arg-type] # the same three fields


def _begin(
    budget: BudgetPlan, spend: BudgetSpend, new: GateState, old: GateState, why: Why, now_ms: int
) -> GateDecision:
    """Let go of what was open; where nothing was, go on at once."""
    if old.gate is None and old.pending is None:
        return _move(budget, spend, new, now_ms)
    move = Move.CLOSED if old.gate else Move.WITHDRAWN
    return GateDecision(move, why, old.gate, None, None, None, (), new, spend)


def _move(budget: BudgetPlan, spend: BudgetSpend, previous: GateState, now_ms: int) -> GateDecision:
    raised = spend.granted_nanos > previous.granted_nanos > 0
    state = evaluated(budget, spend, previous, now_ms)
    state = replace(state, raised_ms=now_ms) if raised else state
    due = crossed(budget, state, spend.limit_nanos, now_ms)
    state = told(state, (rung.name for rung in due), now_ms, spend.limit_nanos)
    asked = wish(budget, spend, state)
    capped = step_below(budget, min(asked.gate, budget.max_gate, key=rank)) if asked.gate else None
    if rank(capped) < rank(state.gate):
        decision = _fall(budget, spend, state, asked, now_ms, to=capped, raised=raised)
    else:
        decision = _rise(budget, spend, state, asked, now_ms, to=capped)
    return replace(decision, crossed=due)


def _rise(
    budget: BudgetPlan, spend: BudgetSpend, state: GateState, asked: Wish, now_ms: int, *, to: Gate | None
) -> GateDecision:
    """One step up, if one is asked for."""
    step = step_above(budget, state.gate)
    wanted = step is not None and rank(step) <= rank(to)
    thin = wanted and rank(step) > rank(Gate.FREEZE_GROWTH) and not _labelled(budget, spend)
    known = {"rung": asked.rung, "asked": asked.asked}
    if step is None or not wanted or thin:
        if state.pending:
            gone = replace(state, pending=None)
            return replace(_stay(_below(thin=thin), gone, spend, **known), move=Move.WITHDRAWN)
        return _stay(_at_place(state, asked, thin=thin, capped=rank(to) < rank(asked.gate)), state, spend, **known)
    if not stops_pods(step):
        return _open(step, spend, state, asked, now_ms)
    return _rise_with_notice(budget, spend, state, asked, now_ms, step=step)


def _below(*, thin: bool) -> Why:
    return Why.LABELS_THIN if thin else Why.BELOW_EXIT


def _rise_with_notice(
    budget: BudgetPlan, spend: BudgetSpend, state: GateState, asked: Wish, now_ms: int, *, step: Gate
) -> GateDecision:
    """A step that ends what runs: announced, waited for, asked again, done."""
    known = {"rung": asked.rung, "asked": asked.asked}
    pending = state.pending if state.pending and state.pending.gate is step else None
    if pending is None:
        if state.stopped_ms is not None and now_ms - state.stopped_ms < budget.safety.cooldown_ms:
            return _stay(Why.IN_COOLDOWN, state, spend, **known)
        rung = asked.rung.name if asked.rung else ""
        planned = replace(state, pending=Pending(step, rung, now_ms, now_ms + budget.safety.notice_ms))
        return replace(_stay(Why.RUNG_REACHED, planned, spend, **known), move=Move.ANNOUNCED)
    if now_ms < pending.due_ms:
        return _stay(Why.IN_NOTICE, state, spend, **known)
    return _open(step, spend, replace(state, pending=None, stopped_ms=now_ms), asked, now_ms)


def _open(gate: Gate, spend: BudgetSpend, state: GateState, asked: Wish, now_ms: int) -> GateDecision:
    opened = replace(state, gate=gate, since_ms=now_ms, rung=asked.rung.name if asked.rung else "")
    return GateDecision(Move.OPENED, Why.RUNG_REACHED, state.gate, gate, asked.rung, asked.asked, (), opened, spend)


def _fall(
    budget: BudgetPlan,
    spend: BudgetSpend,
    state: GateState,
    asked: Wish,
    now_ms: int,
    *,
    to: Gate | None,
    raised: bool,
) -> GateDecision:
    """Down to what is still asked for. Within the hold only a larger limit, or a person's word, closes a gate."""
    lowered = rank(state.gate) > rank(budget.max_gate)
    if not (raised or lowered) and now_ms - state.since_ms < budget.safety.min_hold_ms:
        return _stay(Why.IN_HOLD, state, spend, rung=asked.rung, asked=asked.asked)
    why = Why.MORE_ALLOWED if raised else Why.MAX_GATE_LOWERED if lowered else Why.BELOW_EXIT
    fallen = replace(state, gate=to, since_ms=now_ms, rung=asked.rung.name if asked.rung else "", pending=None)
    return GateDecision(Move.CLOSED, why, state.gate, to, asked.rung, asked.asked, (), fallen, spend)


def _labelled(budget: BudgetPlan, spend: BudgetSpend) -> bool:
    """Whether enough of the cost has an owner for a gate above FreezeGrowth. What is not known is not enough."""
    labels = spend.data.labels
    return labels is not None and labels >= budget.safety.enough_labels


def _at_place(state: GateState, asked: Wish, *, thin: bool, capped: bool) -> Why:
    """Why a gate is not harder than it is."""
    if thin:
        return Why.LABELS_THIN
    if capped or (asked.asked and not at_least(state.gate, asked.asked)):
        return Why.MAX_GATE
    return Why.AT_ITS_PLACE if state.gate else Why.NOTHING_REACHED
