"""Which extended resources are accelerators, and what one unit of each means. A new vendor is a new line here."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Unit(StrEnum):
    """What one unit of an extended resource is."""

    DEVICE = "device"
    """A whole device, or one replica of it where the node's sharing mode says so."""
    INSTANCE = "instance"
    """A hardware partition of a device, such as a MIG instance or a NeuronCore."""
    SLOT = "slot"
    """A replica of a device that is shared by software."""
    PORTION = "portion"
    """Memory or cores of a shared device: it says how much of a slot is meant and is no device of its own."""


@dataclass(frozen=True, slots=True)
class AcceleratorResource:
    """One line of the table: a resource name, or the start of one where `prefix` is set."""

    name: str
    vendor: str
    unit: Unit
    prefix: bool = False

    def matches(self, resource: str) -> bool:
        """Whether the line speaks of a resource."""
        return resource.startswith(self.name) if self.prefix else resource == self.name


RESOURCES = (
    AcceleratorResource("nvidia.com/gpu", "nvidia", Unit.DEVICE),
    AcceleratorResource("nvidia.com/gpu.shared", "nvidia", Unit.SLOT),
    AcceleratorResource("nvidia.com/mig-", "nvidia", Unit.INSTANCE, prefix=True),
    AcceleratorResource("nvidia.com/gpumem", "nvidia", Unit.PORTION),
    AcceleratorResource("nvidia.com/gpumem-percentage", "nvidia", Unit.PORTION),
    AcceleratorResource("nvidia.com/gpucores", "nvidia", Unit.PORTION),
    AcceleratorResource("nvidia.com/GRID_", "nvidia", Unit.INSTANCE, prefix=True),
    AcceleratorResource("nvidia.com/NVIDIA_", "nvidia", Unit.INSTANCE, prefix=True),
    AcceleratorResource("volcano.sh/vgpu-number", "nvidia", Unit.SLOT),
    AcceleratorResource("volcano.sh/vgpu-", "nvidia", Unit.PORTION, prefix=True),
    AcceleratorResource("volcano.sh/gpu-number", "nvidia", Unit.DEVICE),
    AcceleratorResource("volcano.sh/gpu-memory", "nvidia", Unit.PORTION),
    AcceleratorResource("amd.com/gpu", "amd", Unit.DEVICE),
    AcceleratorResource("amd.com/spx_", "amd", Unit.INSTANCE, prefix=True),
    AcceleratorResource("amd.com/dpx_", "amd", Unit.INSTANCE, prefix=True),
    AcceleratorResource("amd.com/tpx_", "amd", Unit.INSTANCE, prefix=True),
    AcceleratorResource("amd.com/qpx_", "amd", Unit.INSTANCE, prefix=True),
    AcceleratorResource("amd.com/cpx_", "amd", Unit.INSTANCE, prefix=True),
    AcceleratorResource("gpu.intel.com/i915", "intel", Unit.DEVICE),
    AcceleratorResource("gpu.intel.com/xe", "intel", Unit.DEVICE),
    AcceleratorResource("gpu.intel.com/millicores", "intel", Unit.PORTION),
    AcceleratorResource("gpu.intel.com/memory.max", "intel", Unit.PORTION),
    AcceleratorResource("gpu.intel.com/tiles", "intel", Unit.PORTION),
    AcceleratorResource("google.com/tpu", "google", Unit.DEVICE),
    AcceleratorResource("aws.amazon.com/neuron", "aws", Unit.DEVICE),
    AcceleratorResource("aws.amazon.com/neurondevice", "aws", Unit.DEVICE),
    AcceleratorResource("aws.amazon.com/neuroncore", "aws", Unit.INSTANCE),
    AcceleratorResource("habana.ai/gaudi", "intel", Unit.DEVICE),
    AcceleratorResource("huawei.com/Ascend", "huawei", Unit.DEVICE, prefix=True),
)
"""`gpu.intel.com/*_monitoring` is left out on purpose: it watches devices and holds none."""


def accelerator(resource: str) -> AcceleratorResource | None:
    """The first line of the table that speaks of a resource, None for what is no accelerator."""
    return next((line for line in RESOURCES if line.matches(resource)), None)


def accelerators_only(resources: Mapping[str, int]) -> dict[str, int]:
    """The accelerators among resources, in the order of their names; those with a count of 0 too."""
    return {name: resources[name] for name in sorted(resources) if accelerator(name)}


def count_of(resources: Mapping[str, int], *units: Unit) -> int:
    """How many devices (or slots, or instances) a node lists.

    A vendor may offer the same cards under two names (`neuron` and `neurondevice`), so of each vendor and unit only
    the largest count is taken; instances of different sizes are different things and are added.
    """
    largest: dict[tuple[str, Unit], int] = {}
    for name, count in resources.items():
        line = accelerator(name)
        if line is None or line.unit not in units:
            continue
        key = (line.vendor, line.unit)
        known = largest.get(key, 0)
        largest[key] = known + count if line.unit is Unit.INSTANCE else max(known, count)
    return sum(largest.values())
