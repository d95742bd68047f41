"""The watch of the cluster: what informers tell goes into the journal, and pods that cost something get owners."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from aicost.adapters.journal.inventory import InventoryJournal
from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.informer import Changed, Gone, Informer, InformerStats, Notice, Scope, Seen
from aicost.adapters.kube.owners import OwnerResolver
from aicost.adapters.kube.queues import read_queues
from aicost.adapters.kube.seen.decode import (
    decode_namespace,
    decode_node,
    decode_pod,
    decode_service,
    decode_service_account,
)
from aicost.adapters.kube.seen.values import (
    BadObject,
    SeenClaim,
    SeenNamespace,
    SeenNode,
    SeenPod,
    SeenService,
    SeenServiceAccount,
    SeenSlice,
)
from aicost.adapters.kube.watching.claims import ClaimsWatch
from aicost.adapters.kube.watching.volumes import read_volumes
from aicost.adapters.kube.wire.resources import NAMESPACES, NODES, PODS, SERVICE_ACCOUNTS, SERVICES, Resource
from aicost.ports.errors import AicostError
from aicost.telemetry.logs import line

T = TypeVar("T")
FLUSH_SECONDS = 1.0
OWNERS_SECONDS = 5.0
"""How long a computation waits for owner chains that are being looked up."""
OWNER_WORKERS = 8
QUEUES_SECONDS = 60.0
"""Between two looks at the queues, of which there are few and which hardly change."""
VOLUMES_SECONDS = 60.0
"""Between two looks at claimed storage: how late its beginning and end may be heard of."""
_log = logging.getLogger("aicost.watch")


@dataclass(slots=True)
class Sighted:
    """What is there now and matters beyond the journal: where exporters and Prometheus may be found."""

    pods: dict[str, SeenPod] = field(default_factory=dict)
    services: dict[str, SeenService] = field(default_factory=dict)
    nodes: dict[str, SeenNode] = field(default_factory=dict)
    namespaces: set[str] = field(default_factory=set)


def bare_pod_namespaces(sighted: Sighted) -> frozenset[str]:
    """Namespaces in which there are pods that nothing controls."""
    return frozenset(pod.facts.namespace for pod in sighted.pods.values() if pod.owner is None)


def _known_claims(
    journal: InventoryJournal,
) -> tuple[Mapping[str, Seen[SeenClaim]], Mapping[str, Seen[SeenSlice]]]:
    """Claims and slices that were there before a restart."""
    heard = journal.heard_ms
    claims = {uid: Seen(SeenClaim(record.facts, ""), heard) for uid, record in journal.known_claims().items()}
    slices = {uid: Seen(SeenSlice(record.facts, ""), heard) for uid, record in journal.known_slices().items()}
    return claims, slices


def _tell_claims(problem: str) -> None:
    line(_log, logging.WARNING, "resource claims not known", error=problem)


class ClusterWatch:
    """Keeps the journal up to date.

    Args:
        client: an open client.
        journal: where lifetimes are kept.
        now_ms: the clock.
        wants_owners: tells of a pod whether its owner chain matters.
    """

    def __init__(
        self,
        client: KubeClient,
        journal: InventoryJournal,
        now_ms: Callable[[], int],
        wants_owners: Callable[[SeenPod], bool],
    ) -> None:
        self.sighted = Sighted()
        self._client, self._journal, self._now_ms, self._wants_owners = client, journal, now_ms, wants_owners
        self._queues_read = asyncio.Event()
        self._owners = OwnerResolver(client, now_ms)
        self._orphans: asyncio.Queue[SeenPod] = asyncio.Queue()
        self._asked: set[str] = set()
        heard = journal.heard_ms
        pods = {uid: Seen(SeenPod(r.facts, None, ""), max(r.seen_ms, heard)) for uid, r in journal.known_pods().items()}
        nodes = {uid: Seen(SeenNode(r.facts, ""), max(r.seen_ms, heard)) for uid, r in journal.known_nodes().items()}
        self._pods = self._informer(client, PODS, decode_pod, pods)
        self._nodes = self._informer(client, NODES, decode_node, nodes)
        self._namespaces = self._informer(client, NAMESPACES, decode_namespace, {})
        self._accounts = self._informer(client, SERVICE_ACCOUNTS, decode_service_account, {})
        self._services = self._informer(client, SERVICES, decode_service, {})
        self._claims = ClaimsWatch(client, now_ms, *_known_claims(journal))

    @property
    def stats(self) -> tuple[InformerStats, ...]:
        """What each informer can say of itself."""
        informers = (self._pods, self._nodes, self._namespaces, self._accounts, self._services)
        return (*(informer.stats for informer in informers), *self._claims.stats)

    async def synced(self) -> None:
        """Wait until everything that is there is known."""
        for informer in (self._pods, self._nodes, self._namespaces, self._accounts, self._services):
            await informer.synced.wait()
        await self._claims.synced.wait()
        await self._queues_read.wait()

    async def run(self) -> None:
        """Follow the cluster until cancelled; what is seen is on the volume within a second or so."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._nodes.run(self._on_node), name="watch-nodes")
            tasks.create_task(self._pods.run(self._on_pod), name="watch-pods")
            tasks.create_task(self._namespaces.run(self._on_namespace), name="watch-namespaces")
            tasks.create_task(self._accounts.run(self._on_account), name="watch-serviceaccounts")
            tasks.create_task(self._services.run(self._on_service), name="watch-services")
            tasks.create_task(self._claims.run(self._on_claim, self._on_slice, _tell_claims), name="watch-claims")
            tasks.create_task(self._follow_queues(), name="follow-queues")
            tasks.create_task(self._follow_volumes(), name="follow-volumes")
            tasks.create_task(self._flush_often(), name="flush-journal")
            for number in range(OWNER_WORKERS):
                tasks.create_task(self._resolve_owners(), name=f"owners-{number}")

    def _informer(
        self,
        client: KubeClient,
        resource: Resource,
        decode: Callable[[bytes], T | BadObject],
        known: Mapping[str, Seen[T]],
    ) -> Informer[T]:
        def read(raw: bytes) -> T:
            found = decode(raw)
            if isinstance(found, BadObject):
                line(_log, logging.WARNING, "passed over an object", object=str(found))
                raise ValueError(str(found))  # noqa: TRY004 -- the informer passes over what raises this
            return found

        return Informer(client, Scope(resource), read, now_ms=self._now_ms, known=known)

    def _on_pod(self, notice: Notice[SeenPod]) -> None:
        pod = notice.object
        match notice:
            case Changed(uid, _, at_ms, initial, gap):
                self.sighted.pods[uid] = pod
                record = self._journal.pod_seen(pod.facts, at_ms, live=not initial, gap=gap)
                if not record.facts.owners and self._wants_owners(pod):
                    self._ask_owners(pod)
            case Gone(uid, _, at_ms, gap):
                self.sighted.pods.pop(uid, None)
                self._asked.discard(uid)
                self._journal.pod_gone(uid, at_ms, gap, pod.facts if gap is None else None)

    def _on_node(self, notice: Notice[SeenNode]) -> None:
        match notice:
            case Changed(uid, node, at_ms):
                self.sighted.nodes[uid] = node
                self._journal.node_seen(node.facts, at_ms)
            case Gone(uid, _, at_ms, gap):
                self.sighted.nodes.pop(uid, None)
                self._journal.node_gone(uid, at_ms, gap)

    def _on_namespace(self, notice: Notice[SeenNamespace]) -> None:
        match notice:
            case Changed(_, namespace):
                self.sighted.namespaces.add(namespace.facts.name)
                self._journal.namespace_seen(namespace.facts)
            case Gone(_, namespace, at_ms, _):
                self.sighted.namespaces.discard(namespace.facts.name)
                self._journal.namespace_gone(namespace.facts.name, at_ms)

    def _on_account(self, notice: Notice[SeenServiceAccount]) -> None:
        match notice:
            case Changed(_, account):
                self._journal.account_seen(account.facts)
            case Gone(_, account, at_ms, _):
                self._journal.account_gone(account.facts, at_ms)

    def _on_service(self, notice: Notice[SeenService]) -> None:
        match notice:
            case Changed(uid, service):
                self.sighted.services[uid] = service
            case Gone(uid, _, _, _):
                self.sighted.services.pop(uid, None)

    def _on_claim(self, notice: Notice[SeenClaim]) -> None:
        match notice:
            case Changed(_, claim, at_ms, _):
                self._journal.claim_seen(claim.facts, at_ms)
            case Gone(uid, _, at_ms, _):
                self._journal.claim_gone(uid, at_ms)

    def _on_slice(self, notice: Notice[SeenSlice]) -> None:
        match notice:
            case Changed(_, found, _, _):
                self._journal.slice_seen(found.facts)
            case Gone(uid, _, at_ms, _):
                self._journal.slice_gone(uid, at_ms)

    async def know_owners(self, namespaces: Collection[str]) -> None:
        """Look up the owners of pods in namespaces where AIWorkloads may claim them; wait a little for the answers.

        A pod may have been seen before anybody claimed it: then nobody has asked for its owners.
        """
        for pod in self.sighted.pods.values():
            if pod.facts.namespace in namespaces:
                self._ask_owners(pod)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(OWNERS_SECONDS):
                await self._orphans.join()

    def _ask_owners(self, pod: SeenPod) -> None:
        """Ask once for the owners of a pod that names one."""
        if pod.owner is not None and pod.facts.uid not in self._asked:
            self._asked.add(pod.facts.uid)
            self._orphans.put_nowait(pod)

    async def _resolve_owners(self) -> None:
        """Look up owner chains, one pod after the other; a chain that cannot be read now is asked for again later."""
        while True:
            pod = await self._orphans.get()
            try:
                chain = await self._owners.chain(pod.facts.namespace, pod.owner)
            except AicostError as error:
                line(_log, logging.WARNING, "owners not known yet", pod=pod.facts.name, error=str(error))
                await asyncio.sleep(FLUSH_SECONDS)
                self._orphans.put_nowait(pod)
            else:
                self._journal.pod_owned(pod.facts.uid, chain)
            finally:
                self._orphans.task_done()

    async def _follow_queues(self) -> None:
        """Look at the queues now and then. What cannot be read now is as it was: it is told once while it lasts."""
        told = ""
        while True:
            problem = await self._read_queues()
            if problem and problem != told:
                line(_log, logging.WARNING, "queues not known", error=problem)
            told = problem
            self._queues_read.set()
            await asyncio.sleep(QUEUES_SECONDS)

    async def _read_queues(self) -> str:
        """Take up the queues as they are; gives what went wrong, empty for nothing."""
        try:
            self._journal.queues_seen(await read_queues(self._client), self._now_ms())
        except AicostError as error:
            return str(error)
        return ""

    async def _follow_volumes(self) -> None:
        """Look at claimed storage now and then; what cannot be read now is as it was, and told once while it lasts."""
        told = ""
        while True:
            problem = await self._read_volumes()
            if problem and problem != told:
                line(_log, logging.WARNING, "volumes not known", error=problem)
            told = problem
            await asyncio.sleep(VOLUMES_SECONDS)

    async def _read_volumes(self) -> str:
        """Take up the claims as they are; gives what went wrong, empty for nothing."""
        try:
            self._journal.volumes_seen(await read_volumes(self._client), self._now_ms())
        except AicostError as error:
            return str(error)
        return ""

    async def _flush_often(self) -> None:
        """Put what was seen on the volume. What cannot be written now is kept and written later."""
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            heard = [informer.stats.heard_ms for informer in (self._pods, self._nodes)]
            if all(at_ms is not None for at_ms in heard):
                self._journal.heard(min(at_ms for at_ms in heard if at_ms is not None))
            try:
                await asyncio.to_thread(self._journal.flush)
            except AicostError as error:
                line(_log, logging.ERROR, "the journal cannot be written", error=str(error))
