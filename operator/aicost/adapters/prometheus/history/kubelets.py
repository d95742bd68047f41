"""Pods and nodes of a span without kube-state-metrics: by the kubelet's series (cAdvisor), and by the GPUs' own.

Both know no times: a holding begins at the first sample and ends after the last one, found minute by minute.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from aicost.adapters.prometheus.history.asking import Asker
from aicost.adapters.prometheus.history.gpus import HostGpus
from aicost.domain.exact.windows import MINUTE_MS, Window
from aicost.domain.inventory.nodes import NodeFacts, NodeRecord
from aicost.domain.inventory.pods import ContainerFacts, PodFacts, PodRecord
from aicost.domain.sampling.identity import HOSTNAME_LABEL
from aicost.domain.sampling.placement import HOST_LABELS, hosts_of, index_nodes

CONTAINERS = "container_memory_working_set_bytes"
STEP_MS = MINUTE_MS
SAMPLED = "@samples-"
"""Stands in the uid of a node that only samples know."""
_UID = re.compile(r"pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12})")
_NODE_LABELS = ("node", "kubernetes_io_hostname", "kubernetes_node", "nodename")
_BY = ("namespace", "pod", "container", "image", "id", *_NODE_LABELS, "instance")


@dataclass(slots=True)
class _Seen:
    """A pod as its containers show it."""

    node: str
    first_ms: int
    last_ms: int
    images: dict[str, str] = field(default_factory=dict)


def read_containers(ask: Asker, span: Window) -> dict[str, tuple[PodFacts, int, int]]:
    """Pods by uid with their first and last sample in a span, by the kubelet's series."""
    found: dict[tuple[str, str, str], _Seen] = {}
    edges = ask.edges(CONTAINERS, span, _BY, STEP_MS, 'container!=""', 'container!="POD"')
    for pairs, (first_ms, last_ms) in edges.items():
        labels = dict(pairs)
        uid, namespace, name = _uid_in(labels.get("id", "")), labels.get("namespace", ""), labels.get("pod", "")
        if not name:
            continue
        seen = found.setdefault((namespace, name, uid), _Seen(_node_in(labels), first_ms, last_ms))
        seen.first_ms, seen.last_ms = min(seen.first_ms, first_ms), max(seen.last_ms, last_ms)
        seen.images[labels.get("container", "")] = labels.get("image", "")
    return {
        facts.uid: (facts, seen.first_ms, seen.last_ms) for key, seen in found.items() for facts in [_facts(key, seen)]
    }


def _facts(key: tuple[str, str, str], seen: _Seen) -> PodFacts:
    namespace, name, uid = key
    return PodFacts(
        uid=uid or f"{namespace}/{name}@{seen.node}",
        namespace=namespace,
        name=name,
        created_ms=seen.first_ms,
        node=seen.node or None,
        phase="Running",
        containers=tuple(ContainerFacts(one, image) for one, image in sorted(seen.images.items())),
        bound_ms=seen.first_ms,
    )


def _uid_in(cgroup: str) -> str:
    """The pod's uid, which stands in the path of its control group; the systemd driver writes `_` for `-`."""
    match = _UID.search(cgroup)
    return match[1].replace("_", "-") if match else ""


def _node_in(labels: Mapping[str, str]) -> str:
    named = next((labels[label] for label in _NODE_LABELS if labels.get(label)), "")
    return named or labels.get("instance", "").rpartition(":")[0]


def move_containers(pods: dict[str, PodRecord], shown: Mapping[str, tuple[PodFacts, int, int]], span: Window) -> None:
    """Move the records of pods forward over a span, by the kubelet's series."""
    for uid, (facts, first_ms, last_ms) in shown.items():
        known = pods.get(uid)
        if known is not None and known.held_until_ms is None:
            record = replace(known, seen_ms=max(known.seen_ms, last_ms))
        else:
            early = first_ms < span.start_ms + 2 * STEP_MS  # it was there before anybody looked
            since_ms = (span.start_ms if early else first_ms) - STEP_MS
            record = PodRecord(replace(facts, created_ms=since_ms, bound_ms=since_ms), last_ms)
        pods[uid] = record if last_ms >= span.end_ms else _gone(record, last_ms)
    for uid, record in tuple(pods.items()):
        if uid not in shown and record.held_until_ms is None and record.seen_ms < span.end_ms:
            pods[uid] = _gone(record, record.seen_ms, span.start_ms)


def _gone(record: PodRecord, last_ms: int, missed_ms: int = 0) -> PodRecord:
    """The record of a pod that ended after its last sample, at the latest when it was first missed."""
    gap = Window(last_ms, max(last_ms + STEP_MS, missed_ms))
    return replace(record, held_until_ms=gap.end_ms, gap=gap, gone=True)


def read_hosts(ask: Asker, span: Window, metrics: Sequence[str]) -> dict[str, tuple[int, int]]:
    """The first and last sample of the GPUs of each host in a span."""
    found: dict[str, tuple[int, int]] = {}
    for metric in metrics:
        for pairs, (first_ms, last_ms) in ask.edges(metric, span, (*HOST_LABELS, "instance"), STEP_MS).items():
            host = next(iter(hosts_of(dict(pairs))), "")
            known = found.get(host, (first_ms, last_ms))
            found[host] = min(first_ms, known[0]), max(last_ms, known[1])
    return {host: edges for host, edges in found.items() if host}


def move_hosts(
    nodes: dict[str, NodeRecord],
    gpus: Mapping[str, HostGpus],
    edges: Mapping[str, tuple[int, int]],
    span: Window,
    epoch_ms: int,
) -> None:
    """Move the records of nodes forward over a span, by the samples of their GPUs.

    A node that kube-state-metrics told of before it went silent keeps what was told of it.
    """
    open_ = {record.facts.name: uid for uid, record in nodes.items() if record.until_ms is None}
    index = index_nodes({name: nodes[uid].facts.labels.get(HOSTNAME_LABEL, "") for name, uid in open_.items()})
    there = set()
    for host, one in gpus.items():
        place = index.find(host)
        known = nodes[open_[place[1]]] if place else None
        first_ms, last_ms = edges.get(host, (span.start_ms, span.end_ms))
        early = first_ms < span.start_ms + 2 * STEP_MS
        since_ms = known.since_ms if known else max(epoch_ms, span.start_ms if early else first_ms - STEP_MS)
        facts = known.facts if known else _host_facts(host, since_ms, one)
        facts = replace(facts, gpus=max(len(one.uuids), facts.gpus))
        until_ms = None if last_ms >= span.end_ms else last_ms + STEP_MS
        unhealthy = known.unhealthy if known else ()
        nodes[facts.uid] = NodeRecord(facts, last_ms, since_ms, until_ms, unhealthy=unhealthy)
        there.add(facts.uid)
    for uid in set(open_.values()) - there:
        nodes[uid] = replace(nodes[uid], until_ms=max(nodes[uid].since_ms, nodes[uid].seen_ms + STEP_MS))


def _host_facts(host: str, since_ms: int, gpus: HostGpus) -> NodeFacts:
    offered = {"nvidia.com/gpu": len(gpus.uuids)}
    uid = f"{host}{SAMPLED}{since_ms}"
    return NodeFacts(uid, host, since_ms, gpu_model=gpus.model or None, capacity=offered, allocatable=offered)
