"""People with certificates of their own on the local cluster: who they are is proven to the API server, not claimed."""

import secrets
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from devcluster.api import Api, ApiError
from devcluster.kubeconfig import write_kubeconfig
from support.cluster import LiveCluster

RBAC = "/apis/rbac.authorization.k8s.io/v1"
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
WRITES = ("create", "get", "list", "update", "patch", "delete")
"""What somebody does who works in a namespace; none of our own verbs is among them."""
_KIND_PATHS = {
    "Pod": ("/api/v1", "pods"),
    "Namespace": ("/api/v1", "namespaces"),
    "ServiceAccount": ("/api/v1", "serviceaccounts"),
    "Deployment": ("/apis/apps/v1", "deployments"),
    "ReplicaSet": ("/apis/apps/v1", "replicasets"),
    "DaemonSet": ("/apis/apps/v1", "daemonsets"),
    "CronJob": ("/apis/batch/v1", "cronjobs"),
    "Job": ("/apis/batch/v1", "jobs"),
    "AIWorkload": ("/apis/aicost.dev/v1alpha1", "aiworkloads"),
    "CostLabelPolicy": ("/apis/aicost.dev/v1alpha1", "costlabelpolicies"),
}
_CLUSTER_WIDE = {"Namespace", "CostLabelPolicy"}
Object = dict[str, Any]


def collection(kind: str, namespace: str = "") -> str:
    """Path of a collection."""
    root, plural = _KIND_PATHS[kind]
    return f"{root}/{plural}" if kind in _CLUSTER_WIDE else f"{root}/namespaces/{namespace}/{plural}"


@dataclass(frozen=True)
class Person:
    """Somebody who talks to the API server with a certificate."""

    cluster: LiveCluster
    name: str
    api: Api
    kubeconfig: Path

    def may(self, verbs: tuple[str, ...], resources: dict[str, list[str]], namespace: str = "") -> None:
        """Grant something in a namespace, or everywhere."""
        role = f"{self.name}-{secrets.token_hex(3)}"
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
        with pytest.raises(ApiError) as caught:
            self.create(body, namespace)
        assert "ValidatingAdmissionPolicy" in str(caught.value), caught.value
        return str(caught.value)


def person(cluster: LiveCluster, name: str) -> Person:
    """Somebody of that name, with no rights yet."""
    if cluster.local is None:
        pytest.skip("needs the certificate authority of the cluster")
    whole = f"{name}-{secrets.token_hex(3)}"
    identity = cluster.local.control_plane.pki.cluster.client(whole, whole)
    access = replace(cluster.access, user=identity)
    return Person(cluster, whole, Api(access), write_kubeconfig(cluster.folder / f"{whole}.kubeconfig", access))
