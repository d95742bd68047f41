"""Bytes of a watched object -> what it says. An object that makes no sense becomes a value that names what is wrong."""

from collections.abc import Callable
from functools import cache
from typing import TypeVar

import msgspec

from aicost.adapters.kube.seen import dra, nodes, pods, shapes
from aicost.adapters.kube.seen.checks import require_identity
from aicost.adapters.kube.seen.values import (
    BadObject,
    SeenClaim,
    SeenNamespace,
    SeenNode,
    SeenPod,
    SeenService,
    SeenServiceAccount,
    SeenSlice,
    ServicePortSeen,
)
from aicost.domain.inventory.cluster import NamespaceFacts, ServiceAccountFacts

Encoded = bytes | bytearray | memoryview | msgspec.Raw

_Shape = TypeVar("_Shape", bound=shapes.Shape)
_Seen = TypeVar("_Seen")
_PROBLEM_LIMIT = 300
_NAME_LIMIT = 253


def decode_pod(encoded: Encoded) -> SeenPod | BadObject:
    """A pod: its facts without owners, and what finding its owner and exporters takes."""
    return _decode("Pod", shapes.Pod, pods.read_pod, encoded)


def decode_node(encoded: Encoded) -> SeenNode | BadObject:
    """A node."""
    return _decode("Node", shapes.Node, nodes.read_node, encoded)


def decode_namespace(encoded: Encoded) -> SeenNamespace | BadObject:
    """A namespace."""
    return _decode("Namespace", shapes.Named, _read_namespace, encoded)


def decode_service_account(encoded: Encoded) -> SeenServiceAccount | BadObject:
    """A ServiceAccount; which secrets it has is not read."""
    return _decode("ServiceAccount", shapes.Named, _read_service_account, encoded)


def decode_service(encoded: Encoded) -> SeenService | BadObject:
    """A Service."""
    return _decode("Service", shapes.Service, _read_service, encoded)


def decode_claim(encoded: Encoded) -> SeenClaim | BadObject:
    """A ResourceClaim."""
    return _decode("ResourceClaim", dra.ResourceClaim, _read_claim, encoded)


def decode_slice(encoded: Encoded) -> SeenSlice | BadObject:
    """A ResourceSlice."""
    return _decode("ResourceSlice", dra.ResourceSlice, _read_slice, encoded)


def _decode(kind: str, shape: type[_Shape], read: Callable[[_Shape], _Seen], encoded: Encoded) -> _Seen | BadObject:
    """Decode and read; both may find that a field is wrong."""
    try:
        decoded: _Shape = _decoder(shape).decode(encoded)
        return read(decoded)
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as error:
        return _bad(kind, encoded, str(error))


@cache
def _decoder(shape: type[_Shape]) -> "msgspec.json.Decoder[_Shape]":
    return msgspec.json.Decoder(shape)


def _bad(kind: str, encoded: Encoded, problem: str) -> BadObject:
    """Name the object as far as it can still be read."""
    try:
        whole = msgspec.json.decode(encoded)
    except (msgspec.MsgspecError, RecursionError):
        whole = None
    metadata = whole.get("metadata") if isinstance(whole, dict) else None
    told = metadata if isinstance(metadata, dict) else {}
    namespace, name, uid = (_text(told.get(key)) for key in ("namespace", "name", "uid"))
    return BadObject(kind, namespace, name, uid, problem[:_PROBLEM_LIMIT])


def _text(value: object) -> str:
    return value[:_NAME_LIMIT] if isinstance(value, str) else ""


def _read_namespace(namespace: shapes.Named) -> SeenNamespace:
    metadata = namespace.metadata
    require_identity(metadata)
    facts = NamespaceFacts(metadata.name, metadata.labels or {})
    return SeenNamespace(facts, metadata.uid, metadata.resource_version)


def _read_service_account(account: shapes.Named) -> SeenServiceAccount:
    metadata = account.metadata
    require_identity(metadata, namespaced=True)
    facts = ServiceAccountFacts(metadata.namespace or "", metadata.name, metadata.labels or {})
    return SeenServiceAccount(facts, metadata.uid, metadata.resource_version)


def _read_claim(claim: dra.ResourceClaim) -> SeenClaim:
    return SeenClaim(dra.read_claim(claim), claim.metadata.resource_version)


def _read_slice(found: dra.ResourceSlice) -> SeenSlice:
    return SeenSlice(dra.read_slice(found), found.metadata.resource_version)


def _read_service(service: shapes.Service) -> SeenService:
    metadata, spec = service.metadata, service.spec or shapes.ServiceSpec()
    require_identity(metadata, namespaced=True)
    return SeenService(
        uid=metadata.uid,
        namespace=metadata.namespace or "",
        name=metadata.name,
        resource_version=metadata.resource_version,
        labels=metadata.labels or {},
        selector=spec.selector or {},
        cluster_ip="" if spec.cluster_ip in {None, "None"} else spec.cluster_ip or "",
        ports=tuple(
            ServicePortSeen(port.name or "", port.port, port.port if port.target_port is None else port.target_port)
            for port in spec.ports or ()
        ),
    )
