"""The chart's policies of budgets on a real API server, a namespace with a gate, and who keeps it."""

import contextlib
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
import yaml

from aicost.domain.workloads.kinds import kind_of
from devcluster.api import ApiError
from support.audit import audit_events
from support.budget_manifests import pod
from support.chart import CHART, DEFINITIONS, is_established
from support.cluster import LiveCluster
from support.people import WRITES, Person, account, collection

RELEASE = "guarded"
GATE, GUARDS, ROLES = "budget-policies.yaml", "guards.yaml", "roles-budgets.yaml"
"""Templates of the chart."""
OURS = "aicost.dev/v1alpha1"
LATER, LONG_AGO = "2099-01-01T00:00:00Z", "2020-01-01T00:00:00Z"
EVERYTHING = {"*": ["*"]}
Object = dict[str, Any]


def rendered(cluster: LiveCluster, namespace: str, template: str) -> list[Object]:
    """Objects of one template of the chart, as Helm renders it for a release in a namespace."""
    command = ("template", RELEASE, str(CHART), "-n", namespace, "--show-only", f"templates/{template}")
    return [document for document in yaml.safe_load_all(cluster.helm(*command)) if document]


def policies(documents: list[Object]) -> list[Object]:
    """Those that judge, and their bindings."""
    return [one for one in documents if one["kind"].startswith("ValidatingAdmissionPolicy")]


@contextlib.contextmanager
def controller(cluster: LiveCluster) -> Iterator[Person]:
    """The ServiceAccount of the release, with a namespace of its own and all rights."""
    namespace = f"system-{secrets.token_hex(3)}"
    cluster.api.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
    one = account(cluster, namespace, RELEASE)
    one.may((*WRITES, "list"), EVERYTHING)
    yield one
    cluster.api.delete(f"/api/v1/namespaces/{namespace}")


def home(one: Person) -> str:
    """Namespace of a ServiceAccount."""
    return one.name.split(":")[2]


@contextlib.contextmanager
def defined(cluster: LiveCluster, *kinds: tuple[str, str, str], scale: str = "") -> Iterator[None]:
    """Kinds of others, as (group/version, kind, plural), without a schema: what is judged does not depend on it.

    Args:
        cluster: where.
        kinds: what to define.
        scale: path of the number that their `/scale` writes; without it they have none.
    """
    names = []
    for api_version, kind, plural in kinds:
        group, version = api_version.split("/")
        names.append(f"{plural}.{group}")
        cluster.api.patch(f"{DEFINITIONS}/{names[-1]}", _definition(group, version, kind, plural, scale), kind="apply")
    for name in names:
        cluster.until(f"{DEFINITIONS}/{name}", is_established)
    yield
    for name in names:
        cluster.api.delete(f"{DEFINITIONS}/{name}")


def _definition(group: str, version: str, kind: str, plural: str, scale: str) -> Object:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    paths = {"specReplicasPath": scale, "statusReplicasPath": ".status.replicas"}
    served = {"name": version, "served": True, "storage": True, "schema": schema}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}", "annotations": {"api-approved.kubernetes.io": "unapproved, a test"}},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"},
            "versions": [{**served, **({"subresources": {"scale": paths}} if scale else {})}],
        },
    }


@dataclass(frozen=True)
class Gate:
    """The BudgetGate of a namespace, as the controller keeps it."""

    keeper: Person
    namespace: str
    name: str = "month"

    @property
    def path(self) -> str:
        return f"{collection('BudgetGate', self.namespace)}/{self.name}"

    def make(self) -> None:
        """A gate that refuses nothing yet."""
        reference = {"kind": "Budget", "name": self.name, "namespace": self.namespace, "uid": "u"}
        meta = {"name": self.name}
        body = {"apiVersion": OURS, "kind": "BudgetGate", "metadata": meta, "spec": {"budgetRef": reference}}
        self.keeper.create(body, self.namespace)

    def set(self, **status: Any) -> None:
        """What it says from now on; `until` lies far ahead unless it is said."""
        made = self.keeper.api.get(self.path)
        self.keeper.api.request("PUT", f"{self.path}/status", {**made, "status": {"until": LATER, **status}})

    def close(self, refused: Callable[[], object], **status: Any) -> str:
        """Let it say something, and wait until a request is refused for it; what is said then.

        Args:
            refused: a request that changes nothing when it is let in.
            status: as in `set`.
        """
        token = f"gate-{secrets.token_hex(4)}"
        self.set(**{"message": token, **status})
        return until_denied(refused, token if "message" not in status else "")


