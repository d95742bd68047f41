"""Before the release is removed: everything that budgets did to workloads is undone, and their gates are opened.

The controller is stopped first and its Lease taken, so that nobody does again what is undone here.
"""

import asyncio
import logging
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from aicost.adapters.clock import now_ms
from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.config import ClusterConfig
from aicost.adapters.kube.hands.hands import Hands
from aicost.adapters.kube.lease import Leadership
from aicost.adapters.kube.wire.resources import SCALE, Resource
from aicost.domain.budgets.spend.running import MILLI
from aicost.domain.enforcement.levers.quota import MANAGED_BY, OURS
from aicost.domain.enforcement.planning import QUOTA_PREFIX
from aicost.domain.enforcement.values import Action
from aicost.entrypoints.controller.budgets.reading import Read, Reader
from aicost.entrypoints.controller.budgets.steps.acting import Actor
from aicost.entrypoints.controller.budgets.steps.quotas import QUOTAS
from aicost.entrypoints.controller.budgets.steps.records import Records
from aicost.entrypoints.controller.budgets.writes import IN_FLIGHT, Writes
from aicost.entrypoints.controller.publish.writing import FIELD_MANAGER
from aicost.entrypoints.controller.registry import Registry
from aicost.entrypoints.controller.resources import GROUP, VERSION, resource_of
from aicost.entrypoints.process import server
from aicost.ports.errors import AicostError, ClusterUnavailable
from aicost.settings import Settings
from aicost.telemetry.logs import line

PATIENCE_SECONDS = 240.0
"""After this it is told what is left, and the removal stops: less than the five minutes that helm waits."""
PAUSE_SECONDS = 2.0
"""Between two rounds, each of which brings back a few GPUs."""
LEAST_PACE = 16
WHY = "aicost is removed from the cluster"
_DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")
_KINDS = ("BudgetAction", "BudgetGate")
_log = logging.getLogger("aicost.restore")


@dataclass(slots=True)
class Restorer:
    """Undoes all steps of all budgets.

    Attributes:
        client: an open client.
        registry: records and gates.
        actor: undoes steps.
        writes: deletes gates.
    """

    client: KubeClient
    registry: Registry
    actor: Actor
    writes: Writes

    async def run(self, until: float) -> None:
        """Round after round until nothing is left.

        Raises:
            ClusterUnavailable: time is over, and something is left: the message says what.
        """
        reader = Reader("UTC")
        await self._list()
        for gate in self.registry.of_kind("BudgetGate"):
            await self.writes.delete(gate)
        while True:
            actions = reader(self.registry).actions
            self.actor.pace = _pace(actions)
            acted = await self.actor.move(actions, {}, {}, {}, now_ms())
            self._tell(acted.moved)
            left = [one for one in acted.actions if not one.value.is_over]
            if not left:
                await self._delete_quotas()
                return
            if time.monotonic() > until:
                raise ClusterUnavailable(_left(left))
            await asyncio.sleep(PAUSE_SECONDS)

    async def _list(self) -> None:
        for kind in _KINDS:
            async for page in self.client.pages(resource_of(kind)):
                for raw in page.items or ():
                    body = msgspec.json.decode(bytes(raw), type=dict)
                    self.registry.put({"apiVersion": f"{GROUP}/{VERSION}", "kind": kind, **body})

    async def _delete_quotas(self) -> None:
        """Quotas of our own, which hold nothing any more."""
        selector = {"labelSelector": f"{MANAGED_BY}={OURS}"}
        async for page in self.client.pages(QUOTAS, selectors=selector):
            for raw in page.items or ():
                metadata = msgspec.json.decode(bytes(raw), type=dict)["metadata"]
                if metadata["name"].startswith(QUOTA_PREFIX):
                    await self.client.delete(QUOTAS, metadata["name"], metadata["namespace"], uid=metadata["uid"])

    def _tell(self, moved: Sequence[Action]) -> None:
        for action in moved:
            fields = {"object": str(action.target), "phase": str(action.phase), "left": list(action.not_restored)}
            line(_log, logging.WARNING if action.not_restored else logging.INFO, "step undone", **fields)


def _pace(actions: Sequence[Read[Action]]) -> int:
    """GPUs per minute, so that all are back within three, and never all at once."""
    milli = sum(one.value.estimate.gpu_milli for one in actions)
    return max(LEAST_PACE, -(-milli // (3 * MILLI)))


def _left(left: Sequence[Read[Action]]) -> str:
    shown = "; ".join(f"{one.value.target}: {one.value.message or one.value.phase}" for one in left[:10])
    return (
        f"{len(left)} steps of budgets are not undone yet: {shown}. Try again, or remove the release without this by "
        "--no-hooks; the records stay: kubectl get budgetactions -A"
    )


async def run(settings: Settings, config: ClusterConfig) -> None:
    """Stop the controller, take its place, and undo everything."""
    async with KubeClient(config) as client:
        namespace = settings.leader.namespace or os.environ.get("POD_NAMESPACE") or config.namespace
        await _stop(client, namespace, os.environ.get("AICOST_DEPLOYMENT", ""))
        identity = os.environ.get("POD_NAME") or f"{os.uname().nodename}-{os.getpid()}"
        leadership = Leadership(
            client, (namespace, settings.leader.name), identity, now_ms=now_ms, on_lost=lambda _: os._exit(1)
        )
        await leadership.acquire()
        holding = asyncio.create_task(leadership.hold(), name="hold-lease")
        registry, slots = Registry(), asyncio.Semaphore(IN_FLIGHT)
        writes = Writes(client, registry, slots)
        actor = Actor(Hands(client, now_ms), Records(writes), asyncio.Semaphore(IN_FLIGHT), WHY)
        try:
            await Restorer(client, registry, actor, writes).run(time.monotonic() + PATIENCE_SECONDS)
        finally:
            holding.cancel()
            await leadership.release()
        line(_log, logging.INFO, "nothing of budgets is left on workloads")


async def _stop(client: KubeClient, namespace: str, deployment: str) -> None:
    """Let the controller end; one that is gone already has ended."""
    if not deployment:
        return
    try:
        await client.merge_patch(
            _DEPLOYMENTS,
            deployment,
            {"spec": {"replicas": 0}},
            namespace,
            field_manager=FIELD_MANAGER,
            subresource=SCALE,
        )
    except AicostError as problem:
        line(_log, logging.WARNING, "the controller was not stopped", deployment=deployment, error=str(problem))


main = server("restore", "Undo everything that budgets did to workloads; the chart runs it before it is removed.", run)
