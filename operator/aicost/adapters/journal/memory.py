"""Lifetimes of pods and nodes in memory: what a watch, a bundle or a backfill shows, by the same rules."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace

from aicost.adapters.journal.records import AccountRecord, Kind, NamespaceRecord, QueueRecord, Record
from aicost.adapters.journal.shelves import Shelf
from aicost.domain.exact.windows import Window
from aicost.domain.inventory.cluster import ClusterFacts, NamespaceFacts, QueueFacts, ServiceAccountFacts
from aicost.domain.inventory.dra.claims import ClaimFacts, ClaimRecord, advance_claim, vanish_claim
from aicost.domain.inventory.dra.holding import Offers, offers_of, with_cards, with_claimed
from aicost.domain.inventory.dra.slices import SliceFacts, SliceRecord, advance_slice, vanish_slice
from aicost.domain.inventory.lifetimes import (
    advance_node,
    advance_pod,
    forget_unhealthy,
    retire,
    vanish_node,
    vanish_pod,
)
from aicost.domain.inventory.nodes import NodeFacts, NodeRecord
from aicost.domain.inventory.pods import OwnerFacts, PodFacts, PodRecord
from aicost.domain.inventory.volumes import VolumeFacts, VolumeRecord, advance_volume, vanish_volume


class MemoryInventory:
    """What the cluster held (port `Inventory`), moved forward by what is shown. Kept nowhere: see `InventoryJournal`.

    All methods may be called from any thread.

    Args:
        epoch_ms: the ledger's first moment.
    """

    def __init__(self, epoch_ms: int) -> None:
        self._epoch_ms = epoch_ms
        self._lock = threading.Lock()
        self._dirty: dict[tuple[Kind, str], Record | None] = {}
        self._pods: Shelf[PodRecord] = Shelf(Kind.POD, self._dirty, lambda pod: pod.facts.uid)
        self._nodes: Shelf[NodeRecord] = Shelf(Kind.NODE, self._dirty, lambda node: node.facts.uid)
        self._namespaces: Shelf[NamespaceRecord] = Shelf(Kind.NAMESPACE, self._dirty, lambda each: each.facts.name)
        self._accounts: Shelf[AccountRecord] = Shelf(Kind.ACCOUNT, self._dirty, _account_id)
        self._queues: Shelf[QueueRecord] = Shelf(Kind.QUEUE, self._dirty, _queue_id)
        self._volumes: Shelf[VolumeRecord] = Shelf(Kind.VOLUME, self._dirty, lambda each: each.facts.uid)
        self._claims: Shelf[ClaimRecord] = Shelf(Kind.CLAIM, self._dirty, lambda each: each.facts.uid)
        self._slices: Shelf[SliceRecord] = Shelf(Kind.SLICE, self._dirty, lambda each: each.facts.uid)
        self._offers: Offers | None = None
        self._shown: dict[str, tuple[NodeRecord, Offers, NodeRecord]] = {}

    @property
    def epoch_ms(self) -> int:
        """The ledger's first moment. Nobody answers for what was before."""
        return self._epoch_ms

    def facts(self, window: Window) -> ClusterFacts:
        """Pods and nodes that were there in the window, bound or not, and all namespaces and accounts known."""
        with self._lock:
            pods, nodes = tuple(self._pods), tuple(self._nodes)
            namespaces = {each.facts.name: each.facts for each in self._namespaces}
            accounts = {(each.facts.namespace, each.facts.name): each.facts for each in self._accounts}
            queues = {(each.facts.namespace, each.facts.name): each.facts for each in self._queues}
            volumes, claims, offers = tuple(self._volumes), tuple(self._claims), self._offered()
        return ClusterFacts(
            pods=with_claimed((pod for pod in pods if _was_there(pod, window)), claims, offers),
            past_pods=frozenset((pod.facts.namespace, pod.facts.name) for pod in pods if _had_ended(pod, window)),
            nodes=tuple(self._with_cards(node, offers) for node in nodes if node.presence(window) is not None),
            namespaces=namespaces,
            service_accounts=accounts,
            queues=queues,
            volumes=tuple(volume for volume in volumes if volume.presence(window) is not None),
        )

    def known_pods(self) -> Mapping[str, PodRecord]:
        """Pods by uid whose objects are still in the API server as far as we know: what a new list is held against."""
        with self._lock:
            return {pod.facts.uid: pod for pod in self._pods if not pod.gone}

    def known_nodes(self) -> Mapping[str, NodeRecord]:
        """The same for nodes."""
        with self._lock:
            return {node.facts.uid: node for node in self._nodes if node.until_ms is None}

    def pod_seen(self, facts: PodFacts, at_ms: int, *, live: bool, gap: Window | None = None) -> PodRecord:
        """A pod is there; `live` where a watch showed it, not a list. It was so in a gap, where one is given."""
        with self._lock:
            return self._pods.put(advance_pod(self._pods.get(facts.uid), facts, at_ms, live=live, gap=gap))

    def pod_owned(self, uid: str, owners: tuple[OwnerFacts, ...]) -> None:
        """The owner chain of a pod was found; the pod may have ended by now."""
        with self._lock:
            record = self._pods.get(uid)
            if record is not None:
                self._pods.put(replace(record, facts=replace(record.facts, owners=owners)))

    def pod_gone(self, uid: str, at_ms: int, gap: Window | None = None, facts: PodFacts | None = None) -> None:
        """A pod's object has left the API server: seen now, or in a gap. `facts` is its last state, where known."""
        with self._lock:
            record = self._pods.get(uid)
            if record is not None:
                self._pods.put(vanish_pod(record, at_ms, gap, facts))

    def node_seen(self, facts: NodeFacts, at_ms: int) -> NodeRecord:
        """A node is there."""
        with self._lock:
            return self._nodes.put(advance_node(self._nodes.get(facts.uid), facts, at_ms, self.epoch_ms))

    def node_gone(self, uid: str, at_ms: int, gap: Window | None = None) -> None:
        """A node has left the cluster: seen now, or in a gap."""
        with self._lock:
            record = self._nodes.get(uid)
            if record is not None:
                self._nodes.put(vanish_node(record, at_ms, gap))

    def namespace_seen(self, facts: NamespaceFacts) -> None:
        """A namespace is there."""
        with self._lock:
            self._namespaces.put(NamespaceRecord(facts))

    def namespace_gone(self, name: str, at_ms: int) -> None:
        """A namespace went; what its pods cost goes on to carry its labels."""
        with self._lock:
            known = self._namespaces.get(name)
            if known is not None and known.gone_ms is None:
                self._namespaces.put(replace(known, gone_ms=at_ms))

    def account_seen(self, facts: ServiceAccountFacts) -> None:
        """A ServiceAccount is there."""
        with self._lock:
            self._accounts.put(AccountRecord(facts))

    def account_gone(self, facts: ServiceAccountFacts, at_ms: int) -> None:
        """A ServiceAccount went."""
        with self._lock:
            known = self._accounts.get(_account_id(AccountRecord(facts)))
            if known is not None and known.gone_ms is None:
                self._accounts.put(replace(known, gone_ms=at_ms))

    def queues_seen(self, all_there_are: Iterable[QueueFacts], at_ms: int) -> None:
        """These queues are there, and no others; what went through one that is gone goes on to carry its labels."""
        with self._lock:
            there = {_queue_id(record): record for record in map(QueueRecord, all_there_are)}
            for record in there.values():
                self._queues.put(record)
            for known in tuple(self._queues):
                if known.gone_ms is None and _queue_id(known) not in there:
                    self._queues.put(replace(known, gone_ms=at_ms))

    def volumes_seen(self, all_there_are: Iterable[VolumeFacts], at_ms: int) -> None:
        """This storage is claimed, and no other."""
        there = {facts.uid: facts for facts in all_there_are}
        for facts in there.values():
            self.volume_seen(facts, at_ms)
        with self._lock:
            gone = [one.facts.uid for one in self._volumes if one.until_ms is None and one.facts.uid not in there]
        for uid in gone:
            self.volume_gone(uid, at_ms)

    def volume_seen(self, facts: VolumeFacts, at_ms: int) -> None:
        """Storage is claimed."""
        with self._lock:
            self._volumes.put(advance_volume(self._volumes.get(facts.uid), facts, at_ms, self.epoch_ms))

    def volume_gone(self, uid: str, at_ms: int) -> None:
        """A claim has left the API server."""
        with self._lock:
            record = self._volumes.get(uid)
            if record is not None:
                self._volumes.put(vanish_volume(record, at_ms))

    def known_claims(self) -> Mapping[str, ClaimRecord]:
        """ResourceClaims by uid that are still in the API server as far as we know."""
        with self._lock:
            return {one.facts.uid: one for one in self._claims if one.gone_ms is None}

    def known_slices(self) -> Mapping[str, SliceRecord]:
        """The same for ResourceSlices."""
        with self._lock:
            return {one.facts.uid: one for one in self._slices if one.gone_ms is None}

    def claim_seen(self, facts: ClaimFacts, at_ms: int) -> None:
        """A ResourceClaim is there."""
        with self._lock:
            self._claims.put(advance_claim(self._claims.get(facts.uid), facts, at_ms))

    def claim_gone(self, uid: str, at_ms: int) -> None:
        """A ResourceClaim has left the API server."""
        with self._lock:
            record = self._claims.get(uid)
            if record is not None:
                self._claims.put(vanish_claim(record, at_ms))

    def slice_seen(self, facts: SliceFacts) -> None:
        """A ResourceSlice is there."""
        with self._lock:
            self._put_slice(advance_slice(self._slices.get(facts.uid), facts))

    def slice_gone(self, uid: str, at_ms: int) -> None:
        """A ResourceSlice has left the API server."""
        with self._lock:
            record = self._slices.get(uid)
            if record is not None:
                self._put_slice(vanish_slice(record, at_ms))

    def _put_slice(self, record: SliceRecord) -> None:
        self._slices.put(record)
        self._offers = None

    def _with_cards(self, node: NodeRecord, offers: Offers) -> NodeRecord:
        """A node with the cards that slices show; the same object while nothing of it changes, as others rely on."""
        known = self._shown.get(node.facts.uid)
        if known is not None and known[0] is node and known[1] is offers:
            return known[2]
        shown = with_cards(node, offers)
        if shown is not node:
            self._shown[node.facts.uid] = node, offers, shown
        return shown

    def _offered(self) -> Offers:
        """What slices offer; they are sorted anew only where one of them changed."""
        if self._offers is None:
            self._offers = offers_of(self._slices)
        return self._offers

    def retire(self, before_ms: int) -> int:
        """Forget what is gone and billed for nothing from a moment on; gives the number of records forgotten."""
        with self._lock:
            uids = retire((*self._pods, *self._nodes), before_ms)
            dropped = sum(self._pods.drop(uid) or self._nodes.drop(uid) for uid in uids)
            for node in tuple(self._nodes):
                self._nodes.put(forget_unhealthy(node, before_ms))
            self._shown.clear()
            past = [one for one in self._volumes if one.until_ms is not None and one.until_ms <= before_ms]
            dropped += sum(self._volumes.drop(one.facts.uid) for one in past)
            claims = [one for one in self._claims if one.gone_ms is not None and one.gone_ms <= before_ms]
            dropped += sum(self._claims.drop(one.facts.uid) for one in claims)
            slices = [one for one in self._slices if one.gone_ms is not None and one.gone_ms <= before_ms]
            dropped += sum(self._slices.drop(one.facts.uid) for one in slices)
            self._offers = None if slices else self._offers
            return dropped + self._retire_places(before_ms)

    def _retire_places(self, before_ms: int) -> int:
        """Forget namespaces, accounts and queues that went before, unless a pod that lived there is still kept."""
        used = {pod.facts.namespace for pod in self._pods}
        namespaces = [each for each in self._namespaces if _is_past(each, before_ms) and each.facts.name not in used]
        accounts = [each for each in self._accounts if _is_past(each, before_ms) and each.facts.namespace not in used]
        dropped = sum(self._namespaces.drop(each.facts.name) for each in namespaces)
        dropped += sum(self._accounts.drop(_account_id(each)) for each in accounts)
        queues = [each for each in self._queues if _is_past(each, before_ms) and each.facts.namespace not in used]
        return dropped + sum(self._queues.drop(_queue_id(each)) for each in queues)

    def _load(self, record: Record) -> None:
        match record:
            case PodRecord():
                self._pods.load(record)
            case NodeRecord():
                self._nodes.load(record)
            case NamespaceRecord():
                self._namespaces.load(record)
            case AccountRecord():
                self._accounts.load(record)
            case QueueRecord():
                self._queues.load(record)
            case VolumeRecord():
                self._volumes.load(record)
            case ClaimRecord():
                self._claims.load(record)
            case SliceRecord():
                self._slices.load(record)


def _was_there(pod: PodRecord, window: Window) -> bool:
    """A pod is there from its creation, and what a later binding or an earlier end leaves out costs nothing."""
    return pod.facts.created_ms < window.end_ms and not _had_ended(pod, window)


def _had_ended(pod: PodRecord, window: Window) -> bool:
    return pod.held_until_ms is not None and pod.held_until_ms <= window.start_ms


def _is_past(record: NamespaceRecord | AccountRecord | QueueRecord, before_ms: int) -> bool:
    return record.gone_ms is not None and record.gone_ms <= before_ms


def _account_id(record: AccountRecord) -> str:
    """Neither part can hold a slash."""
    return f"{record.facts.namespace}/{record.facts.name}"


def _queue_id(record: QueueRecord) -> str:
    """Two schedulers may have queues of one name; the journal keeps both."""
    return f"{record.facts.kind}/{record.facts.namespace}/{record.facts.name}"
