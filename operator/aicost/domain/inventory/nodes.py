"""What is known of a node: where it is, what it is, and which devices it offers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from aicost.domain.exact.windows import Window

OPEN_END_MS = 253_402_300_799_999
"""End of a span that still goes on: the last millisecond of the year 9999. Readers cut it by the node's presence."""


class CapacityType(StrEnum):
    """How the capacity was bought."""

    ON_DEMAND = "on-demand"
    SPOT = "spot"
    RESERVED = "reserved"
    UNKNOWN = "unknown"


class SharingMode(StrEnum):
    """How the devices of a node are shared among pods."""

    EXCLUSIVE = "exclusive"
    MIG = "mig"
    TIME_SLICING = "time-slicing"
    MPS = "mps"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """A node as last seen.

    Attributes:
        uid: identity; a node that joins again under its name is another node.
        gpu_model: canonical model such as `h100-80gb`, None if nothing names it.
        gpus: physical GPUs that it was bought with, whether they work or not.
        capacity: extended resources of accelerators -> count, as in `status.capacity`.
        allocatable: the same as the kubelet offers them now; fewer than the capacity means that devices are unhealthy.
    """

    uid: str
    name: str
    created_ms: int
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    provider: str = ""
    provider_id: str = ""
    instance_type: str = ""
    region: str = ""
    zone: str = ""
    capacity_type: CapacityType = CapacityType.UNKNOWN
    gpu_model: str | None = None
    gpus: int = 0
    sharing: SharingMode = SharingMode.EXCLUSIVE
    slots_per_gpu: int = 1
    """Replicas that a sharing device plugin offers for each GPU."""
    capacity: Mapping[str, int] = field(default_factory=dict)
    allocatable: Mapping[str, int] = field(default_factory=dict)
    cpu_millis: int = 0
    memory_bytes: int = 0
    ready: bool = True
    cards: tuple[str, ...] = ()
    """UUIDs of its GPUs, where a driver or plugin names them; what has no UUID is called by node and address."""


@dataclass(frozen=True, slots=True)
class NodeRecord:
    """A node and how long it was there (and hence billed).

    Attributes:
        facts: the node as last seen.
        seen_ms: when it was last seen, by our own clock.
        since_ms: start of its life that we answer for: its creation, or the ledger's first moment if that is later.
        until_ms: when it left the cluster, None while it is there.
        gap: the span in which it left unseen.
        unhealthy: spans in which fewer devices were allocatable than the node was bought with -> how many were missing.
            The last one ends at `OPEN_END_MS` while it goes on. A pod that holds a device keeps it all the same: while
            a device plugin restarts nothing is allocatable, and what runs goes on running.
    """

    facts: NodeFacts
    seen_ms: int
    since_ms: int
    until_ms: int | None = None
    gap: Window | None = None
    unhealthy: tuple[tuple[Window, int], ...] = ()

    def presence(self, window: Window) -> Window | None:
        """The part of the window in which the node was there."""
        end = self.until_ms if self.until_ms is not None else window.end_ms
        if self.since_ms >= end:
            return None
        return Window(self.since_ms, end).overlap(window)
