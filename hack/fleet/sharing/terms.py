"""The words of a script about sharing: who hands out a node's GPUs, and which part of a GPU a pod holds.

| plugin | what a pod of the script holds | share of the GPU |
|---|---|---|
| `device` | whole GPUs, or MIG instances of a GPU that has a layout | 1, or the instance's |
| `time-slicing`, `mps` | `slots` of a GPU or of an instance | slots / slots offered |
| `hami`, `volcano` | `cores` and `memory_mib` | the greater of both |
| `kai` | `cores`, or `memory_mib` alone | what it says |
| `dra` | a `Claim` | the claim's, split among the pods that hold it |
"""

from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

NOTHING = Fraction(0)


class Plugin(StrEnum):
    """Who hands out the GPUs of a node."""

    DEVICE = "device"
    TIME_SLICING = "time-slicing"
    MPS = "mps"
    HAMI = "hami"
    KAI = "kai"
    VOLCANO = "volcano"
    DRA = "dra"


class MigStrategy(StrEnum):
    """How the device plugin names MIG instances."""

    NONE = "none"
    SINGLE = "single"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class Sharing:
    """How the GPUs of a node are handed out.

    Attributes:
        plugin: who does it.
        slots: how many pods a GPU (or an instance) is offered to; 1 where it is not replicated.
        renamed: replicas are offered as `nvidia.com/gpu.shared`, else as `nvidia.com/gpu` on a product `...-SHARED`.
        strategy: how MIG instances are named.
    """

    plugin: Plugin = Plugin.DEVICE
    slots: int = 1
    renamed: bool = False
    strategy: MigStrategy = MigStrategy.NONE


ALONE = Sharing()


@dataclass(frozen=True, slots=True)
class Instance:
    """One MIG instance of a GPU.

    Attributes:
        id: its number among the GPU's instances, as exporters show it (`GPU_I_ID`).
        profile: such as `1g.10gb`.
        start: its first memory slice.
    """

    id: int
    profile: str
    start: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The MIG instances of a GPU from a moment on; none means that MIG is off."""

    from_ms: int
    instances: tuple[Instance, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """A ResourceClaim that a pod uses; pods that name the same claim share what it was given.

    Attributes:
        name: its name; its namespace is the pod's.
        consumed: the part of a device that admits several claims; None for a claim that has its device alone.
        admin: access for administration, which reserves nothing.
        extended: the pod asked for `nvidia.com/gpu`, and the scheduler made the claim.
        template: made from the pod's template, for this pod alone.
    """

    name: str
    consumed: Fraction | None = None
    admin: bool = False
    extended: bool = False
    template: bool = True


@dataclass(frozen=True, slots=True)
class Part:
    """What a pod holds of one GPU; nothing said means all of it.

    Attributes:
        instance: the MIG instance.
        slots: replicas of the GPU, or of the instance.
        cores: part of the compute cores.
        memory_mib: frame buffer that it reserves.
        claim: the ResourceClaim that gave it.
    """

    instance: int | None = None
    slots: int = 0
    cores: Fraction = field(default=NOTHING)
    memory_mib: int = 0
    claim: Claim | None = None


WHOLE = Part()
