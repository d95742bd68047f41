"""How the GPUs of a node are shared, how many there really are, and how many of them are out of order."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from aicost.domain.inventory.accelerators import Unit, count_of
from aicost.domain.inventory.dra.slices import COMPUTE_PARTITIONS
from aicost.domain.inventory.gpu_models import model_of_node
from aicost.domain.inventory.nodes import NodeFacts, SharingMode
from aicost.domain.workloads.gpus.slices import dominant_share, nearest_profile

COUNT_LABELS = (
    "nvidia.com/gpu.count",
    "karpenter.k8s.aws/instance-gpu-count",
    "karpenter.k8s.aws/instance-accelerator-count",
    "karpenter.azure.com/sku-gpu-count",
    "cloud.google.com/gke-accelerator-count",
    "amd.com/gpu.count",
)
"""Labels that count the physical GPUs of a node, whether or not a device plugin runs."""

_PARTITION = "cloud.google.com/gke-gpu-partition-size"
_DIGITS = 9
_PROFILE = re.compile(r"(?:^|mig-)(\d)g\.(\d+)gb", re.IGNORECASE)
_DEVICE_UUID = re.compile(r"\b(?:GPU-)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)
_REGISTERED = ("hami.io/node-nvidia-register", "volcano.sh/node-vgpu-register")
"""Annotations in which vGPU device plugins register the cards of a node, each with its UUID."""
_STRATEGIES = {
    "time-slicing": SharingMode.TIME_SLICING,
    "time-sharing": SharingMode.TIME_SLICING,
    "mps": SharingMode.MPS,
}
MAX_GPUS_PER_NODE = 1_024
"""More than any machine has: a label that claims more is not believed."""


@dataclass(frozen=True, slots=True)
class Sharing:
    """What a node says about the sharing of its GPUs.

    Attributes:
        slots_per_gpu: replicas that the device plugin offers for each GPU.
        gpus: physical GPUs as far as labels and capacity tell.
    """

    mode: SharingMode
    slots_per_gpu: int
    gpus: int


def with_partition(labels: Mapping[str, str]) -> Mapping[str, str]:
    """The labels of a node with the size of its MIG instances, as GKE writes it, where only their slices are told.

    GPU feature discovery writes the profile behind the name of the product, and whoever replaces that label loses it.
    It counts slices of a plain `nvidia.com/gpu` for instances alone.
    """
    compute, memory = _number(labels.get("nvidia.com/gpu.slices.gi", "")), labels.get("nvidia.com/gpu.memory", "")
    if not compute or labels.get(_PARTITION) or "-MIG-" in labels.get("nvidia.com/gpu.product", "").upper():
        return labels
    mib = int(memory) if memory.isascii() and memory.isdigit() and len(memory) <= _DIGITS else 0
    profile = nearest_profile(compute, mib, model_of_node(labels))
    return {**labels, _PARTITION: profile} if profile else labels


def recognise_sharing(
    labels: Mapping[str, str], annotations: Mapping[str, str], capacity: Mapping[str, int]
) -> Sharing:
    """Read mode, slots and physical GPUs from what GPU feature discovery, clouds and vGPU plugins write on a node."""
    cards = named_cards(annotations)
    offered = count_of(capacity, Unit.DEVICE, Unit.SLOT)
    if cards:
        return Sharing(SharingMode.OTHER, max(1, offered // len(cards)), len(cards))
    labelled = _labelled_gpus(labels)
    mode = _mode(labels, capacity)
    if mode is SharingMode.MIG:
        return Sharing(mode, 1, _mig_gpus(labels, capacity, labelled))
    slots = 1 if mode is SharingMode.EXCLUSIVE else _slots(labels, labelled, offered)
    if _in_mig_change(labels) and labelled:
        return Sharing(mode, slots, labelled)
    return Sharing(mode, slots, max(labelled, -(-offered // slots), _partitioned_gpus(capacity)))


def named_cards(annotations: Mapping[str, str]) -> tuple[str, ...]:
    """UUIDs of the cards that a vGPU plugin registered on a node, in order; none on any other node."""
    return tuple(sorted({uuid for key in _REGISTERED for uuid in _DEVICE_UUID.findall(annotations.get(key, ""))}))


def missing_gpus(facts: NodeFacts) -> int:
    """Physical GPUs that cannot be allocated now, of those the node was bought with.

    A GPU of a shared node is missing once all of its slots are. Under MIG, the missing share of instances is taken
    of the GPUs and rounded down, since a lost GPU takes all its instances along.
    """
    units = (Unit.DEVICE, Unit.SLOT, Unit.INSTANCE)
    only_parts = count_of(facts.capacity, Unit.INSTANCE) and not count_of(facts.capacity, Unit.DEVICE, Unit.SLOT)
    if facts.sharing is SharingMode.MIG or only_parts:
        whole, offered = count_of(facts.capacity, *units), count_of(facts.allocatable, *units)
        return facts.gpus * max(0, whole - offered) // whole if whole else facts.gpus
    offered = count_of(facts.allocatable, Unit.DEVICE, Unit.SLOT)
    return max(0, facts.gpus * facts.slots_per_gpu - offered) // facts.slots_per_gpu


def replicas_of(labels: Mapping[str, str], resource: str) -> int:
    """How often a device plugin offers each unit of a resource, renamed or not: 1 where no label tells."""
    name = resource.removeprefix("nvidia.com/").removesuffix(".shared")
    return max(1, _number(labels.get(f"nvidia.com/{name}.replicas", "")))


def _labelled_gpus(labels: Mapping[str, str]) -> int:
    """The largest count that a label gives; under MIG `gpu.count` may count instances, which the caller corrects."""
    return max((_number(labels.get(key, "")) for key in COUNT_LABELS), default=0)


def _number(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else 0
    return number if number <= MAX_GPUS_PER_NODE else 0


def _mode(labels: Mapping[str, str], capacity: Mapping[str, int]) -> SharingMode:
    product = labels.get("nvidia.com/gpu.product", "").upper()
    if "-MIG-" in product or labels.get(_PARTITION) or _instances(capacity):
        return SharingMode.MIG
    for key in ("nvidia.com/gpu.sharing-strategy", "cloud.google.com/gke-gpu-sharing-strategy"):
        named = _STRATEGIES.get(labels.get(key, "").lower())
        if named is not None:
            return named
    replicated = product.endswith("-SHARED") or _number(labels.get("nvidia.com/gpu.replicas", "")) > 1
    if replicated or capacity.get("nvidia.com/gpu.shared"):
        return SharingMode.TIME_SLICING
    return SharingMode.OTHER if count_of(capacity, Unit.SLOT) else SharingMode.EXCLUSIVE


def _partitioned_gpus(capacity: Mapping[str, int]) -> int:
    """The least number of cards that compute partitions of AMD (`amd.com/cpx_nps4`) fit on."""
    named = ((name.removeprefix("amd.com/")[:3], count) for name, count in capacity.items() if "amd.com/" in name)
    return -(-sum((COMPUTE_PARTITIONS[mode] * count for mode, count in named if mode in COMPUTE_PARTITIONS), 0) // 1)


def _instances(capacity: Mapping[str, int]) -> bool:
    return any(count for name, count in capacity.items() if name.startswith("nvidia.com/mig-"))


def _slots(labels: Mapping[str, str], labelled: int, offered: int) -> int:
    """Replicas per GPU: as a label says, else what is offered divided by the GPUs that a label counts."""
    for key in ("nvidia.com/gpu.replicas", "cloud.google.com/gke-max-shared-clients-per-gpu"):
        told = _number(labels.get(key, ""))
        if told:
            return told
    return max(1, offered // labelled) if labelled else 1


def _in_mig_change(labels: Mapping[str, str]) -> bool:
    """While MIG is being reconfigured, labels and capacity speak of different layouts: the capacity is not a count."""
    return labels.get("nvidia.com/mig.config.state", "success") != "success"


def _mig_gpus(labels: Mapping[str, str], capacity: Mapping[str, int], labelled: int) -> int:
    """Physical GPUs under MIG.

    With the strategy `single` each `nvidia.com/gpu` is an instance, and `gpu.count` counts instances: the least number
    of GPUs that they fit on. With `mixed`, whole GPUs and instances of any size stand side by side: what a label says,
    or the least number that the instances fit on.
    """
    single = _PROFILE.search(labels.get("nvidia.com/gpu.product", "")) or _PROFILE.search(labels.get(_PARTITION, ""))
    trusted = max((_number(labels.get(key, "")) for key in COUNT_LABELS[1:]), default=0)
    if single:
        offered = count_of(capacity, Unit.DEVICE, Unit.SLOT) // replicas_of(labels, "nvidia.com/gpu")
        instances = max(offered, _number(labels.get("nvidia.com/gpu.count", "")))
        return trusted or -(-instances // _per_gpu(f"{single[1]}g.{single[2]}gb"))
    slices = sum(
        count // replicas_of(labels, name) * int(profile[1])
        for name, count in capacity.items()
        if (profile := _PROFILE.search(name)) and name.startswith("nvidia.com/mig-")
    )
    return max(labelled, trusted, count_of(capacity, Unit.DEVICE) + -(-slices // 7))


def _per_gpu(profile: str) -> int:
    """How many equal instances fit on one GPU, by the table of layouts; of an unknown profile, as on seven slices."""
    share = dominant_share(profile)
    compute = max(1, int(profile.partition("g")[0]))
    return max(1, int(1 / share) if share else 7 // compute)
