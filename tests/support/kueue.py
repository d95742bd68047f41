"""A real Kueue on the cluster of the session, and what a team sets up in it. A plugin, as ``support.cluster``."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devcluster import binaries
from devcluster.kueue_server import Kueue
from support.cluster import _BUILDS, LiveCluster, _refuse_without

KUEUE = "/apis/kueue.x-k8s.io/v1beta2"
QUEUE_LABEL = "kueue.x-k8s.io/queue-name"
JOB_UID_LABEL = "kueue.x-k8s.io/job-uid"
_BUILDS["kueue_program"] = binaries.find_kueue


@pytest.fixture(scope="session")
def kueue_program() -> Path:
    """The manager of Kueue, to be started with :class:`devcluster.kueue_server.Kueue`."""
    _refuse_without("kueue_program")
    return binaries.find_kueue()


@pytest.fixture(scope="module")
def kueue(cluster: LiveCluster, kueue_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kueue]:
    """A running Kueue, for the tests of one module: those of others see a cluster that does not know it."""
    if cluster.local is None:
        pytest.skip("needs a cluster of ours; this is one that somebody else made")
    with Kueue(kueue_program, tmp_path_factory.mktemp("kueue"), cluster.kubeconfig, cluster.api) as running:
        yield running


def resource_flavor(name: str) -> dict[str, Any]:
    """A flavor of nodes; without labels it is every node."""
    return {"apiVersion": "kueue.x-k8s.io/v1beta2", "kind": "ResourceFlavor", "metadata": {"name": name}}


def cluster_queue(name: str, flavor: str, **quota: str) -> dict[str, Any]:
    """A quota for all namespaces: ``cpu="4"``, ``**{"nvidia.com/gpu": "8"}``."""
    resources = [{"name": resource, "nominalQuota": amount} for resource, amount in quota.items()]
    group = {"coveredResources": sorted(quota), "flavors": [{"name": flavor, "resources": resources}]}
    spec = {"namespaceSelector": {}, "resourceGroups": [group]}
    return {**resource_flavor(name), "kind": "ClusterQueue", "spec": spec}


def local_queue(namespace: str, name: str, queue: str) -> dict[str, Any]:
    """The queue that jobs of a namespace name in their label."""
    meta = {"name": name, "namespace": namespace}
    return {**resource_flavor(name), "kind": "LocalQueue", "metadata": meta, "spec": {"clusterQueue": queue}}


def make_queue(cluster: LiveCluster, namespace: str, name: str = "team", **quota: str) -> None:
    """A LocalQueue that admits, with a ClusterQueue and a flavor of the namespace's own; CPUs unless told else."""
    cluster.apply(
        resource_flavor(namespace),
        cluster_queue(namespace, namespace, **(quota or {"cpu": "8"})),
        local_queue(namespace, name, namespace),
    )
    cluster.until(f"{KUEUE}/namespaces/{namespace}/localqueues/{name}", lambda it: condition(it, "Active") == "True")


def queued_job(namespace: str, name: str, queue: str = "team", cpu: str = "1", **spec: Any) -> dict[str, Any]:
    """A Job as Kueue's webhook would leave it: suspended. Its pods run until they are deleted; ``spec`` adds to it."""
    container = {"name": "main", "image": "trainer:1", "resources": {"requests": {"cpu": cpu}}}
    template = {"spec": {"containers": [container], "restartPolicy": "Never"}}
    meta = {"name": name, "namespace": namespace, "labels": {QUEUE_LABEL: queue}}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta}
    return {**job, "spec": {"suspend": True, "template": template, **spec}}


def condition(found: dict[str, Any], kind: str) -> str | None:
    """The status of a condition, None where it is not there."""
    conditions = {each["type"]: each["status"] for each in found.get("status", {}).get("conditions", ())}
    return conditions.get(kind)


def workload_path(cluster: LiveCluster, job: dict[str, Any]) -> str:
    """The path of the Workload that Kueue made for a Job, once it did; the label carries the Job's uid."""
    meta = job["metadata"]
    within = f"{KUEUE}/namespaces/{meta['namespace']}/workloads"
    found = cluster.until(f"{within}?labelSelector={JOB_UID_LABEL}%3D{meta['uid']}", lambda it: it["items"])
    return f"{within}/{found['items'][0]['metadata']['name']}"
