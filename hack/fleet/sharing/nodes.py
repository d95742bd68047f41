"""What the device plugins of shared GPUs make of a node: resources, labels and annotations."""

from collections import Counter

from fleet.script import SimGpu, SimNode
from fleet.sharing.mig import geometry
from fleet.sharing.terms import MigStrategy, Plugin

GPU = "nvidia.com/gpu"
VGPU = "volcano.sh/vgpu-number"
REPLICATED = frozenset({Plugin.TIME_SLICING, Plugin.MPS})


def offered(node: SimNode, at_ms: int, lost: frozenset[str] = frozenset()) -> dict[str, str]:
    """The resources of the GPUs that work, at a moment."""
    counts: Counter[str] = Counter()
    for gpu in node.gpus:
        counts.update(_of_gpu(node, gpu, at_ms))
    for gpu in node.gpus:
        if gpu.uuid in lost:
            counts.subtract(_of_gpu(node, gpu, at_ms))
    return {name: str(count) for name, count in counts.items()}


def _of_gpu(node: SimNode, gpu: SimGpu, at_ms: int) -> dict[str, int]:
    sharing, instances = node.sharing, gpu.instances_at(at_ms)
    if sharing.plugin is Plugin.DRA:
        return {}
    if sharing.plugin is Plugin.VOLCANO:
        memory = {"volcano.sh/vgpu-memory": node.model.memory_mib, "volcano.sh/vgpu-cores": 100}
        return {VGPU: sharing.slots} | memory
    if not instances:
        return {resource(node, None): sharing.slots}
    counts = Counter(resource(node, one.profile) for one in instances)
    return {name: count * sharing.slots for name, count in counts.items()}


def resource(node: SimNode, profile: str | None) -> str:
    """The resource by which a pod asks for a GPU of the node, or for an instance."""
    mixed = profile is not None and node.sharing.strategy is MigStrategy.MIXED
    name = f"nvidia.com/mig-{profile}" if mixed else GPU
    return f"{name}.shared" if node.sharing.renamed else name


def labels(node: SimNode, at_ms: int) -> dict[str, str]:
    """What GPU feature discovery says of sharing, at a moment."""
    found: dict[str, str] = {}
    sharing, product = node.sharing, node.model.product
    instances = [one for gpu in node.gpus for one in gpu.instances_at(at_ms)]
    if any(gpu.layouts for gpu in node.gpus):
        found |= {"nvidia.com/mig.capable": "true", "nvidia.com/mig.strategy": str(sharing.strategy)}
        found["nvidia.com/mig.config.state"] = "success"
    if instances and sharing.strategy is MigStrategy.SINGLE:
        profile = geometry(node.model.name).profile(instances[0].profile)
        product = f"{product}-MIG-{profile.name}"
        found |= {"nvidia.com/gpu.count": str(len(instances)), "nvidia.com/gpu.memory": str(profile.memory_mib)}
        found |= {"nvidia.com/gpu.slices.gi": str(profile.compute), "nvidia.com/gpu.slices.ci": str(profile.compute)}
    elif instances:
        counts = Counter(one.profile for one in instances)
        found |= {f"nvidia.com/mig-{name}.count": str(count) for name, count in counts.items()}
        found |= {f"nvidia.com/mig-{name}.replicas": str(sharing.slots) for name in counts}
    if sharing.plugin in REPLICATED:
        product += "" if sharing.renamed else "-SHARED"
        found |= {"nvidia.com/gpu.replicas": str(sharing.slots), "nvidia.com/gpu.sharing-strategy": str(sharing.plugin)}
    if sharing.plugin is Plugin.MPS:
        found["nvidia.com/mps.capable"] = "true"
    return found | {"nvidia.com/gpu.product": product}


def annotations(node: SimNode) -> dict[str, str]:
    """The cards that vGPU plugins register on a node."""
    model, slots = node.model, node.sharing.slots
    if node.sharing.plugin is Plugin.HAMI:
        cards = (f"{g.uuid},{slots},{model.memory_mib},100,NVIDIA-{model.name},0,true:" for g in node.gpus)
        return {"hami.io/node-nvidia-register": "".join(cards)}
    if node.sharing.plugin is Plugin.VOLCANO:
        cards = (f"{g.uuid},{slots},{model.memory_mib},{model.name},true:" for g in node.gpus)
        return {"volcano.sh/node-vgpu-register": "".join(cards)}
    return {}
