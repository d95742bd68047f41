"""The webhook configurations of the chart fail open, soon, and ask about no more than is judged."""

import re
from typing import Any

import pytest

from aicost.adapters.kube.probe import PROBE
from aicost.domain.policy.controllers import CONTROLLERS
from aicost.domain.workloads.kinds import JUDGED_KINDS
from aicost.settings import Settings
from aicost.telemetry.metrics import METRICS
from support.documents import ROOT

LIMIT_SECONDS = 4
"""Of both webhooks together: a creation may take five."""


def _hooks(documents: list[dict[str, Any]], of_kind: Any) -> dict[str, dict[str, Any]]:
    """Each webhook by what it is asked for."""
    kinds = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
    found = [hook for kind in kinds for one in of_kind(documents, kind) for hook in one["webhooks"]]
    return {hook["clientConfig"]["service"]["path"]: hook for hook in found}


@pytest.fixture
def hooks(helm, of_kind) -> dict[str, dict[str, Any]]:
    return _hooks(helm.render(), of_kind)


def test_each_fails_open_and_all_together_soon_enough(hooks) -> None:
    assert set(hooks) == {"/validate", "/mutate", "/probe"}
    assert {hook["failurePolicy"] for hook in hooks.values()} == {"Ignore"}
    assert hooks["/validate"]["timeoutSeconds"] + hooks["/mutate"]["timeoutSeconds"] <= LIMIT_SECONDS
    assert hooks["/probe"]["timeoutSeconds"] <= 3


def test_a_dry_run_is_asked_about_and_leaves_no_trace(hooks) -> None:
    effects = {path: hook["sideEffects"] for path, hook in hooks.items()}
    assert effects == {"/validate": "NoneOnDryRun", "/mutate": "None", "/probe": "None"}


@pytest.mark.parametrize(("path", "operations"), [("/validate", {"CREATE", "UPDATE"}), ("/mutate", {"CREATE"})])
def test_all_judged_kinds_are_asked_about_and_nothing_else(hooks, path, operations) -> None:
    rules = hooks[path]["rules"]
    asked = {(group, one) for rule in rules for group in rule["apiGroups"] for one in rule["resources"]}
    assert asked == {(kind.group, kind.plural) for kind in JUDGED_KINDS}
    assert {"pods", "deployments", "aiworkloads"} <= {one for _, one in asked}
    for rule in rules:
        assert (set(rule["operations"]), rule["apiVersions"], rule["scope"]) == (operations, ["*"], "Namespaced")


def test_system_namespaces_and_our_own_are_left_out_as_the_settings_say(helm, of_kind) -> None:
    hooks = _hooks(helm.render("admission.excludedNamespaces={gpu-operator}"), of_kind)
    for path in ("/validate", "/mutate"):
        (term,) = hooks[path]["namespaceSelector"]["matchExpressions"]
        assert (term["key"], term["operator"]) == ("kubernetes.io/metadata.name", "NotIn")
        system = Settings().admission.system_namespaces
        assert term["values"] == [*system, "aicost-system", "gpu-operator"]


def test_children_are_left_out_by_who_makes_them_and_by_nothing_that_they_say(helm, of_kind) -> None:
    hooks = _hooks(helm.render("admission.controllers={system:serviceaccount:ray:operator}"), of_kind)
    for path in ("/validate", "/mutate"):
        conditions = {one["name"]: one["expression"] for one in hooks[path]["matchConditions"]}
        child = conditions["no-child-of-a-controller"]
        for name in (*CONTROLLERS, "system:serviceaccount:ray:operator"):
            assert f'"{name}"' in child
        assert re.search(r"request\.userInfo\.username in \[.*\] &&", child), "an ownerReference alone skips nothing"
        operator = conditions["no-child-of-an-operator"]
        for part in ("system:serviceaccount:", "one.controller", '"RayCluster"', "check('create').allowed()"):
            assert part in operator, "nor does one to any kind, by anybody"
        assert "namespace(" not in operator, "who may create in one namespace is no operator"
        assert "config.mirror" not in str(conditions), "an annotation that anybody can write skips nothing"
        assert "'system:nodes' in request.userInfo.groups" in conditions["no-static-pod"]


