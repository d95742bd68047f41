"""ResourceSlices and ResourceClaims at a moment, and the watch events between two moments."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fleet.exporter.faces import DRIVER, device_name
from fleet.script import Fleet, Holding, SimGpu, SimNode, SimPod, timestamp
from fleet.sharing.mig import geometry
from fleet.sharing.terms import Claim, Instance, Plugin

Object = dict[str, Any]
API = "resource.k8s.io/v1"
SHARES = 100  # what a device that admits several claims offers


def slice_object(node: SimNode, at_ms: int) -> Object:
    """What the driver of a node offers at a moment."""
    devices = [device for gpu in node.gpus for device in _devices(node, gpu, at_ms)]
    pool = {"name": node.name, "generation": 1, "resourceSliceCount": 1}
    name = f"{node.name}-{DRIVER}"
    return {
        "apiVersion": API,
        "kind": "ResourceSlice",
        "metadata": {"name": name, "uid": f"slice-{name}", "creationTimestamp": timestamp(node.booted_ms)},
        "spec": {"driver": DRIVER, "nodeName": node.name, "pool": pool, "devices": devices},
    }


def slice_changes(node: SimNode) -> list[int]:
    """When the slices of a node differ from what they were."""
    return sorted({node.booted_ms} | {layout.from_ms for gpu in node.gpus for layout in gpu.layouts})


def _devices(node: SimNode, gpu: SimGpu, at_ms: int) -> Iterator[Object]:
    words = {"productName": node.model.name, "architecture": node.model.family.title(), "brand": "Nvidia"}
    instances = gpu.instances_at(at_ms)
    for one in instances or (None,):
        if one is None:
            own, memory = {"type": "gpu", "uuid": gpu.uuid}, node.model.memory_mib
        else:
            own = {"type": "mig", "uuid": _mig_uuid(gpu, one), "parentUUID": gpu.uuid, "profile": one.profile}
            memory = geometry(node.model.name).profile(one.profile).memory_mib
        capacity = {"memory": {"value": f"{memory}Mi"}, "shares": {"value": str(SHARES)}}
        attributes = {name: {"string": value} for name, value in (own | words).items()}
        yield {"name": device_name(gpu.index, one), "attributes": attributes, "capacity": capacity}


def _mig_uuid(gpu: SimGpu, instance: Instance) -> str:
    return f"MIG-{gpu.uuid}-{instance.id}"


@dataclass(frozen=True, slots=True)
class ClaimLife:
    """A claim with the pods that use it, each with what it holds through it."""

    namespace: str
    claim: Claim
    node: SimNode
    users: tuple[tuple[SimPod, tuple[Holding, ...]], ...]

    @property
    def changes(self) -> list[int]:
        """When it differs from what it was: its pods are made, bound, over, gone."""
        moments = {m for pod, _ in self.users for m in (_made(pod), pod.bound_ms, pod.ended_ms, pod.deleted_ms)}
        return sorted(moment for moment in moments if moment is not None)

    def object(self, at_ms: int) -> Object | None:
        """The claim at a moment; None before its first pod was made, and after the last was gone if a template's."""
        made = [_made(pod) for pod, _ in self.users]
        if at_ms < min(made) or (self.claim.template and all(_is_gone(pod, at_ms) for pod, _ in self.users)):
            return None
        users = [(pod, held) for pod, held in self.users if pod.holding and pod.holding[0] <= at_ms < pod.holding[1]]
        status: Object = {}
        if users:
            status["allocation"] = {"devices": {"results": [self._result(one, at_ms) for one in users[0][1]]}}
            status["reservedFor"] = [{"resource": "pods", "name": pod.name, "uid": pod.uid} for pod, _ in users]
        metadata = {"name": self.claim.name, "namespace": self.namespace, "uid": self.uid}
        return {
            "apiVersion": API,
            "kind": "ResourceClaim",
            "metadata": metadata | {"creationTimestamp": timestamp(min(made))},
            "status": status,
        }

    @property
    def uid(self) -> str:
        """Its identity."""
        return f"claim-{self.namespace}-{self.claim.name}"

    def _result(self, holding: Holding, at_ms: int) -> Object:
        gpu = next(gpu for gpu in self.node.gpus if gpu.uuid == holding.uuid)
        instance = next((one for one in gpu.instances_at(at_ms) if one.id == holding.part.instance), None)
        result: Object = {"driver": DRIVER, "pool": self.node.name, "device": device_name(gpu.index, instance)}
        result["request"] = "gpu"
        if self.claim.admin:
            result["adminAccess"] = True
        if self.claim.consumed is not None:
            amount = self.claim.consumed * SHARES
            result |= {"shareID": f"share-{self.uid}", "consumedCapacity": {"shares": f"{float(amount):g}"}}
        return result


def claim_lives(fleet: Fleet) -> list[ClaimLife]:
    """All claims of a fleet."""
    users: dict[tuple[str, str], list[tuple[SimPod, tuple[Holding, ...]]]] = {}
    found: dict[tuple[str, str], tuple[Claim, str]] = {}
    for pod in fleet.pods:
        names = dict.fromkeys(one.part.claim.name for one in pod.holdings if one.part.claim is not None)
        for name in names:
            held = tuple(one for one in pod.holdings if one.part.claim is not None and one.part.claim.name == name)
            claim = held[0].part.claim
            if claim is not None:
                users.setdefault((pod.namespace, name), []).append((pod, held))
                found[pod.namespace, name] = (claim, pod.node)
    return [
        ClaimLife(namespace, claim, fleet.node(node), tuple(users[namespace, name]))
        for (namespace, name), (claim, node) in found.items()
    ]


def nodes_of_drivers(fleet: Fleet) -> list[SimNode]:
    """The nodes whose GPUs a DRA driver hands out."""
    return [node for node in fleet.nodes if node.sharing.plugin is Plugin.DRA]


def _made(pod: SimPod) -> int:
    return next((moment for moment in (pod.created_ms, pod.bound_ms) if moment is not None), 0)


def _is_gone(pod: SimPod, at_ms: int) -> bool:
    return pod.deleted_ms is not None and pod.deleted_ms <= at_ms
