"""The API server of the local cluster keeps an audit log of writes of our kinds, and of nothing else."""

import time

import pytest

from support.audit import audit_events
from support.crd_samples import BASE, resource
from support.definitions import applied_definitions

pytestmark = pytest.mark.cluster
_GROUP = "/apis/admissionregistration.k8s.io/v1"
_HEAD = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": "remarks"}}


@pytest.fixture(scope="module")
def defined(cluster):
    """The cluster with our definitions."""
    if cluster.local is None:
        pytest.skip("this is a cluster that somebody else made")
    with applied_definitions(cluster):
        yield cluster


@pytest.fixture
def remarks(defined):
    """A policy that remarks on every write of a Budget, in force."""
    rule = {"apiGroups": ["aicost.dev"], "apiVersions": ["*"], "operations": ["*"], "resources": ["budgets"]}
    spec = {
        "matchConstraints": {"resourceRules": [rule]},
        "auditAnnotations": [{"key": "limit", "valueExpression": "'limit ' + string(object.spec.limit)"}],
    }
    defined.apply({**_HEAD, "kind": "ValidatingAdmissionPolicy", "spec": spec})
    binding = {"policyName": "remarks", "validationActions": ["Audit"]}
    defined.apply({**_HEAD, "kind": "ValidatingAdmissionPolicyBinding", "spec": binding})
    yield
    for plural in ("validatingadmissionpolicybindings", "validatingadmissionpolicies"):
        defined.api.delete(f"{_GROUP}/{plural}/remarks")


def _budgets(namespace: str) -> str:
    return f"/apis/aicost.dev/v1alpha1/namespaces/{namespace}/budgets"


def _of(cluster, namespace: str) -> list[dict]:
    return [event for event in audit_events(cluster) if event["objectRef"].get("namespace") == namespace]


def _until(cluster, namespace: str, count: int) -> list[dict]:
    deadline = time.monotonic() + 10
    while len(found := _of(cluster, namespace)) < count:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


def test_writes_of_our_kinds_are_logged_without_their_content_and_other_kinds_are_not(defined, namespace):
    path = _budgets(namespace)
    defined.api.create(f"/api/v1/namespaces/{namespace}/configmaps", {"metadata": {"name": "foreign"}})
    defined.api.create(path, resource("Budget", "team", BASE["Budget"], namespace))
    defined.api.get(f"{path}/team")
    defined.api.patch(f"{path}/team", {"spec": {"limit": "7000"}})
    defined.api.delete(f"{path}/team")
    found = _until(defined, namespace, 3)
    assert [(event["verb"], event["objectRef"]["resource"]) for event in found] == [
        ("create", "budgets"),
        ("patch", "budgets"),
        ("delete", "budgets"),
    ]
    assert {event["level"] for event in found} == {"Metadata"}
    assert {event["user"]["username"] for event in found} == {"devcluster-admin"}
    assert not any("requestObject" in event for event in found)
    assert {event["objectRef"]["apiGroup"] for event in audit_events(defined)} == {"aicost.dev"}


def test_remarks_of_an_admission_policy_stand_in_the_event(defined, namespace, remarks):
    path, count = _budgets(namespace), 0
    deadline = time.monotonic() + 30
    while True:
        count += 1
        defined.api.create(path, resource("Budget", f"team-{count}", BASE["Budget"], namespace))
        annotations = _until(defined, namespace, count)[-1]["annotations"]
        if annotations.get("remarks/limit") == "limit 5000":
            return
        assert time.monotonic() < deadline, annotations
        time.sleep(0.2)
