"""One table of all ways in which a pod holds a GPU. A new way is a new line.

The lines are asked in order, and each takes what it accounts for: an extended resource is counted once, whatever else
speaks of the same device. What is said here is what the methodology says.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from aicost.domain.attribution.claims import Ask
from aicost.domain.attribution.resolvers import requested
from aicost.domain.attribution.resolvers.claimed import shared_away, take_claimed
from aicost.domain.attribution.resolvers.groups import take_fraction, take_reservation
from aicost.domain.attribution.resolvers.parts import HAMI, NO_SHARE, VOLCANO, span_of
from aicost.domain.attribution.resolvers.portions import portions
from aicost.domain.attribution.resolvers.scene import FRACTION, FRACTION_MEMORY, Scene, Taken
from aicost.domain.exact.windows import Window
from aicost.domain.inventory.pods import PodFacts, PodRecord

_FRACTIONS = frozenset({FRACTION, FRACTION_MEMORY})


@dataclass(frozen=True, slots=True)
class Resolver:
    """One way to hold a device.

    Attributes:
        name: what it is called in documents.
        sign: where it is written.
        share: what of a device it comes to.
        trap: what a reader who does not know it gets wrong.
        take: what a pod holds in this way of the extended resources that are left; None where it does not.
    """

    name: str
    sign: str
    share: str
    trap: str
    take: Callable[[Scene, PodRecord, Mapping[str, int]], Taken | None]


RESOLVERS: tuple[Resolver, ...] = (
    Resolver(
        "reservation pod",
        "a pod of KAI or Run:ai in `kai-resource-reservation` or `runai-reservation`",
        "0",
        "the kubelet and the exporter name it as the holder of a GPU that others use",
        take_reservation,
    ),
    Resolver(
        "claim",
        "`status.allocation` of the pod's ResourceClaims, with the ResourceSlices of the node",
        "the device's part of its GPU, times what is taken of its capacity, in equal parts among the claim's pods; "
        "`adminAccess` 0",
        "such a pod asks for no extended resource; one that asks for `nvidia.com/gpu` may be served by a claim all the "
        "same, and is not counted twice",
        take_claimed,
    ),
    Resolver(
        "fraction",
        "annotation `gpu-fraction` or `gpu-memory`, label `runai-gpu-group`",
        "the fraction, on the GPU of the group's reservation pod",
        "the pod asks for no extended resource at all",
        take_fraction,
    ),
    Resolver(
        "HAMi",
        "annotation `hami.io/vgpu-devices-allocated`, on a node that HAMi registered",
        "the larger of its part of the memory and of the cores",
        "`nvidia.com/gpu: 1` is no whole GPU there",
        portions(HAMI),
    ),
    Resolver(
        "Volcano vGPU",
        "annotation `volcano.sh/vgpu-ids-new`, on a node that Volcano registered",
        "the same",
        "memory and cores are resources of their own and no devices",
        portions(VOLCANO),
    ),
    Resolver(
        "MIG, one size",
        "`nvidia.com/gpu` on a node whose product name ends in `-MIG-PROFILE`",
        "the larger of its compute slices and memory slices",
        "labels count and measure instances as if they were GPUs",
        requested.by_request(requested.mig_single),
    ),
    Resolver(
        "MIG, mixed sizes",
        "`nvidia.com/mig-PROFILE`",
        "the same",
        "3g is three of seven compute slices, and half of the memory",
        requested.by_request(requested.mig_mixed),
    ),
    Resolver(
        "time-slicing",
        "`nvidia.com/gpu` or `nvidia.com/gpu.shared` on a node that offers replicas",
        "1 / replicas",
        "an exporter shows each pod on the device with the activity of all of them",
        requested.by_request(requested.time_sliced),
    ),
    Resolver(
        "MPS",
        "the same with the sharing strategy `mps`",
        "1 / replicas",
        "the driver's figures for single clients are not dependable",
        requested.by_request(requested.mps),
    ),
    Resolver(
        "vGPU",
        "`nvidia.com/GRID_TYPE` or `nvidia.com/NVIDIA_TYPE` of a virtual machine",
        "the memory in the type's name, of the card's",
        "inside of the machine the same vGPU is a node's whole GPU",
        requested.by_request(requested.vgpu),
    ),
    Resolver(
        "partition of another maker",
        "`amd.com/cpx_nps4`, `aws.amazon.com/neuroncore`",
        "1/8 of the card for `cpx`; devices / cores that the node lists",
        "a core is no device",
        requested.by_request(requested.other_partition),
    ),
    Resolver(
        "Intel thousandths",
        "`gpu.intel.com/millicores` beside `gpu.intel.com/i915` or `gpu.intel.com/xe`",
        "thousandths of the device",
        "the device's own count says 1 for every pod that shares it",
        requested.thousandths,
    ),
    Resolver(
        "whole device",
        "`nvidia.com/gpu`, `amd.com/gpu`, `google.com/tpu` and all others that count devices",
        "1",
        "memory and cores of a slot (`nvidia.com/gpumem`) are no devices",
        requested.by_request(requested.whole),
    ),
)


@dataclass(frozen=True, slots=True)
class Held:
    """What a pod holds.

    Attributes:
        pieces: span by span where shares change, else one piece without a span of its own. Empty for a pod of which
            nothing says that it holds a device.
        flags: what a reader of its rows should know.
        nothing: it is known to hold nothing, whatever samples show.
    """

    pieces: tuple[tuple[Window | None, tuple[Ask, ...]], ...] = ()
    flags: tuple[str, ...] = ()
    nothing: bool = False


def held_by(scene: Scene, record: PodRecord) -> Held:
    """Ask the table what a pod holds."""
    if not (record.claimed or may_hold(record.facts)):
        return Held()
    left = {resource: count for resource, count in record.facts.devices.items() if count > 0}
    found: list[Taken] = []
    for resolver in RESOLVERS:
        taken = resolver.take(scene, record, left)
        if taken is not None:
            found.append(taken)
            left = {resource: count for resource, count in left.items() if resource not in taken.resources}
    asks = tuple(ask for taken in found for ask in taken.asks)
    flags = tuple(dict.fromkeys(flag for taken in found for flag in taken.flags))
    pieces = next((taken.pieces for taken in found if taken.pieces), ())
    if pieces:
        return Held(tuple((span, (*own, *asks)) for span, own in pieces), flags)
    if asks:
        return Held(((None, asks),), flags)
    return Held((), flags, nothing=any(taken.nothing for taken in found))


def reserved_share(scene: Scene, record: PodRecord) -> Fraction:
    """Devices that a pod reserves now, or last reserved, all its parts added: 3/2 for a whole one and a half."""
    pieces = held_by(scene, record).pieces
    if not pieces:
        return NO_SHARE
    asked = sum((ask.share for ask in pieces[-1][1]), NO_SHARE)
    return asked - shared_away(scene, record, span_of(record).end_ms - 1)


def may_hold(pod: PodFacts) -> bool:
    """Whether anything about a pod speaks of devices: what else there is of it is of no use to them."""
    return bool(pod.devices or pod.claims or not _FRACTIONS.isdisjoint(pod.annotations))
