"""The status of a BudgetOverride: what became of a request."""

from collections.abc import Mapping
from typing import Any

from aicost.crd.fields.conditions import Condition, ConditionStatus
from aicost.crd.models.budget.override import BudgetOverrideStatus
from aicost.crd.reasons import ConditionType, Reason
from aicost.crd.status.budget.texts import moment
from aicost.crd.status.conditions import Statement, conditions
from aicost.domain.budgets.messages.words import moment as words_moment
from aicost.domain.budgets.messages.words import money
from aicost.domain.budgets.overrides.classify import Classified, ClassReason
from aicost.domain.budgets.overrides.values import OverrideClass, Phase, Purpose
from aicost.domain.budgets.overrides.weigh import OverrideReason, Verdict
from aicost.domain.budgets.plans import BudgetPlan

_WHY: Mapping[ClassReason, str] = {
    ClassReason.WITHIN: "it is within what counts as minor",
    ClassReason.ABOVE_PERCENT: "it is more than one minor request may ask for in percent",
    ClassReason.ABOVE_AMOUNT: "it is more than one minor request may ask for",
    ClassReason.ABOVE_CUMULATIVE: "all minor overruns of the period together would be too much",
    ClassReason.STOPS_PRODUCTION: "to stop production is never minor",
}


def override_statement(verdict: Verdict, plan: BudgetPlan) -> Statement:
    """Effective: whether a request holds, and what it takes."""
    holds = verdict.reason is OverrideReason.ACTIVE
    status = ConditionStatus.TRUE if holds else ConditionStatus.FALSE
    return Statement(ConditionType.EFFECTIVE, status, str(verdict.reason), text(verdict, plan))


def not_found(kind: str, name: str) -> Statement:
    """Effective is false: there is no such budget."""
    fix = "check spec.budgetRef; it cannot be changed, so make a new request"
    return Statement(
        ConditionType.EFFECTIVE, ConditionStatus.FALSE, Reason.BUDGET_NOT_FOUND, f"There is no {kind} {name}: {fix}."
    )


def text(verdict: Verdict, plan: BudgetPlan) -> str:
    """What happens next, in words."""
    words = {
        OverrideReason.ACTIVE: _active,
        OverrideReason.UNDECIDED: _undecided,
        OverrideReason.NEEDS_MAJOR: _needs_major,
        OverrideReason.NOT_ALLOWED: lambda *_: _NOT_ALLOWED,
        OverrideReason.DENIED: _denied,
        OverrideReason.EXPIRED: lambda *_: "It has ended, or nobody decided in time.",
        OverrideReason.REVIEW_MISSING: _review,
    }
    return words[verdict.reason](verdict, plan)


_NOT_ALLOWED = (
    "The budget does not allow this approval: a request is approved by somebody else, unless it is minor and the "
    "budget lets people approve their own; and production is stopped only where enforcement.victims.allowProduction "
    "says so."
)


def _active(verdict: Verdict, plan: BudgetPlan) -> str:
    until = f" until {words_moment(verdict.ends_ms)}" if verdict.ends_ms else ""
    match verdict.override.purpose:
        case Purpose.RAISE_LIMIT:
            return f"It adds {money(verdict.added_nanos, plan)}{until}."
        case Purpose.STOP_PRODUCTION:
            return f"Workloads of stage production may be stopped{until}."
        case Purpose.BREAK_GLASS:
            return f"All gates of the budget are lifted{until}; then somebody else reviews it."


def _undecided(verdict: Verdict, plan: BudgetPlan) -> str:
    known = verdict.classified
    verb = "approve-minor" if known and known.as_class is OverrideClass.MINOR else "approve-major"
    lapses = f" It lapses at {words_moment(verdict.ends_ms)}." if verdict.ends_ms else ""
    asked = verdict.override
    place = f"{plan.ref.kind.lower()}s/{plan.ref.name}"
    return (
        f"Somebody with the verb {verb} on {place} decides: kubectl aicost budget approve {asked.name} "
        f"-n {asked.namespace}. It is {known.as_class.lower() if known else 'major'}: {_because(known)}.{lapses}"
    )


def _because(known: Classified | None) -> str:
    return _WHY[known.reason] if known else "it is not about an amount"


def _needs_major(verdict: Verdict, _: BudgetPlan) -> str:
    return f"It was approved as minor and is major: {_because(verdict.classified)}. It needs approve-major: ask anew."


def _denied(verdict: Verdict, _: BudgetPlan) -> str:
    decided = verdict.override.decided
    return f"Denied by {decided.by}: {decided.comment or 'no reason given'}" if decided else "Denied."


def _review(verdict: Verdict, _: BudgetPlan) -> str:
    asked = verdict.override
    return (
        f"The break-glass has ended and waits for a review by somebody else than {asked.requested_by}: "
        f'kubectl aicost budget review {asked.name} -n {asked.namespace} --comment "..."'
    )


def override_status(
    verdict: Verdict | None, plan: BudgetPlan | None, statement: Statement, body: Mapping[str, Any], now_ms: int
) -> dict[str, Any]:
    """The status of a request.

    Args:
        verdict: what became of it; None where there is no such budget.
        plan: the budget.
        statement: what its condition says.
        body: the object as the API server shows it.
        now_ms: the present moment.
    """
    generation = int(body["metadata"].get("generation", 0))
    before = (body.get("status") or {}).get("conditions") or []
    known = {} if verdict is None or plan is None else _known(verdict, plan)
    status = BudgetOverrideStatus(
        observed_generation=generation,
        conditions=[Condition.model_validate(one) for one in conditions([statement], before, generation, now_ms)],
        message=statement.message[:1024],
        **known,
    )
    return status.model_dump(mode="json", by_alias=True, exclude_none=True)


def _known(verdict: Verdict, plan: BudgetPlan) -> dict[str, Any]:
    added = verdict.added_nanos if verdict.phase is Phase.ACTIVE else 0
    return {
        "phase": verdict.phase,
        "class_": verdict.classified.as_class if verdict.classified else None,
        "added": money(added, plan) if added else None,
        "added_nanos": added or None,
        "active_since": moment(verdict.active_ms),
        "expires_at": moment(verdict.ends_ms),
    }
