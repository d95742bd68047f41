"""ResourceSlices: the devices that a DRA driver offers on a node, and which GPU stands behind each of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from aicost.domain.workloads.gpus.claims import is_gpu_class
from aicost.domain.workloads.gpus.slices import partition_share

DRIVERS: Mapping[str, str] = {
    "gpu.nvidia.com": "nvidia",
    "gpu.amd.com": "amd",
    "gpu.intel.com": "intel",
    "gaudi.intel.com": "intel",
    "tpu.google.com": "google",
    "neuron.aws.com": "aws",
    "npu.huawei.com": "huawei",
}
"""DRA drivers of accelerators -> vendor. A driver that is not here counts where its name speaks of accelerators."""

COMPUTE_PARTITIONS: Mapping[str, Fraction] = {
    "spx": Fraction(1),
    "dpx": Fraction(1, 2),
    "tpx": Fraction(1, 3),
    "qpx": Fraction(1, 4),
    "cpx": Fraction(1, 8),
}
"""Compute partitions of AMD Instinct cards -> share of the card."""
PARTITIONS = "partitions"
"""Capacity of a device that stands for all partitions of a card: what is taken of it is a number of them."""
MOST_PAST = 1_024
"""Devices that a slice no longer lists and that are still remembered."""


@dataclass(frozen=True, slots=True)
class SliceDevice:
    """One device of a slice.

    Attributes:
        kind: the driver's own word: `gpu`, `mig`, `vfio`, `amdgpu-partition` ...; empty where it says none.
        uuid: of the device itself, the partition's where it is one.
        parent: UUID of the GPU that a partition was cut from.
        bus: PCI address of the card, the same for all its partitions.
        profile: `1g.10gb` of MIG, `cpx_nps4` of AMD; empty for a whole card.
        product: name of the model as the driver writes it.
        capacity: name -> thousandths of its unit.
    """

    name: str
    kind: str = ""
    uuid: str = ""
    parent: str = ""
    bus: str = ""
    profile: str = ""
    product: str = ""
    capacity: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_partition(self) -> bool:
        """Whether it is a part of a card that the hardware keeps apart."""
        return bool(self.parent) or self.kind in {"mig", "amdgpu-partition"}


@dataclass(frozen=True, slots=True)
class SliceFacts:
    """A ResourceSlice as last seen.

    Attributes:
        node: the node that its devices are of; empty for devices of no node, which are left out of account.
    """

    uid: str
    name: str
    created_ms: int
    node: str = ""
    driver: str = ""
    pool: str = ""
    devices: tuple[SliceDevice, ...] = ()


@dataclass(frozen=True, slots=True)
class SliceRecord:
    """A slice, what it listed before, and when it went.

    Attributes:
        past: devices that it listed once; claims may still name them.
        most: the largest number of cards that it listed at once. A card that is not listed any more is still paid for.
    """

    facts: SliceFacts
    past: tuple[SliceDevice, ...] = ()
    most: int = 0
    gone_ms: int | None = None


def is_accelerator(driver: str) -> bool:
    """Whether a DRA driver offers accelerators."""
    return driver in DRIVERS or is_gpu_class(driver) is True


def advance_slice(record: SliceRecord | None, facts: SliceFacts) -> SliceRecord:
    """The record of a slice after one more sighting."""
    cards = len(set(cards_of(facts.node, facts.devices).values()))
    if record is None:
        return SliceRecord(facts, most=cards)
    listed = {device.name for device in facts.devices}
    before = {device.name: device for device in (*record.past, *record.facts.devices) if device.name not in listed}
    return SliceRecord(facts, tuple(before.values())[-MOST_PAST:], max(record.most, cards))


def vanish_slice(record: SliceRecord, now_ms: int) -> SliceRecord:
    """The record of a slice that has left the API server."""
    return record if record.gone_ms is not None else replace(record, gone_ms=now_ms)


def cards_of(node: str, devices: Iterable[SliceDevice]) -> dict[str, str]:
    """Name of a device -> the card behind it, for the devices of one driver and pool on a node.

    A card is called by its UUID. Partitions name their parent, or share its PCI address. A card without a UUID is
    called by the node and its address or name.
    """
    known = tuple(devices)
    by_bus = {one.bus: one.uuid for one in known if one.bus and one.uuid and not one.is_partition}
    by_bus |= {one.bus: one.parent for one in known if one.bus and one.parent}
    return {one.name: _card(node, one, by_bus) for one in known}


def _card(node: str, device: SliceDevice, by_bus: Mapping[str, str]) -> str:
    if device.parent:
        return device.parent
    own = "" if device.is_partition else device.uuid
    return by_bus.get(device.bus, "") or own or f"{node}/{device.bus or device.name}"


def size_of(device: SliceDevice, model: str | None, beside: Iterable[SliceDevice]) -> Fraction | None:
    """The share of its card that a device is, None where nothing tells.

    Args:
        device: which one.
        model: canonical model of its card, where it is known.
        beside: all devices of the same card. Partitions whose profile says nothing are taken to be equal.
    """
    if not device.is_partition:
        return Fraction(1)
    known = partition_share(device.profile or device.name, model) or _compute_partition(device.profile)
    if known is not None:
        return known
    siblings = sum(one.is_partition for one in beside)
    return Fraction(1, siblings) if siblings else None


def _compute_partition(profile: str) -> Fraction | None:
    return COMPUTE_PARTITIONS.get(profile.partition("_")[0].lower())


def taken_of(device: SliceDevice, consumed: Mapping[str, int]) -> Fraction | None:
    """The share of a device that a claim takes: the largest over all capacities; None where none of them is known."""
    parts = [Fraction(consumed[name], device.capacity[name]) for name in consumed if device.capacity.get(name)]
    return min(Fraction(1), max(parts)) if parts else None
