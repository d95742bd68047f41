"""Nodes without machines: the objects that a GPU fleet would register."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from devcluster.api import Api, Object
from devcluster.host import clock

__all__ = ["FakeNode", "Nodes", "node_object"]

_MIB_OF = {"NVIDIA-H100-80GB-HBM3": 81559, "NVIDIA-A100-SXM4-80GB": 81920, "NVIDIA-L4": 23034, "Tesla-T4": 15360}


@dataclass(frozen=True, slots=True)
class FakeNode:
    """What one node offers. ``gpu_product`` and ``gpu_count`` also make the labels of GPU feature discovery."""

    name: str
    gpu_count: int = 0
    gpu_product: str = "NVIDIA-H100-80GB-HBM3"
    gpu_memory_mib: int | None = None
    instance_type: str = "p5.48xlarge"
    region: str = "eu-west-1"
    zone: str = "eu-west-1a"
    cpu: str = "96"
    memory: str = "1024Gi"
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    resources: Mapping[str, str] = field(default_factory=dict)


def _labels(node: FakeNode) -> dict[str, str]:
    labels = {
        "kubernetes.io/hostname": node.name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "node.kubernetes.io/instance-type": node.instance_type,
        "topology.kubernetes.io/region": node.region,
        "topology.kubernetes.io/zone": node.zone,
    }
    if node.gpu_count:
        memory = node.gpu_memory_mib or _MIB_OF.get(node.gpu_product, 81920)
        labels |= {
            "nvidia.com/gpu.present": "true",
            "nvidia.com/gpu.product": node.gpu_product,
            "nvidia.com/gpu.count": str(node.gpu_count),
            "nvidia.com/gpu.memory": str(memory),
            "nvidia.com/gpu.replicas": "1",
            "nvidia.com/gpu.sharing-strategy": "none",
            "nvidia.com/mig.capable": "true" if "100" in node.gpu_product else "false",
        }
    return {**labels, **node.labels}


def _resources(node: FakeNode) -> dict[str, str]:
    gpus = {"nvidia.com/gpu": str(node.gpu_count)} if node.gpu_count else {}
    base = {"cpu": node.cpu, "memory": node.memory, "ephemeral-storage": "500Gi", "pods": "250"}
    return {**base, **gpus, **node.resources}


def _condition(kind: str, status: str, reason: str) -> dict[str, str]:
    moment = clock.rfc3339(clock.now())
    times = {"lastHeartbeatTime": moment, "lastTransitionTime": moment}
    return {"type": kind, "status": status, "reason": reason, "message": reason, **times}


def node_object(node: FakeNode) -> Object:
    """The Node as its kubelet would register it, Ready at once."""
    pressures = ("MemoryPressure", "DiskPressure", "PIDPressure")
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": node.name, "labels": _labels(node), "annotations": dict(node.annotations)},
        "spec": {"providerID": f"devcluster:///{node.zone}/{node.name}"},
        "status": {
            "capacity": _resources(node),
            "allocatable": _resources(node),
            "addresses": [
                {"type": "InternalIP", "address": "127.0.0.1"},
                {"type": "Hostname", "address": node.name},
            ],
            "conditions": [
                _condition("Ready", "True", "KubeletReady"),
                *(_condition(kind, "False", "KubeletHasSufficient") for kind in pressures),
            ],
            "nodeInfo": _NODE_INFO,
        },
    }


_NODE_INFO = {
    "architecture": "amd64",
    "bootID": "devcluster",
    "containerRuntimeVersion": "devcluster://1",
    "kernelVersion": "devcluster",
    "kubeProxyVersion": "",
    "kubeletVersion": "v1.36.3-devcluster",
    "machineID": "devcluster",
    "operatingSystem": "linux",
    "osImage": "devcluster",
    "systemUUID": "devcluster",
}


class Nodes:
    """Create, change and remove nodes."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def create(self, node: FakeNode) -> Object:
        """Register a node."""
        return self._api.create("/api/v1/nodes", node_object(node))

    def delete(self, name: str) -> None:
        """Remove a node, as a cloud does that reclaims it. Its pods are collected by the controller-manager."""
        self._api.delete(f"/api/v1/nodes/{name}")

    def set_allocatable(self, name: str, resource: str, amount: str) -> None:
        """Change what pods may use, as a device plugin does that finds a GPU broken (an XID error)."""
        self._status(name, {"allocatable": {resource: amount}})

    def set_capacity(self, name: str, resource: str, amount: str) -> None:
        """Change what the node has."""
        self._status(name, {"capacity": {resource: amount}})

    def set_ready(self, name: str, *, ready: bool) -> None:
        """Set the Ready condition."""
        reason = "KubeletReady" if ready else "KubeletNotReady"
        self._status(name, {"conditions": [_condition("Ready", str(ready), reason)]})

    def annotate(self, name: str, annotations: Mapping[str, str | None]) -> None:
        """Set annotations; None removes one."""
        self._api.patch(f"/api/v1/nodes/{name}", {"metadata": {"annotations": dict(annotations)}})

    def _status(self, name: str, status: dict[str, Any]) -> None:
        self._api.patch(f"/api/v1/nodes/{name}/status", {"status": status}, kind="strategic")