def test_the_probe_is_asked_about_one_object_in_our_own_namespace(hooks) -> None:
    probe = hooks["/probe"]
    assert probe["namespaceSelector"] == {"matchLabels": {"kubernetes.io/metadata.name": "aicost-system"}}
    assert [one["expression"] for one in probe["matchConditions"]] == [f"object.metadata.name == '{PROBE}'"]


def test_the_service_is_the_one_whose_name_the_certificate_carries(helm, of_kind) -> None:
    documents = helm.render("admission.port=10250")
    for hook in _hooks(documents, of_kind).values():
        service = hook["clientConfig"]["service"]
        assert (service["name"], service["namespace"], service["port"]) == ("aicost-admission", "aicost-system", 10250)
    assert "aicost-admission" in [one["metadata"]["name"] for one in of_kind(documents, "Service")]


def test_two_renders_are_the_same_and_trust_is_left_to_the_pods(helm, of_kind) -> None:
    """Tools that compare a cluster with what they render find nothing to put back."""
    one, other = (
        helm.render("queryApi.enabled=false"),
        helm.render("queryApi.enabled=false", values={"global": {"x": 1}}),
    )
    assert one == other
    assert not [hook for hook in _hooks(one, of_kind).values() if "caBundle" in hook["clientConfig"]]
    assert not [secret for secret in of_kind(one, "Secret") if "admission" in secret["metadata"]["name"]]


def test_somebodys_authority_is_trusted_or_left_to_who_injects_it(helm, of_kind) -> None:
    own = {"certificateSecretName": "own"}
    injected = {"cert-manager.io/inject-ca-from": "aicost-system/own"}
    given = helm.render(values={"admission": {**own, "caBundle": "-----BEGIN CERTIFICATE-----\n"}})
    assert {hook["clientConfig"]["caBundle"] for hook in _hooks(given, of_kind).values()} == {
        "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg=="
    }
    annotated = helm.render(values={"admission": {**own, "webhookAnnotations": injected}})
    for kind in ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"):
        assert of_kind(annotated, kind)[0]["metadata"]["annotations"] == injected
    assert not [hook for hook in _hooks(annotated, of_kind).values() if "caBundle" in hook["clientConfig"]]


def test_one_replica_has_no_disruption_budget_that_would_hold_up_a_drain(helm, of_kind) -> None:
    (budget,) = of_kind(helm.render(), "PodDisruptionBudget")
    assert budget["spec"]["maxUnavailable"] == 1
    assert of_kind(helm.render("admission.replicas=1"), "PodDisruptionBudget") == []


def test_alerts_ask_for_metrics_that_are_there_and_lead_to_a_runbook(helm, of_kind) -> None:
    (rule,) = of_kind(helm.render("metrics.prometheusRule.enabled=true"), "PrometheusRule")
    alerts = [one for group in rule["spec"]["groups"] for one in group["rules"]]
    assert {"AicostNotEnforcing", "AicostAdmissionCertificateExpires"} <= {one["alert"] for one in alerts}
    known = {spec.name for spec in METRICS}
    for one in alerts:
        assert set(re.findall(r"aicost_\w+", one["expr"])) <= known
        runbook = (ROOT / one["annotations"]["runbook"]).read_text(encoding="utf-8")
        assert one["alert"] in runbook
    assert of_kind(helm.render(), "PrometheusRule") == []


def test_the_notes_of_the_runbook_hold_the_way_out() -> None:
    way = "kubectl delete validatingwebhookconfiguration,mutatingwebhookconfiguration"
    assert f"{way} aicost\n" in (ROOT / "docs/runbooks/admission-down.md").read_text(encoding="utf-8")
    assert way in (ROOT / "charts/aicost/templates/NOTES.txt").read_text(encoding="utf-8")
