"""The script as Kubernetes sees it: nodes and pods at a moment, and the watch events between two moments.

Times are written in whole seconds, as the API server does. Times that a kubelet writes are off by its node's clock;
the binding's time comes from the control plane and is right.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from fleet.annotations import node_annotations
from fleet.faults import FaultKind
from fleet.script import Fleet, Owner, SimNamespace, SimNode, SimPod

Object = dict[str, Any]
GPU = "nvidia.com/gpu"


class Event(NamedTuple):
    """One watch event."""

    at_ms: int
    type: str
    object: Object


def timestamp(at_ms: int) -> str:
    """A moment as Kubernetes writes it; what is below a second is cut off."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def node_object(node: SimNode, at_ms: int = 0) -> Object:
    """A node at a moment, made at its boot. A GPU that is lost then is not in `allocatable`."""
    lost = {
        uuid
        for fault in node.faults
        if fault.kind is FaultKind.LOST and fault.touches(at_ms, exporter=-1)
        for uuid in fault.uuids or [gpu.uuid for gpu in node.gpus]
    }
    times = {"lastHeartbeatTime": timestamp(at_ms), "lastTransitionTime": timestamp(node.booted_ms)}
    whole = {"cpu": str(node.cpus), "memory": f"{node.memory_gib}Gi", "pods": "110", "ephemeral-storage": "500Gi"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": node.name,
            "uid": f"node-{node.name}",
            "creationTimestamp": timestamp(node.booted_ms),
            "labels": node_labels(node),
            "annotations": node_annotations(node),
        },
        "spec": {"providerID": f"{node.provider}:///{node.zone}/{node.name}"},
        "status": {
            "capacity": whole | {GPU: str(len(node.gpus))},
            "allocatable": whole | {GPU: str(len(node.gpus) - len(lost))},
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"} | times],
            "addresses": [{"type": "Hostname", "address": node.name}],
        },
    }


def node_labels(node: SimNode) -> dict[str, str]:
    """The labels of a node."""
    capacity = {"aws": "eks.amazonaws.com/capacityType", "gcp": "cloud.google.com/gke-provisioning"}
    spelled = node.capacity_type.upper().replace("-", "_") if node.provider == "aws" else node.capacity_type
    labels = {
        "kubernetes.io/hostname": node.name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "node.kubernetes.io/instance-type": node.instance_type,
        "topology.kubernetes.io/region": node.region,
        "topology.kubernetes.io/zone": node.zone,
        "nvidia.com/gpu.present": "true",
        "nvidia.com/gpu.product": node.model.product,
        "nvidia.com/gpu.count": str(len(node.gpus)),
        "nvidia.com/gpu.memory": str(node.model.memory_mib),
        "nvidia.com/gpu.family": node.model.family,
        "nvidia.com/gpu.replicas": "1",
        "nvidia.com/mig.capable": "false",
    }
    return labels | {capacity.get(node.provider, "karpenter.sh/capacity-type"): spelled} | dict(node.labels)


def namespace_object(namespace: SimNamespace) -> Object:
    """A namespace."""
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": namespace.name, "labels": dict(namespace.labels)},
    }


def pod_object(fleet: Fleet, pod: SimPod, at_ms: int) -> Object | None:
    """A pod at a moment; None before it was made and after it was gone."""
    made = pod.created_ms if pod.created_ms is not None else pod.bound_ms
    if made is None or at_ms < made or _reached(pod.deleted_ms, at_ms):
        return None
    metadata: Object = {
        "name": pod.name,
        "namespace": pod.namespace,
        "uid": pod.uid,
        "creationTimestamp": timestamp(made),
        "labels": dict(pod.labels),
    }
    if pod.owners:
        metadata["ownerReferences"] = [owner_reference(pod.owners[0])]
    spec: Object = {"containers": [_container(pod)]}
    if _reached(pod.bound_ms, at_ms):
        spec["nodeName"] = pod.node
    skew_ms = fleet.node(pod.node).clock_skew_ms
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": spec,
        "status": _status(pod, at_ms, skew_ms),
    }


def owner_reference(owner: Owner) -> Object:
    """An owner as its child names it."""
    named = {"apiVersion": owner.api_version, "kind": owner.kind, "name": owner.name, "uid": owner.uid}
    return named | {"controller": True, "blockOwnerDeletion": True}


