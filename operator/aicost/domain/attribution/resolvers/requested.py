"""Devices that a pod asks for as extended resources, and the share of a GPU that one unit of each is."""

from collections.abc import Callable, Mapping
from fractions import Fraction

from aicost.domain.attribution.claims import WHOLE, Ask
from aicost.domain.attribution.resolvers.scene import Scene, ShareOf, Taken
from aicost.domain.attribution.resolvers.sizes import (
    compute_partition_share,
    core_share,
    instance_share,
    single_profile,
    vgpu_share,
)
from aicost.domain.inventory.accelerators import Unit, accelerator
from aicost.domain.inventory.nodes import NodeFacts, SharingMode
from aicost.domain.inventory.pods import PodRecord
from aicost.domain.inventory.sharing import replicas_of

_GPU, _RENAMED, _MIG = "nvidia.com/gpu", "nvidia.com/gpu.shared", "nvidia.com/mig-"
_MILLICORES = "gpu.intel.com/millicores"
MOST_ASKS = 1_024
"""More devices than any pod gets."""


def by_request(share_of: ShareOf) -> Callable[[Scene, PodRecord, Mapping[str, int]], Taken | None]:
    """The resolver of the resources that a rule speaks of."""

    def take(scene: Scene, _: PodRecord, left: Mapping[str, int]) -> Taken | None:
        asks: list[Ask] = []
        found: set[str] = set()
        for resource, count in sorted(left.items()):
            share = scene.share(share_of, resource)
            if share is not None:
                found.add(resource)
                asks += [Ask(share)] * min(count, MOST_ASKS)
        return Taken(tuple(asks), frozenset(found)) if found else None

    return take


def mig_single(node: NodeFacts, resource: str) -> Fraction | None:
    """`nvidia.com/gpu` on a node whose GPUs are cut into equal instances that bear the plain name."""
    profile = single_profile(node)
    if resource != _GPU or not profile:
        return None
    return instance_share(profile, node.gpu_model) / replicas_of(node.labels, resource)


def mig_mixed(node: NodeFacts, resource: str) -> Fraction | None:
    """`nvidia.com/mig-1g.10gb` and its variants (`.me`, `.shared`), each size under a name of its own."""
    if not resource.startswith(_MIG):
        return None
    return instance_share(resource, node.gpu_model) / replicas_of(node.labels, resource)


def time_sliced(node: NodeFacts, resource: str) -> Fraction | None:
    """One of the replicas that a time-slicing plugin offers for each GPU, renamed or not."""
    return _slot(node, resource, SharingMode.TIME_SLICING)


def mps(node: NodeFacts, resource: str) -> Fraction | None:
    """One of the replicas of MPS, each with its part of memory and threads."""
    return _slot(node, resource, SharingMode.MPS)


def _slot(node: NodeFacts, resource: str, mode: SharingMode) -> Fraction | None:
    slots = Fraction(1, max(1, node.slots_per_gpu))
    return slots if node.sharing is mode and resource in {_GPU, _RENAMED} else None


def vgpu(node: NodeFacts, resource: str) -> Fraction | None:
    """A vGPU that a virtual machine gets. Inside of the machine it is the whole device of a node."""
    return vgpu_share(resource, node.gpu_model)


def other_partition(node: NodeFacts, resource: str) -> Fraction | None:
    """Parts that other makers offer: compute partitions of AMD, cores of Neuron."""
    if resource == "aws.amazon.com/neuroncore":
        return core_share(node.capacity) or WHOLE
    return compute_partition_share(resource)


def thousandths(_: Scene, __: PodRecord, left: Mapping[str, int]) -> Taken | None:
    """Thousandths of an Intel GPU that a pod asks for beside the device."""
    line = next((one for one in ("gpu.intel.com/i915", "gpu.intel.com/xe") if one in left), None)
    asked = left.get(_MILLICORES, 0)
    if line is None or not asked:
        return None
    count = min(left[line], MOST_ASKS)
    share = min(WHOLE, Fraction(asked, 1_000 * count))
    return Taken((Ask(share),) * count, frozenset({line, _MILLICORES}))


def whole(_: NodeFacts, resource: str) -> Fraction | None:
    """Everything else that counts as a device; memory and cores of a slot are none."""
    line = accelerator(resource)
    return None if line is not None and line.unit is Unit.PORTION else WHOLE