def until_denied(request: Callable[[], object], words: str = "") -> str:
    """Ask again and again until a policy refuses it with some words: the server learns by and by."""
    said = ""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            request()
        except ApiError as problem:
            said = str(problem)
            if "ValidatingAdmissionPolicy" in said and words in said:
                return said
        time.sleep(0.02)
    pytest.fail(f"not refused within 60 s with {words!r}; last heard: {said!r}")


def until_let_in(request: Callable[[], object]) -> None:
    """Ask again and again until no policy refuses it any more."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            request()
        except ApiError as problem:
            if "ValidatingAdmissionPolicy" not in str(problem):
                raise
        else:
            return
        time.sleep(0.02)
    pytest.fail("still refused after 60 s")


def decisions(cluster: LiveCluster, namespace: str, guard: str) -> list[str]:
    """What a guard remarked in the audit log about objects of a namespace, in order."""
    key = f"{RELEASE}-guard-{guard}/decision"
    mine = [event for event in audit_events(cluster) if event["objectRef"].get("namespace") == namespace]
    return [event["annotations"][key] for event in mine if key in event.get("annotations", {})]


def ray_definition() -> Object:
    """The fields of a RayCluster that make pods, under their true paths and with their true types."""
    number = {"type": "integer", "format": "int32"}
    free = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    group = dict.fromkeys(("replicas", "minReplicas", "maxReplicas", "numOfHosts"), number)
    workers = {"type": "object", "properties": {**group, "groupName": {"type": "string"}, "template": free}}
    head = {"type": "object", "properties": {"rayStartParams": free, "template": free}}
    spec = {
        "type": "object",
        "properties": {
            "suspend": {"type": "boolean"},
            "enableInTreeAutoscaling": {"type": "boolean"},
            "headGroupSpec": head,
            "workerGroupSpecs": {"type": "array", "items": workers},
        },
    }
    made = _definition("ray.io", "v1", "RayCluster", "rayclusters", "")
    made["spec"]["versions"][0]["schema"] = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
    return made


@dataclass(frozen=True)
class Gated:
    """A namespace with a gate, and a person who works there."""

    cluster: LiveCluster
    worker: Person
    gate: Gate

    @property
    def namespace(self) -> str:
        return self.gate.namespace

    def path(self, body: Object) -> str:
        """Collection of an object."""
        known = kind_of(body["apiVersion"], body["kind"])
        if known and "." in known.group and known.group != "aicost.dev":
            return collection(f"{body['apiVersion']}/{known.plural}", self.namespace)
        others = {"ScaledObject": "scaledobjects", "Workload": "workloads"}
        plural = others.get(body["kind"])
        return collection(f"{body['apiVersion']}/{plural}" if plural else body["kind"], self.namespace)

    def make(self, body: Object) -> Object:
        return self.worker.api.create(self.path(body), body)

    def try_out(self, body: Object, by: Person | None = None) -> Object:
        """Make it without keeping it."""
        sent = {**body, "metadata": {**body["metadata"], "namespace": self.namespace}}
        return (by or self.worker).api.create(f"{self.path(body)}?dryRun=All", sent)

    def change(
        self, body: Object, patch: Object, by: Person | None = None, part: str = "", *, keep: bool = False
    ) -> Object:
        """Change one that was made."""
        dry = "" if keep else "?dryRun=All"
        return (by or self.worker).api.patch(f"{self.path(body)}/{body['metadata']['name']}{part}{dry}", patch)

    def close(self, **status: Any) -> None:
        """Close the gate, and wait until a pod with a GPU hears of it."""
        self.gate.close(partial(self.try_out, pod()), denyNew=True, **status)

    def freeze(self, body: Object, patch: Object, **status: Any) -> None:
        """Freeze growth, and wait until a change that is growth hears of it."""
        self.gate.close(partial(self.change, body, patch), freezeGrowth=True, **status)
