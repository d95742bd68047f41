"""Moments, moves and reasons of a simulation in words."""

from zoneinfo import ZoneInfo

from aicost.crd.status.texts import money, share
from aicost.domain.budgets.deciding.decide import GateDecision, Move, Why
from aicost.domain.budgets.deciding.figures import Blindness
from aicost.domain.budgets.gates import Basis, Gate, at_least
from aicost.domain.budgets.messages.words import percent
from aicost.domain.budgets.plans import PPM, BudgetPlan, Rung
from aicost.domain.budgets.simulation.days import zone_of
from aicost.domain.budgets.simulation.values import Turn
from aicost.domain.exact.apportion import divide
from aicost.domain.exact.windows import to_datetime
from aicost.entrypoints.cli.output.budget.ages import ABSENT
from aicost.entrypoints.cli.output.budget.why.reasons import MEANINGS

_MANY = 100
"""Beyond so many times the limit a share says no more."""


def clock(at_ms: int, plan: BudgetPlan, form: str = "%Y-%m-%d %H:%M") -> str:
    """A moment by the wall clock of the budget."""
    return to_datetime(at_ms).astimezone(ZoneInfo(zone_of(plan.rule))).strftime(form)


def moment(at_ms: int, plan: BudgetPlan) -> str:
    """The same without the year, which stands above."""
    return clock(at_ms, plan, "%m-%d %H:%M")


def used(spent_nanos: int, limit_nanos: int) -> str:
    """Spend over limit. Of next to nothing any spend is many times as much."""
    if spent_nanos > limit_nanos * _MANY:
        return f">{_MANY * 100}%"
    return share(divide(spent_nanos * PPM, limit_nanos), PPM) or ABSENT


def per_hour(nanos: int, currency: str) -> str:
    """A rate."""
    return f"{money(nanos, currency)}/h"


def moved(turn: Turn, plan: BudgetPlan) -> str:
    """What happens."""
    decision = turn.decision
    match decision.move:
        case Move.OPENED:
            return f"{decision.gate} opens"
        case Move.ANNOUNCED:
            pending = decision.state.pending
            return f"{pending.gate} announced, {_due(turn.at_ms, pending.due_ms, plan)}" if pending else ABSENT
        case Move.WITHDRAWN:
            return "announcement withdrawn"
        case Move.CLOSED:
            return f"{decision.before} closes" + (f", {decision.gate} stays" if decision.gate else "")
        case Move.STEADY:
            return "people are told" if decision.crossed else ABSENT


def _due(at_ms: int, due_ms: int, plan: BudgetPlan) -> str:
    same = clock(at_ms, plan, "%d") == clock(due_ms, plan, "%d")
    return clock(due_ms, plan, "%H:%M" if same else "%m-%d %H:%M")


def why(turn: Turn, plan: BudgetPlan) -> str:
    """Why it happens."""
    decision = turn.decision
    if decision.move is Move.STEADY and decision.crossed:
        told = ", ".join(reached(plan, rung) for rung in decision.crossed)
        return f"{told}{_shut(decision, plan)}"
    if decision.move in {Move.OPENED, Move.ANNOUNCED} and decision.rung:
        return reached(plan, decision.rung)
    return MEANINGS[decision.reason]


def _shut(decision: GateDecision, plan: BudgetPlan) -> str:
    """Why a rung that is reached opens nothing; empty where its gate is open already."""
    hardest = max(decision.crossed, key=lambda rung: list(Gate).index(rung.gate))
    if at_least(decision.gate, hardest.gate):
        return ""
    return f"; {hardest.gate} stays shut: {_holds(decision, plan)}"


def _holds(decision: GateDecision, plan: BudgetPlan) -> str:
    match decision.reason:
        case Why.MAX_GATE if not at_least(plan.max_gate, decision.asked or plan.max_gate):
            return f"maxGate is {plan.max_gate}"
        case Why.MAX_GATE | Why.AT_ITS_PLACE:
            return "what looks ahead opens no more than Annotate"
        case Why.LABELS_THIN:
            return "too little of the cost has its labels"
        case Blindness() | Why():
            return MEANINGS[decision.reason]


def reached(plan: BudgetPlan, rung: Rung) -> str:
    """What a rung waits for, in few words."""
    match rung.basis:
        case Basis.ACTUAL:
            return f"{percent(rung.at)} spent"
        case Basis.FORECAST:
            return f"{percent(rung.at)} forecast"
        case Basis.BURN_RATE:
            return f"burn rate {rung.at / PPM:g}"
        case Basis.COMMITTED_RATE:
            return f"{per_hour(rung.at, plan.currency)} committed"
        case Basis.UNIT_COST:
            return f"unit cost {percent(rung.at)}"


def tells(turn: Turn) -> str:
    """Whether people hear of it."""
    decision = turn.decision
    felt = at_least(decision.before, Gate.FREEZE_GROWTH)
    told = bool(decision.crossed) or decision.move in {Move.ANNOUNCED, Move.WITHDRAWN}
    return "people" if told or (decision.move is Move.CLOSED and felt) else ABSENT


def number(count_of: int) -> str:
    """How many; a dash for none."""
    return str(count_of) if count_of else ABSENT


def count(number_of: int) -> str:
    """So many workloads."""
    return f"{number_of} workload{'' if number_of == 1 else 's'}"
