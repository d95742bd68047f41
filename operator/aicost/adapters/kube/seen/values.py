"""What one watched object says, as values: the domain's facts, and what finding exporters and owners takes."""

from dataclasses import dataclass

from aicost.adapters.kube.wire.objects import OwnerReference
from aicost.domain.inventory.cluster import NamespaceFacts, ServiceAccountFacts
from aicost.domain.inventory.dra.claims import ClaimFacts
from aicost.domain.inventory.dra.slices import SliceFacts
from aicost.domain.inventory.nodes import NodeFacts
from aicost.domain.inventory.pods import PodFacts


@dataclass(frozen=True, slots=True)
class BadObject:
    """An object that is not what its kind should be; the rest of the stream goes on.

    Attributes:
        name: as far as it could be read, else an empty string.
        problem: which field is wrong and how, for people.
    """

    kind: str
    namespace: str
    name: str
    uid: str
    problem: str

    def __str__(self) -> str:
        where = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind} {where or '(unnamed)'}: {self.problem}"


@dataclass(frozen=True, slots=True)
class PortSeen:
    """A port by name and number."""

    name: str
    number: int


@dataclass(frozen=True, slots=True)
class SeenPod:
    """A pod.

    Attributes:
        facts: its owners are empty; the owner chain is resolved from `owner` on.
        owner: the controller that made it, None for a bare pod.
        ready: its Ready condition is true.
        host_pid: it sees the processes of its node.
    """

    facts: PodFacts
    owner: OwnerReference | None
    resource_version: str
    pod_ip: str = ""
    ready: bool = False
    host_network: bool = False
    host_pid: bool = False
    ports: tuple[PortSeen, ...] = ()


@dataclass(frozen=True, slots=True)
class SeenNode:
    """A node, and the address at which its host network is reached."""

    facts: NodeFacts
    resource_version: str
    internal_ip: str = ""


@dataclass(frozen=True, slots=True)
class SeenNamespace:
    """A namespace."""

    facts: NamespaceFacts
    uid: str
    resource_version: str


@dataclass(frozen=True, slots=True)
class SeenServiceAccount:
    """A ServiceAccount."""

    facts: ServiceAccountFacts
    uid: str
    resource_version: str


@dataclass(frozen=True, slots=True)
class SeenClaim:
    """A ResourceClaim."""

    facts: ClaimFacts
    resource_version: str


@dataclass(frozen=True, slots=True)
class SeenSlice:
    """A ResourceSlice."""

    facts: SliceFacts
    resource_version: str


@dataclass(frozen=True, slots=True)
class ServicePortSeen:
    """A port of a Service; the target is a number, or the name of a port of its pods."""

    name: str
    number: int
    target: int | str


@dataclass(frozen=True, slots=True)
class SeenService:
    """A Service.

    Attributes:
        cluster_ip: empty for a headless one.
        selector: labels of the pods behind it; empty where it has none.
    """

    uid: str
    namespace: str
    name: str
    resource_version: str
    labels: dict[str, str]
    selector: dict[str, str]
    cluster_ip: str
    ports: tuple[ServicePortSeen, ...]
