"""A cluster's past, gone through again: events of a bundle in, inventory, prices, claims and policies out."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import msgspec

from aicost.adapters.bundle.completing import Sighting, in_order
from aicost.adapters.bundle.objects import Change, ObjectEvent
from aicost.adapters.held import HeldBooks, HeldClaims, HeldPolicies
from aicost.adapters.journal.memory import MemoryInventory
from aicost.adapters.kube.queues import KINDS as QUEUE_KINDS
from aicost.adapters.kube.seen.decode import (
    decode_claim,
    decode_namespace,
    decode_node,
    decode_pod,
    decode_service_account,
    decode_slice,
)
from aicost.adapters.kube.seen.values import BadObject
from aicost.adapters.kube.watching.volumes import decode_volume
from aicost.adapters.kube.wire.resources import DRA_GROUP
from aicost.crd.schema.definition import GROUP
from aicost.domain.identity.claims import WorkloadClaim
from aicost.domain.inventory.cluster import QueueFacts
from aicost.domain.policy.policies import LabelPolicy
from aicost.domain.pricing.books import PriceBook
from aicost.entrypoints.cli.replay.owners import OwnersSeen
from aicost.entrypoints.cli.sources.bodies import Body, books_of, claims_of, policies_of
from aicost.entrypoints.cli.sources.economics.declared import Declared, declared_of, said_of
from aicost.usecases.economics.count_window import NOTHING_SAID, Said

Value = TypeVar("Value")
Handle = Callable[["Sighting"], None]
Seen = TypeVar("Seen")


@dataclass(slots=True)
class _Register(Generic[Value]):
    """Our own objects of one kind, by namespace and name."""

    read: Callable[[Iterable[Body], list[str]], tuple[Value, ...]]
    values: dict[tuple[str, str], Value] = field(default_factory=dict)

    def take(self, event: ObjectEvent, problems: list[str]) -> tuple[Value, ...]:
        """An object is there as it says, or gone; one that cannot be read counts as gone, as it does live."""
        metadata = event.body["metadata"]
        name = str(metadata.get("namespace") or ""), str(metadata["name"])
        self.values.pop(name, None)
        if event.change is not Change.DELETED:
            for value in self.read([event.body], problems):
                self.values[name] = value
        return tuple(value for _, value in sorted(self.values.items(), key=lambda item: item[0]))


class ReplayedCluster:
    """What was known of a cluster, moment by moment (port `History`).

    Args:
        inventory: gets pods, nodes and where they live.
        books: prices that take the place of the bundle's; None uses the bundle's.

    Attributes:
        books, claims, policies: ports whose answers change as time goes on.
        said: what AIWorkloads say of how they are counted, now.
        problems: objects that were passed over, each with its file, line and what is wrong.
        ignored: kinds that say nothing about cost, by number of events.
        priced: the bundle has price books of its own.
    """

    def __init__(self, inventory: MemoryInventory, books: tuple[PriceBook, ...] | None = None) -> None:
        self.books, self.claims, self.policies = HeldBooks(), HeldClaims(), HeldPolicies()
        self.said: Said = NOTHING_SAID
        self.problems: list[str] = []
        self.ignored: Counter[str] = Counter()
        self.priced, self._fixed = False, books is not None
        self.books.value = books or ()
        self._inventory, self._owners = inventory, OwnersSeen()
        self._queues: dict[str, QueueFacts] = {}
        self._coming: list[Sighting] = []
        self._next = 0
        self._own_books = _Register[PriceBook](books_of)
        self._own_claims = _Register[WorkloadClaim](claims_of)
        self._own_declared = _Register[Declared](declared_of)
        self._own_policies = _Register[LabelPolicy](policies_of)
        self._handlers: dict[tuple[str, str], Handle] = {
            ("", "Pod"): self._pod,
            ("", "Node"): self._node,
            ("", "Namespace"): self._namespace,
            ("", "ServiceAccount"): self._account,
            ("", "PersistentVolumeClaim"): self._volume,
            (DRA_GROUP, "ResourceClaim"): self._resource_claim,
            (DRA_GROUP, "ResourceSlice"): self._slice,
            (GROUP, "PriceBook"): self._book,
            (GROUP, "AIWorkload"): self._claim,
            (GROUP, "CostLabelPolicy"): self._policy,
            **dict.fromkeys(QUEUE_KINDS, self._queue),
        }

    def load(self, events: Iterable[ObjectEvent]) -> int:
        """Take all events; they become known as time goes on. Gives their number.

        Raises:
            InvalidRequest: a line of the bundle is no event.
        """
        self._coming = list(in_order(events))
        for one in self._coming:
            self._owners.expect(one.event.body)
            self.priced |= self._handler(one.event) == self._book
        return len(self._coming)

    def advance(self, until_ms: int) -> None:
        """Let everything that was known by a moment be known."""
        while self._next < len(self._coming) and self._coming[self._next].known_from_ms <= until_ms:
            self._take(self._coming[self._next])
            self._next += 1

    @property
    def unknown_kinds(self) -> dict[str, int]:
        """Kinds of which nothing was of use, by number of events."""
        return {kind: count for kind, count in sorted(self.ignored.items()) if kind not in self._owners.used}

    def _take(self, one: Sighting) -> None:
        self._owners.seen(one.event.body)
        handler = self._handler(one.event)
        if handler is None:
            self.ignored[one.event.kind] += 1
        else:
            handler(one)

    def _handler(self, event: ObjectEvent) -> Handle | None:
        """Who reads a kind; an object that names no group is taken to be of ours."""
        found = self._handlers.get((event.group, event.kind))
        if found is None and not event.group:
            found = next((one for (_, kind), one in self._handlers.items() if kind == event.kind), None)
        return found

    def _read(self, decode: Callable[[bytes], Seen | BadObject], one: Sighting) -> Seen | None:
        """What an object says; one that makes no sense is passed over and told, as it is live."""
        found = decode(msgspec.json.encode(one.event.body))
        if isinstance(found, BadObject):
            self.problems.append(f"{one.event.where}: {found}")
            return None
        return found

    def _pod(self, one: Sighting) -> None:
        pod = self._read(decode_pod, one)
        if pod is None:
            return
        facts, at_ms, gap = pod.facts, one.event.at_ms, one.event.gap
        gone = one.event.change is Change.DELETED
        if one.first or not gone:
            record = self._inventory.pod_seen(facts, at_ms, live=not one.first)
            if not record.facts.owners and pod.owner is not None:
                self._inventory.pod_owned(facts.uid, self._owners.chain(facts.namespace, pod.owner))
        if gone:
            self._inventory.pod_gone(facts.uid, at_ms, gap, facts if gap is None else None)

    def _node(self, one: Sighting) -> None:
        node = self._read(decode_node, one)
        if node is None:
            return
        gone = one.event.change is Change.DELETED
        if one.first or not gone:
            self._inventory.node_seen(node.facts, one.event.at_ms)
        if gone:
            self._inventory.node_gone(node.facts.uid, one.event.at_ms, one.event.gap)

    def _namespace(self, one: Sighting) -> None:
        found = self._read(decode_namespace, one)
        if found is not None:
            self._inventory.namespace_seen(found.facts)
            if one.event.change is Change.DELETED:
                self._inventory.namespace_gone(found.facts.name, one.event.at_ms)

    def _account(self, one: Sighting) -> None:
        found = self._read(decode_service_account, one)
        if found is not None:
            self._inventory.account_seen(found.facts)
            if one.event.change is Change.DELETED:
                self._inventory.account_gone(found.facts, one.event.at_ms)

    def _volume(self, one: Sighting) -> None:
        try:
            facts = decode_volume(msgspec.json.encode(one.event.body))
        except (msgspec.MsgspecError, ValueError) as problem:
            name = one.event.body["metadata"]["name"]
            self.problems.append(f"{one.event.where}: PersistentVolumeClaim {name}: {problem}")
            return
        gone = one.event.change is Change.DELETED
        if one.first or not gone:
            self._inventory.volume_seen(facts, one.event.at_ms)
        if gone:
            self._inventory.volume_gone(facts.uid, one.event.at_ms)

    def _resource_claim(self, one: Sighting) -> None:
        claim = self._read(decode_claim, one)
        if claim is None:
            return
        gone = one.event.change is Change.DELETED
        if one.first or not gone:
            self._inventory.claim_seen(claim.facts, one.event.at_ms)
        if gone:
            self._inventory.claim_gone(claim.facts.uid, one.event.at_ms)

    def _slice(self, one: Sighting) -> None:
        found = self._read(decode_slice, one)
        if found is None:
            return
        gone = one.event.change is Change.DELETED
        if one.first or not gone:
            self._inventory.slice_seen(found.facts)
        if gone:
            self._inventory.slice_gone(found.facts.uid, one.event.at_ms)

    def _queue(self, one: Sighting) -> None:
        metadata = one.event.body["metadata"]
        labels = metadata.get("labels")
        facts = QueueFacts(
            one.event.kind, str(metadata.get("namespace") or ""), str(metadata["name"]),
            {str(key): str(value) for key, value in labels.items()} if isinstance(labels, dict) else {},
        )  # fmt: skip
        self._queues.pop(one.uid, None)
        if one.event.change is not Change.DELETED:
            self._queues[one.uid] = facts
        self._inventory.queues_seen(self._queues.values(), one.event.at_ms)

    def _book(self, one: Sighting) -> None:
        if not self._fixed:
            self.books.value = self._own(self._own_books, one)

    def _claim(self, one: Sighting) -> None:
        problems: list[str] = []
        self.claims.value = self._own_claims.take(one.event, problems)
        self.said = said_of(self._own_declared.take(one.event, problems))
        self._tell(one, problems)

    def _policy(self, one: Sighting) -> None:
        self.policies.value = self._own(self._own_policies, one)

    def _own(self, register: _Register[Value], one: Sighting) -> tuple[Value, ...]:
        problems: list[str] = []
        values = register.take(one.event, problems)
        self._tell(one, problems)
        return values

    def _tell(self, one: Sighting, problems: Iterable[str]) -> None:
        self.problems += [f"{one.event.where}: {problem}" for problem in problems]
