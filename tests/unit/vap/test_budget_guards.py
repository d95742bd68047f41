"""What the guards of budgets become in the API server: never open by mistake, and about all that they should."""

import json
import re

import pytest

from aicost.crd.vap.guarding.budgets.static import budget_guards
from aicost.crd.vap.guarding.guard import REMARK
from aicost.domain.enforcement.levers.table import LEVERS
from aicost.domain.workloads.kinds import JUDGED_KINDS

ACCOUNT = "system:serviceaccount:aicost-system:aicost"
GUARDS = {one.name: one for one in budget_guards(ACCOUNT)}
OURS = {"budgets", "clusterbudgets", "budgetoverrides", "budgetactions", "budgetgates"}


def _spec(name: str) -> dict:
    policy, _ = GUARDS[name].objects(name, {}, ["system:kube-controller-manager"])
    return policy["spec"]


@pytest.mark.parametrize("name", GUARDS)
def test_what_a_guard_cannot_judge_is_refused_and_the_audit_log_is_told(name) -> None:
    spec = _spec(name)
    assert spec["failurePolicy"] == "Fail"
    assert [one["key"] for one in spec["auditAnnotations"]] == [REMARK] == ["decision"]
    assert all(one["reason"] == "Forbidden" and one["messageExpression"] for one in spec["validations"])


@pytest.mark.parametrize("name", GUARDS)
def test_each_message_says_whose_it_is_and_what_to_do_in_one_line(name) -> None:
    for one in _spec(name)["validations"]:
        said = one["messageExpression"]
        assert said.startswith('"[budget] ')
        assert "Fix: " in said
        assert "\\n" not in said


@pytest.mark.parametrize("name", GUARDS)
def test_no_expression_takes_the_api_server_long_and_each_names_what_is_there(name) -> None:
    spec = _spec(name)
    known = {one["name"] for one in spec["variables"]}
    expressions = [one["expression"] for part in ("variables", "matchConditions", "validations") for one in spec[part]]
    for each in (*expressions, spec["auditAnnotations"][0]["valueExpression"]):
        assert set(re.findall(r"variables\.(\w+)", each)) <= known
        assert len(each) < 10_000
    assert len(json.dumps(spec)) < 30_000


def test_only_what_is_about_workloads_lets_controllers_hand_things_down() -> None:
    asks_children = {
        name for name in GUARDS if not any(c["name"] == "not-a-child" for c in _spec(name)["matchConditions"])
    }
    assert set(GUARDS) - asks_children == {"budget-undo", "budget-exemption"}


def test_undo_data_is_guarded_on_all_that_a_budget_can_hold() -> None:
    heard = GUARDS["budget-undo"].rules.plurals
    for one in LEVERS:
        assert one.plural in heard[one.group], one.kind
    for kind in JUDGED_KINDS:
        assert kind.plural in heard[kind.group]
    assert {"resourcequotas", "pods"} <= set(heard[""])
    assert {"localqueues", "workloads"} <= set(heard["kueue.x-k8s.io"])


def test_all_of_our_records_and_statuses_are_guarded() -> None:
    written = set(GUARDS["budget-records"].rules.plurals["aicost.dev"])
    assert written == {"budgetactions", "budgetgates"} | {f"{name}/status" for name in OURS}
    assert set(GUARDS["budget-deletion"].rules.plurals["aicost.dev"]) == OURS
    assert tuple(GUARDS["budget-deletion"].rules.operations) == ("DELETE",)


@pytest.mark.parametrize(("name", "kind"), [("minor-overrun", "Budget"), ("minor-overrun-cluster", "ClusterBudget")])
def test_minor_overruns_are_asked_of_the_budget_itself(name, kind) -> None:
    policy, binding = GUARDS[name].objects(name, {}, [])
    assert policy["spec"]["paramKind"] == {"apiVersion": "aicost.dev/v1alpha1", "kind": kind}
    assert binding["spec"]["paramRef"] == {"selector": {}, "parameterNotFoundAction": "Allow"}
