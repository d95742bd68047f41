"""Finds out who owns a pod, link by link: ReplicaSet, Deployment, Job, RayCluster, and kinds that nobody told us of."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.wire.errors import NotFound, Rejected
from aicost.adapters.kube.wire.objects import ObjectMeta, OwnerReference
from aicost.adapters.kube.wire.resources import Resource
from aicost.domain.exact.windows import MINUTE_MS
from aicost.domain.inventory.pods import OwnerFacts
from aicost.ports.errors import NotPermitted

MAX_DEPTH = 8
OWNER_LIFE_MS = 5 * MINUTE_MS
ABSENCE_LIFE_MS = MINUTE_MS
KINDS_LIFE_MS = 10 * MINUTE_MS
REMEMBERED = 20_000
IN_FLIGHT = 16


class ChainEnd(StrEnum):
    """Why a chain ended.

    `top`: the last owner has none. `forbidden`: we may not read it. `absent`: it is gone, or its name is another
    object's now. `unknown-kind`: the API server does not serve it. `too-deep`: more than eight links.
    """

    TOP = "top"
    FORBIDDEN = "forbidden"
    ABSENT = "absent"
    UNKNOWN_KIND = "unknown-kind"
    TOO_DEEP = "too-deep"


@dataclass(frozen=True, slots=True)
class _Link:
    """What is known of one owner: its metadata, or why it cannot be had, and until when that is believed."""

    metadata: ObjectMeta | None
    end: ChainEnd | None
    until_ms: int


_Key = tuple[str, OwnerReference]


@dataclass(slots=True)
class OwnerResolver:
    """Reads owners' metadata alone, never their specs, and remembers them for a few minutes.

    Attributes:
        ends: why chains ended, for metrics.
        lookups: owners read from the API server.
        forbidden: resources that we may not read, with the server's words: the permission that is missing.
    """

    client: KubeClient
    now_ms: Callable[[], int]
    ends: Counter[ChainEnd] = field(default_factory=Counter)
    lookups: int = 0
    forbidden: dict[str, str] = field(default_factory=dict)
    _links: dict[_Key, _Link] = field(default_factory=dict)
    _kinds: dict[str, tuple[dict[str, Resource], int]] = field(default_factory=dict)
    _pending: dict[object, "asyncio.Task[Any]"] = field(default_factory=dict)
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(IN_FLIGHT))

    async def chain(self, namespace: str, owner: OwnerReference | None) -> tuple[OwnerFacts, ...]:
        """The owner chain, nearest first, from the controller that a pod names.

        A link that cannot be read is there without its labels, and is the last one.

        Raises:
            ClusterUnavailable: the API server did not answer: the chain is not known, ask again.
        """
        found: list[OwnerFacts] = []
        while owner is not None and len(found) < MAX_DEPTH:
            link = await self._link(namespace, owner)
            found.append(_facts(owner, link.metadata))
            if link.metadata is None:
                self.ends[link.end or ChainEnd.ABSENT] += 1
                return tuple(found)
            owner = link.metadata.controller
        self.ends[ChainEnd.TOP if owner is None else ChainEnd.TOO_DEEP] += 1
        return tuple(found)

    async def _link(self, namespace: str, owner: OwnerReference) -> _Link:
        key = (namespace, owner)
        known = self._links.get(key)
        if known is None or self.now_ms() >= known.until_ms:
            known = await self._once(key, lambda: self._read(namespace, owner))
            self._remember(key, known)
        return known

    async def _read(self, namespace: str, owner: OwnerReference) -> _Link:
        resource = await self._resource(owner)
        if resource is None:
            return self._without(ChainEnd.UNKNOWN_KIND)
        self.lookups += 1
        try:
            async with self._slots:
                metadata = await self.client.metadata(resource, owner.name, namespace if resource.namespaced else None)
        except NotPermitted as error:
            self.forbidden[str(resource)] = str(error)
            return self._without(ChainEnd.FORBIDDEN)
        except (NotFound, Rejected):
            return self._without(ChainEnd.ABSENT)
        self.forbidden.pop(str(resource), None)
        if metadata.uid != owner.uid:
            return self._without(ChainEnd.ABSENT)
        return _Link(metadata, None, self.now_ms() + OWNER_LIFE_MS)

    def _without(self, end: ChainEnd) -> _Link:
        return _Link(None, end, self.now_ms() + ABSENCE_LIFE_MS)

    def _remember(self, key: _Key, link: _Link) -> None:
        self._links.pop(key, None)
        self._links[key] = link
        while len(self._links) > REMEMBERED:
            del self._links[next(iter(self._links))]

    async def _resource(self, owner: OwnerReference) -> Resource | None:
        kinds, until_ms = self._kinds.get(owner.api_version, ({}, 0))
        if self.now_ms() >= until_ms:
            kinds = await self._once(owner.api_version, lambda: self._discover(owner.api_version))
        return kinds.get(owner.kind)

    async def _discover(self, api_version: str) -> dict[str, Resource]:
        """Kinds of a group version; a group that is not served is asked for again soon, its CRD may come."""
        try:
            resources = await self.client.resources(api_version)
        except (NotPermitted, Rejected):
            resources = ()
        kinds = {resource.kind: resource for resource in resources}
        self._kinds[api_version] = kinds, self.now_ms() + (KINDS_LIFE_MS if kinds else ABSENCE_LIFE_MS)
        return kinds

    async def _once(self, key: object, read: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """Many pods ask for one owner at the same time: one read serves all."""
        task = self._pending.get(key)
        if task is None:
            task = self._pending[key] = asyncio.create_task(read())
            task.add_done_callback(lambda done: self._finish(key, done))
        return await asyncio.shield(task)

    def _finish(self, key: object, task: "asyncio.Task[Any]") -> None:
        """Read the error even where all who asked were cancelled meanwhile, so that nobody complains of it."""
        self._pending.pop(key, None)
        if not task.cancelled():
            task.exception()


def _facts(owner: OwnerReference, metadata: ObjectMeta | None) -> OwnerFacts:
    labels = (metadata.labels or {}) if metadata is not None else {}
    return OwnerFacts(owner.api_version, owner.kind, owner.name, owner.uid, labels)
