"""How many GPUs one pod asks for, in whichever of the many spellings, in parts per million of a device."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from aicost.domain.inventory.accelerators import AcceleratorResource, Unit, accelerator
from aicost.domain.inventory.demand import ContainerDemand, peak_demand
from aicost.domain.inventory.quantities import parse_quantity
from aicost.domain.workloads.foreign import Json, items, mapping, whole
from aicost.domain.workloads.gpus.claims import is_gpu_class
from aicost.domain.workloads.gpus.slices import WHOLE, share_of_memory, share_of_profile

MOST_DEVICES = 1_000_000
"""More than any pod gets: a larger count is not believed."""
_PORTIONS: Mapping[str, tuple[str, str]] = {
    "nvidia.com/gpucores": ("nvidia.com/gpu", "percent"),
    "nvidia.com/gpumem-percentage": ("nvidia.com/gpu", "percent"),
    "nvidia.com/gpumem": ("nvidia.com/gpu", "mib"),
    "volcano.sh/vgpu-cores": ("volcano.sh/vgpu-number", "percent"),
    "volcano.sh/vgpu-memory-percentage": ("volcano.sh/vgpu-number", "percent"),
    "volcano.sh/vgpu-memory": ("volcano.sh/vgpu-number", "mib"),
    "volcano.sh/gpu-memory": ("volcano.sh/gpu-number", "mib"),
    "gpu.intel.com/millicores": ("gpu.intel.com/i915", "thousandth"),
}
"""Portion -> the device that it is a part of, and its unit. A portion without its device means one of them."""
_UNITS = {"percent": WHOLE // 100, "thousandth": WHOLE // 1_000}
_DRA_PREFIX = "deviceclass.resource.kubernetes.io/"
_SHARES = ""
"""Name under which a container's share of devices is counted among its resources."""
_UNKNOWN = " "
_FRACTION, _FRACTION_DEVICES, _MEMORY = "gpu-fraction", "gpu-fraction-num-devices", "gpu-memory"
_LONGEST = 64


@dataclass(frozen=True, slots=True)
class Node:
    """What is known of the node that the pod would run on.

    Attributes:
        model: canonical model, None where several or none are known.
        whole_share: parts per million of a GPU that one `nvidia.com/gpu` is there, None where it is not known.
    """

    model: str | None = None
    whole_share: int | None = WHOLE


@dataclass(frozen=True, slots=True)
class Demand:
    """What the containers of one pod ask for.

    Attributes:
        devices: accelerators by extended resource, as the scheduler counts.
        share: parts per million of devices, None where the size of a part is not known.
    """

    devices: Mapping[str, int]
    share: int | None


