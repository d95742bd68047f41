"""Lifetimes of pods and nodes, in memory for those who ask and on the volume for the next start."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from aicost.adapters.journal.inventory_file import InventoryFile
from aicost.adapters.journal.records import AccountRecord, Kind, NamespaceRecord, QueueRecord, Record
from aicost.adapters.journal.shelves import Shelf
from aicost.domain.exact.windows import Window
from aicost.domain.inventory.cluster import ClusterFacts, NamespaceFacts, QueueFacts, ServiceAccountFacts
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

HEARD_STEP_MS = 10_000
"""How far the watch must have come before that is worth a write of its own."""


class InventoryJournal:
    """What the cluster held (port `Inventory`), moved forward by what a watch shows.

    All methods may be called from any thread. Changes are in memory at once and on the volume after `flush()`, which
    is to be called each second or so: what a crash takes away comes back with the next list of the cluster, deletions
    as gaps that begin at `heard_ms`.

    Args:
        path: the journal's file.
        now_ms: our own clock; a new journal begins then.

    Raises:
        JournalUnavailable, JournalDamaged: it cannot be opened; the message names the fix.
    """

    def __init__(self, path: Path, now_ms: int) -> None:
        self._lock = threading.Lock()
        self._dirty: dict[tuple[Kind, str], Record | None] = {}
        self._pods: Shelf[PodRecord] = Shelf(Kind.POD, self._dirty, lambda pod: pod.facts.uid)
        self._nodes: Shelf[NodeRecord] = Shelf(Kind.NODE, self._dirty, lambda node: node.facts.uid)
        self._namespaces: Shelf[NamespaceRecord] = Shelf(Kind.NAMESPACE, self._dirty, lambda each: each.facts.name)
        self._accounts: Shelf[AccountRecord] = Shelf(Kind.ACCOUNT, self._dirty, _account_id)
        self._queues: Shelf[QueueRecord] = Shelf(Kind.QUEUE, self._dirty, _queue_id)
        self._file = InventoryFile(path, now_ms)
        try:
            for record in self._file.records():
                self._load(record)
        except BaseException:
            self._file.close()
            raise
        self._heard_ms = self._file.heard_ms

    @property
    def epoch_ms(self) -> int:
        """The ledger's first moment: when this journal was made. Nobody answers for what was before."""
        return self._file.epoch_ms

    @property
    def heard_ms(self) -> int:
        """Up to here the watch missed nothing; after a restart the start of every gap."""
        return self._heard_ms

    def facts(self, window: Window) -> ClusterFacts:
        """Pods and nodes that were there in the window, bound or not, and all namespaces and accounts known."""
        with self._lock:
            pods, nodes = tuple(self._pods), tuple(self._nodes)
            namespaces = {each.facts.name: each.facts for each in self._namespaces}
            accounts = {(each.facts.namespace, each.facts.name): each.facts for each in self._accounts}
            queues = {(each.facts.namespace, each.facts.name): each.facts for each in self._queues}
        return ClusterFacts(
            pods=tuple(pod for pod in pods if _was_there(pod, window)),
            past_pods=frozenset((pod.facts.namespace, pod.facts.name) for pod in pods if _had_ended(pod, window)),
            nodes=tuple(node for node in nodes if node.presence(window) is not None),
            namespaces=namespaces,
            service_accounts=accounts,
            queues=queues,
        )

    def known_pods(self) -> Mapping[str, PodRecord]:
        """Pods by uid whose objects are still in the API server as far as we know: what a new list is held against."""
        with self._lock:
            return {pod.facts.uid: pod for pod in self._pods if not pod.gone}

    def known_nodes(self) -> Mapping[str, NodeRecord]:
        """The same for nodes."""
        with self._lock:
            return {node.facts.uid: node for node in self._nodes if node.until_ms is None}

    def heard(self, at_ms: int) -> None:
        """The watches of pods and nodes are complete up to here."""
        with self._lock:
            self._heard_ms = max(self._heard_ms, at_ms)

    def pod_seen(self, facts: PodFacts, at_ms: int, *, live: bool) -> PodRecord:
        """A pod is there; `live` where a watch showed it, not a list."""
        with self._lock:
            return self._pods.put(advance_pod(self._pods.get(facts.uid), facts, at_ms, live=live))

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

    def flush(self) -> int:
        """Put all changes on the volume, in one transaction; gives their number.

        Raises:
            JournalUnavailable: nothing was written; the changes are kept for the next call.
        """
        with self._lock:
            changes, heard_ms = dict(self._dirty), self._heard_ms
            self._dirty.clear()
        if not changes and heard_ms < self._file.heard_ms + HEARD_STEP_MS:
            return 0
        try:
            self._file.store(changes, heard_ms)
        except BaseException:
            with self._lock:
                self._dirty.update({**changes, **self._dirty})
            raise
        return len(changes)

    def retire(self, before_ms: int) -> int:
        """Forget what is gone and billed for nothing from a moment on; gives the number of records forgotten."""
        with self._lock:
            uids = retire((*self._pods, *self._nodes), before_ms)
            dropped = sum(self._pods.drop(uid) or self._nodes.drop(uid) for uid in uids)
            for node in tuple(self._nodes):
                self._nodes.put(forget_unhealthy(node, before_ms))
            return dropped + self._retire_places(before_ms)

    def close(self) -> None:
        """Put all changes on the volume and close the file."""
        try:
            self.flush()
        finally:
            self._file.close()

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
