"""The objects of a live cluster, as events: what is there now, and what happens while somebody looks."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from aicost.adapters.bundle.objects import Change
from aicost.adapters.clock import now_ms
from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.informer import Changed, Gone, Informer, Notice, Scope
from aicost.adapters.kube.owners import OwnerResolver
from aicost.adapters.kube.queues import read_queues
from aicost.adapters.kube.seen.decode import decode_service
from aicost.adapters.kube.seen.recording import recordable
from aicost.adapters.kube.seen.trainers import TRAIN_JOBS, TRAINER_GROUP
from aicost.adapters.kube.seen.values import SeenService
from aicost.adapters.kube.watching.claims import dra_resources
from aicost.adapters.kube.wire.errors import NotFound
from aicost.adapters.kube.wire.objects import OwnerReference
from aicost.adapters.kube.wire.resources import (
    NAMESPACES,
    NODES,
    PODS,
    SERVICE_ACCOUNTS,
    SERVICES,
    VOLUME_CLAIMS,
    Resource,
)
from aicost.domain.exact.windows import Window
from aicost.domain.inventory.pods import OwnerFacts
from aicost.entrypoints.cli.sources.objects import own_resource
from aicost.ports.errors import AicostError, ClusterUnavailable, NotPermitted

Body = dict[str, Any]
Take = Callable[[int, Change, Body, Window | None], None]
NEEDED = (NODES, PODS)
"""Without these nothing can be billed."""
_LIST_SECONDS = 120.0
_VERSIONS = {"LocalQueue": "kueue.x-k8s.io/v1beta1", "Queue": "scheduling.volcano.sh/v1beta1"}


@dataclass(slots=True)
class ObjectRecorder:
    """Follows a cluster and hands on each event.

    Attributes:
        client: an open client.
        take: gets each event.
        gaps: what could not be read, for people.
        events: events by kind.
    """

    client: KubeClient
    take: Take
    gaps: list[str] = field(default_factory=list)
    events: dict[str, int] = field(default_factory=dict)
    _owners: dict[tuple[str, OwnerReference], None] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)

    async def run(self, seconds: float) -> None:
        """Record what is there, and what happens in the seconds that follow.

        Raises:
            NotPermitted: pods or nodes may not be read.
            ClusterUnavailable: no answer.
        """
        informers = {resource: self._informer(resource) for resource in await self._readable()}
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(one.run(self._handler(resource))) for resource, one in informers.items()]
            try:
                await self._synced(list(informers.values()))
                await asyncio.sleep(seconds)
            finally:
                for task in running:
                    task.cancel()
        self.gaps += [f"passed over {problem}" for one in informers.values() for problem in one.stats.bad.values()]
        await self._record_queues()
        await self._record_owners()

    async def services(self) -> Sequence[SeenService]:
        """The Services of the cluster, among which a Prometheus may be; none where they may not be read."""
        found = []
        try:
            async for page in self.client.pages(SERVICES):
                found += [decode_service(raw) for raw in page.items or ()]
        except (NotPermitted, NotFound):
            return ()
        return [one for one in found if isinstance(one, SeenService)]

    async def _readable(self) -> Sequence[Resource]:
        """The resources that we may read."""
        own = [own_resource(kind) for kind in ("PriceBook", "AIWorkload", "CostLabelPolicy")]
        found = []
        allocated = await dra_resources(self.client) or ()
        trainers = (TRAIN_JOBS,) if TRAIN_JOBS.api_version in await self.client.versions(TRAINER_GROUP) else ()
        for resource in (*NEEDED, NAMESPACES, SERVICE_ACCOUNTS, VOLUME_CLAIMS, *allocated, *trainers, *own):
            try:
                async for _ in self.client.pages(resource, limit=1):
                    break
            except (NotPermitted, NotFound) as refused:
                if resource in NEEDED:
                    raise
                self.gaps.append(f"{resource} are not in the bundle: {refused}")
            else:
                found.append(resource)
        return found

    def _informer(self, resource: Resource) -> Informer[Body]:
        return Informer(self.client, Scope(resource), lambda raw: recordable(resource, raw), now_ms=now_ms)

    async def _synced(self, informers: Sequence[Informer[Body]]) -> None:
        try:
            async with asyncio.timeout(_LIST_SECONDS):
                for informer in informers:
                    await informer.synced.wait()
        except TimeoutError as late:
            problems = [one.stats.error for one in informers if one.stats.error]
            raise ClusterUnavailable(
                f"the cluster was not listed within {_LIST_SECONDS:.0f} s: {'; '.join(problems) or 'no answer'}"
            ) from late

    def _handler(self, resource: Resource) -> Callable[[Notice[Body]], None]:
        def handle(notice: Notice[Body]) -> None:
            self.events[resource.kind] = self.events.get(resource.kind, 0) + 1
            match notice:
                case Changed(uid, body, at_ms, _):
                    self.take(at_ms, Change.MODIFIED if uid in self._seen else Change.ADDED, body, None)
                    self._seen.add(uid)
                    self._remember_owner(resource, body)
                case Gone(_, body, at_ms, gap):
                    self.take(at_ms, Change.DELETED, body, gap)

        return handle

    def _remember_owner(self, resource: Resource, body: Mapping[str, Any]) -> None:
        if resource == PODS:
            for raw in body["metadata"].get("ownerReferences") or ():
                owner = msgspec.convert(raw, OwnerReference)
                if owner.controller:
                    self._owners[body["metadata"]["namespace"], owner] = None

    async def _record_queues(self) -> None:
        try:
            queues = await read_queues(self.client)
        except AicostError as problem:
            self.gaps.append(f"queues are not in the bundle: {problem}")
            return
        for one in queues:
            metadata = {"name": one.name, "namespace": one.namespace, "labels": dict(one.labels)}
            named = {key: value for key, value in metadata.items() if value}
            self._add({"apiVersion": _VERSIONS[one.kind], "kind": one.kind, "metadata": named})

    async def _record_owners(self) -> None:
        """Every link of each pod's owner chain, by its metadata."""
        resolver, written = OwnerResolver(self.client, now_ms), set[str]()
        for namespace, owner in self._owners:
            try:
                chain = await resolver.chain(namespace, owner)
            except AicostError as problem:
                self.gaps.append(f"owners are not all in the bundle: {problem}")
                return
            for place, link in enumerate(chain):
                if link.uid not in written:
                    written.add(link.uid)
                    self._add(_owner_body(namespace, link, chain[place + 1 : place + 2]))
        self.gaps += [f"owners are not all in the bundle: {refused}" for refused in resolver.forbidden.values()]

    def _add(self, body: Body) -> None:
        kind = str(body["kind"])
        self.events[kind] = self.events.get(kind, 0) + 1
        self.take(now_ms(), Change.ADDED, body, None)


def _owner_body(namespace: str, link: OwnerFacts, above: Sequence[OwnerFacts]) -> Body:
    metadata: Body = {"name": link.name, "namespace": namespace, "uid": link.uid}
    if link.labels:
        metadata["labels"] = dict(link.labels)
    if above:
        named = {"apiVersion": above[0].api_version, "kind": above[0].kind, "name": above[0].name, "uid": above[0].uid}
        metadata["ownerReferences"] = [{**named, "controller": True}]
    return {"apiVersion": link.api_version, "kind": link.kind, "metadata": metadata}
