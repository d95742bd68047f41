"""The script: who runs where, when, doing what, at which price. Everything else is rendered from it.

Times are integer milliseconds since the epoch, UTC. Spans are half-open. Kubernetes writes whole seconds, so a script
that is compared with a reader of Kubernetes objects binds, starts and ends its pods on whole seconds.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from typing import NamedTuple

from fleet.activity import IDLE, Program
from fleet.faults import Fault
from fleet.models import GpuModel
from fleet.sharing.terms import ALONE, WHOLE, Instance, Layout, Part, Sharing

HOUR_MS = 3_600_000
NEVER_MS = 1 << 62


def timestamp(at_ms: int) -> str:
    """A moment as Kubernetes writes it; what is below a second is cut off."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class PriceStep:
    """A price in nanos (10^-9 of the currency) per hour that holds from a moment on."""

    from_ms: int
    nanos_per_hour: int


@dataclass(frozen=True, slots=True)
class Price:
    """What a node or a GPU costs.

    Attributes:
        steps: the price over time; the first step also holds for what lies before it.
        per_gpu: the price is of one GPU-hour; otherwise of one node-hour.
        other_nanos_per_hour: what CPU and memory of the node cost at reference rates; taken off a node price.
        gpu_share: the part of the rest that belongs to the GPUs.
    """

    steps: tuple[PriceStep, ...]
    per_gpu: bool = True
    other_nanos_per_hour: int = 0
    gpu_share: Fraction = Fraction(1)

    def gpu_nanos_per_hour(self, at_ms: int, gpu_count: int) -> Fraction:
        """Price of one GPU-hour: `price`, or `(node price - other) * share / GPUs`."""
        started = [step for step in self.steps if step.from_ms <= at_ms]
        nanos = (started[-1] if started else self.steps[0]).nanos_per_hour
        if self.per_gpu:
            return Fraction(nanos)
        return (nanos - self.other_nanos_per_hour) * self.gpu_share / gpu_count


def gpu_hour(nanos: int) -> Price:
    """A constant price per GPU-hour."""
    return Price((PriceStep(0, nanos),))


def node_hour(nanos: int, other_nanos: int = 0) -> Price:
    """A constant price per node-hour, of which CPU and memory take `other_nanos`."""
    return Price((PriceStep(0, nanos),), per_gpu=False, other_nanos_per_hour=other_nanos)


@dataclass(frozen=True, slots=True)
class Collection:
    """How an exporter comes by a gauge's value.

    The value that a scrape at `t` sees is the mean activity over `[T - window_ms, T)`. With `tick_ms` 0 each scrape is
    a collection and `T = t`; otherwise the exporter collects on its own beat and `T` is the last multiple of `tick_ms`
    (plus `phase_ms`) that is not after `t`, so that scrapes between two beats see the same value twice. A window
    shorter than the beat loses the time between, as real exporters do.
    """

    window_ms: int = 30_000
    tick_ms: int = 0
    phase_ms: int = 0

    def collected_at(self, at_ms: int) -> int:
        """The moment `T` of the value that a scrape at `at_ms` sees."""
        return at_ms - (at_ms - self.phase_ms) % self.tick_ms if self.tick_ms else at_ms


@dataclass(frozen=True, slots=True)
class SimExporter:
    """One exporter pod of a node.

    Attributes:
        dialect: name of a dialect in `fleet.exporter.dialects`.
        pod: name of the exporter's own pod.
        ip: address of that pod.
        namespace: namespace of that pod.
        collection: how values come to be.
        pod_uid: whether it exports the label `pod_uid` (where the dialect knows it).
        with_sm: whether it exports SM activity, which is off by default in the real one.
        without: fields that it lacks, by meaning.
        quantised: print values as coarse as the real one; False prints all digits.
        honor_labels: whether Prometheus lets its labels win over those of the target.
        stamped: print the node's own clock behind each value.
        container: name of its container.
        virtual_gpus: replicated GPUs have a row for each replica that is held, beside the row of the device; else one
            row, with one of the pods.
        per_process: where each pod's own value of utilisation and memory comes from: `real`, `zero` (process ids that
            cannot be told apart) or `copied` (older ones: the device's value, on each row).
        dra: rows say who holds a claim.
        serves_from_ms: when it begins to answer.
        serves_to_ms: when it no longer answers.
    """

    dialect: str = "4.8.3"
    pod: str = "nvidia-dcgm-exporter-x7k2p"
    ip: str = "127.10.0.1"
    namespace: str = "gpu-operator"
    collection: Collection = field(default_factory=Collection)
    pod_uid: bool = False
    with_sm: bool = False
    without: tuple[str, ...] = ()
    quantised: bool = True
    honor_labels: bool = False
    stamped: bool = False
    container: str = "nvidia-dcgm-exporter"
    virtual_gpus: bool = False
    per_process: str = "real"
    dra: bool = False
    serves_from_ms: int = 0
    serves_to_ms: int = NEVER_MS

    def serves(self, at_ms: int) -> bool:
        """Whether it answers at this moment."""
        return self.serves_from_ms <= at_ms < self.serves_to_ms


@dataclass(frozen=True, slots=True)
class SimGpu:
    """One physical GPU of a node, and how it was cut into MIG instances over time."""

    index: int
    uuid: str
    layouts: tuple[Layout, ...] = ()

    def instances_at(self, at_ms: int) -> tuple[Instance, ...]:
        """Its MIG instances at a moment; none while MIG is off."""
        return next((one.instances for one in reversed(self.layouts) if one.from_ms <= at_ms), ())


