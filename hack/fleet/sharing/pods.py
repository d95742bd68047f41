"""How a pod asks for a part of a GPU, and what schedulers write on it once they chose one."""

from collections import Counter
from fractions import Fraction
from typing import Any

from fleet.script import Fleet, Holding, SimNode, SimPod
from fleet.sharing.nodes import GPU, VGPU, resource
from fleet.sharing.reservations import group_name
from fleet.sharing.terms import Claim, Plugin

Object = dict[str, Any]


def limits(fleet: Fleet, pod: SimPod) -> dict[str, str]:
    """The resources that the pod's container asks for."""
    node, counts = fleet.node(pod.node), Counter[str]()
    for holding in pod.holdings:
        counts.update(_limits_of(node, holding))
    return {name: str(count) for name, count in counts.items()}


def _limits_of(node: SimNode, holding: Holding) -> dict[str, int]:
    part, plugin = holding.part, node.sharing.plugin
    if part.claim is not None:
        return {GPU: 1} if part.claim.extended else {}
    if plugin is Plugin.KAI and (part.cores or part.memory_mib):
        return {}
    if plugin in {Plugin.HAMI, Plugin.VOLCANO}:
        return _virtual_limits(holding, plugin)
    profile = None if part.instance is None else _profile(node, holding)
    return {resource(node, profile): part.slots or 1}


def _virtual_limits(holding: Holding, plugin: Plugin) -> dict[str, int]:
    memory, cores = holding.part.memory_mib, int(holding.part.cores * 100)
    names = (GPU, "nvidia.com/gpumem", "nvidia.com/gpucores")
    if plugin is Plugin.VOLCANO:
        names = (VGPU, "volcano.sh/vgpu-memory", "volcano.sh/vgpu-cores")
    return {name: count for name, count in zip(names, (1, memory, cores), strict=True) if count}


def _profile(node: SimNode, holding: Holding) -> str:
    gpu = next(gpu for gpu in node.gpus if gpu.uuid == holding.uuid)
    every = (one for layout in gpu.layouts for one in layout.instances)
    return next(one.profile for one in every if one.id == holding.part.instance)


def annotations(fleet: Fleet, pod: SimPod, *, is_bound: bool) -> dict[str, str]:
    """What the pod says of its fraction, and once it is bound, which devices the scheduler chose."""
    node = fleet.node(pod.node)
    plugin = node.sharing.plugin
    if plugin is Plugin.KAI:
        return _fractions(pod)
    if not is_bound or plugin not in {Plugin.HAMI, Plugin.VOLCANO}:
        return {}
    devices = "".join(
        f"{one.uuid},NVIDIA,{_memory_mib(node, one)},{int(one.part.cores * 100)}:" for one in pod.holdings
    )
    if plugin is Plugin.HAMI:
        chosen = {"hami.io/vgpu-devices-allocated": f"{devices};", "hami.io/vgpu-node": pod.node}
        return chosen | {"hami.io/bind-phase": "success"}
    return {"volcano.sh/vgpu-ids-new": f"{devices};", "volcano.sh/vgpu-node": pod.node}


def _memory_mib(node: SimNode, holding: Holding) -> int:
    """Frame buffer that is reserved: all of it for a pod that says nothing."""
    part = holding.part
    return part.memory_mib or (0 if part.cores else node.model.memory_mib)


def _fractions(pod: SimPod) -> dict[str, str]:
    parts = [one.part for one in pod.holdings if one.part.cores or one.part.memory_mib]
    if not parts:
        return {}
    if parts[0].memory_mib:
        asked = {"gpu-memory": str(parts[0].memory_mib)}
    else:
        asked = {"gpu-fraction": decimal(parts[0].cores)}
    more = {"gpu-fraction-num-devices": str(len(parts))} if len(parts) > 1 else {}
    return asked | more | {"received-resource-type": "Fraction"}


def decimal(value: Fraction) -> str:
    """A fraction as people write it."""
    text = f"{float(value):.6f}".rstrip("0")
    if Fraction(text) != value:
        raise ValueError(f"{value} cannot be written with six decimals")
    return text


def labels(fleet: Fleet, pod: SimPod) -> dict[str, str]:
    """The groups that KAI puts a pod into."""
    node = fleet.node(pod.node)
    if node.sharing.plugin is not Plugin.KAI:
        return {}
    shared = {one.uuid for one in pod.holdings if one.part.cores or one.part.memory_mib}
    groups = [group_name(node.name, gpu.index) for gpu in node.gpus if gpu.uuid in shared]
    if len(groups) == 1:
        return {"runai-gpu-group": groups[0]}
    return {f"runai-gpu-group/{group}": group for group in groups}


def claims(pod: SimPod) -> dict[str, Claim]:
    """The claims that a pod uses, by name."""
    return {one.part.claim.name: one.part.claim for one in pod.holdings if one.part.claim is not None}


def claim_references(pod: SimPod) -> list[Object]:
    """The claims as the pod's spec names them; those that serve a plain request are not there."""
    return [
        {"name": name, **({"resourceClaimTemplateName": "gpu"} if one.template else {"resourceClaimName": name})}
        for name, one in claims(pod).items()
        if not one.extended
    ]


def claim_status(pod: SimPod) -> Object:
    """What the pod's status says of its claims."""
    made = [{"name": name, "resourceClaimName": name} for name, one in claims(pod).items() if not one.extended]
    status: Object = {"resourceClaimStatuses": made} if made else {}
    for name, one in claims(pod).items():
        if one.extended:
            asked = {"containerName": pod.container, "resourceName": GPU, "requestName": "container-0-request-0"}
            status["extendedResourceClaimStatus"] = {"resourceClaimName": name, "requestMappings": [asked]}
    return status
