"""Budgets that act, end to end: pods that cost money, the chart's controller, and what people see (golden vector G16).

The tests of this file share one town and follow each other, as a month does.
"""

import base64
import re
import secrets
import time
from collections.abc import Iterator
from typing import Any

import pytest

from devcluster.nodes import FakeNode
from fleet.annotations import EXPORTER
from support.budget_town import OURS, QUICK, Town, open_town
from support.cluster import LiveCluster
from support.notify import Receiver, receiving

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

GATE_LIFE = 40
WITHIN_SECONDS = 60
LADDER = [
    {"name": "tell", "gate": "Notify", "basis": "Actual", "atPercent": 25},
    {"name": "freeze", "gate": "FreezeGrowth", "basis": "Actual", "atPercent": 50},
    {"name": "no-more", "gate": "DenyNew", "basis": "Actual", "atPercent": 75},
]


class Month:
    """The town, its budget and what its owners are told."""

    def __init__(self, town: Town, told: Receiver) -> None:
        self.town, self.told = town, told
        self.budget = f"{OURS}/namespaces/{town.namespace}/budgets/month"

    def messages(self, kind: str) -> list[dict[str, Any]]:
        """CloudEvents of one type, by the last words of it."""
        return [one.json for one in self.told.received if one.json["type"].endswith(kind)]


def used(budget: dict[str, Any]) -> float:
    """Percent of the limit that is spent, as the status says."""
    return float(budget.get("status", {}).get("percentUsed", "0").strip("<>%").replace(",", ""))


@pytest.fixture(scope="module")
def month(cluster: LiveCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Month]:
    """The usual interval of fifteen seconds, and a route to a receiver of ours."""
    if cluster.local is None:
        pytest.skip("needs the local kubelet; this is a cluster that somebody else made")
    with receiving() as told:
        settings = (
            f"budgets.gateLifeSeconds={GATE_LIFE}", "notifications.allowHttp=true",
            "notifications.routes[0].name=owners", "notifications.routes[0].secretName=owners-route",
            "notifications.routes[0].finops=true",
        )  # fmt: skip
        with open_town(cluster, tmp_path_factory.mktemp("fleet"), *settings) as town:
            url = base64.b64encode(told.url.encode()).decode()
            body = {"metadata": {"name": "owners-route"}, "data": {"url": url}}
            cluster.api.create(f"/api/v1/namespaces/{town.controller.release.namespace}/secrets", body)
            yield Month(town, told)


def test_the_gate_of_the_namespace_closes_within_a_minute_of_the_crossing(month: Month) -> None:
    town = month.town
    town.workload("Deployment", "chat")
    town.budget(
        limit="80", mode="Enforce", maxGate="DenyNew", ladder=LADDER, enforcement=QUICK, routes=["owners"],
        owners=[{"name": "ada", "contact": "ada@example.com"}],
    )  # fmt: skip
    town.until(month.budget, lambda it: used(it) >= 75, 180)
    crossed = time.monotonic()
    gate = town.until(town.gate(), lambda it: it.get("status", {}).get("denyNew"), WITHIN_SECONDS)
    assert time.monotonic() - crossed < WITHIN_SECONDS
    assert gate["status"]["gate"] == "DenyNew"
    assert re.search(
        r"limit \$80\.00: 75% of the limit spent is reached, so new workloads are refused", gate["status"]["message"]
    )


def test_what_people_see_says_where_it_stands(month: Month) -> None:
    shown = month.town.cluster.kubectl("get", "budget", "-n", month.town.namespace)
    header = ["NAME", "LIMIT", "SPENT", "%USED", "FORECAST", "TTE", "GATE", "NEXT-ACTION", "DATA-AGE"]
    assert shown.splitlines()[0].split() == header
    assert "DenyNew" in shown


def test_new_work_is_refused_with_who_what_and_how(month: Month) -> None:
    town = month.town
    with pytest.raises(AssertionError, match=r"limit \$80\.00") as said:
        town.workload("Job", "more")
    assert f"kubectl aicost budget request month -n {town.namespace}" in str(said.value)


def test_scaling_up_is_refused_and_scaling_down_is_not(month: Month) -> None:
    town = month.town
    said = town.cluster.kubectl_fails("scale", "deployment", "chat", "--replicas=3", "-n", town.namespace)
    assert "budget" in said
    town.cluster.kubectl("scale", "deployment", "chat", "--replicas=1", "-n", town.namespace)


def test_what_a_drained_node_gives_up_comes_up_elsewhere(month: Month) -> None:
    """DenyNew is never about a replacement of what already runs."""
    town, cluster = month.town, month.town.cluster
    spare = f"gpu-{secrets.token_hex(3)}"
    speech = {EXPORTER: '{"window_ms": 1000}'}
    cluster.nodes.create(FakeNode(spare, gpu_count=2, instance_type=town.stage.instance_type, annotations=speech))
    patch = {"spec": {"template": {"spec": {"nodeSelector": {"kubernetes.io/hostname": None}}}}}
    cluster.api.patch(f"/apis/apps/v1/namespaces/{town.namespace}/deployments/chat", patch)
    pods = f"/api/v1/namespaces/{town.namespace}/pods?labelSelector=app%3Dchat"
    one = town.until(pods, _runs_once)["items"][0]
    node = one["spec"]["nodeName"]
    cluster.kubectl("cordon", node)
    cluster.kubectl(
        "drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--force", "--pod-selector=app=chat"
    )
    moved = town.until(pods, lambda it: _runs_once(it) and it["items"][0]["metadata"]["uid"] != one["metadata"]["uid"])
    assert moved["items"][0]["spec"]["nodeName"] != node
    cluster.kubectl("uncordon", node)
    cluster.nodes.delete(spare)


def _runs_once(pods: dict[str, Any]) -> bool:
    alive = [one for one in pods["items"] if "deletionTimestamp" not in one["metadata"]]
    return len(alive) == 1 and alive[0].get("status", {}).get("phase") == "Running"


def test_each_threshold_was_told_once_on_the_route_and_once_as_an_event(month: Month) -> None:
    deadline = time.monotonic() + 30
    while len(month.messages("threshold.crossed")) < 3 and time.monotonic() < deadline:
        time.sleep(0.2)
    time.sleep(20)  # another round in which nothing may be told again
    told = [one["data"]["facts"]["rung"] for one in month.messages("threshold.crossed")]
    assert sorted(told) == ["freeze", "no-more", "tell"]
    events = month.town.cluster.api.get(f"/apis/events.k8s.io/v1/namespaces/{month.town.namespace}/events")["items"]
    assert sum(one["reason"] == "BudgetThresholdCrossed" for one in events) == 3


def test_a_restart_tells_nobody_again(month: Month) -> None:
    before = len(month.told.received)
    month.town.controller.kill()
    month.town.controller.until_ready()
    month.town.until(month.town.gate(), lambda it: it["status"]["denyNew"])
    time.sleep(20)
    assert len(month.told.received) == before


def test_the_gate_opens_by_itself_when_the_operator_is_gone_for_good(month: Month) -> None:
    town = month.town
    town.controller.scale(0)
    until = town.cluster.api.get(town.gate())["status"]["until"]
    with pytest.raises(AssertionError, match="new workloads are refused"):
        town.workload("Job", "early")
    deadline = time.monotonic() + GATE_LIFE + 30
    while time.monotonic() < deadline:
        try:
            town.workload("Job", "late")
        except AssertionError:
            time.sleep(1)
        else:
            break
    made = town.cluster.api.get(f"/apis/batch/v1/namespaces/{town.namespace}/jobs/late")
    assert made["metadata"]["creationTimestamp"] >= until
