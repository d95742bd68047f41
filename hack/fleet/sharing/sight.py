"""What could be known of a device's activity at a moment, whatever a reader makes of it."""

from typing import NamedTuple

from fleet.exporter.dialects import AGENT, HAMI, exported_fields
from fleet.faults import ACTIVITY
from fleet.script import SimExporter, SimNode
from fleet.sharing.terms import Plugin

OF_INSTANCES = frozenset({"engine", "sm", "device_busy"})  # the coarse utilisation does not exist for MIG


class Sight(NamedTuple):
    """Whether somebody shows the activity of the whole, and that of each pod."""

    device: bool
    pods: bool


def sight(node: SimNode, uuid: str, at_ms: int, known_for_ms: int, *, is_instance: bool) -> Sight:
    """What the exporters of a node show of a GPU or of one of its instances.

    Args:
        node: the node.
        uuid: the GPU.
        at_ms: the moment.
        known_for_ms: how long a value may be carried into a gap.
        is_instance: whether it is about a MIG instance.
    """
    fields = [_fields(exporter, is_instance=is_instance) for exporter in node.exporters]
    clear = [
        exporter.serves(at_ms) and bool(shown) and not _blinded(node, uuid, index, shown, at_ms - known_for_ms, at_ms)
        for index, (exporter, shown) in enumerate(zip(node.exporters, fields, strict=True))
    ]
    device = any(seen and shown & ACTIVITY for seen, shown in zip(clear, fields, strict=True))
    pods = any(
        seen and _tells_pods(exporter, node.sharing.plugin, is_instance=is_instance)
        for seen, exporter in zip(clear, node.exporters, strict=True)
    )
    return Sight(device, pods)


def _fields(exporter: SimExporter, *, is_instance: bool) -> frozenset[str]:
    shown = exported_fields(exporter)
    return shown & OF_INSTANCES if is_instance else shown


def _blinded(node: SimNode, uuid: str, index: int, shown: frozenset[str], since_ms: int, at_ms: int) -> bool:
    return any(
        fault.from_ms <= since_ms and at_ms < fault.to_ms and fault.blinds(uuid, index, shown) for fault in node.faults
    )


def _tells_pods(exporter: SimExporter, plugin: Plugin, *, is_instance: bool) -> bool:
    """Whether an exporter tells the pods of a device apart.

    Within an instance nobody can; under MPS only who counts multiprocessors, since the driver's figures for its clients
    are not dependable.
    """
    if is_instance:
        return False
    if exporter.dialect == AGENT:
        return True
    if exporter.dialect == HAMI:
        return plugin is Plugin.HAMI
    real = exporter.virtual_gpus and exporter.per_process == "real" and "util" in exported_fields(exporter)
    return real and plugin is Plugin.TIME_SLICING
