"""How large a card, an instance, a vGPU or a partition is, by what its node says."""

import re
from collections.abc import Mapping
from fractions import Fraction

from aicost.domain.attribution.resolvers.reading import whole_number
from aicost.domain.inventory.dra.slices import COMPUTE_PARTITIONS
from aicost.domain.inventory.nodes import NodeFacts
from aicost.domain.workloads.gpus.slices import dominant_share, memory_mib

WHOLE = Fraction(1)
MIG_SLICES = 7
_GPC = re.compile(r"(?:^|mig-)(\d{1,2})g\.")
_VGPU = re.compile(r"-(\d{1,3})[QCAB](?:ME)?$")
_AMD = re.compile(r"amd\.com/([a-z]{3})_")
_MEMORY_LABEL = "nvidia.com/gpu.memory"
_PRODUCT_LABEL, _PARTITION_LABEL = "nvidia.com/gpu.product", "cloud.google.com/gke-gpu-partition-size"
_REPLICAS = ".replicas"


def sizing_labels(labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Those labels of a node that say how large what it offers is; all others are nothing to its devices."""
    known = (_MEMORY_LABEL, _PRODUCT_LABEL, _PARTITION_LABEL)
    return tuple((key, value) for key, value in labels.items() if key in known or key.endswith(_REPLICAS))


def card_memory_mib(node: NodeFacts) -> int | None:
    """Memory of one GPU of a node, None where nothing tells. Under MIG the label speaks of an instance."""
    told = None if is_mig_single(node) else whole_number(node.labels.get(_MEMORY_LABEL, ""))
    return told or memory_mib(node.gpu_model)


def is_mig_single(node: NodeFacts) -> bool:
    """Whether each `nvidia.com/gpu` of a node is a MIG instance."""
    return bool(single_profile(node))


def single_profile(node: NodeFacts) -> str:
    """The MIG profile that a node's `nvidia.com/gpu` stand for, empty where they stand for whole GPUs."""
    product = node.labels.get(_PRODUCT_LABEL, "").lower()
    return product.partition("-mig-")[2] or node.labels.get(_PARTITION_LABEL, "")


def instance_share(text: str, model: str | None) -> Fraction:
    """Share of its GPU that a MIG instance is: its larger part of compute slices or memory.

    Where the model is not known and cards differ, its compute slices of seven.
    """
    known = dominant_share(text, model) or dominant_share(text)
    if known is not None:
        return known
    slices = _GPC.search(text.lower())
    return Fraction(min(int(slices[1]), MIG_SLICES) or 1, MIG_SLICES) if slices else WHOLE


def vgpu_share(resource: str, model: str | None) -> Fraction | None:
    """Share of its card that a vGPU type is, by the memory in its name: `nvidia.com/GRID_A100-10C` is a quarter."""
    size, total = _VGPU.search(resource), memory_mib(model)
    return min(WHOLE, Fraction(int(size[1]) * 1024, total)) if size and total else None


def compute_partition_share(resource: str) -> Fraction | None:
    """Share of a card that a compute partition of AMD is: `amd.com/cpx_nps4` is an eighth."""
    found = _AMD.match(resource)
    return COMPUTE_PARTITIONS.get(found[1]) if found else None


def core_share(capacity: Mapping[str, int]) -> Fraction | None:
    """Share of a Neuron device that one of its cores is, by how many of each the node lists."""
    devices = max(capacity.get("aws.amazon.com/neuron", 0), capacity.get("aws.amazon.com/neurondevice", 0))
    cores = capacity.get("aws.amazon.com/neuroncore", 0)
    return min(WHOLE, Fraction(devices, cores)) if devices and cores else None
