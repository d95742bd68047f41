"""What of an object may be written into a record: what we read of it, and nothing else.

An object is read into its shape and written again, so what the shape does not know is gone: specs of secrets, volumes
and probes, managed fields, the annotation that kubectl leaves. What is left is trimmed as it is when we read it live.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from aicost.adapters.kube.seen import dra, shapes
from aicost.adapters.kube.seen.trainers import TRAIN_JOBS, TRAINER_GROUP, recordable_status
from aicost.adapters.kube.seen.trim import (
    NODE_ANNOTATIONS,
    POD_ANNOTATIONS,
    keep_annotations,
    keep_arguments,
    keep_run_ids,
)
from aicost.adapters.kube.wire.resources import Resource

Body = dict[str, Any]
_OLD_CLASS = "volume.beta.kubernetes.io/storage-class"
_OWN_METADATA = ("name", "namespace", "uid", "generation", "creationTimestamp", "labels", "ownerReferences")


def recordable(resource: Resource, encoded: bytes) -> Body:
    """An object as it may be written.

    Raises:
        ValueError, msgspec.MsgspecError: it is not what its kind should be.
    """
    if (resource.group, resource.kind) == (TRAINER_GROUP, TRAIN_JOBS.kind):
        return _train_job(resource, msgspec.json.decode(encoded))
    shape, trim = _KINDS.get((resource.group, resource.kind), (None, None))
    if shape is None or trim is None:
        return _plain(resource, msgspec.json.decode(encoded))
    found = msgspec.json.decode(encoded, type=shape)
    trim(found)
    body = _without_nothing(msgspec.to_builtins(found))
    return {"apiVersion": resource.api_version, "kind": resource.kind, **body}


def _train_job(resource: Resource, body: Mapping[str, Any]) -> Body:
    """A TrainJob: how far it is. Its spec is not read, and holds environments and arguments."""
    status = recordable_status(body)
    return {**_plain(resource, {**body, "spec": None}), **({"status": status} if status else {})}


def _plain(resource: Resource, body: Mapping[str, Any]) -> Body:
    """One of our own objects, or one of which the metadata alone matters: no status, no notes of other programs."""
    told = body.get("metadata") or {}
    metadata = {name: told[name] for name in _OWN_METADATA if told.get(name)}
    spec = {"spec": body["spec"]} if body.get("spec") else {}
    return {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata, **spec}


def _trim_pod(pod: shapes.Pod) -> None:
    pod.metadata.annotations = keep_annotations(pod.metadata.annotations, POD_ANNOTATIONS)
    spec = pod.spec or shapes.PodSpec()
    for container in (*(spec.containers or ()), *(spec.init_containers or ())):
        _trim_container(container)
    if pod.status is not None:
        pod.status.pod_ip = None


def _trim_container(container: shapes.Container) -> None:
    """Of the environment the names of runs alone; arguments without what names a secret."""
    kept = keep_run_ids((each.name, each.value) for each in container.env or ())
    container.env = tuple(shapes.Variable(name, value) for name, value in kept.items())
    command = container.command or ()
    words = keep_arguments((*command, *(container.args or ())))
    container.command, container.args = words[: len(command)], words[len(command) :]
    container.ports = None


def _trim_node(node: shapes.Node) -> None:
    node.metadata.annotations = keep_annotations(node.metadata.annotations, NODE_ANNOTATIONS)
    if node.status is not None:
        node.status.addresses = None


def _trim_named(named: shapes.Named | dra.ResourceClaim | dra.ResourceSlice) -> None:
    named.metadata.annotations = None


def _trim_volume(claim: shapes.VolumeClaim) -> None:
    claim.metadata.annotations = keep_annotations(claim.metadata.annotations, (_OLD_CLASS,))


_KINDS: Mapping[tuple[str, str], tuple[Any, Callable[[Any], None]]] = {
    ("", "Pod"): (shapes.Pod, _trim_pod),
    ("", "Node"): (shapes.Node, _trim_node),
    ("", "Namespace"): (shapes.Named, _trim_named),
    ("", "ServiceAccount"): (shapes.Named, _trim_named),
    ("", "PersistentVolumeClaim"): (shapes.VolumeClaim, _trim_volume),
    ("resource.k8s.io", "ResourceClaim"): (dra.ResourceClaim, _trim_named),
    ("resource.k8s.io", "ResourceSlice"): (dra.ResourceSlice, _trim_named),
}


def _without_nothing(value: Any) -> Any:
    """The value without fields that say nothing."""
    if isinstance(value, dict):
        kept = {key: _without_nothing(each) for key, each in value.items()}
        return {key: each for key, each in kept.items() if each not in (None, "", [], ())}
    if isinstance(value, list | tuple):
        return [_without_nothing(each) for each in value]
    return value
