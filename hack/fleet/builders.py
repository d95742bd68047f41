"""Short ways to write a script."""

import uuid as uuids
from typing import Any

from fleet.models import H100, GpuModel
from fleet.script import Price, SimGpu, SimNode, SimPod, gpu_hour

DOLLAR = 1_000_000_000  # nanos
FOUR_DOLLARS = gpu_hour(4 * DOLLAR)


def gpu_uuid(node: str, index: int) -> str:
    """The UUID of a GPU: looks like a real one and is the same in each run."""
    return f"GPU-{uuids.uuid5(uuids.NAMESPACE_DNS, f'{node}/{index}')}"


def pod_uid(namespace: str, name: str, generation: int = 0) -> str:
    """The UID of a pod, the same in each run; a pod that is made again under its name has the next generation."""
    return str(uuids.uuid5(uuids.NAMESPACE_DNS, f"{namespace}/{name}/{generation}"))


def node(
    name: str = "gpu-a",
    *,
    gpus: int = 1,
    model: GpuModel = H100,
    price: Price | None = FOUR_DOLLARS,
    **more: Any,
) -> SimNode:
    """A node with so many GPUs at $4 per GPU-hour, unless told otherwise."""
    return SimNode(name, model, tuple(SimGpu(i, gpu_uuid(name, i)) for i in range(gpus)), price, **more)


def pod(name: str, on: SimNode, gpus: int | tuple[int, ...] = 1, **more: Any) -> SimPod:
    """A pod on GPUs of a node, by count from the first or by index; bound and started at 0 unless told otherwise."""
    indices = tuple(range(gpus)) if isinstance(gpus, int) else gpus
    life = {"namespace": "team-a", "bound_ms": 0, "started_ms": more.get("bound_ms", 0)} | more
    life.setdefault("uid", pod_uid(str(life["namespace"]), name))
    return SimPod(name=name, node=on.name, gpus=tuple(on.gpus[i].uuid for i in indices), **life)
