"""What is known of the cluster as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aicost.domain.inventory.nodes import NodeRecord
from aicost.domain.inventory.pods import PodRecord


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
class ClusterFacts:
    """All that was known of the cluster for one window.

    Attributes:
        past_pods: (namespace, name) of pods that ended before the window and are still remembered.
    """

    pods: tuple[PodRecord, ...]
    nodes: tuple[NodeRecord, ...]
    namespaces: Mapping[str, NamespaceFacts] = field(default_factory=dict)
    service_accounts: Mapping[tuple[str, str], ServiceAccountFacts] = field(default_factory=dict)
    past_pods: frozenset[tuple[str, str]] = frozenset()
