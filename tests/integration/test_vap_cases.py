"""The table of admission cases through generated policies in a real API server: the answers are those of `admit()`."""

import contextlib
import copy
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import urllib3

from aicost.adapters.clock import now_ms
from aicost.crd.vap.generate import generate
from aicost.domain.exact.windows import HOUR_MS, from_rfc3339, to_rfc3339
from aicost.domain.policy.decisions import Verdict
from aicost.domain.policy.policies import LabelPolicy
from aicost.domain.policy.requests import Operation
from aicost.domain.workloads.kinds import kind_of
from devcluster.api import ApiError
from support.admission.case import Case
from support.admission_cases import CASES
from support.cluster import LiveCluster
from support.guarded import path_of

pytestmark = pytest.mark.cluster

MARK = "aicost.test/group"
ASKED = [case for case in CASES if not case.unreachable and case.operation is not Operation.AUDIT]
Object = dict[str, Any]


def _shifted(moment_ms: int, case: Case) -> int:
    """A moment as far from now as it is in the case, but never so near that it passes meanwhile."""
    return now_ms() + (HOUR_MS if moment_ms > case.now_ms else -HOUR_MS)


def _policies(case: Case) -> tuple[LabelPolicy, ...]:
    def moved(policy: LabelPolicy) -> LabelPolicy:
        ends = (replace(one, until_ms=_shifted(one.until_ms, case)) for one in policy.exemptions)
        return replace(policy, exemptions=tuple(ends))

    return tuple(moved(policy) for policy in case.policies)


@cache
def _groups() -> dict[str, Case]:
    """A case of each different set of policies; each set gets a mark, so that all can be in place at once."""
    return {repr(case.policies): case for case in reversed(ASKED)}


def _mark(case: Case) -> str:
    return f"g{list(_groups()).index(repr(case.policies))}"


def _marked(document: Object, mark: str) -> Object:
    """A policy that sees the objects of its group alone."""
    changed = copy.deepcopy(document)
    changed["metadata"]["name"] = f"{mark}-{document['metadata']['name']}"
    if "policyName" in changed["spec"]:
        changed["spec"]["policyName"] = changed["metadata"]["name"]
    else:
        there = f"has(object.metadata.annotations) && '{MARK}' in object.metadata.annotations"
        condition = {"name": "group", "expression": f"{there} && object.metadata.annotations['{MARK}'] == '{mark}'"}
        changed["spec"]["matchConditions"].insert(0, condition)
    return changed


def _documents() -> Iterator[Object]:
    for case in _groups().values():
        policies = _policies(case)
        for policy in policies:
            for document in generate(replace(case.snapshot, policies=policies), policy).objects:
                yield _marked(document, _mark(case))


def _sentinel() -> list[Object]:
    """Denies one namespace name: it is applied last, so where it holds the others do too."""
    meta = {"name": "sentinel"}
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["namespaces"]}
    spec = {
        "matchConstraints": {"resourceRules": [rule]},
        "validations": [{"expression": "object.metadata.name != 'sentinel'", "message": "it holds"}],
    }
    head = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": meta}
    binding = {"policyName": "sentinel", "validationActions": ["Deny"]}
    return [
        {**head, "kind": "ValidatingAdmissionPolicy", "spec": spec},
        {**head, "kind": "ValidatingAdmissionPolicyBinding", "spec": binding},
    ]


