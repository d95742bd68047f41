"""The kinds of idle money, who can act on each, and how: a table."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from aicost.domain.ledger.rows import Bucket


class IdleKind(StrEnum):
    """Why a GPU cost money and computed nothing. Each nano of idle money is of exactly one kind."""

    IDLE_RESIDENT = "idle-resident"
    """Held, memory in use, nothing computed: a model that is loaded and not asked."""
    SCALE_WASTE = "scale-waste"
    """Held by replicas that the load of their workload did not need."""
    ALLOCATED_IDLE = "allocated-idle"
    """Held and not used, for neither of these reasons."""
    UNALLOCATED = "unallocated"
    """Held by nobody."""
    STRANDED = "stranded"
    """Left over beside MIG instances; no profile fits in any more."""
    UNHEALTHY = "unhealthy"
    """Lost while its node was billed."""
    SYSTEM = "system"
    """Held by exporters and diagnostics."""


class Phase(StrEnum):
    """When replicas were not needed."""

    NONE = ""
    BEFORE_SPIKE = "before a spike"
    BETWEEN_SPIKES = "between spikes"
    AFTER_SPIKE = "after a spike"
    NEVER_NEEDED = "never needed"


@dataclass(frozen=True, slots=True)
class Advice:
    """One line of the table.

    Attributes:
        owner: who can act; empty where it is the team, or the namespace, that holds the GPU.
        fix: what to do.
    """

    owner: str
    fix: str


_PLATFORM = "platform"

ADVICE: Mapping[IdleKind, Advice] = {
    IdleKind.IDLE_RESIDENT: Advice("", "Scale to zero when nobody asks, or put several models on one GPU."),
    IdleKind.SCALE_WASTE: Advice("", "Scale by queue or concurrency, lower minReplicas, shorten the cool-down."),
    IdleKind.ALLOCATED_IDLE: Advice("", "Ask for fewer or smaller GPUs, or share them: time-slicing, MPS, MIG."),
    IdleKind.UNALLOCATED: Advice(_PLATFORM, "Let the autoscaler remove nodes, or admit more work from queues."),
    IdleKind.STRANDED: Advice(_PLATFORM, "Choose MIG profiles that fill the GPU, or split it again when it is empty."),
    IdleKind.UNHEALTHY: Advice(_PLATFORM, "Drain and replace the node, or have the provider credit it."),
    IdleKind.SYSTEM: Advice(_PLATFORM, "Run exporters and diagnostics without asking for a GPU."),
}
"""What to do about each kind; the order in which they are told."""

OF_BUCKET: Mapping[Bucket, IdleKind] = {
    Bucket.UNALLOCATED: IdleKind.UNALLOCATED,
    Bucket.STRANDED: IdleKind.STRANDED,
    Bucket.UNHEALTHY: IdleKind.UNHEALTHY,
    Bucket.SYSTEM: IdleKind.SYSTEM,
}
"""Buckets that are one kind as a whole. Allocated-idle is three."""
IDLE_BUCKETS = frozenset({Bucket.ALLOCATED_IDLE, *OF_BUCKET})
"""What the kinds add up to."""

SCALED_KINDS = frozenset(
    {
        "Deployment",
        "InferenceService",
        "LLMInferenceService",
        "LeaderWorkerSet",
        "RayService",
        "ReplicaSet",
        "ReplicationController",
        "Rollout",
        "StatefulSet",
    }
)
"""Controllers whose number of pods follows the load. Pods of a job work together: none of them is one too many."""
