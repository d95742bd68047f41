"""The table of admission cases through generated policies in a real API server: the answers are those of `admit()`."""

import contextlib
import copy
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
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
from aicost.domain.workloads.reading import read_workload
from devcluster.api import ApiError
from support.admission.case import Case
from support.admission_cases import CASES
from support.cluster import LiveCluster
from support.guarded import path_of

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(400)]

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


@dataclass(frozen=True)
class Answer:
    """What the API server answered: its status, the object or the refusal, and our warnings."""

    status: int
    body: Object
    warnings: list[str]

    @property
    def verdict(self) -> Verdict:
        said = self.body.get("message", "")
        if self.status == 403 and "ValidatingAdmissionPolicy" in said:
            return Verdict.DENY
        if self.status == 422:
            return Verdict.DENY  # the API server itself wants nothing of it
        assert self.status < 300, said
        return Verdict.WARN if self.warnings else Verdict.ALLOW


def _ask(cluster: LiveCluster, case: Case) -> Answer:
    """Make the request in the requester's name; nothing of it is kept."""
    body = _sent(case.manifest, case)
    path = _collection(body)
    if case.before is None:
        return _send(cluster, "POST", f"{path}?dryRun=All", body, case)
    own = f"{path}/{body['metadata']['name']}"
    before = cluster.api.create(path, copy.deepcopy(case.before))
    cluster.api.patch(own, {"metadata": {"annotations": {MARK: _mark(case)}}})
    try:
        return _send(cluster, "PUT", f"{own}?dryRun=All", body, case)
    finally:
        cluster.api.delete(own, {"preconditions": {"uid": before["metadata"]["uid"]}})
        cluster.until_gone(own)


def _send(cluster: LiveCluster, method: str, path: str, body: Object, case: Case) -> Answer:
    headers = urllib3.HTTPHeaderDict({"Content-Type": "application/json", "Impersonate-User": case.requester.name})
    for group in case.requester.groups:
        headers.add("Impersonate-Group", group)
    sent = json.dumps(body).encode()
    answer = cluster.api._pool.request(method, cluster.api.access.server + path, body=sent, headers=headers)
    warnings = [one for one in answer.headers.getlist("Warning") if "labels.aicost.dev" in one]
    return Answer(answer.status, json.loads(answer.data), warnings)


def _labels(body: Object, labels: set[str]) -> dict[tuple[str, str], str]:
    """Path and label -> value, of the labels that policies speak of."""
    workload = read_workload(body)
    assert workload is not None
    places = {"": body["metadata"].get("labels") or {}} | {
        one.path: one.labels for one in workload.templates if one.path
    }
    return {(path, key): value for path, found in places.items() for key, value in found.items() if key in labels}


def _left_out(case: Case) -> str:
    """What the engine said that it cannot judge of the case, empty where it judges all of it."""
    told = [one for policy in case.policies for one in generate(case.snapshot, policy).unsupported]
    kind = case.manifest["kind"]
    return "; ".join(one.reason for one in told if "uses" in one.field or f" {kind}," in f"{one.reason},")


@pytest.mark.parametrize("case", ASKED, ids=lambda case: case.name)
def test_the_api_server_answers_as_admit_does(judging: LiveCluster, case: Case) -> None:
    answer, gap = _ask(judging, case), _left_out(case)
    if gap:
        assert list(Verdict).index(answer.verdict) <= list(Verdict).index(case.verdict), (gap, answer.body)
        return
    assert answer.verdict is case.verdict, (answer.body.get("message"), answer.warnings)


@pytest.mark.parametrize("case", [one for one in ASKED if one.verdict is not Verdict.DENY], ids=lambda case: case.name)
def test_the_api_server_writes_the_labels_that_admit_would_write(judging: LiveCluster, case: Case) -> None:
    answer = _ask(judging, case)
    if _left_out(case) or answer.verdict is Verdict.DENY:
        return
    labels = {key.label for policy in case.policies for key in policy.keys}
    expected = _labels(case.manifest, labels) | {(path, label): value for path, label, value in case.changes}
    assert _labels(answer.body, labels) == expected


def test_hardly_anything_is_left_out() -> None:
    gaps = {case.name: gap for case in ASKED if (gap := _left_out(case))}
    assert len(gaps) * 10 < len(ASKED), gaps
