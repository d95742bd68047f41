"""Steps on workloads, end to end: announced, done, recorded, undone, on a real API server with real controllers."""

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import pytest

from aicost.adapters.clock import now_ms
from aicost.domain.exact.windows import to_rfc3339
from devcluster.api import ApiError
from support.budget_town import OURS, QUICK, Town, open_town
from support.cluster import LiveCluster
from support.people import account

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240)]

STOP = [{"name": "stop", "gate": "Suspend", "basis": "CommittedRate", "atRatePerHour": "5000", "evaluations": 1}]
LOOSE = {"minCoverage": "0.50", "reason": "a test without history", "approvedBy": "the tests"}


@pytest.fixture(scope="module")
def town(cluster: LiveCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    if cluster.local is None:
        pytest.skip("needs the local kubelet; this is a cluster that somebody else made")
    with open_town(cluster, tmp_path_factory.mktemp("fleet"), "budgets.intervalSeconds=1") as one:
        yield one


def phase(town: Town, namespace: str, name: str) -> str:
    """Phase of the step on an object."""
    found = [one for one in town.actions(namespace) if one["spec"]["targetRef"]["name"] == name]
    return found[0].get("status", {}).get("phase", "") if found else ""


def notes(it: dict[str, Any]) -> dict[str, str]:
    """Annotations of an object."""
    return it["metadata"].get("annotations", {})


def phases(records: dict[str, Any], lever: str) -> list[str]:
    """Phases of the steps by one lever."""
    found = [one for one in records["items"] if one["spec"]["lever"] == lever]
    return [one.get("status", {}).get("phase", "") for one in found]


def conditions(it: dict[str, Any]) -> dict[str, str]:
    """Condition type -> status."""
    return {one["type"]: one["status"] for one in it.get("status", {}).get("conditions") or ()}


def enforce(town: Town, space: str, checkpoint: str = "1s") -> str:
    """A budget that stops what costs more than 5,000 an hour: two GPUs of the stage do."""
    careful = {**QUICK, "coverageOverride": LOOSE, "checkpoint": {"timeout": checkpoint}}
    spec = {"limit": "1000000", "mode": "Enforce", "maxGate": "Suspend", "ladder": STOP}
    return town.budget(namespace=space, enforcement=careful, **spec)


def is_suspended(job: dict[str, Any]) -> bool:
    return bool(job["spec"].get("suspend"))


def reasons(town: Town, space: str, name: str) -> set[str]:
    """Reasons of the Events of an object."""
    found = town.cluster.api.get(f"/apis/events.k8s.io/v1/namespaces/{space}/events")["items"]
    return {one["reason"] for one in found if one["regarding"]["name"] == name}


def test_a_job_is_announced_stopped_recorded_and_comes_back_with_the_mode(town: Town) -> None:
    space = town.make_namespace("jobs")
    job = town.workload("Job", "train", space, gpus=2)
    budget = enforce(town, space)
    noticed = town.until(job, lambda it: notes(it).get("aicost.dev/action-at"))
    assert not is_suspended(noticed)
    assert "gate Suspend" in noticed["metadata"]["annotations"]["aicost.dev/budget-notice"]
    stopped = town.until(
        job, lambda it: is_suspended(it) and "aicost.dev/action-at" not in it["metadata"]["annotations"]
    )
    assert stopped["metadata"]["labels"]["aicost.dev/enforced"] == "true"
    town.until(budget, lambda it: it["status"].get("enforcement", {}).get("gpuMilliStopped") == 2000)
    assert phase(town, space, "train") == "Applied"
    assert {"BudgetNotice", "BudgetActed"} <= reasons(town, space, "train")
    assert {"BudgetActionPlanned", "BudgetActionApplied"} <= reasons(town, space, "month")
    town.cluster.api.patch(budget, {"spec": {"mode": "Observe"}})
    back = town.until(job, lambda it: not is_suspended(it) and "aicost.dev/enforced" not in it["metadata"]["labels"])
    assert "aicost.dev/enforced" not in back["metadata"].get("annotations", {})
    town.until(f"{OURS}/namespaces/{space}/budgets/month", lambda it: it["status"]["enforcement"]["active"] == 0)
    assert "BudgetRestored" in reasons(town, space, "train")
    town.clear(space)


def test_a_larger_limit_does_not_bring_back_what_the_rate_stopped_but_a_larger_rate_does(town: Town) -> None:
    space = town.make_namespace("rates")
    job = town.workload("Job", "train", space, gpus=2)
    budget = enforce(town, space)
    town.until(job, is_suspended)
    more = [{**STOP[0], "atRatePerHour": "9000"}]
    town.cluster.api.patch(budget, {"spec": {"ladder": more}})
    town.until(job, lambda it: not is_suspended(it))
    town.clear(space)


def test_a_budget_that_is_deleted_lets_go_of_everything(town: Town) -> None:
    space = town.make_namespace("gone")
    job = town.workload("Job", "train", space, gpus=2)
    budget = enforce(town, space)
    town.until(job, is_suspended)
    town.until(town.gate("month", space), lambda it: it["status"]["denyNew"])
    town.cluster.api.delete(budget)
    town.until(job, lambda it: not is_suspended(it))
    town.cluster.until_gone(town.gate("month", space))
    town.clear(space)


def test_a_restart_in_the_middle_of_a_step_finishes_it(town: Town) -> None:
    space = town.make_namespace("restart")
    job = town.workload("Job", "train", space, gpus=2)
    enforce(town, space)
    town.until(job, lambda it: notes(it).get("aicost.dev/action-at"))
    town.controller.kill()
    town.until(job, is_suspended, 90)
    records = f"{OURS}/namespaces/{space}/budgetactions"
    town.until(records, lambda found: phases(found, "SuspendJob") == ["Applied"])
    town.clear(space)


def test_a_checkpoint_is_asked_for_and_what_it_saves_is_not_lost(town: Town) -> None:
    space = town.make_namespace("saves")
    job = town.workload("Job", "train", space, gpus=2)
    enforce(town, space, checkpoint="60s")
    pods = f"/api/v1/namespaces/{space}/pods?labelSelector=app%3Dtrain"
    found = town.until(pods, lambda it: it["items"] and notes(it["items"][0]).get("aicost.dev/checkpoint-request"))
    asked = notes(found["items"][0])["aicost.dev/checkpoint-request"]
    assert not is_suspended(town.cluster.api.get(job)), "it waits for the checkpoint"
    pod = f"/api/v1/namespaces/{space}/pods/{found['items'][0]['metadata']['name']}"
    saved = to_rfc3339((now_ms() // 1000 + 1) * 1000)
    town.cluster.api.patch(pod, {"metadata": {"annotations": {"aicost.dev/last-checkpoint": saved}}})
    town.until(job, is_suspended)
    records = f"{OURS}/namespaces/{space}/budgetactions"
    done = town.until(records, lambda it: phases(it, "SuspendJob") == ["Applied"])
    (status,) = [one["status"] for one in done["items"] if one["spec"]["lever"] == "SuspendJob"]
    assert status["checkpointAskedAt"][:19] == asked[:19]
    assert status["checkpointSavedAt"].startswith(saved[:19])
    assert status["gpuMillisecondsLost"] < 20_000
    town.clear(space)


def test_a_redline_fails_an_experiment_fast_and_leaves_the_rest(town: Town) -> None:
    space = town.make_namespace("lines")
    trial = town.workload("Job", "trial", space, gpus=1, stage="experiment")
    served = town.workload("Job", "served", space, gpus=1, stage="production")
    line = {
        "name": "dear",
        "metric": "TotalCost",
        "above": "5",
        "evaluations": 2,
        "notice": "2s",
        "stages": ["experiment"],
    }
    budget = town.budget(
        namespace=space, limit="1000000", mode="Enforce", maxGate="FastFail", redlines=[line],
        enforcement={**QUICK, "coverageOverride": LOOSE},
    )  # fmt: skip
    town.until(trial, is_suspended)
    status = town.until(budget, lambda it: it["status"].get("redlines"))["status"]
    assert [one["workload"] for one in status["redlines"]] == [f"Job {space}/trial"]
    assert not is_suspended(town.cluster.api.get(served))
    town.clear(space)


def test_it_gives_way_to_whoever_undoes_its_steps_and_says_what_lets_both_live(town: Town) -> None:
    space = town.make_namespace("argued")
    job = town.workload("Job", "train", space, gpus=2)
    budget = enforce(town, space)
    town.until(job, is_suspended)
    robot = account(town.cluster, space, "argocd")
    robot.may(("get", "patch"), {"batch": ["jobs"]}, space)
    deadline = time.monotonic() + 60
    contested: list[dict[str, Any]] = []
    while not contested and time.monotonic() < deadline:
        if is_suspended(town.cluster.api.get(job)):
            with contextlib.suppress(ApiError):  # refused for the moment that the gate takes to know whom it holds
                robot.api.patch(job, {"spec": {"suspend": False}}, manager="argocd-controller")
        contested = town.cluster.api.get(budget)["status"].get("enforcement", {}).get("contested") or []
        time.sleep(0.2)
    (one,) = contested
    assert one["by"] == "argocd-controller"
    assert "ignoreDifferences" in one["hint"]
    assert "/spec/suspend" in one["hint"]
    told = town.until(budget, lambda it: conditions(it).get("ActuatorContested") == "True")
    assert told["status"]["enforcement"]["contested"]
    time.sleep(5)
    assert not is_suspended(town.cluster.api.get(job)), "the controller gave way"
    town.clear(space)


def test_a_disruption_budget_keeps_as_many_pods_as_it_says(town: Town) -> None:
    space = town.make_namespace("kept")
    chat = town.workload("Deployment", "chat", space, gpus=1, replicas=2)
    selector = {"matchLabels": {"app": "chat"}}
    town.cluster.apply({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "chat", "namespace": space},
        "spec": {"minAvailable": 1, "selector": selector},
    })  # fmt: skip
    town.until(chat, lambda it: it["status"].get("readyReplicas") == 2)
    enforce(town, space)
    town.until(chat, lambda it: it["spec"]["replicas"] == 1)
    time.sleep(3)
    assert town.cluster.api.get(chat)["spec"]["replicas"] == 1
    town.clear(space)


def test_helm_uninstall_brings_everything_back(town: Town) -> None:
    space = town.make_namespace("removed")
    job = town.workload("Job", "train", space, gpus=2)
    enforce(town, space)
    town.until(job, is_suspended)
    town.controller.release.uninstall()
    back = town.until(job, lambda it: not is_suspended(it))
    assert "aicost.dev/enforced" not in back["metadata"].get("annotations", {})
    assert town.cluster.api.get(f"{OURS}/namespaces/{space}/budgetgates")["items"] == []
    assert phase(town, space, "train") == "Reverted"
