"""What is known of the cluster as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aicost.domain.inventory.nodes import NodeRecord
from aicost.domain.inventory.pods import PodRecord
from aicost.domain.inventory.volumes import VolumeRecord


@dataclass(frozen=True, slots=True)
class NamespaceFacts:
    """A namespace and its labels, which its pods inherit dimensions from."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ServiceAccountFacts:
    """A ServiceAccount and its labels."""

    namespace: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class QueueFacts:
    """A queue that work is submitted to, and its labels.

    Attributes:
        kind: `LocalQueue` of Kueue, or `Queue` of Volcano and KAI.
        namespace: empty for one that serves the whole cluster.
    """

    kind: str
    namespace: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ClusterFacts:
    """All that was known of the cluster for one window.

    Attributes:
        past_pods: (namespace, name) of pods that ended before the window and are still remembered.
        queues: (namespace, name) -> queue; a queue of the whole cluster has the namespace "".
        volumes: storage that was claimed.
    """

    pods: tuple[PodRecord, ...]
    nodes: tuple[NodeRecord, ...]
    namespaces: Mapping[str, NamespaceFacts] = field(default_factory=dict)
    service_accounts: Mapping[tuple[str, str], ServiceAccountFacts] = field(default_factory=dict)
    past_pods: frozenset[tuple[str, str]] = frozenset()
    queues: Mapping[tuple[str, str], QueueFacts] = field(default_factory=dict)
    volumes: tuple[VolumeRecord, ...] = ()
