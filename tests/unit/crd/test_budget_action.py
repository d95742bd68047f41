"""The record of a step: what is odd in it is told and raises nothing, and what is too long for it is cut."""

import pytest

from aicost.crd.convert.budget.action import action_spec, action_status, read_action
from aicost.crd.models.budget.action import BudgetActionSpec, BudgetActionStatus
from aicost.crd.reasons import CONDITIONS
from aicost.domain.budgets.gates import Destruction, Gate
from aicost.domain.budgets.plans import BudgetRef, RestorePolicy
from aicost.domain.enforcement.values import Action, ActionPhase, Change, Estimate, LeverName, ObjectRef
from aicost.domain.exact.windows import HOUR_MS, from_rfc3339
from support.budget_samples import BASE, FULL, STATUSES

MADE = "2026-11-20T09:30:00Z"
NOW = from_rfc3339("2026-11-20T10:00:00Z")
JOB = ObjectRef("batch/v1", "Job", "research", "train", "uid-1")


def body(spec=None, status=None):
    metadata = {"name": "month-suspendjob-1", "namespace": "research", "generation": 2, "creationTimestamp": MADE}
    return {"metadata": metadata, "spec": spec or BASE["BudgetAction"], "status": status or {}}


def step(**more):
    ref = BudgetRef("month", "research", "uid-b")
    known = {"destruction": Destruction.STOP, "reason": "r", "action_at_ms": NOW, **more}
    return Action("month-1", ref, JOB, JOB, Gate.SUSPEND, LeverName.SUSPEND_JOB, **known)


def stated(action, before=None):
    return action_status(action, {"metadata": {"generation": 2}, "status": before or {}}, NOW)


def test_a_record_as_people_see_it_is_read():
    found = read_action(body(FULL["BudgetAction"], STATUSES["BudgetAction"])).value
    assert (found.phase, found.changes) == (ActionPhase.APPLIED, (Change("/spec/suspend", False, True),))
    assert found.restore is RestorePolicy.ON_APPROVAL
    assert found.workload.name == "train"
    assert found.reverts[0].by == "argocd-controller"


def test_a_record_without_a_status_is_a_step_that_was_just_announced():
    found = read_action(body()).value
    made = from_rfc3339(MADE)
    assert (found.phase, found.noticed_ms, found.action_at_ms) == (ActionPhase.NOTICED, made, made)
    assert found.workload == found.target


@pytest.mark.parametrize(
    "odd",
    [
        {"phase": "Flying"},
        {"changes": [{"before": "1"}]},
        {"changes": [{"path": "/a", "before": "{no json"}]},
        {"changes": [{"path": "/a", "after": ""}]},
        {"appliedAt": "yesterday"},
        {"noticedAt": "2026-11-20T09:30:00"},
        {"reverts": [{"at": "soon"}]},
        {"reverts": "many"},
    ],
    ids=str,
)
def test_what_cannot_be_read_is_told_and_raises_nothing(odd):
    found = read_action(body(status={**STATUSES["BudgetAction"], **odd}))
    assert found.value is None
    assert found.problems
    assert all(str(problem).startswith("status") for problem in found.problems)


def test_a_spec_that_cannot_be_read_is_told():
    found = read_action(body({**BASE["BudgetAction"], "lever": "Hammer"}))
    assert (found.value, found.problems[0].field) == (None, "spec.lever")


def test_what_a_later_version_adds_is_passed_over():
    assert read_action(body({**BASE["BudgetAction"], "more": 1}, {"phase": "Applied", "later": {}})).value


def test_long_texts_are_cut_so_that_the_record_can_be_written():
    action = step(reason="r" * 9000, message="m" * 9000, not_restored=("x" * 9000,) * 99)
    BudgetActionSpec.model_validate(action_spec(action))
    BudgetActionStatus.model_validate({key: value for key, value in stated(action).items() if key != "conditions"})


@pytest.mark.parametrize("phase", list(ActionPhase))
def test_the_condition_of_each_phase_is_one_of_the_reference(phase):
    (condition,) = stated(step(phase=phase))["conditions"]
    known = {(str(c.status), str(c.reason)) for causes in CONDITIONS["BudgetAction"].values() for c in causes}
    assert (condition["status"], condition["reason"]) in known


def test_a_condition_keeps_its_moment_while_it_stays():
    first = stated(step(phase=ActionPhase.APPLIED))
    before = [{**first["conditions"][0], "lastTransitionTime": MADE}]
    again = stated(step(phase=ActionPhase.APPLIED), {"conditions": before})
    assert again["conditions"][0]["lastTransitionTime"] == MADE


def test_what_was_saved_is_told_once_the_step_is_over():
    estimate = Estimate(8000, 32_000_000_000, None)
    open_ = stated(step(phase=ActionPhase.APPLIED, applied_ms=NOW - HOUR_MS, estimate=estimate))
    over = stated(step(phase=ActionPhase.REVERTED, applied_ms=NOW - HOUR_MS, ended_ms=NOW, estimate=estimate))
    assert ("savedNanos" in open_, over["savedNanos"]) == (False, 32_000_000_000)


def test_a_cluster_budget_acts_in_a_namespace_that_is_not_its_own():
    action = Action("c-1", BudgetRef("company", "", "u"), JOB, JOB, Gate.SUSPEND, LeverName.SUSPEND_JOB,
                    Destruction.STOP, "r", NOW)  # fmt: skip
    assert action_spec(action)["budgetRef"] == {"kind": "ClusterBudget", "name": "company", "uid": "u"}
    assert read_action(body(action_spec(action))).value.budget == action.budget
