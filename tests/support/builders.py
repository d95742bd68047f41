"""Pods and nodes for tests: say what matters, leave the rest to the builder.

`make_pod("team-a", "train-0").gpus(2).on("node-1").bound(T0).facts()` gives what the domain sees;
`.manifest()` gives the same pod as the API server would send it.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Self

from aicost.domain.exact.windows import SECOND_MS, to_rfc3339
from aicost.domain.inventory.gpu_models import canonical_model
from aicost.domain.inventory.nodes import CapacityType, NodeFacts, NodeRecord
from aicost.domain.inventory.pods import ContainerFacts, OwnerFacts, PodFacts, PodRecord

T0 = 1_795_600_800_000
"""2026-11-25T10:00:00Z: an ordinary moment, at the start of a billing window."""


def uid_of(namespace: str, name: str, generation: int = 0) -> str:
    """A uid that is the same in each run, another one for each generation of a recreated pod."""
    return f"uid-{namespace}-{name}" + (f"-{generation}" if generation else "")


@dataclass(frozen=True)
class PodBuilder:
    """A pod under construction; each method gives a changed copy."""

    namespace: str
    name: str
    generation: int = 0
    created_ms: int = T0
    node_name: str | None = None
    phase: str = "Pending"
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    owners: tuple[OwnerFacts, ...] = ()
    account: str = "default"
    image: str = "registry.example/train:1"
    args: tuple[str, ...] = ()
    devices: dict[str, int] = field(default_factory=dict)
    bound_ms: int | None = None
    ended_ms: int | None = None
    env: dict[str, str] = field(default_factory=dict)
    pod_ip: str = ""
    ports: tuple[tuple[str, int], ...] = ()

    def gpus(self, count: int, resource: str = "nvidia.com/gpu") -> Self:
        """It asks for so many devices."""
        return replace(self, devices={**self.devices, resource: count})

    def on(self, node: str) -> Self:
        """It is bound to a node, at its creation unless `bound` says when."""
        return replace(self, node_name=node, bound_ms=self.created_ms if self.bound_ms is None else self.bound_ms)

    def created(self, at_ms: int) -> Self:
        """When it was created."""
        return replace(self, created_ms=at_ms)

    def bound(self, at_ms: int) -> Self:
        """When PodScheduled became true; on `node-1` unless `on` names another."""
        created_ms = min(self.created_ms, at_ms)
        return replace(self, created_ms=created_ms, bound_ms=at_ms, node_name=self.node_name or "node-1")

    def running(self) -> Self:
        """Its containers run."""
        return replace(self, phase="Running")

    def succeeded(self, at_ms: int | None) -> Self:
        """It ended well; the kubelet says when, None where it does not."""
        return replace(self, phase="Succeeded", ended_ms=at_ms)

    def failed(self, at_ms: int | None) -> Self:
        """It ended badly."""
        return replace(self, phase="Failed", ended_ms=at_ms)

    def label(self, **labels: str) -> Self:
        """More labels; `team="x"` becomes `aicost.dev/team: x`."""
        ours = {f"aicost.dev/{key.replace('_', '-')}": value for key, value in labels.items()}
        return replace(self, labels={**self.labels, **ours})

    def raw_label(self, key: str, value: str) -> Self:
        """One more label, its key as it stands."""
        return replace(self, labels={**self.labels, key: value})

    def annotation(self, key: str, value: str) -> Self:
        """One more annotation."""
        return replace(self, annotations={**self.annotations, key: value})

    def owned_by(self, kind: str, name: str, api_version: str = "apps/v1", **labels: str) -> Self:
        """One more link of the owner chain, nearest first; labels get our prefix."""
        ours = {f"aicost.dev/{key.replace('_', '-')}": value for key, value in labels.items()}
        owner = OwnerFacts(api_version, kind, name, f"uid-{kind}-{name}".lower(), ours)
        return replace(self, owners=(*self.owners, owner))

    def service_account(self, name: str) -> Self:
        """The ServiceAccount that it runs as."""
        return replace(self, account=name)

    def runs(self, image: str, *args: str) -> Self:
        """What its container runs."""
        return replace(self, image=image, args=args)

    def variable(self, name: str, value: str) -> Self:
        """One more variable of its environment, written out."""
        return replace(self, env={**self.env, name: value})

    def listens(self, ip: str, **ports: int) -> Self:
        """It has an address and named ports."""
        return replace(self, pod_ip=ip, ports=tuple(ports.items()))

    def recreated(self) -> Self:
        """Another pod under the same name: another uid."""
        return replace(self, generation=self.generation + 1)

    def facts(self) -> PodFacts:
        """What the domain sees."""
        return PodFacts(
            uid=uid_of(self.namespace, self.name, self.generation),
            namespace=self.namespace,
            name=self.name,
            created_ms=self.created_ms,
            node=self.node_name,
            phase=self.phase,
            labels=self.labels,
            annotations=self.annotations,
            owners=self.owners,
            service_account=self.account,
            containers=(ContainerFacts("main", self.image, self.args),),
            devices=self.devices,
            bound_ms=self.bound_ms,
            ended_ms=self.ended_ms,
        )

    def record(self, until_ms: int | None = None) -> PodRecord:
        """A record of it: held until then, or still held."""
        end_ms = self.ended_ms if until_ms is None else until_ms
        seen_ms = end_ms if end_ms is not None else self.bound_ms or self.created_ms
        return PodRecord(self.facts(), seen_ms=seen_ms, held_until_ms=end_ms)

    def manifest(self) -> dict[str, Any]:
        """The pod as the API server sends it."""
        counts = {name: str(count) for name, count in self.devices.items()}
        container: dict[str, Any] = {
            "name": "main",
            "image": self.image,
            "args": list(self.args),
            "env": [{"name": "PASSWORD", "value": "hunter2"}, *self._variables()],
            "resources": {"limits": counts, "requests": counts},
            "ports": [{"name": name, "containerPort": port} for name, port in self.ports],
        }
        spec: dict[str, Any] = {"serviceAccountName": self.account, "containers": [container]}
        if self.node_name is not None:
            spec["nodeName"] = self.node_name
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": self._metadata(),
            "spec": spec,
            "status": self._status(),
        }

    def _variables(self) -> list[dict[str, Any]]:
        """What is written out, and one that comes from a Secret."""
        secret = {"name": "WANDB_NAME", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}
        return [{"name": name, "value": value} for name, value in self.env.items()] + ([secret] if self.env else [])

    def _metadata(self) -> dict[str, Any]:
        metadata: dict[str, Any] = {
            "uid": uid_of(self.namespace, self.name, self.generation),
            "namespace": self.namespace,
            "name": self.name,
            "resourceVersion": "7",
            "creationTimestamp": whole_second(self.created_ms),
            "labels": dict(self.labels),
            "annotations": dict(self.annotations),
            "managedFields": [{"manager": "kubelet", "fieldsV1": {"f:status": {}}}],
        }
        if self.owners:
            owner = self.owners[0]
            metadata["ownerReferences"] = [
                {
                    "apiVersion": owner.api_version,
                    "kind": owner.kind,
                    "name": owner.name,
                    "uid": owner.uid,
                    "controller": True,
                }
            ]
        return metadata

    def _status(self) -> dict[str, Any]:
        conditions = []
        if self.bound_ms is not None:
            at = whole_second(self.bound_ms)
            conditions.append({"type": "PodScheduled", "status": "True", "lastTransitionTime": at})
        ready = "True" if self.phase == "Running" else "False"
        conditions.append({"type": "Ready", "status": ready, "lastTransitionTime": whole_second(self.created_ms)})
        status: dict[str, Any] = {"phase": self.phase, "conditions": conditions}
        if self.pod_ip:
            status["podIP"] = self.pod_ip
        if self.ended_ms is not None:
            terminated = {"exitCode": 0, "finishedAt": whole_second(self.ended_ms)}
            status["containerStatuses"] = [{"name": "main", "state": {"terminated": terminated}}]
        return status


@dataclass(frozen=True)
class NodeBuilder:
    """A node under construction; each method gives a changed copy."""

    name: str
    generation: int = 0
    created_ms: int = T0
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    provider_id: str = ""
    product: str = ""
    count: int = 0
    offered: int = 0
    healthy: int = 0
    ready: bool = True

    def gpus(self, count: int, product: str = "NVIDIA-H100-80GB-HBM3") -> Self:
        """It has so many GPUs, all of them allocatable."""
        return replace(self, count=count, offered=count, healthy=count, product=product)

    def allocatable(self, count: int) -> Self:
        """So many of its GPUs can be allocated now."""
        return replace(self, healthy=count)

    def plugin_down(self) -> Self:
        """Its device plugin restarts: the kubelet shows neither capacity nor allocatable devices."""
        return replace(self, offered=0, healthy=0)

    def created(self, at_ms: int) -> Self:
        """When it joined the cluster."""
        return replace(self, created_ms=at_ms)

    def label(self, key: str, value: str) -> Self:
        """One more label."""
        return replace(self, labels={**self.labels, key: value})

    def annotation(self, key: str, value: str) -> Self:
        """One more annotation."""
        return replace(self, annotations={**self.annotations, key: value})

    def instance(self, kind: str, *, region: str = "us-east-1", zone: str = "us-east-1a") -> Self:
        """Its instance type and place, as labels; it is of AWS then."""
        placed = {
            "node.kubernetes.io/instance-type": kind,
            "topology.kubernetes.io/region": region,
            "topology.kubernetes.io/zone": zone,
        }
        return replace(self, labels={**self.labels, **placed}, provider_id=f"aws:///{zone}/i-{self.name}")

    def capacity_type(self, kind: str) -> Self:
        """How it was bought, as Karpenter labels it."""
        return self.label("karpenter.sh/capacity-type", kind)

    def not_ready(self) -> Self:
        """Its kubelet does not answer."""
        return replace(self, ready=False)

    def recreated(self) -> Self:
        """Another node under the same name: another uid."""
        return replace(self, generation=self.generation + 1)

    def facts(self) -> NodeFacts:
        """What the domain sees."""
        labels = self._labels()
        return NodeFacts(
            uid=uid_of("node", self.name, self.generation),
            name=self.name,
            created_ms=self.created_ms,
            labels=labels,
            annotations=self.annotations,
            provider=self.provider_id.partition(":")[0],
            provider_id=self.provider_id,
            instance_type=labels.get("node.kubernetes.io/instance-type", ""),
            region=labels.get("topology.kubernetes.io/region", ""),
            zone=labels.get("topology.kubernetes.io/zone", ""),
            capacity_type=CapacityType(labels.get("karpenter.sh/capacity-type", "unknown")),
            gpu_model=canonical_model(self.product) if self.product else None,
            gpus=max(self.count, self.offered),
            capacity={"nvidia.com/gpu": self.offered} if self.count else {},
            allocatable={"nvidia.com/gpu": self.healthy} if self.count else {},
            cpu_millis=192_000,
            memory_bytes=2_199_023_255_552,
            ready=self.ready,
        )

    def record(self, since_ms: int | None = None, until_ms: int | None = None) -> NodeRecord:
        """A record of it: from its creation on unless told otherwise."""
        since = self.created_ms if since_ms is None else since_ms
        return NodeRecord(self.facts(), seen_ms=until_ms or since, since_ms=since, until_ms=until_ms)

    def manifest(self) -> dict[str, Any]:
        """The node as the API server sends it."""
        capacity = {"cpu": "192", "memory": "2Ti", "ephemeral-storage": "100Gi", "pods": "110"}
        capacity_gpus = {"nvidia.com/gpu": str(self.offered)} if self.count else {}
        allocatable_gpus = {"nvidia.com/gpu": str(self.healthy)} if self.count else {}
        condition = {"type": "Ready", "status": "True" if self.ready else "Unknown"}
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "uid": uid_of("node", self.name, self.generation),
                "name": self.name,
                "resourceVersion": "9",
                "creationTimestamp": whole_second(self.created_ms),
                "labels": self._labels(),
                "annotations": dict(self.annotations),
            },
            "spec": {"providerID": self.provider_id},
            "status": {
                "capacity": {**capacity, **capacity_gpus},
                "allocatable": {**capacity, **allocatable_gpus},
                "conditions": [condition],
            },
        }

    def _labels(self) -> dict[str, str]:
        if not self.product:
            return dict(self.labels)
        discovered = {"nvidia.com/gpu.product": self.product, "nvidia.com/gpu.count": str(self.count)}
        return {"kubernetes.io/hostname": self.name, **discovered, **self.labels}


def make_pod(namespace: str, name: str) -> PodBuilder:
    """A pod that was just created and is bound nowhere."""
    return PodBuilder(namespace, name)


def make_node(name: str) -> NodeBuilder:
    """A node without GPUs that joined at `T0`."""
    return NodeBuilder(name)


def whole_second(at_ms: int) -> str:
    """A moment as Kubernetes writes it: cut to the second."""
    return to_rfc3339(at_ms - at_ms % SECOND_MS)
