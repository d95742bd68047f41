"""BudgetGates: what each budget refuses in each namespace, as the API server reads it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aicost.crd.convert.budget.action import acting_ref
from aicost.crd.fields.conditions import Condition, ConditionStatus
from aicost.crd.models.budget.gate import BudgetGateSpec, BudgetGateStatus, GateSelector, Held
from aicost.crd.reasons import ConditionType, Reason
from aicost.crd.status.conditions import Statement, conditions
from aicost.domain.budgets.evaluation import Evaluation
from aicost.domain.budgets.gates import Gate, at_least
from aicost.domain.budgets.messages.words import ask_for_more, money, threshold
from aicost.domain.budgets.objects import label_of
from aicost.domain.budgets.plans import BudgetPlan, BudgetRef, Gated, OnRevert
from aicost.domain.enforcement.values import Action, ActionPhase
from aicost.domain.exact.windows import MINUTE_MS, to_rfc3339
from aicost.domain.identity.dimensions import UNTAGGED

MOST_HELD = 500


@dataclass(frozen=True, slots=True)
class GateObject:
    """A BudgetGate as it should be.

    Attributes:
        status: without `until`, `asOf` and conditions, which move with time alone.
    """

    namespace: str
    name: str
    spec: Mapping[str, Any]
    status: Mapping[str, Any]


def gate_name(budget: BudgetRef) -> str:
    """Name of the gates of a budget: those of a ClusterBudget never meet those of a Budget."""
    return f"{'budget' if budget.namespace else 'cluster'}-{budget.name}"[:253]


def gates_of(
    one: Evaluation, gate: Gate | None, namespaces: Iterable[str], actions: Sequence[Action], runbook: str
) -> tuple[GateObject, ...]:
    """The gates of a budget: one in each namespace of its scope while something is refused, else none.

    Args:
        one: the budget as it was evaluated.
        gate: the gate whose work is done: its own, or that of a budget above it.
        namespaces: namespaces of its scope.
        actions: steps of all budgets.
        runbook: page to read on.
    """
    if not at_least(gate, Gate.FREEZE_GROWTH):
        return ()
    spec = BudgetGateSpec(budget_ref=acting_ref(one.plan.ref)).model_dump(mode="json", by_alias=True, exclude_none=True)
    name = gate_name(one.plan.ref)
    return tuple(
        GateObject(namespace, name, spec, _status(one, gate, _held(namespace, actions), runbook))
        for namespace in sorted(namespaces)
    )


def _status(one: Evaluation, gate: Gate | None, held: list[Held], runbook: str) -> dict[str, Any]:
    safety = one.plan.safety
    status = BudgetGateStatus(
        gate=gate,
        deny_new=at_least(gate, Gate.DENY_NEW),
        freeze_growth=True,
        all_workloads=safety.gated is Gated.ALL_WORKLOADS,
        clamp=safety.on_revert is OnRevert.CLAMP,
        selectors=_selectors(one.plan) or None,
        held=held[:MOST_HELD] or None,
        message=message(one, gate, runbook),
    )
    return status.model_dump(mode="json", by_alias=True, exclude_none=True)


def _selectors(plan: BudgetPlan) -> list[GateSelector]:
    """What objects must say to be in scope; where they are is said by the namespaces that a gate is in."""
    keys = [(key, values) for key, values in plan.filters.items() if key not in {"namespace", "cluster"}]
    return [
        GateSelector(key=label_of(key), values=["" if value == UNTAGGED else value for value in values])
        for key, values in sorted(keys)
    ]


def _held(namespace: str, actions: Iterable[Action]) -> list[Held]:
    """Workloads that budgets hold below what they were: setting that back is no growth."""
    found = []
    for action in actions:
        if (
            action.namespace == namespace
            and action.stops
            and action.phase in {ActionPhase.APPLYING, ActionPhase.APPLIED}
        ):
            numbers = [one.before for one in action.changes if isinstance(one.before, int)]
            up_to = max((number for number in numbers if not isinstance(number, bool)), default=0)
            found.append(Held(kind=action.target.kind, name=action.target.name, up_to=up_to))
    return sorted(found, key=lambda one: (one.kind, one.name))


def message(one: Evaluation, gate: Gate | None, runbook: str) -> str:
    """What people are told who are refused. Its figures are those of the crossing, so that it does not change."""
    refused = "new workloads are" if at_least(gate, Gate.DENY_NEW) else "growth is"
    owners = ", ".join(owner.contact or owner.name for owner in one.plan.owners[:2])
    ask = f" · ask {owners}" if owners else ""
    return (
        f"{one.plan.ref}, limit {money(one.spend.limit_nanos, one.plan)}: {_crossed(one)}, so {refused} refused. "
        f"Fix: {ask_for_more(one.plan, one.spend)}, or wait for the next period · {runbook}{ask}"
    )[:1024]


def _crossed(one: Evaluation) -> str:
    """What opened the gate; where that is a gate above, or is not known any more, the limit."""
    rung = next((rung for rung in one.plan.ladder if rung.name == one.memory.gate.rung), None)
    return f"{threshold(one.plan, rung)} is reached" if rung else "it is nearly or fully used"


def gate_status(gate: GateObject, before: Mapping[str, Any], until_ms: int, now_ms: int) -> dict[str, Any]:
    """The whole status, with the moment until which it holds.

    Args:
        gate: as it should be.
        before: the status that is there.
        until_ms: until when new workloads are refused.
        now_ms: the present moment.
    """
    told = Statement(
        ConditionType.REFUSING, ConditionStatus.TRUE, Reason.GATE_OPEN, str(gate.status.get("message", ""))
    )
    stated = conditions([told], before.get("conditions") or (), 1, now_ms)
    moments = {"until": to_rfc3339(_second(until_ms)), "asOf": to_rfc3339(_second(now_ms))}
    return {
        **gate.status,
        **moments,
        "conditions": [
            Condition.model_validate(one).model_dump(mode="json", by_alias=True, exclude_none=True) for one in stated
        ],
    }


def _second(at_ms: int) -> int:
    return at_ms - at_ms % 1000


def needs_write(gate: GateObject, before: Mapping[str, Any], left_ms: int, life_ms: int) -> bool:
    """Whether a gate says something else than it should, or runs out soon.

    Args:
        gate: as it should be.
        before: the status that is there.
        left_ms: until it runs out.
        life_ms: for how long a gate holds that is renewed.
    """
    same = all(before.get(key) == value for key, value in gate.status.items())
    gone = any(key in before for key in ("selectors", "held") if key not in gate.status)
    return not same or gone or left_ms < max(life_ms // 2, MINUTE_MS)
