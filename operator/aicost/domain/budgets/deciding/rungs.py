"""Which rungs hold: thresholds with as many evaluations in a row as they ask for, and with their own exits."""

from dataclasses import dataclass, replace

from aicost.domain.budgets.deciding.figures import BudgetSpend, figure_of
from aicost.domain.budgets.deciding.state import GateState, RungState
from aicost.domain.budgets.gates import PREDICTIVE, Basis, Gate, hardest, rank
from aicost.domain.budgets.plans import BudgetPlan, Rung


@dataclass(frozen=True, slots=True)
class Wish:
    """What the rungs that hold ask for.

    Attributes:
        gate: the hardest gate that may be opened for them, None for none.
        rung: the rung that asks for it.
        asked: the hardest that any of them names, before it was held back.
    """

    gate: Gate | None
    rung: Rung | None
    asked: Gate | None


def evaluated(budget: BudgetPlan, spend: BudgetSpend, state: GateState, now_ms: int) -> GateState:
    """The state after one more evaluation. One moment is evaluated once, however often it is asked for."""
    counts = now_ms > state.evaluated_ms
    rungs = tuple(_evaluated(rung, spend, state.of(rung.name), now_ms, counts=counts) for rung in budget.ladder)
    return replace(state, rungs=rungs, evaluated_ms=max(now_ms, state.evaluated_ms), granted_nanos=spend.granted_nanos)


def _evaluated(rung: Rung, spend: BudgetSpend, state: RungState, now_ms: int, *, counts: bool) -> RungState:
    figure = figure_of(rung, spend)
    if not counts:
        return state
    if state.since_ms is not None:
        leaves = figure is not None and figure < rung.exit
        return replace(state, agreed=0, since_ms=None) if leaves else state
    agreed = state.agreed + 1 if figure is not None and figure >= rung.at else 0
    return replace(state, agreed=agreed, since_ms=now_ms if agreed >= rung.evaluations else None)


def crossed(budget: BudgetPlan, state: GateState, limit_nanos: int, now_ms: int) -> tuple[Rung, ...]:
    """Rungs whose message is due: once in a period, and once more where the limit was changed and is reached again."""

    def due(one: RungState) -> bool:
        again = one.since_ms == now_ms and one.told_limit_nanos != limit_nanos
        return one.since_ms is not None and (one.told_ms is None or again)

    return tuple(rung for rung in budget.ladder if due(state.of(rung.name)))


def wish(budget: BudgetPlan, spend: BudgetSpend, state: GateState) -> Wish:
    """What the rungs that hold ask for, as far as each may ask for it. The gate is one that the ladder names."""
    holding = [rung for rung in budget.ladder if state.holds(rung)]
    allowed = [(step_below(budget, _allowed(budget, spend, rung)), rung) for rung in holding]
    gate, rung = max(allowed, key=lambda pair: rank(pair[0]), default=(None, None))
    return Wish(gate, rung if gate else None, hardest(*(rung.gate for rung in holding)))


def _allowed(budget: BudgetPlan, spend: BudgetSpend, rung: Rung) -> Gate:
    """What has not happened yet tells people, and freezes growth where the budget says so; nothing more."""
    fact = rung.basis not in PREDICTIVE or (rung.basis is Basis.BURN_RATE and spend.is_exhausted)
    if fact or rank(rung.gate) <= rank(Gate.ANNOTATE):
        return rung.gate
    freezes = budget.safety.forecast_may_freeze and rank(rung.gate) >= rank(Gate.FREEZE_GROWTH)
    return Gate.FREEZE_GROWTH if freezes else Gate.ANNOTATE


def steps(budget: BudgetPlan) -> tuple[Gate, ...]:
    """The gates that the ladder names, the softest first."""
    return tuple(sorted({rung.gate for rung in budget.ladder}, key=rank))


def step_below(budget: BudgetPlan, most: Gate | None) -> Gate | None:
    """The hardest gate of the ladder that is no harder than another one."""
    return hardest(*(gate for gate in steps(budget) if rank(gate) <= rank(most)))


def step_above(budget: BudgetPlan, gate: Gate | None) -> Gate | None:
    """The next gate of the ladder: none is skipped."""
    return next((one for one in steps(budget) if rank(one) > rank(gate)), None)
