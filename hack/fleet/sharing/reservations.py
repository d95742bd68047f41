"""The pods by which KAI keeps a GPU for a group of pods that share it: the kubelet knows no other holder of it."""

from collections.abc import Iterator

from fleet.script import NEVER_MS, Fleet, SimNode, SimPod
from fleet.sharing.terms import Plugin

NAMESPACE = "kai-resource-reservation"


def reservation_name(node: str, index: int) -> str:
    """The name of the pod that reserves a GPU."""
    return f"gpu-reservation-{node}-{index}"


def group_name(node: str, index: int) -> str:
    """The group of pods that share a GPU."""
    return f"{node}-gpu-{index}"


def reservations(fleet: Fleet) -> Iterator[SimPod]:
    """One pod for each time without a break in which a GPU is held by pods that share it."""
    for node in fleet.nodes:
        if node.sharing.plugin is Plugin.KAI:
            yield from (pod for gpu in node.gpus for pod in _of_gpu(fleet, node, gpu.index, gpu.uuid))


def _of_gpu(fleet: Fleet, node: SimNode, index: int, uuid: str) -> Iterator[SimPod]:
    members = (pod for pod in fleet.pods for one in pod.holdings_on(uuid) if one.part.cores or one.part.memory_mib)
    for number, (begin, end) in enumerate(_joined(sorted(pod.holding for pod in members if pod.holding))):
        name = reservation_name(node.name, index)
        labels = (("app", "kai-resource-reservation"), ("runai-gpu-group", group_name(node.name, index)))
        written = (("run.ai/reserve_for_gpu_index", uuid),)
        yield SimPod(
            NAMESPACE,
            name,
            f"uid-{name}-{number}",
            node.name,
            (uuid,),
            bound_ms=begin,
            started_ms=begin,
            deleted_ms=None if end == NEVER_MS else end,
            labels=labels,
            annotations=written,
            container="reservation",
            image="registry.example/kai/resource-reservation:1",
        )


def _joined(spans: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    while spans:
        begin, end = spans.pop(0)
        while spans and spans[0][0] <= end:
            end = max(end, spans.pop(0)[1])
        yield begin, end
