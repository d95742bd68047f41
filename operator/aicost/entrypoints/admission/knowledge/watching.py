"""The watches behind the snapshot: what they tell is taken up once it has been quiet for a moment."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.config_maps import ConfigMaps
from aicost.adapters.kube.informer import Changed, Informer, InformerStats, Notice, Scope
from aicost.adapters.kube.seen.decode import decode_namespace, decode_node, decode_service_account
from aicost.adapters.kube.seen.values import BadObject
from aicost.adapters.kube.wire.objects import PartialObject
from aicost.adapters.kube.wire.resources import NAMESPACES, NODES, SERVICE_ACCOUNTS, Resource
from aicost.crd.convert.books import price_book
from aicost.crd.convert.budget.left import read_budget
from aicost.crd.convert.parsing import Converted
from aicost.crd.convert.policies import label_policy
from aicost.crd.kinds import CLUSTER, KINDS
from aicost.crd.schema.definition import GROUP, VERSION
from aicost.domain.inventory.cluster import NamespaceFacts, ServiceAccountFacts
from aicost.domain.inventory.nodes import NodeFacts
from aicost.entrypoints.admission.knowledge.claimants import read_claim
from aicost.entrypoints.admission.knowledge.lists import Lists
from aicost.entrypoints.admission.knowledge.snapshot import QueueName, Seen
from aicost.telemetry.logs import line

T = TypeVar("T")
QUIET_SECONDS = 0.2
"""A change is taken up after this, together with all that came meanwhile."""
AGAIN_SECONDS = 60.0
"""Prices have dates: what is known is put together anew even where nothing changed."""
_log = logging.getLogger("aicost.admission")


@dataclass(frozen=True, slots=True)
class _Run:
    """A watch and where it puts what it sees."""

    informer: Informer[Any]
    handle: Callable[[Notice[Any]], None]


class PolicyWatch:
    """Follows all that decisions rest on.

    Args:
        client: an open client.
        now_ms: the clock.
        queues: Kueue's LocalQueues as the cluster serves them, None where it has none.
        changed: is called once everything is known, when something changed, and now and then.
    """

    def __init__(
        self, client: KubeClient, now_ms: Callable[[], int], *, queues: Resource | None, changed: Callable[[Seen], None]
    ) -> None:
        self.seen = Seen()
        self._client, self._now_ms, self._changed = client, now_ms, changed
        self._dirty = asyncio.Event()
        self._lists = Lists(ConfigMaps(client), self.seen, self._dirty.set)
        seen = self.seen
        self._runs = [
            self._follow(NAMESPACES, _namespace, seen.namespaces),
            self._follow(SERVICE_ACCOUNTS, _account, seen.accounts),
            self._follow(NODES, _node, seen.nodes),
            self._own("CostLabelPolicy", label_policy, seen.policies),
            self._own("AIWorkload", read_claim, seen.claims),
            self._own("PriceBook", price_book, seen.books),
            self._own("Budget", read_budget, seen.budgets),
            self._own("ClusterBudget", read_budget, seen.budgets),
            *([self._follow(queues, _queue, seen.queues)] if queues else []),
        ]

    @property
    def stats(self) -> tuple[InformerStats, ...]:
        """What each watch can say of itself."""
        return tuple(run.informer.stats for run in self._runs)

    def age_ms(self) -> int | None:
        """Time since the watch that was silent for longest was heard; None before all were."""
        ages = [stats.age_ms(self._now_ms()) for stats in self.stats]
        return None if None in ages else max(age for age in ages if age is not None)

    async def run(self) -> None:
        """Follow until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for run in self._runs:
                tasks.create_task(run.informer.run(run.handle), name=f"watch-{run.informer.stats.resource}")
            for run in self._runs:
                await run.informer.synced.wait()
            await self._lists.read()
            self._changed(self.seen)
            tasks.create_task(self._lists.run(), name="read-lists")
            tasks.create_task(self._take_up(), name="take-up")

    async def _take_up(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_SECONDS):
                    await self._dirty.wait()
            await asyncio.sleep(QUIET_SECONDS)
            self._dirty.clear()
            self._lists.look()
            self._changed(self.seen)

    def _own(self, kind: str, convert: Callable[[Any], Converted[T]], kept: MutableMapping[str, T]) -> _Run:
        """A watch of one of our kinds. What is unusable as a whole counts as absent, in each replica alike."""
        (definition,) = (one for one in KINDS if one.kind == kind)
        resource = Resource(GROUP, VERSION, definition.plural, kind, namespaced=definition.scope != CLUSTER)

        def read(raw: bytes) -> T | None:
            return convert({"kind": kind, **msgspec.json.decode(raw, type=dict[str, Any])}).value

        return self._follow(resource, read, kept)

    def _follow(self, resource: Resource, read: Callable[[bytes], T | None], kept: MutableMapping[str, T]) -> _Run:
        def handle(notice: Notice[_Read[T]]) -> None:
            value = notice.object.value if isinstance(notice, Changed) else None
            if value is None:
                kept.pop(notice.uid, None)
            else:
                kept[notice.uid] = value
            self._dirty.set()

        def decode(raw: bytes) -> _Read[T]:
            try:
                return _Read(read(raw))
            except (ValueError, TypeError, KeyError) as problem:
                line(_log, logging.WARNING, "passed over an object", resource=str(resource), problem=str(problem))
                raise ValueError(str(problem)) from problem

        return _Run(Informer(self._client, Scope(resource), decode, now_ms=self._now_ms), handle)


@dataclass(frozen=True, slots=True)
class _Read(Generic[T]):
    """What was read of an object: None where it counts as absent."""

    value: T | None


def _namespace(raw: bytes) -> NamespaceFacts:
    return _seen(decode_namespace(raw)).facts


def _account(raw: bytes) -> ServiceAccountFacts:
    return _seen(decode_service_account(raw)).facts


def _node(raw: bytes) -> NodeFacts:
    return _seen(decode_node(raw)).facts


def _seen(found: T | BadObject) -> T:
    if isinstance(found, BadObject):
        raise ValueError(str(found))  # noqa: TRY004 -- the informer passes over what raises this
    return found


def _queue(raw: bytes) -> tuple[QueueName, Mapping[str, str]]:
    metadata = msgspec.json.decode(raw, type=PartialObject).metadata
    return (metadata.namespace, metadata.name), metadata.labels or {}
