"""The local cluster moves pods as a real one does."""

import secrets

import pytest

from devcluster.nodes import FakeNode
from support.cluster import LiveCluster

pytestmark = pytest.mark.cluster
_SCRIPT = "devcluster.aicost.dev/"


@pytest.fixture
def node(local_cluster: LiveCluster):
    name = f"gpu-{secrets.token_hex(3)}"
    local_cluster.nodes.create(FakeNode(name, gpu_count=8))
    yield name
    local_cluster.nodes.delete(name)


def _template(node: str, policy: str = "Always", gpus: int = 1, **script: str) -> dict:
    annotations = {_SCRIPT + key.replace("_", "-"): value for key, value in script.items()}
    container = {"name": "main", "image": "trainer:1", "resources": {"limits": {"nvidia.com/gpu": str(gpus)}}}
    spec = {"containers": [container], "restartPolicy": policy, "nodeSelector": {"kubernetes.io/hostname": node}}
    return {"metadata": {"labels": {"app": "x"}, "annotations": annotations}, "spec": spec}


def _pod(namespace: str, name: str, template: dict) -> dict:
    meta = {"name": name, "namespace": namespace, **template["metadata"]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": template["spec"]}


def test_a_deployment_becomes_available_on_nodes_with_gpus(local_cluster, namespace, node):
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": "x"}}, "template": _template(node, gpus=4)}
    meta = {"name": "web", "namespace": namespace}
    local_cluster.apply({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec})
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/web"
    local_cluster.until(path, lambda it: it["status"].get("availableReplicas") == 2)


def test_a_job_completes_when_its_pods_have_run_their_script(local_cluster, namespace, node):
    template = _template(node, policy="Never", run_seconds="0.2")
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "train", "namespace": namespace}}
    local_cluster.apply({**job, "spec": {"completions": 2, "parallelism": 2, "template": template}})
    path = f"/apis/batch/v1/namespaces/{namespace}/jobs/train"
    local_cluster.until(path, lambda it: it["status"].get("succeeded") == 2)
    local_cluster.kubectl("wait", "-n", namespace, "--for=condition=Complete", "job/train", "--timeout=30s")
