"""The guards of labels: there unless turned off, never open by mistake, with roles that grant what they ask for.

Those of budgets have tests of their own.
"""

import pytest

KINDS = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")


GUARDS = {f"aicost-guard-{name}" for name in ("stage", "exemption", "approval")}


def _guards(documents, kind):
    return [one for one in documents if one["kind"] == kind and one["metadata"]["name"] in GUARDS]


@pytest.mark.parametrize(
    "settings", [(), ("admission.engine=webhook",), ("admission.engine=vap",), ("admission.enabled=false",)]
)
def test_guards_hold_whatever_judges(helm, settings) -> None:
    documents = helm.render(*settings)
    for kind in KINDS:
        assert {one["metadata"]["name"] for one in _guards(documents, kind)} == GUARDS


def test_what_a_guard_cannot_judge_is_refused(helm) -> None:
    documents = helm.render()
    assert {one["spec"]["failurePolicy"] for one in _guards(documents, KINDS[0])} == {"Fail"}
    assert {tuple(one["spec"]["validationActions"]) for one in _guards(documents, KINDS[1])} == {("Deny",)}
    for policy, binding in zip(_guards(documents, KINDS[0]), _guards(documents, KINDS[1]), strict=True):
        assert binding["spec"]["policyName"] == policy["metadata"]["name"]


def test_controllers_of_the_values_are_believed_beside_those_of_kubernetes(helm) -> None:
    values = {"admission": {"controllers": ["system:serviceaccount:ray:operator"]}, "guards": {"controllers": ["jane"]}}
    for guard in _guards(helm.render(values=values), KINDS[0]):
        text = str(guard["spec"]["matchConditions"])
        for name in ("system:serviceaccount:ray:operator", "jane", "system:serviceaccount:kube-system:job-controller"):
            assert f'"{name}"' in text


def test_the_roles_grant_one_verb_each_and_nobody_has_them(helm) -> None:
    documents = helm.render()
    roles = {one["metadata"]["name"]: one.get("rules") for one in documents if one["kind"] == "ClusterRole"}
    granted = {"grow": ["aiworkloads", "budgets", "clusterbudgets"], "exempt": ["costlabelpolicies"]}
    for verb, resources in granted.items():
        assert roles[f"aicost-{verb}"] == [{"apiGroups": ["aicost.dev"], "resources": resources, "verbs": [verb]}]
    bound = {one["roleRef"]["name"] for one in documents if one["kind"].endswith("RoleBinding")}
    assert not bound & {"aicost-grow", "aicost-exempt"}


def test_without_guards_nothing_of_them_is_left(helm) -> None:
    documents = helm.render("guards.enabled=false")
    assert not [one for one in documents if one["kind"] in KINDS and "-guard-" in one["metadata"]["name"]]
    assert not [one for one in documents if one["metadata"]["name"] in {"aicost-grow", "aicost-exempt"}]
