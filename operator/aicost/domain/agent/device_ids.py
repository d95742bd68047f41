"""What the kubelet's names of devices mean.

| Who gives it out | Name | What it is |
|---|---|---|
| NVIDIA device plugin | `GPU-uuid` | a GPU |
| | `GPU-uuid::3` | a replica of a GPU, by time-slicing or MPS |
| | `MIG-uuid`, `MIG-uuid::7` | an instance, or a replica of one |
| | `MIG-GPU-uuid/GI/CI` | an instance, by drivers before 470 |
| GKE | `nvidia0`, `nvidia0/vgpu2` | a GPU by its minor number, or a share of it |
| | `nvidia0/gi7`, `nvidia0/gi7/vgpu1` | an instance, or a share of it |
| DRA driver | `gpu-0` | a GPU by its minor number |
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from aicost.domain.agent.values import Part

_OLD_MIG = re.compile(r"MIG-(GPU-[^/]+)/(\d+)/\d+")
_GKE = re.compile(r"nvidia(\d+)(?:/gi(\d+))?(?:/vgpu\d+)?")
_DRA = re.compile(r"gpu-(\d+)")
DRA_DRIVER = "gpu.nvidia.com"


@dataclass(frozen=True, slots=True)
class Layout:
    """The devices of a node.

    Attributes:
        gpus: UUIDs of GPUs.
        minors: minor number -> UUID.
        instances: UUID of a MIG device -> its part.
    """

    gpus: frozenset[str] = frozenset()
    minors: Mapping[int, str] = field(default_factory=dict)
    instances: Mapping[str, Part] = field(default_factory=dict)


def part_of(name: str, layout: Layout) -> Part | None:
    """The part that a device of the kubelet's stands for; None where it is not of this node or not known."""
    base = name.partition("::")[0]
    if base in layout.gpus:
        return Part(base)
    if base in layout.instances:
        return layout.instances[base]
    if old := _OLD_MIG.fullmatch(base):
        return Part(old[1], old[2]) if old[1] in layout.gpus else None
    return _by_minor(_GKE.fullmatch(base), layout)


def part_of_claim(driver: str, device: str, layout: Layout) -> Part | None:
    """The part that a device of a claim stands for; MIG devices of claims are not told apart by their names."""
    return _by_minor(_DRA.fullmatch(device), layout) if driver == DRA_DRIVER else None


def _by_minor(found: re.Match[str] | None, layout: Layout) -> Part | None:
    uuid = layout.minors.get(int(found[1])) if found else None
    if found is None or uuid is None:
        return None
    return Part(uuid, (found[2] if found.re is _GKE else None) or "")
