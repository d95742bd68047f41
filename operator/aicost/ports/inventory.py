"""What the cluster held."""

from typing import Protocol

from aicost.domain.exact.windows import Window
from aicost.domain.inventory.cluster import ClusterFacts


class Inventory(Protocol):
    """Lifetimes of pods and nodes, kept across restarts."""

    def facts(self, window: Window) -> ClusterFacts:
        """Pods and nodes that were there in the window, with their lifetimes."""