def owner_objects(fleet: Fleet) -> list[Object]:
    """The controllers of all pods, each once, each naming its own controller."""
    found: dict[str, Object] = {}
    for pod in fleet.pods:
        for owner, above in zip(pod.owners, [*pod.owners[1:], None], strict=False):
            metadata: Object = {"name": owner.name, "namespace": pod.namespace, "uid": owner.uid}
            if above is not None:
                metadata["ownerReferences"] = [owner_reference(above)]
            found[owner.uid] = {"apiVersion": owner.api_version, "kind": owner.kind, "metadata": metadata}
    return list(found.values())


def objects(fleet: Fleet, at_ms: int) -> list[Object]:
    """Namespaces, nodes and pods that exist at a moment."""
    pods = [pod_object(fleet, pod, at_ms) for pod in fleet.pods]
    named = [namespace_object(namespace) for namespace in fleet.namespaces]
    return [*named, *(node_object(node, at_ms) for node in fleet.nodes), *(pod for pod in pods if pod is not None)]


def pod_events(fleet: Fleet, from_ms: int, to_ms: int) -> list[Event]:
    """What a watch of pods reports in `[from_ms, to_ms)`, in order, with rising resource versions."""
    events = sorted(_raw_events(fleet, from_ms, to_ms), key=lambda event: event.at_ms)
    for number, event in enumerate(events, start=1):
        event.object["metadata"]["resourceVersion"] = str(number)
    return events


def _raw_events(fleet: Fleet, from_ms: int, to_ms: int) -> Iterator[Event]:
    for pod in fleet.pods:
        moments = {pod.created_ms, pod.bound_ms, pod.started_ms, pod.finished_ms, pod.deleted_ms} - {None}
        for at_ms in sorted(moment for moment in moments if moment is not None and from_ms <= moment < to_ms):
            yield _event(fleet, pod, at_ms)


def _event(fleet: Fleet, pod: SimPod, at_ms: int) -> Event:
    before, now = pod_object(fleet, pod, at_ms - 1), pod_object(fleet, pod, at_ms)
    if now is None:
        return Event(
            at_ms, "DELETED", before or {"metadata": {"name": pod.name, "namespace": pod.namespace, "uid": pod.uid}}
        )
    return Event(at_ms, "ADDED" if before is None else "MODIFIED", now)


def _reached(moment: int | None, at_ms: int) -> bool:
    return moment is not None and moment <= at_ms


def _container(pod: SimPod) -> Object:
    count = str(len(pod.gpus))
    resources = {"limits": {GPU: count}, "requests": {GPU: count}} if pod.gpus else {}
    container = {"name": pod.container, "image": pod.image, "resources": resources}
    return container | ({"args": list(pod.args)} if pod.args else {})


def _status(pod: SimPod, at_ms: int, skew_ms: int) -> Object:
    status: Object = {"phase": _phase(pod, at_ms), "conditions": []}
    if _reached(pod.bound_ms, at_ms) and pod.bound_ms is not None:
        scheduled = {"type": "PodScheduled", "status": "True", "lastTransitionTime": timestamp(pod.bound_ms)}
        status["conditions"].append(scheduled)
        status["startTime"] = timestamp(pod.bound_ms + skew_ms)
        state = _container_state(pod, at_ms, skew_ms)
        status["containerStatuses"] = [{"name": pod.container, "ready": "running" in state, "state": state}]
    return status


def _phase(pod: SimPod, at_ms: int) -> str:
    if _reached(pod.finished_ms, at_ms):
        return "Failed" if pod.failed else "Succeeded"
    return "Running" if _reached(pod.started_ms, at_ms) else "Pending"


def _container_state(pod: SimPod, at_ms: int, skew_ms: int) -> Object:
    started = {} if pod.started_ms is None else {"startedAt": timestamp(pod.started_ms + skew_ms)}
    if pod.finished_ms is not None and pod.finished_ms <= at_ms:
        code, reason = (1, "Error") if pod.failed else (0, "Completed")
        ended = {"exitCode": code, "reason": reason, "finishedAt": timestamp(pod.finished_ms + skew_ms)}
        return {"terminated": started | ended}
    return {"running": started} if _reached(pod.started_ms, at_ms) else {"waiting": {"reason": "ContainerCreating"}}
