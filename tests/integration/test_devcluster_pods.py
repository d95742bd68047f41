"""The local cluster moves pods as a real one does."""

import secrets
import time
from datetime import datetime, timedelta

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


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


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


def test_times_of_a_finished_pod_are_those_of_its_script(local_cluster, namespace, node):
    script = {"image_pull_seconds": "1", "run_seconds": "2", "exit_code": "137", "exit_reason": "OOMKilled"}
    local_cluster.apply(_pod(namespace, "late", _template(node, policy="Never", **script)))
    path = f"/api/v1/namespaces/{namespace}/pods/late"
    pod = local_cluster.until(path, lambda it: it["status"]["phase"] == "Failed")
    ended = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (137, "OOMKilled")
    assert _moment(ended["finishedAt"]) - _moment(ended["startedAt"]) == timedelta(seconds=2)
    assert _moment(ended["startedAt"]) >= _moment(pod["status"]["startTime"]) + timedelta(seconds=1)


def test_a_container_restarts_until_its_list_of_exit_codes_is_good(local_cluster, namespace, node):
    script = {"run_seconds": "0.1", "exit_code": "1,1,0"}
    local_cluster.apply(_pod(namespace, "retries", _template(node, policy="OnFailure", **script)))
    path = f"/api/v1/namespaces/{namespace}/pods/retries"
    pod = local_cluster.until(path, lambda it: it["status"]["phase"] == "Succeeded")
    assert pod["status"]["containerStatuses"][0]["restartCount"] == 2


def test_an_evicted_pod_fails_with_the_reason(local_cluster, namespace, node):
    local_cluster.apply(_pod(namespace, "victim", _template(node, evict_after_seconds="0.2")))
    path = f"/api/v1/namespaces/{namespace}/pods/victim"
    pod = local_cluster.until(path, lambda it: it["status"]["phase"] == "Failed")
    assert pod["status"]["reason"] == "Evicted"


def test_a_node_whose_clock_is_an_hour_behind_stamps_its_pods_so(local_cluster, namespace, node):
    local_cluster.nodes.annotate(node, {_SCRIPT + "clock-skew-seconds": "-3600"})
    local_cluster.apply(_pod(namespace, "skewed", _template(node)))
    path = f"/api/v1/namespaces/{namespace}/pods/skewed"
    pod = local_cluster.until(path, lambda it: it["status"]["phase"] == "Running")
    behind = _moment(pod["metadata"]["creationTimestamp"]) - _moment(pod["status"]["startTime"])
    assert timedelta(minutes=59) < behind <= timedelta(hours=1)


def test_a_silent_node_reports_nothing_until_it_speaks_again(local_cluster, namespace, node):
    local_cluster.nodes.annotate(node, {_SCRIPT + "silent": "true"})
    time.sleep(0.5)
    local_cluster.apply(_pod(namespace, "unheard", _template(node)))
    path = f"/api/v1/namespaces/{namespace}/pods/unheard"
    local_cluster.until(path, lambda it: "nodeName" in it["spec"])
    time.sleep(0.5)
    assert local_cluster.api.get(path)["status"]["phase"] == "Pending"
    local_cluster.nodes.annotate(node, {_SCRIPT + "silent": None})
    local_cluster.until(path, lambda it: it["status"]["phase"] == "Running")


def test_a_script_that_cannot_be_read_is_named_and_read_again(local_cluster, namespace, node):
    local_cluster.apply(_pod(namespace, "typo", _template(node, policy="Never", run_seconds="soon")))
    path = f"/api/v1/namespaces/{namespace}/pods/typo"

    def message(pod: dict) -> str:
        (status,) = pod["status"].get("containerStatuses", [{}])
        return status.get("state", {}).get("waiting", {}).get("message", "")

    local_cluster.until(path, lambda it: "'soon' is not a number of seconds" in message(it))
    local_cluster.api.patch(path, {"metadata": {"annotations": {_SCRIPT + "run-seconds": "0"}}})
    local_cluster.until(path, lambda it: it["status"]["phase"] == "Succeeded")


def test_a_pod_can_come_back_under_its_name_with_another_uid(local_cluster, namespace, node):
    path = f"/api/v1/namespaces/{namespace}/pods/twice"
    seen = []
    for _ in range(2):
        local_cluster.apply(_pod(namespace, "twice", _template(node)))
        seen.append(local_cluster.until(path, lambda it: it["status"]["phase"] == "Running")["metadata"]["uid"])
        local_cluster.kubectl("delete", "pod", "-n", namespace, "twice", "--timeout=30s")
    assert seen[0] != seen[1]


def test_the_scheduler_keeps_to_what_a_broken_gpu_leaves(local_cluster, namespace, node):
    local_cluster.nodes.set_allocatable(node, "nvidia.com/gpu", "7")
    local_cluster.apply(_pod(namespace, "whole", _template(node, gpus=8)))
    path = f"/api/v1/namespaces/{namespace}/pods/whole"

    def refused(pod: dict) -> bool:
        return any("Insufficient nvidia.com/gpu" in c.get("message", "") for c in pod["status"].get("conditions") or ())

    local_cluster.until(path, refused)


def test_pods_have_loopback_addresses_of_their_own(local_cluster, namespace, node):
    for name in ("one", "two"):
        local_cluster.apply(_pod(namespace, name, _template(node)))
    paths = [f"/api/v1/namespaces/{namespace}/pods/{name}" for name in ("one", "two")]
    found = {local_cluster.until(path, lambda it: it["status"].get("podIP"))["status"]["podIP"] for path in paths}
    assert len(found) == 2
    assert all(address.startswith("127.") for address in found)
