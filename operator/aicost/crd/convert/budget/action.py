"""A BudgetAction as the domain knows it, and the other way round."""

import json
from collections.abc import Mapping
from typing import Any

from aicost.crd.convert.parsing import Converted, SpecProblem, parse, shortened
from aicost.crd.fields.conditions import ConditionStatus
from aicost.crd.models.budget.action import (
    BudgetActionSpec,
    BudgetActionStatus,
    FieldChange,
)
from aicost.crd.models.budget.action import Estimate as EstimateModel
from aicost.crd.models.budget.action import (
    Revert as RevertModel,
)
from aicost.crd.models.budget.refs import ActingBudgetRef, BudgetKind
from aicost.crd.models.budget.refs import ObjectRef as ObjectRefModel
from aicost.crd.reasons import CONDITIONS, ConditionType
from aicost.crd.status.budget.texts import rate
from aicost.crd.status.conditions import Statement, conditions
from aicost.domain.budgets.gates import Destruction
from aicost.domain.budgets.plans import BudgetRef
from aicost.domain.enforcement.values import (
    ABSENT,
    Action,
    ActionPhase,
    Change,
    Estimate,
    ObjectRef,
    Revert,
)
from aicost.domain.enforcement.writing.pointers import is_there
from aicost.domain.exact.apportion import divide
from aicost.domain.exact.windows import HOUR_MS, from_rfc3339, to_rfc3339

_MOST_LEFT = 64


def read_action(body: Mapping[str, Any]) -> Converted[Action]:
    """Read a record as the API server shows it."""
    spec = parse(BudgetActionSpec, body.get("spec") or {}, "spec")
    raw = {key: value for key, value in (body.get("status") or {}).items() if key != "conditions"}
    status = parse(BudgetActionStatus, raw, "status")
    if spec.value is None or status.value is None:
        return Converted(None, (*spec.problems, *status.problems))
    try:
        return Converted(_action(body["metadata"], spec.value, status.value))
    except ValueError as odd:
        fix = "it is no moment or no JSON: only the controller writes it; delete it once its object is as you want"
        return Converted(None, (SpecProblem("status", shortened(str(odd)), fix),))


def _action(metadata: Mapping[str, Any], spec: BudgetActionSpec, status: BudgetActionStatus) -> Action:
    namespace = str(metadata.get("namespace", ""))
    target = _ref(spec.target_ref, namespace)
    made = _ms(metadata.get("creationTimestamp")) or 0
    estimate = spec.estimate or EstimateModel()
    return Action(
        name=str(metadata["name"]),
        budget=BudgetRef(spec.budget_ref.name, spec.budget_ref.namespace or "", spec.budget_ref.uid),
        target=target,
        workload=_ref(spec.workload_ref, namespace) if spec.workload_ref else target,
        gate=spec.gate,
        lever=spec.lever,
        destruction=Destruction(spec.destruction),
        reason=spec.reason,
        action_at_ms=_ms(spec.action_at) or made,
        restore=spec.restore,
        order=spec.order,
        estimate=Estimate(estimate.gpu_milli, estimate.save_per_hour_nanos, estimate.gpu_milliseconds_at_stake),
        cause=spec.cause or "",
        phase=status.phase or ActionPhase.NOTICED,
        changes=tuple(_change(one) for one in status.changes or ()),
        noticed_ms=_ms(status.noticed_at) or made,
        asked_ms=_ms(status.checkpoint_asked_at),
        saved_ms=_ms(status.checkpoint_saved_at),
        applied_ms=_ms(status.applied_at),
        ended_ms=_ms(status.ended_at),
        reverts=tuple(Revert(from_rfc3339(one.at), one.by or "") for one in status.reverts or ()),
        lost_ms=status.gpu_milliseconds_lost,
        not_restored=tuple(status.not_restored or ()),
        message=status.message or "",
    )


def _ref(model: ObjectRefModel, namespace: str) -> ObjectRef:
    return ObjectRef(model.api_version, model.kind, namespace, model.name, model.uid)


