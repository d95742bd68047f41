"""A TrainJob on a real API server: its status moves, is recorded and followed, and its run has a price."""

import asyncio
import gzip
import json
import secrets
import subprocess
import sys
import time
from contextlib import suppress

import pytest
import yaml

from aicost.adapters.clock import now_ms
from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.config import load
from aicost.adapters.kube.watching.trainers import TrainersWatch
from devcluster.api import ApiError
from devcluster.nodes import FakeNode
from support.cluster import LiveCluster
from support.fake_api.session import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240)]

GROUP, JOBS = "trainer.kubeflow.org", "trainjobs"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
TEXT, WHOLE = {"type": "string"}, {"type": "integer", "format": "int32", "minimum": 0}
METRIC = {"type": "object", "properties": {"name": TEXT, "value": TEXT}}
TRAINER = {
    "type": "object",
    "properties": {
        "progressPercentage": {**WHOLE, "maximum": 100},
        "estimatedRemainingSeconds": WHOLE,
        "metrics": {"type": "array", "items": METRIC},
        "lastUpdatedTime": {"type": "string", "format": "date-time"},
    },
}
SCHEMA = {
    "type": "object",
    "properties": {
        "spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "status": {"type": "object", "properties": {"trainerStatus": TRAINER}},
    },
}
DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": f"{JOBS}.{GROUP}"},
    "spec": {
        "group": GROUP,
        "names": {"kind": "TrainJob", "plural": JOBS, "singular": "trainjob"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1alpha1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": SCHEMA},
            }
        ],
    },
}


@pytest.fixture
def place(local_cluster: LiveCluster, namespace):
    """A node with a GPU, and the kind TrainJob with the fields of Kubeflow's trainer."""
    node = f"train-{secrets.token_hex(3)}"
    local_cluster.nodes.create(FakeNode(node, gpu_count=1, instance_type=f"{node}.type"))
    made = False
    try:
        local_cluster.api.get(f"{CRDS}/{JOBS}.{GROUP}")
    except ApiError:
        local_cluster.api.create(CRDS, DEFINITION)
        made = True
    path = f"/apis/{GROUP}/v1alpha1/namespaces/{namespace}/{JOBS}"
    local_cluster.until(path, lambda _: True)
    yield Place(local_cluster, namespace, node, path)
    if made:
        local_cluster.api.delete(f"{CRDS}/{JOBS}.{GROUP}")
    local_cluster.nodes.delete(node)


class Place:
    def __init__(self, cluster, namespace, node, path):
        self.cluster, self.namespace, self.node, self.path = cluster, namespace, node, path

    def submit(self):
        """A TrainJob, and its pod as its controllers would make it."""
        metadata = {"name": "tune", "namespace": self.namespace}
        spec = {"trainer": {"env": [{"name": "TOKEN", "value": "hunter2"}]}}
        job = {"apiVersion": f"{GROUP}/v1alpha1", "kind": "TrainJob", "metadata": metadata, "spec": spec}
        self.cluster.apply(job)
        uid = self.cluster.api.get(f"{self.path}/tune")["metadata"]["uid"]
        owner = {"apiVersion": f"{GROUP}/v1alpha1", "kind": "TrainJob", "name": "tune", "uid": uid, "controller": True}
        container = {"name": "main", "image": "train:1", "resources": {"limits": {"nvidia.com/gpu": "1"}}}
        self.cluster.apply(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": "tune-0", "namespace": self.namespace, "ownerReferences": [owner]},
                "spec": {"nodeSelector": {"kubernetes.io/hostname": self.node}, "containers": [container]},
            }
        )
        pod = f"/api/v1/namespaces/{self.namespace}/pods/tune-0"
        self.cluster.until(pod, lambda one: one["status"].get("phase") == "Running")

    def report(self, percent, accuracy):
        """What the trainer writes into the status."""
        metrics = [{"name": "eval_accuracy", "value": accuracy}]
        status = json.dumps({"status": {"trainerStatus": {"progressPercentage": percent, "metrics": metrics}}})
        words = ("patch", JOBS, "tune", "-n", self.namespace, "--subresource=status", "--type=merge", "-p", status)
        self.cluster.kubectl(*words)

    def _mine(self, watch):
        return [one for one in watch.book.words if one.namespace == self.namespace]

    def words(self):
        """What a watch of TrainJobs hears of it."""

        async def hear():
            config = load({}, now_ms, kubeconfig=self.cluster.kubeconfig)
            async with KubeClient(config) as client:
                watch = TrainersWatch(client, now_ms)
                task = asyncio.create_task(watch.run(pytest.fail))
                await until(lambda: self._mine(watch))
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
                return self._mine(watch)

        return asyncio.run(hear())


def command(*words):
    return [sys.executable, "-m", "aicost", *map(str, words)]


def aicost(*words):
    done = subprocess.run(command(*words), capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_train_job_that_reports_is_followed_recorded_and_costed(place, tmp_path):
    bundle, kubeconfig = tmp_path / "bundle", place.cluster.kubeconfig
    words = ("--out", bundle, "--no-samples", "--cluster", "live", "--kubeconfig", kubeconfig)
    with subprocess.Popen(command("record", "--for", "20s", *words), stdout=subprocess.PIPE) as running:
        while running.poll() is None and not bundle.exists():
            time.sleep(0.1)
        time.sleep(1.1)  # its pod is bound in a later second than the one in which the recording began
        place.submit()
        place.report(0, "0.5")
        time.sleep(1)
        place.report(25, "0.75")
        assert running.wait(90) == 0
    (word,) = place.words()
    assert (word.progress, dict(word.metrics)) == (1 / 4, {"eval_accuracy": 3 / 4})
    recorded = gzip.decompress((bundle / "objects.jsonl.gz").read_bytes()).decode()
    assert '"progressPercentage"' in recorded
    assert "hunter2" not in recorded

    entry = {"name": "sim", "match": {"instanceType": f"{place.node}.type"}, "perGpuHour": "36"}
    book = {"kind": "PriceBook", "metadata": {"name": "sim"}, "spec": {"currency": "USD", "entries": [entry]}}
    (tmp_path / "book.yaml").write_text(yaml.safe_dump(book))
    ledger = tmp_path / "ledger"
    aicost("replay", bundle, "--ledger", ledger, "--prices", tmp_path / "book.yaml")
    words = ("training", "--ledger", ledger, "--bundle", bundle, "--window", "today", "-o", "json")
    (row,) = [one for one in json.loads(aicost(*words))["rows"] if one["namespace"] == place.namespace]
    assert (row["run"], row["state"], row["progress"]) == ("TrainJob/tune", "running", "0.25")
    assert row["cost_nanos"] > 0
    assert row["to_complete_nanos"] == 3 * row["cost_nanos"]
    assert row["quality"]["per_point_nanos"] == 4 * row["cost_nanos"]
    assert sum(row["parts_nanos"].values()) == row["cost_nanos"]

    now = ("training", "--ledger", ledger, "--kubeconfig", place.cluster.kubeconfig, "--window", "today", "-o", "json")
    (same,) = [one for one in json.loads(aicost(*now))["rows"] if one["namespace"] == place.namespace]
    assert same["progress"] == "0.25"
    assert same["to_complete_nanos"] == 3 * row["cost_nanos"]
