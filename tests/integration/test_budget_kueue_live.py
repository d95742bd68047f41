"""A budget over what a real Kueue manages: its Workload is stopped and let go, never the Job's own switch."""

from collections.abc import Iterator
from typing import Any

import pytest

from devcluster.kueue_server import Kueue
from support.budget_town import QUICK, TEAM, Town, open_town
from support.cluster import LiveCluster
from support.kueue import KUEUE, QUEUE_LABEL, make_queue, workload_path

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240)]

STOP = [{"name": "stop", "gate": "Suspend", "basis": "CommittedRate", "atRatePerHour": "5000", "evaluations": 1}]
LOOSE = {"minCoverage": "0.50", "reason": "a test without history", "approvedBy": "the tests"}


@pytest.fixture(scope="module")
def town(cluster: LiveCluster, kueue: Kueue, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    assert kueue
    with open_town(cluster, tmp_path_factory.mktemp("fleet"), "budgets.intervalSeconds=1") as one:
        yield one


def queued(town: Town, space: str) -> dict[str, Any]:
    """A Job with two GPUs in a queue of Kueue."""
    limits = {"nvidia.com/gpu": "2"}
    container = {"name": "main", "image": "registry.example/train:1", "resources": {"limits": limits}}
    spec = {
        "nodeSelector": {"kubernetes.io/hostname": town.stage.nodes[0]}, "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 0, "containers": [container],
    }  # fmt: skip
    job = {
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": "train", "labels": {QUEUE_LABEL: "team", **TEAM}},
        "spec": {"suspend": True, "template": {"metadata": {"labels": TEAM}, "spec": spec}},
    }  # fmt: skip
    return town.cluster.api.create(f"/apis/batch/v1/namespaces/{space}/jobs", job)


def test_the_workload_of_kueue_is_stopped_and_queues_anew(town: Town) -> None:
    space = town.make_namespace("queued")
    make_queue(town.cluster, space, **{"nvidia.com/gpu": "8"})
    job = queued(town, space)
    path = f"/apis/batch/v1/namespaces/{space}/jobs/train"
    town.until(path, lambda it: it["status"].get("ready") == 1)
    budget = town.budget(
        namespace=space, limit="1000000", mode="Enforce", maxGate="Suspend", ladder=STOP,
        enforcement={**QUICK, "coverageOverride": LOOSE},
    )  # fmt: skip
    workload = workload_path(town.cluster, job)
    stopped = town.until(workload, lambda it: it["spec"].get("active") is False)
    assert "aicost.dev/enforced" in stopped["metadata"]["annotations"]
    town.until(path, lambda it: it["spec"]["suspend"])
    levers = {one["spec"]["lever"]: one["spec"]["targetRef"]["kind"] for one in town.actions(space)}
    assert levers["Deactivate"] == "Workload"
    assert "SuspendJob" not in levers
    queue = town.cluster.api.get(f"{KUEUE}/namespaces/{space}/localqueues/team")
    assert queue["spec"]["fairSharing"]["weight"] == "500m", "all of the namespace is meant, so its queue waits longer"
    town.cluster.api.patch(budget, {"spec": {"mode": "Observe"}})
    town.until(workload, lambda it: it["spec"].get("active") is not False)
    town.until(path, lambda it: not it["spec"]["suspend"] and it["status"].get("ready") == 1)
    town.until(f"{KUEUE}/namespaces/{space}/localqueues/team", lambda it: "fairSharing" not in it["spec"])
