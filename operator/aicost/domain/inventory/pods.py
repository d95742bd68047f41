"""What is known of a pod: who it is, what it asked for and when it held it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aicost.domain.exact.windows import Window
from aicost.domain.inventory.dra.claims import ClaimedDevice


@dataclass(frozen=True, slots=True)
class OwnerFacts:
    """One link of a pod's owner chain (ReplicaSet, Deployment, Job, RayCluster ...), as its metadata said."""

    api_version: str
    kind: str
    name: str
    uid: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ContainerFacts:
    """The part of a container that says what it runs."""

    name: str
    image: str
    args: tuple[str, ...] = ()
    """Command and arguments in order."""


@dataclass(frozen=True, slots=True)
class PodFacts:
    """A pod as last seen.

    Attributes:
        uid: identity; a pod recreated under the same name is another pod.
        node: node that it is bound to, None before.
        owners: owner chain, nearest first.
        devices: extended resources that the scheduler counted for it (`nvidia.com/gpu` -> 8), the larger of the sum
            over containers (with restartable init containers) and the largest init container.
        bound_ms: when PodScheduled became true, None before.
        ended_ms: when its last container ended, None while the phase is not terminal.
    """

    uid: str
    namespace: str
    name: str
    created_ms: int
    node: str | None = None
    phase: str = "Pending"
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    """Only those that carry meaning for cost: our own, and those that sharing modes and run trackers write."""
    owners: tuple[OwnerFacts, ...] = ()
    service_account: str = ""
    containers: tuple[ContainerFacts, ...] = ()
    devices: Mapping[str, int] = field(default_factory=dict)
    claims: tuple[str, ...] = ()
    """Names of the ResourceClaims it uses: such a pod may hold a GPU without asking for an extended resource."""
    claimed_resources: tuple[str, ...] = ()
    """Extended resources that a claim of its own serves (`extendedResourceClaimStatus`): that claim holds them."""
    run_ids: Mapping[str, str] = field(default_factory=dict)
    """Variables of run trackers (`RUN_ID_VARIABLES`) whose value stands in the pod's spec. Nothing else of the
    environment is ever kept."""
    bound_ms: int | None = None
    ended_ms: int | None = None
    priority: int = 0
    """As the scheduler counts it, from the pod's PriorityClass."""
    cpu_millis: int = 0
    """Thousandths of cores that it asks for now, as the scheduler counts them: see `PodRecord.requests`."""
    memory_bytes: int = 0
    volumes: tuple[str, ...] = ()
    """Names of the PersistentVolumeClaims that it mounts."""


@dataclass(frozen=True, slots=True)
class RequestStep:
    """What a pod asked for before it was resized in place.

    Attributes:
        until_ms: when it was resized, by our own clock.
    """

    until_ms: int
    cpu_millis: int
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class PodRecord:
    """A pod and how long it held what it asked for.

    Attributes:
        facts: the pod as last seen.
        seen_ms: when it was last seen alive, by our own clock.
        held_until_ms: end of the holding, None while it goes on. The start is `facts.bound_ms`.
        gap: the span in which the end lies when it went unseen (the watch was interrupted); the cost engine closes the
            holding at the last sample inside and marks it uncertain.
        gone: the object has left the API server. A finished pod may stay there for weeks, and must be remembered so
            long: forgotten and seen again it would be taken for a new one.
        requests: what it asked for before each resize, in order of time; now it asks for what the facts say.
        claimed: devices that its ResourceClaims gave it. They are told by claims and slices when facts are gathered.
    """

    facts: PodFacts
    seen_ms: int
    held_until_ms: int | None = None
    gap: Window | None = None
    gone: bool = False
    requests: tuple[RequestStep, ...] = ()
    claimed: tuple[ClaimedDevice, ...] = ()

    def holding(self, window: Window) -> Window | None:
        """The part of the window in which the pod held its devices, None if it held none.

        A holding that ended unseen reaches to the end of its gap; the caller shortens it by what samples show.
        """
        if self.facts.bound_ms is None:
            return None
        end = self.held_until_ms if self.held_until_ms is not None else window.end_ms
        if self.facts.bound_ms >= end:
            return None
        return Window(self.facts.bound_ms, end).overlap(window)
