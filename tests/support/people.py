"""People with certificates of their own on the local cluster: who they are is proven to the API server, not claimed."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from devcluster.api import Api, ApiError
from devcluster.kubeconfig import read_kubeconfig, write_kubeconfig
from support.cluster import LiveCluster

RBAC = "/apis/rbac.authorization.k8s.io/v1"
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
WRITES = ("create", "get", "list", "update", "patch", "delete")
"""What somebody does who works in a namespace; none of our own verbs is among them."""
OURS = "/apis/aicost.dev/v1alpha1"
_KIND_PATHS = {
    "Pod": ("/api/v1", "pods"),
    "Namespace": ("/api/v1", "namespaces"),
    "ServiceAccount": ("/api/v1", "serviceaccounts"),
    "ConfigMap": ("/api/v1", "configmaps"),
    "ResourceQuota": ("/api/v1", "resourcequotas"),
    "Deployment": ("/apis/apps/v1", "deployments"),
    "ReplicaSet": ("/apis/apps/v1", "replicasets"),
    "StatefulSet": ("/apis/apps/v1", "statefulsets"),
    "DaemonSet": ("/apis/apps/v1", "daemonsets"),
    "CronJob": ("/apis/batch/v1", "cronjobs"),
    "Job": ("/apis/batch/v1", "jobs"),
    "HorizontalPodAutoscaler": ("/apis/autoscaling/v2", "horizontalpodautoscalers"),
    "AIWorkload": (OURS, "aiworkloads"),
    "CostLabelPolicy": (OURS, "costlabelpolicies"),
    "Budget": (OURS, "budgets"),
    "ClusterBudget": (OURS, "clusterbudgets"),
    "BudgetOverride": (OURS, "budgetoverrides"),
    "BudgetAction": (OURS, "budgetactions"),
    "BudgetGate": (OURS, "budgetgates"),
}
_CLUSTER_WIDE = {"Namespace", "CostLabelPolicy", "ClusterBudget"}
Object = dict[str, Any]


def collection(kind: str, namespace: str = "") -> str:
    """Path of a collection; `kind` may be `group/version/plural` of a kind that is not listed here."""
    if "/" in kind:
        group, version, plural = kind.split("/")
        return f"/apis/{group}/{version}/namespaces/{namespace}/{plural}"
    root, plural = _KIND_PATHS[kind]
    return f"{root}/{plural}" if kind in _CLUSTER_WIDE else f"{root}/namespaces/{namespace}/{plural}"


def denied(request: Callable[[], object]) -> str:
    """What the API server says to a request that it has to refuse by a policy."""
    with pytest.raises(ApiError) as caught:
        request()
    assert "ValidatingAdmissionPolicy" in str(caught.value), caught.value
    assert caught.value.status == 403, caught.value
    return str(caught.value)


@dataclass(frozen=True)
class Person:
    """Somebody who talks to the API server with a certificate."""

    cluster: LiveCluster
    name: str
    api: Api
    kubeconfig: Path

    def may(self, verbs: tuple[str, ...], resources: dict[str, list[str]], namespace: str = "") -> None:
        """Grant something in a namespace, or everywhere."""
        role = f"{self.name.replace(':', '-')}-{secrets.token_hex(3)}"
        rules = [
            {"apiGroups": [group], "resources": plurals, "verbs": list(verbs)} for group, plurals in resources.items()
        ]
        place, kind = (f"{RBAC}/namespaces/{namespace}/", "") if namespace else (f"{RBAC}/", "Cluster")
        subject = {"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": self.name}
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": f"{kind}Role", "name": role}
        api, made = self.cluster.api, {"metadata": {"name": role}}
        api.create(f"{place}{kind.lower()}roles", {**made, "rules": rules})
        api.create(f"{place}{kind.lower()}rolebindings", {**made, "roleRef": reference, "subjects": [subject]})
        group, plurals = next(iter(resources.items()))
        self._until_allowed(verbs[-1], "" if group == "*" else group, "pods" if group == "*" else plurals[0], namespace)

    def _until_allowed(self, verb: str, group: str, plural: str, namespace: str) -> None:
        """The API server learns of a new right by and by."""
        asked = {"verb": verb, "group": group, "resource": plural, "namespace": namespace}
        review = {"spec": {"resourceAttributes": asked}}
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self.api.create(REVIEWS, review)["status"]["allowed"]:
                return
            time.sleep(0.02)
        pytest.fail(f"{self.name} did not come to have the right to {verb} {plural}")

    def works_in(self, namespace: str) -> None:
        """Let them write everything in a namespace, as its administrators may."""
        self.may(WRITES, {"*": ["*"]}, namespace)

    def create(self, body: Object, namespace: str = "", *, dry_run: bool = False) -> Object:
        """Create an object; `ApiError` where it is refused."""
        query = "?dryRun=All" if dry_run else ""
        return self.api.create(collection(body["kind"], namespace) + query, body)

    def refused(self, body: Object, namespace: str = "") -> str:
        """What the API server says to an object that it has to refuse by a policy."""
        return denied(lambda: self.create(body, namespace))


def account(cluster: LiveCluster, namespace: str, name: str) -> Person:
    """A ServiceAccount that talks to the API server with a token, with no rights yet."""
    accounts = collection("ServiceAccount", namespace)
    if name not in {one["metadata"]["name"] for one in cluster.api.get(accounts)["items"]}:
        cluster.api.create(accounts, {"metadata": {"name": name}})
    kubeconfig = cluster.service_account_kubeconfig(namespace, name)
    access = read_kubeconfig(kubeconfig, cluster.folder / f"{namespace}.{name}")
    return Person(cluster, f"system:serviceaccount:{namespace}:{name}", Api(access), kubeconfig)


def person(cluster: LiveCluster, name: str) -> Person:
    """Somebody of that name, with no rights yet."""
    if cluster.local is None:
        pytest.skip("needs the certificate authority of the cluster")
    whole = f"{name}-{secrets.token_hex(3)}"
    identity = cluster.local.control_plane.pki.cluster.client(whole, whole)
    access = replace(cluster.access, user=identity)
    return Person(cluster, whole, Api(access), write_kubeconfig(cluster.folder / f"{whole}.kubeconfig", access))
