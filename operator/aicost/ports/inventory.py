"""What the cluster held."""

from typing import Protocol

from aicost.domain.exact.windows import Window
from aicost.domain.inventory.cluster import ClusterFacts


class Inventory(Protocol):
    """Lifetimes of pods and nodes, kept across restarts."""

    def facts(self, window: Window) -> ClusterFacts:
        """Pods and nodes that were there in the window, with their lifetimes."""


class Watched(Protocol):
    """How far the watch behind an inventory has come."""

    @property
    def heard_ms(self) -> int:
        """Up to here nothing was missed of what came and went. What is heard of later may be about any time since."""


class History(Protocol):
    """A past that can be gone through: moves what is known of a cluster, its inventory and all that its objects say."""

    def advance(self, until_ms: int) -> None:
        """Let everything that was known by a moment be known; it never goes back."""
