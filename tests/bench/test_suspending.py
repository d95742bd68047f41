"""A hundred workloads of ten thousand pods, stopped on a real API server: it waits for the server, and not for us."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from aicost.adapters.clock import now_ms
from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.config import load
from aicost.adapters.kube.hands.hands import Hands
from aicost.adapters.kube.wire.resources import SCALE, Resource
from aicost.adapters.kube.wire.transport import Transport
from aicost.domain.budgets.gates import Destruction, Gate
from aicost.domain.budgets.plans import BudgetRef, Safety
from aicost.domain.enforcement.release import Reign
from aicost.domain.enforcement.values import Action, ActionPhase, Estimate, LeverName, ObjectRef
from aicost.entrypoints.controller.budgets.reading import Read
from aicost.entrypoints.controller.budgets.steps.acting import Actor
from aicost.entrypoints.controller.budgets.steps.records import Records
from aicost.entrypoints.controller.budgets.writes import IN_FLIGHT, Writes
from aicost.entrypoints.controller.registry import Registry
from support.budgets import plan
from support.cluster import LiveCluster

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]

COUNT, PODS = 100, 100
CALLS = 6
"""Calls to the API server for one step: read, write down, do, write down; a look at the kinds is remembered."""
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")


@pytest.fixture
def namespace(cluster: LiveCluster) -> Iterator[str]:
    """A namespace whose Deployments ask for a hundred pods each, which a quota keeps from being made."""
    name = f"many-{secrets.token_hex(3)}"
    cluster.kubectl("apply", "-f", "crds/")
    cluster.api.create("/api/v1/namespaces", {"metadata": {"name": name}})
    quota = {"metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}
    cluster.api.create(f"/api/v1/namespaces/{name}/resourcequotas", quota)
    yield name
    cluster.kubectl("delete", "namespace", name, "--wait=false")


def deployment(name: str) -> dict[str, Any]:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": "x"}]}}
    spec = {"replicas": PODS, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def step(namespace: str, body: dict[str, Any], budget: BudgetRef) -> Action:
    target = ObjectRef("apps/v1", "Deployment", namespace, body["metadata"]["name"], body["metadata"]["uid"])
    return Action(
        f"stop-{target.name}", budget, target, target, Gate.SUSPEND, LeverName.SCALE, Destruction.STOP, "a test", 0,
        estimate=Estimate(PODS * 1000, 10**9), noticed_ms=1, currency="USD",
    )  # fmt: skip


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Calls to the API server so far."""
    sent: list[Any] = []
    plain = Transport.send

    async def send(self: Transport, call: Any) -> bytes:
        sent.append(call)
        return await plain(self, call)

    monkeypatch.setattr(Transport, "send", send)
    return sent


async def together(work: Sequence[Awaitable[Any]]) -> tuple[float, float]:
    """Seconds, and processor seconds of ours, that some calls take together."""
    began, busy = time.monotonic(), time.process_time()
    await asyncio.gather(*work)
    return time.monotonic() - began, time.process_time() - busy


async def test_a_hundred_workloads_take_no_more_than_the_calls_that_they_need(
    cluster: LiveCluster, namespace: str, calls: list[Any], show: Callable[..., None]
) -> None:
    config = load({}, now_ms, kubeconfig=cluster.kubeconfig)
    async with KubeClient(config) as client:
        slots = asyncio.Semaphore(IN_FLIGHT)

        async def limited(work: Awaitable[Any]) -> Any:
            async with slots:
                return await work

        names = [f"w{number:03d}" for number in range(2 * COUNT)]
        path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
        made = [cluster.api.create(path, deployment(name)) for name in names]
        plain = await together(
            [limited(client.merge_patch(
                DEPLOYMENTS, name, {"spec": {"replicas": 0}}, namespace, field_manager="plain", subresource=SCALE
            )) for name in names[:COUNT]]
        )  # fmt: skip
        budget = BudgetRef("month", namespace, "a-budget")
        records = Records(Writes(client, Registry(), asyncio.Semaphore(IN_FLIGHT)))
        actor = Actor(Hands(client, now_ms), records, asyncio.Semaphore(IN_FLIGHT))
        begun = await actor.begin([step(namespace, body, budget) for body in made[COUNT:]], now_ms())
        announced = await actor.move(begun, {budget.uid: reign(Gate.DENY_NEW)}, {}, {}, now_ms())
        before = len(calls)
        results: list[Any] = []
        ours = await together(
            [_keep(results, actor.move(announced.actions, {budget.uid: reign(Gate.SUSPEND)}, {}, {}, now_ms()))]
        )
    done: Sequence[Read[Action]] = results[0].actions
    assert {one.value.phase for one in done} == {ActionPhase.APPLIED}
    found = cluster.api.get(path)["items"]
    assert {one["spec"]["replicas"] for one in found} == {0}
    each, times = (len(calls) - before) / COUNT, ours[0] / plain[0]
    size = f"{COUNT} workloads, {COUNT * PODS:,} pods"
    show("plain scale", size, f"{plain[0]:.2f} s", "shown")
    show("stopped by a budget", size, f"{ours[0]:.2f} s, x {times:.1f}, {each:.1f} calls each", f"{CALLS} calls")
    show("of that our processor", size, f"{ours[1]:.2f} s", "shown")
    assert each <= CALLS
    assert ours[0] < 2 * CALLS * plain[0], "the server takes the time that so many calls take, and we add little"


async def _keep(results: list[Any], work: Awaitable[Any]) -> None:
    results.append(await work)


def reign(gate: Gate) -> Reign:
    """A budget that acts at a gate."""
    pending = SimpleNamespace(gate=Gate.SUSPEND)
    budget = plan(safety=Safety(checkpoint=False))
    memory = SimpleNamespace(gate=SimpleNamespace(pending=pending, raised_ms=None), redlines=())
    one = SimpleNamespace(acts=True, plan=budget, memory=memory, last=SimpleNamespace(is_blind=False))
    return Reign(one, gate)  # type: ignore[arg-type] # as much of an evaluation as is looked at
