"""The rows of the ledger: what one holder owes for one device in one window, bucket by bucket."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from aicost.domain.exact.windows import Window


class Component(StrEnum):
    """The part of a node (or of third-party spend) that a row is about."""

    GPU = "gpu"
    CPU = "cpu"
    MEMORY = "memory"
    STORAGE = "storage"
    NETWORK = "network"
    API = "api"


class Bucket(StrEnum):
    """What the money was for. Each bucket is computed by its own rule; none is what is left over."""

    USED = "used"
    ALLOCATED_IDLE = "allocated-idle"
    ALLOCATED_UNMEASURED = "allocated-unmeasured"
    UNALLOCATED = "unallocated"
    STRANDED = "stranded"
    UNHEALTHY = "unhealthy"
    SYSTEM = "system"
    UNATTRIBUTED = "unattributed"


HELD = frozenset({Bucket.USED, Bucket.ALLOCATED_IDLE, Bucket.ALLOCATED_UNMEASURED, Bucket.SYSTEM})
"""Buckets that belong to a pod; the others belong to the cluster."""


class Method(StrEnum):
    """How a device was split."""

    EXCLUSIVE = "exclusive"
    TWO_PART = "two-part"
    BY_RESERVATION = "by-reservation"
    BY_USAGE = "by-usage"
    REQUEST_OR_USE = "request-or-use"
    """CPU and memory: the larger of what a pod asked for and what it used."""
    BY_SIZE = "by-size"
    """Storage: what was claimed."""
    BILLED = "billed"
    """Third-party spend: what the provider charged."""
    ESTIMATED = "estimated-spend"
    """Third-party spend: what a gateway saw at list prices, until the bill comes."""


class Quality(StrEnum):
    """What an amount rests on, best first."""

    MEASURED_COUNTER = "measured-counter"
    MEASURED_GAUGE = "measured-gauge"
    ESTIMATED = "estimated"
    ASSUMED = "assumed"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the device was."""

    cluster: str
    node: str
    device: str
    """UUID of the GPU, or `NODE/gpu-N` for a device that no sample ever named."""
    gpu_model: str = ""
    provider: str = ""
    region: str = ""
    zone: str = ""
    instance_type: str = ""
    capacity_type: str = ""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who held it. All empty for money that no pod owes."""

    namespace: str = ""
    pod: str = ""
    pod_uid: str = ""
    controller_kind: str = ""
    controller: str = ""
    workload: str = ""
    """Name of the AIWorkload that claims the pod."""
    dimensions: Mapping[str, str] = field(default_factory=dict)
    """Dimension -> value in normal form; untagged ones are absent."""
    provenance: Mapping[str, str] = field(default_factory=dict)
    """Dimension -> source and origin, such as `owner-label Deployment/chat`."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Raw labels of the pod, so that a later rule can tag history again."""
    evidence: Mapping[str, str] = field(default_factory=dict)
    """What else such a rule may ask for: owners, images, labels of the namespace, and what weaker sources said. Written
    by `aicost.domain.identity.tags.evidence`; empty in rows of before it was kept."""


@dataclass(frozen=True, slots=True)
class Row:
    """One amount.

    Attributes:
        revision: 0 for the first posting of a window, higher for the difference rows of later ones.
        cost_nanos: None where no price is known; missing is not zero.
        gpu_milliseconds: device time that the amount stands for (for a difference row: the change).
        measured_milliseconds: how much of that time has samples behind it.
        quantity: what the amount stands for beside device time, by component (for a difference row: the change):
            milli-core-seconds for cpu, MiB-seconds for memory and storage, 0 for gpu.
        error_nanos: half-width of the 95 % error bar, None where nothing was measured.
        price: what the price rests on, such as `list-prices/h100-on-demand`; `(list)` marks a list price.
        flags: what a reader should know: `gap`, `assumed-device`, `short`, `late`, `list-price` ...
        reason: why a difference row was posted, empty for revision 0.
    """

    window: Window
    revision: int
    component: Component
    place: Place
    holder: Holder
    bucket: Bucket
    method: Method
    quality: Quality
    signal: str
    currency: str
    cost_nanos: int | None
    gpu_milliseconds: int
    measured_milliseconds: int
    error_nanos: int | None = None
    price: str = ""
    list_price: bool = False
    flags: tuple[str, ...] = ()
    reason: str = ""
    quantity: int = 0
