"""What a Node or a Pod object says about the script. Functions of the object alone."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any, NamedTuple

from fleet.activity import IDLE, Program
from fleet.annotations import ACTIVITY, CLOCK_SKEW, EXPORTER, FAULTS, MEMORY, exporter_from, faults_from
from fleet.builders import gpu_uuid
from fleet.kubernetes import GPU, Object
from fleet.models import by_product
from fleet.script import NEVER_MS, Price, SimExporter, SimGpu, SimNode
from fleet.spec import parse

PORT = 9400
EXPORTER_NAMES = frozenset({"nvidia-dcgm-exporter", "dcgm-exporter"})
ENDED = frozenset({"Succeeded", "Failed"})


def milliseconds(stamp: str) -> int:
    """A time as Kubernetes writes it, in milliseconds since the epoch."""
    return int(datetime.fromisoformat(stamp).timestamp() * 1000)


def annotations(item: Object) -> Mapping[str, str]:
    """The annotations of an object, none if it has none."""
    return item["metadata"].get("annotations") or {}


def skew_ms(node: Object) -> int:
    """How far the node's clock runs ahead."""
    return int(Fraction(annotations(node).get(CLOCK_SKEW, "0")) * 1000)


class ExporterLife(NamedTuple):
    """An exporter pod and when it answered; `to_ms` is None while it does, `from_ms` is None before."""

    pod: Object
    from_ms: int | None
    to_ms: int | None


def sim_node(
    node: Object, exporters: Iterable[ExporterLife] = (), price: Price | None = None, removed_ms: int | None = None
) -> SimNode | None:
    """The node of the script; None for a node without GPUs.

    Raises:
        ValueError: its product or an annotation is not understood.
    """
    labels: Mapping[str, str] = node["metadata"].get("labels") or {}
    count = int(labels.get("nvidia.com/gpu.count", "0"))
    if not count:
        return None
    name, made_ms = node["metadata"]["name"], milliseconds(node["metadata"]["creationTimestamp"])
    gpus = tuple(SimGpu(index, gpu_uuid(name, index)) for index in range(count))
    return SimNode(
        name=name,
        model=by_product(labels["nvidia.com/gpu.product"]),
        gpus=gpus,
        price=price,
        instance_type=labels.get("node.kubernetes.io/instance-type", ""),
        region=labels.get("topology.kubernetes.io/region", ""),
        zone=labels.get("topology.kubernetes.io/zone", ""),
        exporters=tuple(sim_exporter(life, node) for life in exporters),
        faults=faults_from(annotations(node).get(FAULTS, "[]"), gpus, made_ms),
        clock_skew_ms=skew_ms(node),
        booted_ms=made_ms,
        removed_ms=NEVER_MS if removed_ms is None else removed_ms,
    )


def is_exporter(pod: Object) -> bool:
    """Whether a pod is a dcgm-exporter."""
    labels: Mapping[str, str] = pod["metadata"].get("labels") or {}
    return bool(EXPORTER_NAMES & {labels.get("app"), labels.get("app.kubernetes.io/name")})


def sim_exporter(life: ExporterLife, node: Object) -> SimExporter:
    """The exporter that a pod is; its own annotation goes before its node's."""
    text = annotations(life.pod).get(EXPORTER) or annotations(node).get(EXPORTER, "{}")
    metadata = life.pod["metadata"]
    return exporter_from(
        text,
        pod=metadata["name"],
        namespace=metadata["namespace"],
        ip=life.pod.get("status", {}).get("podIP", ""),
        serves_from_ms=NEVER_MS if life.from_ms is None else life.from_ms,
        serves_to_ms=NEVER_MS if life.to_ms is None else life.to_ms,
    )


def gpus_wanted(pod: Object) -> int:
    """How many whole GPUs a pod holds: the sum of its containers, or its largest init container if that is more."""
    spec = pod["spec"]
    wanted = sum(map(_limit, spec.get("containers", ())))
    return max([wanted, *map(_limit, spec.get("initContainers") or ())])


def _limit(container: Object) -> int:
    return int(((container.get("resources") or {}).get("limits") or {}).get(GPU, "0"))


def gpu_container(pod: Object) -> str:
    """The name of the container that holds GPUs."""
    return next(str(container["name"]) for container in pod["spec"]["containers"] if _limit(container))


def program(pod: Object) -> Program:
    """What the pod does to its GPUs: its annotation, or nothing."""
    text = annotations(pod).get(ACTIVITY)
    return IDLE if text is None else parse(text)


def memory(pod: Object) -> Fraction:
    """The part of the frame buffer that it holds."""
    return Fraction(annotations(pod).get(MEMORY, "0.5"))


def bound_ms(pod: Object) -> int | None:
    """When it was bound to its node."""
    scheduled = (c for c in pod.get("status", {}).get("conditions") or () if c["type"] == "PodScheduled")
    stamp = next((c["lastTransitionTime"] for c in scheduled if c["status"] == "True"), None)
    return None if stamp is None else milliseconds(stamp)


def started_ms(pod: Object, ahead_ms: int) -> int | None:
    """When its first container started, by a right clock; None if none has."""
    return min(_container_times(pod, "startedAt", ahead_ms), default=None)


def finished_ms(pod: Object, ahead_ms: int, seen_ms: int) -> int | None:
    """When it reached its terminal phase: when its last container ended, else when that was seen."""
    if pod.get("status", {}).get("phase") not in ENDED:
        return None
    return max(_container_times(pod, "finishedAt", ahead_ms), default=seen_ms)


def _container_times(pod: Object, name: str, ahead_ms: int) -> list[int]:
    statuses: Iterable[Any] = pod.get("status", {}).get("containerStatuses") or ()
    states = [state for status in statuses for state in (status.get("state") or {}).values() if state]
    return [milliseconds(state[name]) - ahead_ms for state in states if state.get(name)]