def _change(model: FieldChange) -> Change:
    return Change(model.path, _value(model.before), _value(model.after), tuple(model.made or ()))


def _value(text: str | None) -> Any:
    return ABSENT if text is None else json.loads(text)


def _ms(text: Any) -> int | None:
    return from_rfc3339(text) if isinstance(text, str) and text else None


def action_spec(action: Action) -> dict[str, Any]:
    """The spec of a record."""
    budget, estimate = action.budget, action.estimate
    spec = BudgetActionSpec(
        budget_ref=acting_ref(budget),
        target_ref=_model(action.target),
        workload_ref=None if action.workload == action.target else _model(action.workload),
        gate=action.gate,
        cause=action.cause or None,
        lever=action.lever,
        destruction=int(action.destruction),
        reason=action.reason[:1024],
        action_at=to_rfc3339(action.action_at_ms),
        restore=action.restore,
        order=action.order,
        estimate=EstimateModel(
            gpu_milli=estimate.gpu_milli,
            save_per_hour=rate(estimate.save_nanos, action.currency) if estimate.save_nanos else None,
            save_per_hour_nanos=estimate.save_nanos,
            gpu_milliseconds_at_stake=estimate.stake_ms,
        ),
    )
    return spec.model_dump(mode="json", by_alias=True, exclude_none=True)


def acting_ref(budget: BudgetRef) -> ActingBudgetRef:
    """The budget that acts, as our resources name it."""
    return ActingBudgetRef(
        kind=BudgetKind(budget.kind), name=budget.name, namespace=budget.namespace or None, uid=budget.uid
    )


def _model(ref: ObjectRef) -> ObjectRefModel:
    return ObjectRefModel(api_version=ref.api_version, kind=ref.kind, name=ref.name, uid=ref.uid)


def action_status(action: Action, body: Mapping[str, Any], now_ms: int) -> dict[str, Any]:
    """The status of a record.

    Args:
        action: the step.
        body: the record as the API server shows it, for its conditions.
        now_ms: the present moment.
    """
    generation = int((body.get("metadata") or {}).get("generation", 1))
    status = BudgetActionStatus(
        observed_generation=generation,
        phase=action.phase,
        changes=[_field(one) for one in action.changes] or None,
        noticed_at=to_rfc3339(action.noticed_ms),
        checkpoint_asked_at=_moment(action.asked_ms),
        checkpoint_saved_at=_moment(action.saved_ms),
        applied_at=_moment(action.applied_ms),
        ended_at=_moment(action.ended_ms),
        reverts=[RevertModel(at=to_rfc3339(one.at_ms), by=one.by or None) for one in action.reverts] or None,
        gpu_milliseconds_lost=action.lost_ms,
        saved_nanos=_saved(action),
        not_restored=[text[:1024] for text in action.not_restored[:_MOST_LEFT]] or None,
        message=action.message[:4096] or None,
    )
    stated = conditions([_statement(action)], (body.get("status") or {}).get("conditions") or (), generation, now_ms)
    return {**status.model_dump(mode="json", by_alias=True, exclude_none=True), "conditions": stated}


def _field(one: Change) -> FieldChange:
    before, after = (json.dumps(value) if is_there(value) else None for value in (one.before, one.after))
    return FieldChange(path=one.pointer, before=before, after=after, made=list(one.made) or None)


def _saved(action: Action) -> int | None:
    """What was not spent since, once the step is over; while it holds it grows each moment."""
    if action.applied_ms is None or action.ended_ms is None:
        return None
    return divide(action.estimate.save_nanos * max(0, action.ended_ms - action.applied_ms), HOUR_MS)


def _statement(action: Action) -> Statement:
    kind = ConditionType.IN_FORCE
    status = next(
        (cause.status for cause in CONDITIONS["BudgetAction"][kind] if cause.reason is action.phase),
        ConditionStatus.UNKNOWN,
    )
    return Statement(kind, status, str(action.phase), action.message or action.reason)


def _moment(at_ms: int | None) -> str | None:
    return None if at_ms is None else to_rfc3339(at_ms)
