"""The chart's policies, guards and roles of budgets: there unless turned off, and nobody has a role by itself."""

import re
from pathlib import Path

import pytest

TEMPLATES = Path(__file__).parents[3] / "charts/aicost/templates"
KINDS = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
GUARDS = {
    "budget-records", "budget-undo", "budget-exemption", "budget", "budget-deletion",
    "override", "minor-overrun", "minor-overrun-cluster",
}  # fmt: skip
BOTH = ["budgets", "clusterbudgets"]


def _named(documents, kind, *names):
    return {
        one["metadata"]["name"]: one
        for one in documents
        if one["kind"] == kind and (not names or one["metadata"]["name"] in names)
    }


def test_the_gate_is_there_whether_or_not_anything_else_judges(helm) -> None:
    for settings in ((), ("admission.enabled=false", "guards.enabled=false")):
        for kind in KINDS:
            found = {
                name for name in _named(helm.render(*settings), kind) if "-budget-" in name and "guard" not in name
            }
            assert found == {"aicost-budget-new", "aicost-budget-growth"}


def test_there_is_no_gate_where_budgets_only_advise(helm) -> None:
    for kind in KINDS:
        names = _named(helm.render("budgets.enforcement=false"), kind)
        assert not [name for name in names if "-budget-" in name and "guard" not in name]
        assert {f"aicost-guard-{name}" for name in GUARDS} <= set(names)


def test_the_guards_are_there_unless_turned_off(helm) -> None:
    for kind in KINDS:
        assert {f"aicost-guard-{name}" for name in GUARDS} <= set(_named(helm.render(), kind))
        assert not [name for name in _named(helm.render("guards.enabled=false"), kind) if "-guard-" in name]


def test_system_namespaces_and_the_releases_own_are_written_into_the_gate(helm) -> None:
    documents = helm.render("admission.excludedNamespaces={monitoring}")
    for name in ("aicost-budget-new", "aicost-budget-growth"):
        spec = _named(documents, KINDS[0])[name]["spec"]
        conditions = "".join(one["expression"] for one in spec["matchConditions"])
        for namespace in ("kube-system", "aicost-system", "monitoring"):
            assert f'"{namespace}"' in conditions
        assert "startsWith('kube-')" in conditions


def test_controllers_of_the_values_and_the_account_of_the_release_are_known_to_them(helm) -> None:
    values = {"guards": {"controllers": ["system:serviceaccount:ray:operator"]}, "serviceAccount": {"name": "costs"}}
    policies = _named(helm.render(values=values), KINDS[0])
    assert '"system:serviceaccount:ray:operator"' in str(policies["aicost-budget-new"])
    for name in ("aicost-budget-growth", "aicost-guard-budget-records", "aicost-guard-budget-undo"):
        assert "system:serviceaccount:aicost-system:costs'" in str(policies[name]), name


def test_each_binding_names_its_policy(helm) -> None:
    documents = helm.render()
    for name, binding in _named(documents, KINDS[1]).items():
        assert binding["spec"]["policyName"] == name
        assert name in _named(documents, KINDS[0])


def test_the_template_prints_the_line_that_lifts_what_freezes_growth(helm) -> None:
    text = (TEMPLATES / "budget-policies.yaml").read_text(encoding="utf-8")
    (line,) = re.findall(r"^# +(kubectl delete .*)$", text, re.MULTILINE)
    assert line == "kubectl delete validatingadmissionpolicybinding {{ $name }}-budget-growth"
    assert "aicost-budget-growth" in _named(helm.render(), KINDS[1])


@pytest.mark.parametrize(
    ("role", "verb"),
    [
        ("approve-minor", "approve-minor"),
        ("approve-major", "approve-major"),
        ("breakglass", "breakglass"),
        ("edit-limit", "edit-limit"),
        ("exempt-budgets", "exempt"),
    ],
)
def test_a_role_grants_one_verb_and_is_bound_and_aggregated_by_nobody(helm, role, verb) -> None:
    documents = helm.render()
    found = _named(documents, "ClusterRole")[f"aicost-{role}"]
    assert {"apiGroups": ["aicost.dev"], "resources": BOTH, "verbs": [verb]} in found["rules"]
    others = [rule for rule in found["rules"] if rule["resources"] != BOTH]
    assert [rule["resources"] for rule in others] == ([["budgetoverrides"]] if role.startswith("approve") else [])
    assert not {"create", "delete"} & {verb for rule in others for verb in rule["verbs"]}
    assert not [label for label in found["metadata"]["labels"] if "aggregate" in label]
    assert not [one for one in documents if one.get("roleRef", {}).get("name") == f"aicost-{role}"]


def test_who_may_let_something_grow_may_raise_the_stage_of_budgets(helm) -> None:
    (rule,) = _named(helm.render(), "ClusterRole")["aicost-grow"]["rules"]
    assert rule == {"apiGroups": ["aicost.dev"], "resources": ["aiworkloads", *BOTH], "verbs": ["grow"]}


def test_who_views_edits_or_administers_a_namespace_may_more_from_role_to_role(helm) -> None:
    roles = _named(helm.render(), "ClusterRole")
    granted = {}
    for name in ("view", "edit", "admin"):
        role = roles[f"aicost-budgets-{name}"]
        assert role["metadata"]["labels"][f"rbac.authorization.k8s.io/aggregate-to-{name}"] == "true"
        granted[name] = {
            (plural, verb) for rule in role["rules"] for plural in rule["resources"] for verb in rule["verbs"]
        }
    assert {verb for _, verb in granted["view"]} == {"get", "list", "watch"}
    writes = {"create", "update", "patch", "delete"}
    assert granted["edit"] == {("budgetoverrides", verb) for verb in writes} | {("budgets", "patch")}
    assert granted["admin"] == {("budgets", verb) for verb in writes}


def test_without_guards_nobody_who_edits_may_write_a_budget(helm) -> None:
    rules = _named(helm.render("guards.enabled=false"), "ClusterRole")["aicost-budgets-edit"]["rules"]
    assert [rule["resources"] for rule in rules] == [["budgetoverrides"]]
