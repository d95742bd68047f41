"""Budgets as metrics of our own."""

from collections.abc import Iterable, Mapping

from aicost.crd.status.budget.doings import is_coming_back
from aicost.domain.budgets.deciding.decide import Why
from aicost.domain.budgets.deciding.figures import Blindness
from aicost.domain.budgets.evaluation import Evaluation
from aicost.domain.budgets.pace import PPM
from aicost.domain.enforcement.values import Action, ActionPhase
from aicost.domain.exact.windows import HOUR_MS, SECOND_MS
from aicost.entrypoints.controller.budgets.answering import Doings
from aicost.entrypoints.controller.budgets.evaluating import Round
from aicost.entrypoints.controller.budgets.steps.acting import Acted
from aicost.telemetry.metrics import Metrics

_RESULTS = {
    ActionPhase.APPLIED: "done",
    ActionPhase.REVERTED: "undone",
    ActionPhase.CONTESTED: "contested",
    ActionPhase.FAILED: "failed",
}
_Labels = tuple[str, ...]


def show(metrics: Metrics, done: Round, doings: Mapping[str, Doings], acted: Acted) -> None:
    """Show one round. Budgets that are gone are shown no more."""
    every = [one.evaluation for one in done.evaluated]
    metrics.show_each("aicost_budget_used_ratio", {_of(one): one.spend.standing.used_ppm / PPM for one in every})
    metrics.show_each("aicost_budget_gate", {(*_of(one), str(one.last.gate)): 1.0 for one in every if one.last.gate})
    metrics.show_each("aicost_budget_data_age_seconds", _ages(every))
    metrics.show_each("aicost_budget_held", {(*_of(one), reason): 1.0 for one in every if (reason := held_by(one))})
    metrics.show_each("aicost_budget_review_due", {_of(one): 1.0 for one in every if one.weighed.review_due})
    metrics.show_each("aicost_budget_restore_pending", _counted(every, doings, _restoring))
    metrics.show_each("aicost_budget_contested", _counted(every, doings, _contested))
    for action in acted.moved:
        _count(metrics, action)


def _of(one: Evaluation) -> _Labels:
    return one.plan.ref.namespace, one.plan.ref.name


def _ages(every: Iterable[Evaluation]) -> dict[_Labels, float]:
    ages = {_of(one): one.spend.data.age_ms(one.now_ms) for one in every}
    return {labels: age / SECOND_MS for labels, age in ages.items() if age is not None}


def held_by(one: Evaluation) -> str:
    """What holds a budget where it is, as one word; empty for nothing."""
    reason = one.last.reason
    return str(reason) if isinstance(reason, Blindness) or reason in {Why.LABELS_THIN, Why.PAUSED} else ""


def _counted(every: Iterable[Evaluation], doings: Mapping[str, Doings], count: object) -> dict[_Labels, float]:
    counted = {_of(one): count(doings[one.plan.ref.uid]) for one in every if one.plan.ref.uid in doings}  # type: ignore[operator]
    return {labels: float(number) for labels, number in counted.items() if number}


def _restoring(one: Doings) -> int:
    return sum(is_coming_back(action, one.fates) for action in one.actions)


def _contested(one: Doings) -> int:
    return sum(action.phase is ActionPhase.CONTESTED for action in one.actions)


def _count(metrics: Metrics, action: Action) -> None:
    result = _RESULTS.get(action.phase)
    if result is not None:
        metrics.count("aicost_budget_actions_total", lever=str(action.lever), result=result)
    if action.phase is ActionPhase.APPLIED and action.lost_ms:
        metrics.count("aicost_gpu_hours_lost_total", action.lost_ms / HOUR_MS, cause="budget")
