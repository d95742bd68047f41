"""What the cluster held in the past, by the series of a Prometheus (port `Inventory`)."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from aicost.adapters.prometheus.history.asking import Asker
from aicost.adapters.prometheus.history.gpus import read_gpus
from aicost.adapters.prometheus.history.keys import LabelKeys
from aicost.adapters.prometheus.history.kubelets import (
    SAMPLED,
    move_containers,
    move_hosts,
    read_containers,
    read_hosts,
)
from aicost.adapters.prometheus.history.lifetimes import Known, Read, move_nodes, move_pods, newest_of_nodes
from aicost.adapters.prometheus.history.nodes import NODE_CREATED, read_nodes
from aicost.adapters.prometheus.history.pods import POD_INFO, read_pods
from aicost.adapters.prometheus.history.volumes import move_volumes
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, SECOND_MS, Window
from aicost.domain.inventory.cluster import ClusterFacts, NamespaceFacts, ServiceAccountFacts
from aicost.domain.inventory.pods import PodRecord
from aicost.domain.inventory.volumes import VolumeRecord
from aicost.domain.ledger.grounds import Ground
from aicost.domain.ledger.rows import Row
from aicost.domain.sampling.dialects import DCGM
from aicost.domain.sampling.series import Signal

CHUNK_MS = 6 * HOUR_MS
"""Objects are read for so long at once: most of them live longer than an hour, and are then read once."""
_BEYOND_MS = 10 * MINUTE_MS
"""What vanished is believed to be gone if it does not come back for so long."""
_BEAT_MS = 15 * SECOND_MS
_BEATS = (NODE_CREATED, "kube_namespace_created", "kube_namespace_status_phase", POD_INFO)
_IDENTIFYING = (Signal.ENGINE_ACTIVE, Signal.GPU_UTIL)
GPU_METRICS = tuple(
    sorted({name for one in DCGM for name, metric in one.metrics.items() if metric.signal in _IDENTIFYING})
)


@dataclass(slots=True)
class _Places:
    """Namespaces and accounts as they were last shown."""

    namespaces: dict[str, NamespaceFacts] = field(default_factory=dict)
    accounts: dict[tuple[str, str], ServiceAccountFacts] = field(default_factory=dict)


class HistoryInventory:
    """Lifetimes of the past, read as far as they are asked for; only ever forward.

    Args:
        ask: the server.
        epoch_ms: the ledger's first moment.
        now_ms: nothing is known of later.
        keys: label keys that matter.
    """

    def __init__(self, ask: Asker, epoch_ms: int, now_ms: int, keys: LabelKeys) -> None:
        self._ask, self._keys = ask, keys
        self._epoch_ms, self._now_ms = epoch_ms, now_ms
        self._known, self._places = Known(), _Places()
        self._volumes: dict[str, VolumeRecord] = {}
        self._read_until_ms: int | None = None
        self._sampled_nodes: set[str] = set()
        self._told_nodes = self._told_pods = False

    def facts(self, window: Window) -> ClusterFacts:
        """Pods and nodes that were there in the window.

        Raises:
            SourceUnavailable, InvalidAnswer, NotPermitted: as of the port `TelemetrySource`.
        """
        while self._read_until_ms is None or self._read_until_ms < min(window.end_ms, self._now_ms):
            begin = window.start_ms if self._read_until_ms is None else self._read_until_ms
            self._advance(Window(begin, min(begin + CHUNK_MS, self._now_ms)))
        pods = self._known.pods.values()
        return ClusterFacts(
            pods=tuple(_as_of(pod, window) for pod in pods if _was_there(pod, window)),
            nodes=tuple(node for node in self._known.nodes.values() if node.presence(window) is not None),
            namespaces=self._places.namespaces,
            service_accounts=self._places.accounts,
            volumes=tuple(one for one in self._volumes.values() if one.presence(window) is not None),
            past_pods=frozenset((pod.facts.namespace, pod.facts.name) for pod in pods if _had_ended(pod, window)),
        )

    def grounds(self, row: Row) -> tuple[Ground, ...]:
        """What a row rests on."""
        found = [Ground.BACKFILL]
        if row.place.node in self._sampled_nodes:
            found.append(Ground.NODE_FROM_SAMPLES)
        uid = row.holder.pod_uid
        if uid in self._known.pods:
            found += self._of_pod(uid, row.window)
        return tuple(found)

    def pods_at(self, window: Window) -> int:
        """How many pods were there."""
        return sum(_was_there(pod, window) for pod in self._known.pods.values())

    def _of_pod(self, uid: str, window: Window) -> Iterable[Ground]:
        shown, gap = self._known.shown.get(uid), self._known.pods[uid].gap
        sampled = uid in self._known.from_samples or (gap is not None and gap.start_ms < window.end_ms)
        if shown is None:
            return (Ground.CADVISOR, Ground.LIFETIME_FROM_SAMPLES, Ground.DEVICE_FROM_SAMPLES, Ground.NO_LABELS)
        told = (
            (Ground.KSM, True),
            (Ground.LIFETIME_FROM_SAMPLES, sampled),
            (Ground.DEVICE_FROM_SAMPLES, not shown.facts.devices),
            (Ground.NO_LABELS, not shown.labelled),
        )
        return tuple(ground for ground, true in told if true)

    def _advance(self, span: Window) -> None:
        """Read one span, and move all records forward over it."""
        beyond_ms = min(span.end_ms + _BEYOND_MS, self._now_ms)
        whole = Window(span.start_ms, beyond_ms)
        read = Read(span, beyond_ms, self._ask.beats(_BEATS, whole, _BEAT_MS))
        self._advance_nodes(read)
        self._advance_pods(read)
        move_volumes(self._volumes, self._ask, read, self._epoch_ms)
        self._read_places(whole)
        self._read_until_ms = span.end_ms

    def _advance_nodes(self, read: Read) -> None:
        """By kube-state-metrics, or by the samples of their GPUs."""
        gpus = read_gpus(self._ask, read.whole, GPU_METRICS)
        nodes = read_nodes(self._ask, read.whole, self._keys, gpus, read.latest_ms)
        known = self._known.nodes
        self._told_nodes |= bool(nodes)
        if not nodes and not (self._told_nodes and len(read.beats)):  # it is silent, or does not speak of nodes
            move_hosts(known, gpus, read_hosts(self._ask, read.whole, GPU_METRICS), read.span, self._epoch_ms)
            self._sampled_nodes |= {record.facts.name for uid, record in known.items() if SAMPLED in uid}
            return
        for uid in [uid for uid in known if SAMPLED in uid]:
            del known[uid]
        move_nodes(self._known, read, nodes, newest_of_nodes(self._ask, read, nodes), self._epoch_ms)
        self._sampled_nodes = {node.facts.name for node in nodes if not node.gpus_told}

    def _advance_pods(self, read: Read) -> None:
        """By kube-state-metrics, by the kubelet's series, or by nothing: then samples alone name who holds what."""
        pods = read_pods(self._ask, read.whole, self._keys, read.latest_ms)
        known = self._known
        self._told_pods |= bool(pods)
        if pods or (self._told_pods and len(read.beats)):
            for uid in [uid for uid in known.pods if uid not in known.shown]:
                del known.pods[uid]
            move_pods(known, self._ask, read, pods)
            return
        containers = read_containers(self._ask, read.whole)
        if containers:
            known.from_samples |= {uid for uid, one in known.pods.items() if one.held_until_ms is None}
            move_containers(known.pods, containers, read.span)
            return
        for uid in [uid for uid, one in known.pods.items() if one.held_until_ms is None]:
            del known.pods[uid]

    def _read_places(self, span: Window) -> None:
        for row in self._ask.last("kube_namespace_labels", span):
            name = row.get("namespace")
            self._places.namespaces[name] = NamespaceFacts(name, self._keys.read(row.labels))
        for row in self._ask.last("kube_serviceaccount_labels", span):
            key = row.get("namespace"), row.get("serviceaccount")
            self._places.accounts[key] = ServiceAccountFacts(*key, self._keys.read(row.labels))


def _as_of(pod: PodRecord, window: Window) -> PodRecord:
    """The record without an unseen end that lies behind the window: it makes nothing of the window uncertain."""
    behind = pod.gap is not None and pod.gap.start_ms >= window.end_ms
    return replace(pod, held_until_ms=None, gap=None, gone=False) if behind else pod


def _was_there(pod: PodRecord, window: Window) -> bool:
    return pod.facts.created_ms < window.end_ms and not _had_ended(pod, window)


def _had_ended(pod: PodRecord, window: Window) -> bool:
    return pod.held_until_ms is not None and pod.held_until_ms <= window.start_ms
