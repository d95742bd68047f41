"""The script as Kubernetes sees it: nodes and pods at a moment, and the watch events between two moments.

Times are written in whole seconds, as the API server does. Times that a kubelet writes are off by its node's clock;
the binding's time comes from the control plane and is right.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from fleet.annotations import node_annotations
from fleet.faults import FaultKind
from fleet.script import Fleet, Owner, SimNamespace, SimNode, SimPod, timestamp
from fleet.sharing import claims, pods
from fleet.sharing import nodes as shared_nodes
from fleet.sharing.nodes import GPU
from fleet.sharing.reservations import reservations

Object = dict[str, Any]
__all__ = ("GPU", "timestamp")


class Event(NamedTuple):
    """One watch event."""

    at_ms: int
    type: str
    object: Object


def node_object(node: SimNode, at_ms: int = 0) -> Object:
    """A node at a moment, made at its boot. A GPU that is lost then is not in `allocatable`."""
    lost = frozenset(
        uuid
        for fault in node.faults
        if fault.kind is FaultKind.LOST and fault.touches(at_ms, exporter=-1)
        for uuid in fault.uuids or [gpu.uuid for gpu in node.gpus]
    )
    times = {"lastHeartbeatTime": timestamp(at_ms), "lastTransitionTime": timestamp(node.booted_ms)}
    whole = {"cpu": str(node.cpus), "memory": f"{node.memory_gib}Gi", "pods": "110", "ephemeral-storage": "500Gi"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": node.name,
            "uid": f"node-{node.name}",
            "creationTimestamp": timestamp(node.booted_ms),
            "labels": node_labels(node, at_ms),
            "annotations": node_annotations(node) | shared_nodes.annotations(node),
        },
        "spec": {"providerID": f"{node.provider}:///{node.zone}/{node.name}"},
        "status": {
            "capacity": whole | shared_nodes.offered(node, at_ms),
            "allocatable": whole | shared_nodes.offered(node, at_ms, lost),
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"} | times],
            "addresses": [{"type": "Hostname", "address": node.name}],
        },
    }


def node_changes(node: SimNode) -> list[int]:
    """When a node's object differs from what it was: a GPU is lost or found again, or cut in another way."""
    lost = {edge for f in node.faults if f.kind is FaultKind.LOST for edge in (f.from_ms, f.to_ms)}
    return sorted(lost | {layout.from_ms for gpu in node.gpus for layout in gpu.layouts})


def node_labels(node: SimNode, at_ms: int = 0) -> dict[str, str]:
    """The labels of a node at a moment."""
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
    labels |= shared_nodes.labels(node, at_ms)
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
        "labels": dict(pod.labels) | pods.labels(fleet, pod),
    }
    written = dict(pod.annotations) | pods.annotations(fleet, pod, is_bound=_reached(pod.bound_ms, at_ms))
    if written:
        metadata["annotations"] = written
    if pod.owners:
        metadata["ownerReferences"] = [owner_reference(pod.owners[0])]
    spec: Object = {"containers": [_container(fleet, pod)]}
    if pods.claim_references(pod):
        spec["resourceClaims"] = pods.claim_references(pod)
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
    """Namespaces, nodes, what their drivers offer, claims and pods that exist at a moment."""
    named = [namespace_object(namespace) for namespace in fleet.namespaces]
    hosts = [node_object(node, at_ms) for node in fleet.nodes]
    slices = [claims.slice_object(node, at_ms) for node in claims.nodes_of_drivers(fleet)]
    found = [life.object(at_ms) for life in claims.claim_lives(fleet)]
    found += [pod_object(fleet, pod, at_ms) for pod in every_pod(fleet)]
    return [*named, *hosts, *slices, *(one for one in found if one is not None)]


def every_pod(fleet: Fleet) -> list[SimPod]:
    """The pods of the script and those that schedulers make for them."""
    return [*fleet.pods, *reservations(fleet)]


def claim_events(fleet: Fleet, from_ms: int, to_ms: int) -> list[Event]:
    """What a watch of ResourceClaims reports in `[from_ms, to_ms)`, in order."""
    found = []
    for life in claims.claim_lives(fleet):
        for at_ms in life.changes:
            before, now = life.object(at_ms - 1), life.object(at_ms)
            shown = now or before
            if from_ms <= at_ms < to_ms and before != now and shown is not None:
                kind = "DELETED" if now is None else "ADDED" if before is None else "MODIFIED"
                found.append(Event(at_ms, kind, shown))
    return sorted(found, key=lambda event: event.at_ms)


def pod_events(fleet: Fleet, from_ms: int, to_ms: int) -> list[Event]:
    """What a watch of pods reports in `[from_ms, to_ms)`, in order, with rising resource versions."""
    events = sorted(_raw_events(fleet, from_ms, to_ms), key=lambda event: event.at_ms)
    for number, event in enumerate(events, start=1):
        event.object["metadata"]["resourceVersion"] = str(number)
    return events


def _raw_events(fleet: Fleet, from_ms: int, to_ms: int) -> Iterator[Event]:
    for pod in every_pod(fleet):
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


def _container(fleet: Fleet, pod: SimPod) -> Object:
    asked = pods.limits(fleet, pod)
    resources: Object = {"limits": asked, "requests": asked} if asked else {}
    if pods.claim_references(pod):
        resources["claims"] = [{"name": one["name"]} for one in pods.claim_references(pod)]
    container = {"name": pod.container, "image": pod.image, "resources": resources}
    return container | ({"args": list(pod.args)} if pod.args else {})


def _status(pod: SimPod, at_ms: int, skew_ms: int) -> Object:
    status: Object = {"phase": _phase(pod, at_ms), "conditions": []}
    if _reached(pod.bound_ms, at_ms) and pod.bound_ms is not None:
        scheduled = {"type": "PodScheduled", "status": "True", "lastTransitionTime": timestamp(pod.bound_ms)}
        status["conditions"].append(scheduled)
        status["startTime"] = timestamp(pod.bound_ms + skew_ms)
        state = _container_state(pod, at_ms, skew_ms)
        status |= pods.claim_status(pod)
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