def node_of(labels: Mapping[str, str], models: Sequence[str]) -> Node:
    """What the labels that a node must have say of its GPUs."""
    model = models[0] if len(models) == 1 else None
    product = labels.get("nvidia.com/gpu.product", "")
    partition = labels.get("cloud.google.com/gke-gpu-partition-size", "") or product
    clients = whole(labels.get("cloud.google.com/gke-max-shared-clients-per-gpu")) or whole(
        labels.get("nvidia.com/gpu.replicas")
    )
    if "-MIG-" in product.upper() or labels.get("cloud.google.com/gke-gpu-partition-size"):
        return Node(model, share_of_profile(partition.upper().rpartition("-MIG-")[2], model))
    if clients:
        return Node(model, WHOLE // clients)
    shared = product.upper().endswith("-SHARED") or "cloud.google.com/gke-gpu-sharing-strategy" in labels
    return Node(model, None if shared else WHOLE)


def pod_demand(spec: Json, annotations: Mapping[str, str], node: Node) -> Demand:
    """What a pod asks for.

    An annotation of KAI or Run:ai speaks for the whole pod. Otherwise containers and init containers are counted as
    the scheduler counts them, the parts of devices as well as the whole.
    """
    containers = [_container(mapping(each), node) for each in items(spec.get("containers"))]
    init = [_container(mapping(each), node) for each in items(spec.get("initContainers"))]
    every = (*containers, *init)
    names = {name for each in every for name in each.resources} - {_SHARES, _UNKNOWN}
    devices = peak_demand(names, containers, init)
    if _FRACTION in annotations or _MEMORY in annotations:
        return Demand(devices, _annotated(annotations, node))
    if any(_UNKNOWN in each.resources for each in every):
        return Demand(devices, None)
    return Demand(devices, peak_demand({_SHARES}, containers, init).get(_SHARES, 0))


def _container(container: Json, node: Node) -> ContainerDemand:
    """A container's accelerators, and among them its share of devices or the mark that nobody knows it."""
    asked = _asked(container)
    known = {name: count for name, count in asked.items() if count is not None}
    share = None if None in asked.values() else _share(known, node)
    counted = {_UNKNOWN: 1} if share is None else {_SHARES: share}
    return ContainerDemand({**known, **counted}, container.get("restartPolicy") == "Always")


def _asked(container: Json) -> dict[str, int | None]:
    """Accelerators that a container asks for: its requests, and its limits where it states no request."""
    resources = mapping(container.get("resources"))
    asked = {**mapping(resources.get("limits")), **mapping(resources.get("requests"))}
    return {name: _count(quantity) for name, quantity in asked.items() if isinstance(name, str) and _line(name)}


def _count(quantity: Any) -> int | None:
    """A number of devices, None for what is none."""
    written = str(quantity) if isinstance(quantity, int | float | str) and not isinstance(quantity, bool) else ""
    if not written or len(written) > _LONGEST or not written.isascii():
        return None
    try:
        count = parse_quantity(written)
    except ValueError:
        return None
    return count if 0 <= count <= MOST_DEVICES else None


def _line(resource: str) -> AcceleratorResource | None:
    """What a resource is. A vendor that the table does not know, but who calls it `gpu`, offers whole devices."""
    if len(resource) > 4 * _LONGEST:
        return None
    known = accelerator(resource)
    if known is None and resource.startswith(_DRA_PREFIX):
        wanted = is_gpu_class(resource.removeprefix(_DRA_PREFIX))
        return AcceleratorResource(resource, _DRA_PREFIX, Unit.DEVICE) if wanted else None
    if known is None and resource.endswith("/gpu"):
        return AcceleratorResource(resource, resource, Unit.DEVICE)
    return known


def _share(asked: Mapping[str, int], node: Node) -> int | None:
    """All devices of a container together.

    A vendor may offer the same cards under two names, so of each vendor the largest part counts; partitions add up.
    """
    wanted = dict(asked)
    for portion, (device, _) in _PORTIONS.items():
        if wanted.get(portion):
            wanted.setdefault(device, 1)
    largest: dict[str, int] = {}
    partitions = 0
    for name, count in wanted.items():
        line = _line(name)
        if line is None or line.unit is Unit.PORTION or not count:
            continue
        each = _each(name, line, wanted, node)
        if each is None:
            return None
        if line.unit is Unit.INSTANCE:
            partitions += count * each
        else:
            largest[line.vendor] = max(largest.get(line.vendor, 0), count * each)
    return partitions + sum(largest.values())


def _each(name: str, line: AcceleratorResource, wanted: Mapping[str, int], node: Node) -> int | None:
    """Share of a device that one unit of a resource is."""
    if line.unit is Unit.INSTANCE:
        return share_of_profile(name, node.model)
    if name == "nvidia.com/gpu.shared":
        return None
    parts = [_part(portion, count, name, node) for portion, count in wanted.items() if _belongs(portion, name)]
    if None in parts:
        return None
    whole_share = node.whole_share if name == "nvidia.com/gpu" else WHOLE
    return max(part for part in parts if part is not None) if parts else whole_share


def _belongs(portion: str, device: str) -> bool:
    """Whether a resource is a portion of a device; one that the table does not know may be of any of its vendor."""
    line, known = accelerator(portion), _PORTIONS.get(portion)
    if line is None or line.unit is not Unit.PORTION:
        return False
    return known[0] == device if known else portion.partition("/")[0] == device.partition("/")[0]


def _part(portion: str, amount: int, device: str, node: Node) -> int | None:
    known = _PORTIONS.get(portion)
    if known is None or known[0] != device:
        return None
    if known[1] == "mib":
        return share_of_memory(amount, node.model)
    return min(WHOLE, amount * _UNITS[known[1]])


def _annotated(annotations: Mapping[str, str], node: Node) -> int | None:
    """The fraction that a pod of KAI or Run:ai asks for: of a device, or by memory in MiB, on one or more devices."""
    written = annotations.get(_FRACTION_DEVICES, "1")
    devices, memory = whole(written), whole(annotations.get(_MEMORY))
    each = _fraction(annotations[_FRACTION]) if _FRACTION in annotations else None
    if each is None and memory is not None:
        each = share_of_memory(memory, node.model)
    return None if each is None or devices is None else devices * each


def _fraction(written: str) -> int | None:
    """A decimal between 0 and 1, as parts per million."""
    plain = written.strip() if len(written) <= _LONGEST else ""
    if not plain.isascii() or not plain.replace(".", "", 1).isdigit():
        return None
    share = Fraction(plain)
    return int(share * WHOLE) if share <= 1 else None
