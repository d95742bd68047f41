"""Quotas of our own: made empty before a budget holds a namespace by one, deleted once it holds nothing."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.wire.errors import Conflict, NotFound
from aicost.adapters.kube.wire.resources import Resource
from aicost.domain.budgets.gates import Gate, at_least
from aicost.domain.enforcement.levers.lever import has, text_at
from aicost.domain.enforcement.levers.quota import MANAGED_BY, OURS
from aicost.domain.enforcement.planning import QUOTA_PREFIX, Scene, quota_name, wants_quota
from aicost.domain.enforcement.release import Reign
from aicost.domain.enforcement.values import Json
from aicost.domain.enforcement.writing.pointers import label
from aicost.ports.errors import AicostError
from aicost.telemetry.logs import line

QUOTAS = Resource("", "v1", "resourcequotas", "ResourceQuota")
_log = logging.getLogger("aicost.budgets")


@dataclass(slots=True)
class Quotas:
    """Makes and deletes quotas. What a quota holds is a step like any other, so that it is recorded and undone.

    Attributes:
        client: an open client.
        slots: how many calls may be under way.
        problems: namespace -> why its quota could not be made.
    """

    client: KubeClient
    slots: asyncio.Semaphore
    problems: dict[str, str] = field(default_factory=dict)

    async def keep(self, scenes: Mapping[str, Scene], reigns: Mapping[str, Reign], there: Iterable[Json]) -> None:
        """Make the quotas that are missing, delete those that nobody needs any more.

        Args:
            scenes: uid of a budget -> what its steps are planned in.
            reigns: uid of a budget -> what it wants.
            there: quotas that are there.
        """
        wanted = {_place(scene) for uid, scene in scenes.items() if _is_wanted(scene, reigns[uid])}
        ours = {
            (text_at(one, "/metadata/namespace"), text_at(one, "/metadata/name")): one for one in there if _is_ours(one)
        }
        for namespace, name in sorted(wanted - ours.keys()):
            await self._make(namespace, name)
        for place in sorted(ours.keys() - wanted):
            if not has(ours[place], "/spec/hard"):
                await self._delete(*place, ours[place])

    async def _make(self, namespace: str, name: str) -> None:
        """An empty one, which holds nothing; one of that name that is somebody else's stays as it is."""
        metadata = {"name": name, "namespace": namespace, "labels": {MANAGED_BY: OURS}}
        body = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {}}
        try:
            async with self.slots:
                await self.client.create(QUOTAS, body, namespace)
        except (Conflict, NotFound):
            self.problems.pop(namespace, None)
        except AicostError as problem:
            if self.problems.get(namespace) != str(problem):
                line(_log, logging.WARNING, "quota not made", namespace=namespace, error=str(problem))
            self.problems[namespace] = str(problem)
        else:
            self.problems.pop(namespace, None)

    async def _delete(self, namespace: str, name: str, there: Json) -> None:
        try:
            async with self.slots:
                await self.client.delete(QUOTAS, name, namespace, uid=text_at(there, "/metadata/uid"))
        except AicostError as problem:
            line(_log, logging.WARNING, "quota not deleted", quota=f"{namespace}/{name}", error=str(problem))


def _is_wanted(scene: Scene, reign: Reign) -> bool:
    return wants_quota(scene.evaluation) and at_least(reign.gate, Gate.DENY_NEW)


def _place(scene: Scene) -> tuple[str, str]:
    return scene.budget.namespace, quota_name(scene.budget)


def _named(quota: Json) -> tuple[str, str]:
    return text_at(quota, "/metadata/namespace"), text_at(quota, "/metadata/name")


def _is_ours(quota: Json) -> bool:
    named = text_at(quota, "/metadata/name").startswith(QUOTA_PREFIX)
    return named and text_at(quota, label(MANAGED_BY)) == OURS
