"""What an object asks the cluster to run: its pod templates, how often and how long each runs, and on which devices."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from aicost.domain.inventory.pods import ContainerFacts


class Scaling(StrEnum):
    """How the number of its pods comes about."""

    FIXED = "fixed"
    """As many as the object says, until somebody changes it."""
    AUTOSCALED = "autoscaled"
    """Between bounds that the object names itself; bounds of another object (an HPA) are not known from it."""
    TO_COMPLETION = "to-completion"
    """Runs once and ends."""
    SCHEDULED = "scheduled"
    """Runs again and again by a schedule."""


@dataclass(frozen=True, slots=True)
class GpuHints:
    """What a template says of the GPUs that it wants, beside their number. All empty where it says nothing.

    Attributes:
        models: canonical models (`h100-80gb`), from node selectors, affinities, DRA selectors and annotations; any of
            them will do.
        node_labels: labels that a node must have for the pod (nodeSelector and single-valued required affinity).
    """

    models: tuple[str, ...] = ()
    node_labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PodTemplate:
    """One kind of pod that an object makes.

    Attributes:
        path: JSON pointer to what holds the pod's `metadata` and `spec`: empty for a Pod, `/spec/template` for a
            Deployment. Empty path and `patchable` False where the object has no pod template of its own (an
            InferenceService's predictor, a NIMService): then the labels of the object itself are handed down.
        role: name of the part for people: `head`, `worker`, a replicated job's name; empty where there is only one.
        replicas: pods that run at once at the start, all multipliers taken together.
        max_replicas: pods that run at once at most, as far as the object itself says.
        labels, annotations: of the template's metadata.
        containers: images and arguments, init containers after containers.
        demand: accelerators of ONE pod by extended resource, as the scheduler counts; a fraction of a device
            (HAMi, KAI) is in `gpu_milli`.
        gpu_milli: thousandths of GPUs that one pod asks for, whatever the spelling: 8 GPUs are 8000, half a GPU is 500,
            a MIG slice is its share where the profile tells, else None: it asks for something whose size nobody knows
            from here. A DRA claim that all pods share counts in equal parts, each rounded.
        claims: names of DRA claims and claim templates that it uses and whose content was not found beside it.
        service_account: as the pod will run, empty for the namespace's default.
    """

    path: str
    role: str
    replicas: int
    max_replicas: int
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    containers: tuple[ContainerFacts, ...]
    demand: Mapping[str, int]
    gpu_milli: int | None
    hints: GpuHints = GpuHints()
    claims: tuple[str, ...] = ()
    service_account: str = ""
    patchable: bool = True


@dataclass(frozen=True, slots=True)
class OwnerReference:
    """An owner as an object's metadata names it; anybody can write one."""

    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool


@dataclass(frozen=True, slots=True)
class Workload:
    """An object that runs pods.

    Attributes:
        labels: the object's own labels. For an AIWorkload also what its spec says, as `aicost.dev/*` labels.
        selector_keys: label keys that the object's selector uses: they are never touched.
        duration_ms: how long one run takes, None where nothing says it.
        duration_source: what says it: `aicost.dev/expected-duration`, `activeDeadlineSeconds`, `max-exec-time` ...
        models: AI models that it names, as written, the surest first.
        queue: Kueue, Volcano or KAI queue that it is submitted to, empty for none.
        run_ids: dimension (`project`, `experiment`) -> value and where it was read (MLflow, W&B, Kueue, Ray).
        raw: the object as given.
    """

    api_version: str
    kind: str
    namespace: str
    name: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    owners: tuple[OwnerReference, ...]
    templates: tuple[PodTemplate, ...]
    scaling: Scaling = Scaling.FIXED
    selector_keys: frozenset[str] = frozenset()
    duration_ms: int | None = None
    duration_source: str = ""
    models: tuple[str, ...] = ()
    queue: str = ""
    run_ids: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict)

    @property
    def gpu_milli(self) -> int | None:
        """Thousandths of GPUs that run at once at the start; None where a part of it has no known size."""
        parts = [t.gpu_milli if t.gpu_milli is None else t.gpu_milli * t.replicas for t in self.templates]
        return None if None in parts else sum(part or 0 for part in parts)

    @property
    def wants_gpus(self) -> bool:
        """Whether any of its pods asks for an accelerator, of known size or not."""
        return any(t.demand or t.claims or t.gpu_milli is None or t.gpu_milli > 0 for t in self.templates)
