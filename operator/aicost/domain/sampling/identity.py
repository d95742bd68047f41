"""Whose device a series speaks of: device, instance, holder and exporter, by its labels."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from aicost.domain.inventory.cluster import ClusterFacts
from aicost.domain.inventory.pods import PodFacts, PodRecord
from aicost.domain.sampling.dialects import DEVICE_LABELS
from aicost.domain.sampling.placement import NodeIndex, PodName, index_nodes
from aicost.domain.sampling.series import RawSeries

EXPORTER_NAME = "dcgm-exporter"
EXPORTER_IMAGES = (EXPORTER_NAME, "device-metrics-exporter", "tpu-device-plugin")
"""Parts of the names of images that measure devices, of all makers."""
HOSTNAME_LABEL = "kubernetes.io/hostname"


@dataclass(frozen=True, slots=True)
class SamplingContext:
    """What is known of the cluster that the samples come from.

    Attributes:
        interval_ms: time between samples that the source aims at.
        nodes: the nodes by their names.
        exporters: (namespace, name) of pods that measure devices and hold none.
        pod_nodes: (namespace, name) -> node; a name that was on two nodes is left out.
        workloads: (namespace, name) of pods that hold devices: one whose own metrics are scraped is no exporter.
    """

    interval_ms: int
    nodes: NodeIndex = field(default_factory=NodeIndex)
    exporters: frozenset[PodName] = frozenset()
    pod_nodes: Mapping[PodName, str] = field(default_factory=dict)
    workloads: frozenset[PodName] = frozenset()


@dataclass(frozen=True, slots=True)
class Holder:
    """The pod that a series shows on the device; `uid` is None where the source does not tell it."""

    pod: PodName
    uid: str | None = None


def context_of(facts: ClusterFacts, interval_ms: int) -> SamplingContext:
    """The context for the samples of a cluster."""
    nodes = {record.facts.name: record.facts.labels.get(HOSTNAME_LABEL, "") for record in facts.nodes}
    pods = [record.facts for record in facts.pods]
    workloads = frozenset((one.facts.namespace, one.facts.name) for one in facts.pods if _holds(one))
    return SamplingContext(interval_ms, index_nodes(nodes), exporter_pods(pods), _pod_nodes(pods), workloads)


def exporter_pods(pods: Iterable[PodFacts]) -> frozenset[PodName]:
    """Pods that run an exporter image and ask for no device: one that asks for a device is somebody's workload."""
    return frozenset((pod.namespace, pod.name) for pod in pods if _is_exporter(pod))


def _is_exporter(pod: PodFacts) -> bool:
    return (
        not pod.devices
        and not pod.claims
        and any(name in one.image for one in pod.containers for name in EXPORTER_IMAGES)
    )


def _holds(pod: PodRecord) -> bool:
    """Whether a pod has devices of its own; an exporter may claim all of a node to watch them, and holds none."""
    return bool(pod.facts.devices) or any(one.share for one in pod.claimed)


def _pod_nodes(pods: Iterable[PodFacts]) -> dict[PodName, str]:
    nodes: dict[PodName, set[str]] = {}
    for pod in pods:
        if pod.node:
            nodes.setdefault((pod.namespace, pod.name), set()).add(pod.node)
    return {name: next(iter(found)) for name, found in nodes.items() if len(found) == 1}


def device_of(series: RawSeries) -> tuple[str, str | None] | None:
    """The physical device and its hardware partition (None for the whole); None where the labels name no device.

    The first partition of an AMD GPU speaks for the whole device: the exporter shows activity of no other.
    """
    labels = series.labels
    for label in DEVICE_LABELS.get(series.name, ()):
        if device := labels.get(label):
            return device, _partition(labels)
    return None


def _partition(labels: Mapping[str, str]) -> str | None:
    """The node agent writes `instance`, where a Prometheus may have put the address of its target instead."""
    if mig := labels.get("GPU_I_ID"):
        return mig
    if (amd := labels.get("gpu_partition_id", "")) not in {"", "0"}:
        return amd
    for label in ("exported_instance", "instance"):
        if (own := labels.get(label, "")).isdecimal():
            return own
    return None


def holder_of(series: RawSeries, context: SamplingContext) -> Holder | None:
    """The pod that holds the device according to the labels; None where they name nobody.

    A Prometheus that keeps its own labels writes the holder as `exported_pod`; `pod` is then the exporter. Without
    `exported_pod` it is `pod`, unless that is the exporter itself: where the exporter's labels win over the target's, a
    device that nobody holds wears the exporter's name. An empty label is no label. HAMi wrote `podname` once.
    """
    labels = series.labels
    if labels.get("exported_pod"):
        namespace = labels.get("exported_namespace") or labels.get("namespace") or ""
        return Holder((namespace, labels["exported_pod"]), _uid(labels, "exported_pod_uid"))
    if labels.get("podname"):
        return Holder((labels.get("podnamespace", ""), labels["podname"]))
    if not labels.get("pod"):
        return None
    pod = (labels.get("namespace", ""), labels["pod"])
    return None if _is_measuring(pod, series, context) else Holder(pod, _uid(labels, ""))


def _uid(labels: Mapping[str, str], exported: str) -> str | None:
    """The holder's uid; a target has no label `pod_uid` of its own, so it need not have been renamed."""
    return labels.get(exported) or labels.get("pod_uid") or None


def _is_measuring(pod: PodName, series: RawSeries, context: SamplingContext) -> bool:
    """Whether a pod is the exporter; by its name alone only if the cluster knows no such pod."""
    if pod == series.target_pod or pod in context.exporters:
        return pod not in context.workloads
    return EXPORTER_NAME in pod[1] and pod not in context.pod_nodes


def exporter_key(series: RawSeries) -> tuple[str, ...]:
    """What tells the exporters of a cluster apart."""
    labels = series.labels
    host = labels.get("Hostname") or labels.get("hostname") or ""
    target = series.target_pod or ("", "")
    return (*target, series.target_node or "", labels.get("job", ""), labels.get("instance", ""), host)


def exporter_node(series: RawSeries, context: SamplingContext) -> str | None:
    """The node that the exporter runs on, where the source or the cluster knows it."""
    if series.target_node or series.target_pod is None:
        return series.target_node
    return context.pod_nodes.get(series.target_pod)