@dataclass(frozen=True, slots=True)
class Stray:
    """Activity of a process outside all pods, on a GPU that nobody holds during `[from_ms, to_ms)`."""

    uuid: str
    from_ms: int
    to_ms: int
    program: Program


@dataclass(frozen=True, slots=True)
class SimNode:
    """One node with GPUs of one model.

    `price` None is a type that nobody has a price for. `clock_skew_ms` is how far the node's clock runs ahead: its
    kubelet's times and stamped values are wrong by it. It is there and billed from `booted_ms`, where energy counters
    start, to `removed_ms`. `sharing` says who hands out its GPUs.
    """

    name: str
    model: GpuModel
    gpus: tuple[SimGpu, ...]
    price: Price | None
    instance_type: str = "p5.48xlarge"
    region: str = "us-east-1"
    zone: str = "us-east-1a"
    capacity_type: str = "on-demand"
    provider: str = "aws"
    cpus: int = 192
    memory_gib: int = 2048
    exporters: tuple[SimExporter, ...] = (SimExporter(),)
    faults: tuple[Fault, ...] = ()
    strays: tuple[Stray, ...] = ()
    clock_skew_ms: int = 0
    booted_ms: int = 0
    removed_ms: int = NEVER_MS
    driver: str = "580.105.08"
    labels: tuple[tuple[str, str], ...] = ()
    sharing: Sharing = ALONE


@dataclass(frozen=True, slots=True)
class Owner:
    """One link of a pod's chain of controllers."""

    api_version: str
    kind: str
    name: str
    uid: str


class Holding(NamedTuple):
    """What a pod holds of one GPU, and what it does there."""

    uuid: str
    part: Part
    program: Program


@dataclass(frozen=True, slots=True)
class SimPod:
    """One pod and its life.

    Attributes:
        namespace: its namespace.
        name: its name.
        uid: its UID.
        node: where it runs.
        gpus: UUIDs of the GPUs that it holds.
        bound_ms: when it was bound to the node; None for a pod that never was.
        started_ms: when its container runs and its labels appear at the exporter; None if that never happens.
        finished_ms: when it reached a terminal phase; None while it runs.
        deleted_ms: when its object was gone; None while it is there.
        created_ms: when its object appeared; None means when it was bound.
        failed: the terminal phase is Failed.
        labels: its own labels.
        annotations: its own annotations.
        owners: its controllers, nearest first.
        activity: what it does to each of its GPUs.
        per_gpu: another program for single GPUs, in the order of `gpus`; empty means `activity` for all.
        memory: part of the frame buffer that it holds while it runs; of its instance, where it holds one.
        parts: what it holds of each of its GPUs, in the order of `gpus`; empty means that each is its own alone.
        container: name of its GPU container.
        image: its image.
        args: arguments of its container.
        system: an exporter or a diagnostic that holds a GPU.
    """

    namespace: str
    name: str
    uid: str
    node: str
    gpus: tuple[str, ...]
    bound_ms: int | None
    started_ms: int | None = None
    finished_ms: int | None = None
    deleted_ms: int | None = None
    created_ms: int | None = None
    failed: bool = False
    labels: tuple[tuple[str, str], ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()
    owners: tuple[Owner, ...] = ()
    activity: Program = IDLE
    per_gpu: tuple[Program, ...] = ()
    memory: Fraction = Fraction(1, 2)
    container: str = "main"
    image: str = "registry.example/train:1"
    args: tuple[str, ...] = ()
    system: bool = False
    parts: tuple[Part, ...] = ()

    @property
    def ended_ms(self) -> int | None:
        """The earlier of finished and deleted: when it lets go of its GPUs; None while it holds them."""
        return min((ms for ms in (self.finished_ms, self.deleted_ms) if ms is not None), default=None)

    @property
    def holding(self) -> tuple[int, int] | None:
        """From binding to the end, `NEVER_MS` if it has none; None for a pod that was never bound."""
        return None if self.bound_ms is None else (self.bound_ms, NEVER_MS if self.ended_ms is None else self.ended_ms)

    @property
    def running(self) -> tuple[int, int] | None:
        """From the start of its container to the end; None for a pod that never started."""
        if self.started_ms is None:
            return None
        return self.started_ms, NEVER_MS if self.ended_ms is None else self.ended_ms

    @property
    def holdings(self) -> tuple[Holding, ...]:
        """What it holds of each of its GPUs, and what it does to it."""
        parts = self.parts or (WHOLE,) * len(self.gpus)
        programs = self.per_gpu or (self.activity,) * len(self.gpus)
        return tuple(map(Holding, self.gpus, parts, programs))

    def holdings_on(self, uuid: str) -> tuple[Holding, ...]:
        """What it holds of one GPU: several parts if those are several instances."""
        return tuple(holding for holding in self.holdings if holding.uuid == uuid)


@dataclass(frozen=True, slots=True)
class SimNamespace:
    """A namespace and its labels."""

    name: str
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Fleet:
    """The whole script: nodes, the pods that live on them, and their namespaces."""

    nodes: tuple[SimNode, ...]
    pods: tuple[SimPod, ...] = ()
    namespaces: tuple[SimNamespace, ...] = ()

    def node(self, name: str) -> SimNode:
        """The node of this name."""
        return next(node for node in self.nodes if node.name == name)