@pytest.fixture(scope="module")
def world(cluster: LiveCluster) -> Iterator[LiveCluster]:
    """Namespaces, ServiceAccounts and kinds of the table, and everybody's right to write there."""
    for api_version, name in sorted({(case.manifest["apiVersion"], case.manifest["kind"]) for case in ASKED}):
        kind = kind_of(api_version, name)
        if kind and "." in kind.group:
            _define(cluster, kind.group, api_version.partition("/")[2], kind.kind, kind.plural)
    snapshot = ASKED[0].snapshot
    everybody = {"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "system:authenticated"}
    role = {"kind": "ClusterRole", "apiGroup": "rbac.authorization.k8s.io", "name": "cluster-admin"}
    names = {case.manifest["metadata"]["namespace"] for case in ASKED} - {"kube-system"} | set(snapshot.namespaces)
    for name in names:
        labels = dict(snapshot.namespaces[name].labels) if name in snapshot.namespaces else {}
        cluster.api.create("/api/v1/namespaces", {"metadata": {"name": name, "labels": labels}})
        cluster.until(f"/api/v1/namespaces/{name}/serviceaccounts/default", lambda _: True)
    for namespace, name in snapshot.service_accounts:
        cluster.api.create(f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": name}})
    for name in (*names, "kube-system"):
        body = {"metadata": {"name": "everybody"}, "subjects": [everybody], "roleRef": role}
        cluster.api.create(f"/apis/rbac.authorization.k8s.io/v1/namespaces/{name}/rolebindings", body)
    yield cluster
    for name in names:
        cluster.api.delete(f"/api/v1/namespaces/{name}")
    cluster.api.delete("/apis/rbac.authorization.k8s.io/v1/namespaces/kube-system/rolebindings/everybody")


def _define(cluster: LiveCluster, group: str, version: str, kind: str, plural: str) -> None:
    """A kind without a schema: what is judged does not depend on it."""
    names = {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"}
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    body = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": names,
            "versions": [{"name": version, "served": True, "storage": True, "schema": schema}],
        },
    }
    path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{plural}.{group}"
    cluster.api.patch(path, body, kind="apply")
    cluster.until(f"/apis/{group}/{version}", lambda found: any(one["name"] == plural for one in found["resources"]))


@pytest.fixture(scope="module")
def judging(world: LiveCluster) -> Iterator[LiveCluster]:
    """All generated policies at once."""
    documents = [*_documents(), *_sentinel()]
    for document in documents:
        world.api.patch(path_of(document), document, kind="apply")
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        with contextlib.suppress(ApiError):
            world.api.create("/api/v1/namespaces?dryRun=All", {"metadata": {"name": "sentinel"}})
            time.sleep(0.1)
            continue
        break
    yield world
    for document in documents:
        world.api.delete(path_of(document))


def _collection(manifest: Object) -> str:
    kind = kind_of(manifest["apiVersion"], manifest["kind"])
    assert kind is not None
    root = f"/apis/{manifest['apiVersion']}" if kind.group else "/api/v1"
    return f"{root}/namespaces/{manifest['metadata']['namespace']}/{kind.plural}"


def _sent(manifest: Object, case: Case) -> Object:
    """The object as it is sent: marked, and with an own exemption that is as far away as in the case."""
    body = copy.deepcopy(manifest)
    notes = body["metadata"].setdefault("annotations", {})
    notes[MARK] = _mark(case)
    with contextlib.suppress(KeyError, ValueError):
        until = _shifted(from_rfc3339(notes["aicost.dev/exempt-until"]), case)
        notes["aicost.dev/exempt-until"] = to_rfc3339(until)
    return body


def _ask(cluster: LiveCluster, case: Case) -> tuple[int, str, list[str]]:
    """Status, message and warnings of the request, made in the requester's name and kept by nobody."""
    body = _sent(case.manifest, case)
    path = _collection(body)
    if case.before:
        name = body["metadata"]["name"]
        before = cluster.api.create(path, copy.deepcopy(case.before))
        cluster.api.patch(f"{path}/{name}", {"metadata": {"annotations": {MARK: _mark(case)}}})
        try:
            return _send(cluster, "PUT", f"{path}/{name}?dryRun=All", body, case)
        finally:
            cluster.api.delete(f"{path}/{name}", {"preconditions": {"uid": before["metadata"]["uid"]}})
            cluster.until_gone(f"{path}/{name}")
    return _send(cluster, "POST", f"{path}?dryRun=All", body, case)


def _send(cluster: LiveCluster, method: str, path: str, body: Object, case: Case) -> tuple[int, str, list[str]]:
    headers = urllib3.HTTPHeaderDict({"Content-Type": "application/json", "Impersonate-User": case.requester.name})
    for group in case.requester.groups:
        headers.add("Impersonate-Group", group)
    answer = cluster.api._pool.request(
        method, cluster.api.access.server + path, body=json.dumps(body).encode(), headers=headers
    )
    warnings = [one for one in answer.headers.getlist("Warning") if "aicost-" in one]
    return answer.status, json.loads(answer.data).get("message", ""), warnings


def _verdict(status: int, said: str, warnings: list[str]) -> Verdict:
    if status == 403 and "ValidatingAdmissionPolicy" in said:
        return Verdict.DENY
    assert status < 300, said
    return Verdict.WARN if warnings else Verdict.ALLOW


@pytest.mark.parametrize("case", ASKED, ids=lambda case: case.name)
def test_the_api_server_answers_as_admit_does(judging: LiveCluster, case: Case) -> None:
    status, said, warnings = _ask(judging, case)
    assert _verdict(status, said, warnings) is case.verdict, (said, warnings)
