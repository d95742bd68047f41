"""The fields that we read of Kubernetes objects; all others are skipped while decoding. No secrets.

Every field has a default, since the API server leaves out what is empty, and may be null, since some clients write so.
"""

from datetime import datetime
from typing import Annotated

import msgspec

from aicost.adapters.kube.wire.objects import OwnerReference

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Texts = dict[str, str]
Quantities = dict[str, str | int | float]


class Shape(msgspec.Struct, rename="camel", gc=False):
    """Base of all shapes: names as Kubernetes writes them."""


class Metadata(Shape):
    """Who an object is."""

    name: str = ""
    namespace: str | None = None
    uid: str = ""
    resource_version: str = ""
    creation_timestamp: Moment | None = None
    labels: Texts | None = None
    annotations: Texts | None = None
    owner_references: tuple[OwnerReference, ...] | None = None


class Resources(Shape):
    """What a container asks for."""

    requests: Quantities | None = None
    limits: Quantities | None = None


class ContainerPort(Shape):
    """A port that a container listens on."""

    container_port: int
    name: str | None = None


class Variable(Shape):
    """A variable of the environment; its value only where it is written out, never from a Secret or ConfigMap."""

    name: str = ""
    value: str | None = None


class Container(Shape):
    """A container or init container."""

    name: str = ""
    image: str | None = None
    command: tuple[str, ...] | None = None
    args: tuple[str, ...] | None = None
    env: tuple[Variable, ...] | None = None
    resources: Resources | None = None
    ports: tuple[ContainerPort, ...] | None = None
    restart_policy: str | None = None


class Claim(Shape):
    """A use of a ResourceClaim, by name or from a template."""

    name: str = ""
    resource_claim_name: str | None = None


class ClaimVolume(Shape):
    """A volume from a PersistentVolumeClaim."""

    claim_name: str = ""


class Nothing(Shape):
    """Something of which only it matters that it is there."""


class Volume(Shape):
    """A volume of a pod, as far as storage is claimed for it."""

    name: str = ""
    persistent_volume_claim: ClaimVolume | None = None
    ephemeral: Nothing | None = None


class PodSpec(Shape):
    """What a pod should be."""

    node_name: str | None = None
    service_account_name: str | None = None
    host_network: bool | None = None
    host_pid: bool | None = msgspec.field(default=None, name="hostPID")
    priority: int | None = None
    containers: tuple[Container, ...] | None = None
    init_containers: tuple[Container, ...] | None = None
    resource_claims: tuple[Claim, ...] | None = None
    resources: Resources | None = None
    overhead: Quantities | None = None
    volumes: tuple[Volume, ...] | None = None


class Terminated(Shape):
    """How a container ended."""

    finished_at: Moment | None = None


class ContainerState(Shape):
    """The state of a container, as far as it ended."""

    terminated: Terminated | None = None


class ContainerStatus(Shape):
    """What the kubelet says of a container."""

    name: str = ""
    state: ContainerState | None = None
    allocated_resources: Quantities | None = None


class Condition(Shape):
    """A condition of a pod or node."""

    type: str = ""
    status: str = ""
    last_transition_time: Moment | None = None


class ClaimStatus(Shape):
    """The claim that was made from a template."""

    name: str = ""
    resource_claim_name: str | None = None


class RequestMapping(Shape):
    """Which request of a claim serves which extended resource of a container."""

    resource_name: str = ""


class ExtendedClaimStatus(Shape):
    """The claim that serves an extended resource."""

    resource_claim_name: str | None = None
    request_mappings: tuple[RequestMapping, ...] | None = None


class PodStatus(Shape):
    """What a pod is."""

    phase: str | None = None
    pod_ip: str | None = msgspec.field(default=None, name="podIP")
    conditions: tuple[Condition, ...] | None = None
    container_statuses: tuple[ContainerStatus, ...] | None = None
    init_container_statuses: tuple[ContainerStatus, ...] | None = None
    resource_claim_statuses: tuple[ClaimStatus, ...] | None = None
    extended_resource_claim_status: ExtendedClaimStatus | None = None


class Pod(Shape):
    """A pod."""

    metadata: Metadata
    spec: PodSpec | None = None
    status: PodStatus | None = None


class NodeSpec(Shape):
    """What a node should be."""

    provider_id: str | None = msgspec.field(default=None, name="providerID")


class Address(Shape):
    """One address of a node."""

    type: str = ""
    address: str = ""


class NodeStatus(Shape):
    """What a node is."""

    capacity: Quantities | None = None
    allocatable: Quantities | None = None
    conditions: tuple[Condition, ...] | None = None
    addresses: tuple[Address, ...] | None = None


class Node(Shape):
    """A node."""

    metadata: Metadata
    spec: NodeSpec | None = None
    status: NodeStatus | None = None


class Named(Shape):
    """An object of which only the metadata matters."""

    metadata: Metadata


class VolumeClaimSpec(Shape):
    """What a PersistentVolumeClaim asks for."""

    storage_class_name: str | None = None
    resources: Resources | None = None


class VolumeClaimStatus(Shape):
    """What a PersistentVolumeClaim was given."""

    phase: str | None = None
    capacity: Quantities | None = None


class VolumeClaim(Shape):
    """A PersistentVolumeClaim."""

    metadata: Metadata
    spec: VolumeClaimSpec | None = None
    status: VolumeClaimStatus | None = None


class ServicePort(Shape):
    """A port of a Service."""

    port: int
    name: str | None = None
    target_port: int | str | None = None


class ServiceSpec(Shape):
    """What a Service is."""

    selector: Texts | None = None
    cluster_ip: str | None = msgspec.field(default=None, name="clusterIP")
    ports: tuple[ServicePort, ...] | None = None


class Service(Shape):
    """A Service."""

    metadata: Metadata
    spec: ServiceSpec | None = None
