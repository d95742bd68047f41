"""Live mode on a real API server: bound pods get GPUs, exporters answer, the record tells the truth."""

import os
import secrets
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import pytest
import urllib3

from devcluster.nodes import FakeNode
from fleet import truth
from fleet.annotations import ACTIVITY, EXPORTER
from fleet.live.record import load

pytestmark = pytest.mark.cluster
HACK = Path(__file__).parents[2] / "hack"
SPEECH = '{"dialect": "4.9", "window_ms": 1000}'


@pytest.fixture
def node(local_cluster):
    name = f"gpu-{secrets.token_hex(3)}"
    local_cluster.nodes.create(FakeNode(name, gpu_count=4, annotations={EXPORTER: SPEECH}))
    yield name
    local_cluster.nodes.delete(name)


@pytest.fixture
def record(local_cluster, tmp_path):
    """Live mode runs; where it keeps its record."""
    path = tmp_path / "truth.jsonl"
    command = [
        sys.executable,
        "-m",
        "fleet",
        "live",
        "--kubeconfig",
        str(local_cluster.kubeconfig),
        "--record",
        str(path),
    ]
    environment = {**os.environ, "PYTHONPATH": str(HACK)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        yield path
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=10)
    assert process.returncode == 0, log
    assert "Traceback" not in log


def pod(namespace, name, node, labels=None, annotations=None, gpus=0):
    limits = {"limits": {"nvidia.com/gpu": str(gpus)}} if gpus else {}
    spec = {
        "nodeSelector": {"kubernetes.io/hostname": node},
        "containers": [{"name": "main", "image": "trainer:1", "resources": limits}],
    }
    metadata = {"name": name, "namespace": namespace, "labels": labels or {}, "annotations": annotations or {}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def engine_values(ip, seconds=20):
    """Values of the engine by pod, as soon as a pod is shown busy; the last ones seen otherwise."""
    seen: dict[str, str] = {}
    with urllib3.PoolManager(retries=False, timeout=2) as http:
        for _ in range(seconds * 5):
            try:
                lines = http.request("GET", f"http://{ip}:9400/metrics").data.decode().splitlines()
            except urllib3.exceptions.HTTPError:
                lines = []
            rows = [line for line in lines if line.startswith("DCGM_FI_PROF_GR_ENGINE_UTIL_RATIO{")]
            seen = {row.partition(',pod="')[2].partition('"')[0]: row for row in rows}
            if any(row.endswith(" 0.700000") for row in rows):
                break
            time.sleep(0.2)
    return {name: row.rpartition(" ")[2] for name, row in seen.items()}


def test_a_scheduled_pod_is_shown_by_its_nodes_exporter_and_billed_by_the_record(
    local_cluster, namespace, node, record
):
    labels = {"app": "nvidia-dcgm-exporter"}
    local_cluster.apply(
        pod(namespace, "exporter", node, labels=labels),
        pod(namespace, "train", node, annotations={ACTIVITY: "0.7"}, gpus=2),
    )
    pods = f"/api/v1/namespaces/{namespace}/pods"
    exporter = local_cluster.until(f"{pods}/exporter", lambda it: it["status"].get("podIP"))
    assert engine_values(exporter["status"]["podIP"]) == {"train": "0.700000", "": "0.000000"}

    local_cluster.api.delete(f"{pods}/train")
    local_cluster.until_gone(f"{pods}/train")
    fleet = wait_for_end(record, namespace)
    (train,) = (item for item in fleet.pods if item.namespace == namespace)
    bill = truth.amounts(fleet, train.bound_ms, train.ended_ms, devices=train.gpus)
    held = {bucket: amount.gpu_ms for bucket, amount in truth.totals(fleet, bill, "bucket").items()}
    assert sum(held.values()) == 2 * (train.ended_ms - train.bound_ms) > 0
    assert set(held) <= {"used", "allocated-idle", "allocated-unmeasured"}
    assert held.get("used", 0) * Fraction(3, 7) <= held.get("allocated-idle", 0)


def wait_for_end(record, namespace):
    for _ in range(50):
        fleet = load(record)
        if any(item.namespace == namespace and item.ended_ms for item in fleet.pods):
            return fleet
        time.sleep(0.1)
    raise AssertionError(f"the record never saw the end of the pod in {namespace}")
