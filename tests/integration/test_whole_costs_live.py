"""On a real API server: a pod without GPUs has a cost, by CPU, memory and storage, and so has a node without GPUs."""

import json
import secrets

import pytest

from devcluster.nodes import FakeNode
from support.chart import forget_definitions
from support.stage import OURS, Controller, Stage

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240)]

CORES, GIB = 8, 32
NODE_HOUR, CORE_HOUR, GIB_HOUR = 1.12, 0.1, 0.01
"""In dollars: the cores cost 0.80 and the memory 0.32, so the price is divided as the rates say."""
STORAGE_GIB_MONTH = 730.0


@pytest.fixture
def stage(cluster, tmp_path):
    if cluster.local is None:
        pytest.skip("needs the local kubelet; this is a cluster that somebody else made")
    forget_definitions(cluster)
    with Stage(cluster, tmp_path).open(("4.8.2", "4.9")) as stage:
        yield stage


@pytest.fixture
def host(cluster):
    """A node without GPUs."""
    name = f"cpu-{secrets.token_hex(3)}"
    cluster.nodes.create(FakeNode(name, instance_type=f"{name}.2xlarge", cpu=str(CORES), memory=f"{GIB}Gi"))
    yield name
    cluster.nodes.delete(name)


def prices(host: str):
    entry = {"name": "host", "match": {"instanceType": f"{host}.2xlarge"}, "perNodeHour": str(NODE_HOUR)}
    rates = {"cpuCoreHour": str(CORE_HOUR), "memoryGibHour": str(GIB_HOUR), "storageGibMonth": str(STORAGE_GIB_MONTH)}
    spec = {"currency": "USD", "entries": [entry], "referenceRates": rates}
    return {"apiVersion": "aicost.dev/v1alpha1", "kind": "PriceBook", "metadata": {"name": host}, "spec": spec}


def workload(namespace: str, host: str):
    """A claim, and a pod without GPUs that mounts it and asks for two cores and eight GiB."""
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "corpus", "namespace": namespace},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}},
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "prepare", "namespace": namespace,
            "labels": {"aicost.dev/feature": "search", "aicost.dev/step": "preprocess"},
        },
        "spec": {
            "nodeSelector": {"kubernetes.io/hostname": host},
            "terminationGracePeriodSeconds": 0,
            "containers": [
                {"name": "main", "image": "prepare:1", "resources": {"requests": {"cpu": "2", "memory": "8Gi"}}}
            ],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "corpus"}}],
        },
    }  # fmt: skip
    return claim, pod


def report(namespace: str, *keys: str):
    return {
        "apiVersion": "aicost.dev/v1alpha1",
        "kind": "AICostReport",
        "metadata": {"name": "-".join(keys), "namespace": namespace},
        "spec": {"window": "24h", "groupBy": list(keys)},
    }


def rows_of(status):
    return {tuple(row["keys"].values()): row["costNanos"] for row in status.get("rows") or ()}


def test_a_pod_without_gpus_costs_its_share_of_cpu_memory_and_storage(cluster, stage, host):
    controller, team = Controller(stage), stage.team
    with controller.installed():
        cluster.apply(prices(host), *workload(team, host))
        cluster.apply(report(team, "component"), report(team, "feature", "step"))
        path = f"{OURS}/namespaces/{team}/aicostreports"

        def complete(found):
            return {("cpu",), ("memory",), ("storage",)} <= rows_of(found.get("status") or {}).keys()

        try:
            by_component = cluster.until(f"{path}/component", complete, 150)["status"]
        except pytest.fail.Exception as problem:
            pytest.fail(f"{problem}\n{controller.log()[-6000:]}")
        found = rows_of(by_component)
        # Two cores and eight GiB for the same time: their costs are as the rates are.
        assert found["cpu",] / found["memory",] == pytest.approx(2 * CORE_HOUR / (8 * GIB_HOUR), rel=1e-6)
        assert by_component["notCovered"] == ["network", "api"]
        assert by_component["totals"][0]["components"]["cpu"] == found["cpu",]
        by_step = cluster.until(f"{path}/feature-step", lambda one: rows_of(one.get("status") or {}), 60)["status"]
        assert ("search", "preprocess") in rows_of(by_step)
        shown = cluster.kubectl("get", "aicostreport", "component", "-n", team)
        assert "$" in shown
        for name, unit in (("cpu", 2_000), ("memory", 8 * 1024)):
            rows = [row for row in controller.rows() if row.component == name and row.holder.pod == "prepare"]
            assert {row.bucket for row in rows} == {"allocated-unmeasured"}
            (row,) = rows[-1:]
            rate = {"cpu": CORE_HOUR / 1_000, "memory": GIB_HOUR / 1_024}[name]
            assert row.cost_nanos == pytest.approx(row.quantity / 3_600 * rate * 1e9, rel=1e-3)
            assert row.quantity % unit < unit
        volumes = [row for row in controller.rows() if row.component == "storage"]
        assert {row.holder.pod for row in volumes} == {"prepare"}
        assert json.dumps(sorted({row.place.device for row in volumes})) == json.dumps([f"{team}/corpus"])
