"""What exporters that look at processes show: the counters of the node agent, and HAMi's gauge per container."""

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from fleet.activity import ZERO
from fleet.exporter.device import SM_PART, DeviceHistory, Tenant
from fleet.script import SimExporter
from fleet.sharing.terms import Instance, Plugin

Labels = dict[str, str]
POD_FIELDS = frozenset({"device_busy", "pod_gpu", "pod_sm", "pod_util"})
REMEMBERS_MS = 300_000  # a counter of a pod that ended is still shown for so long


class Count(NamedTuple):
    """One row: its labels, and its value in base units."""

    labels: Labels
    value: Fraction


def device_counts(device: DeviceHistory, exporter: SimExporter, at_ms: int) -> Iterator[Count]:
    """Busy seconds since the agent began, of the GPU or of each of its instances."""
    since = max(exporter.serves_from_ms, device.node.booted_ms)
    instances: tuple[Instance | None, ...] = device.gpu.instances_at(at_ms) or (None,)
    for one in instances:
        if one is None:
            busy = device.busy_ms(since, at_ms)
        else:
            busy = sum((tenant.busy_ms(since, at_ms) for tenant in device.of_instance(one)), ZERO)
        labels = {"uuid": device.gpu.uuid, "instance": _number(one), "model": device.node.model.name}
        yield Count(labels | {"node": device.node.name}, _engine(device, busy) / 1000)


def pod_counts(meaning: str, device: DeviceHistory, exporter: SimExporter, at_ms: int) -> Iterator[Count]:
    """What each pod did: seconds since the agent began, or HAMi's mean over its window."""
    if meaning == "pod_util":
        return _hami(device, exporter, at_ms)
    return _of_agent(meaning, device, exporter, at_ms)


def _of_agent(meaning: str, device: DeviceHistory, exporter: SimExporter, at_ms: int) -> Iterator[Count]:
    since = max(exporter.serves_from_ms, device.node.booted_ms)
    for one in device.tenants:
        part = one.holding.part
        if not (one.from_ms <= at_ms < one.to_ms + REMEMBERS_MS and one.to_ms > since):
            continue
        if part.instance is not None and part.slots:
            continue  # processes of one instance cannot be told apart
        busy = one.busy_ms(since, at_ms)
        value = _engine(device, busy) if meaning == "pod_gpu" else _sm(device, busy)
        labels = {"uuid": device.gpu.uuid, "instance": "" if part.instance is None else str(part.instance)}
        pod = {"namespace": one.pod.namespace, "pod": one.pod.name, "pod_uid": one.pod.uid}
        yield Count(labels | {"node": device.node.name} | pod, value / 1000)


def _hami(device: DeviceHistory, exporter: SimExporter, at_ms: int) -> Iterator[Count]:
    """HAMi shows nothing of a pod that holds whole GPUs."""
    begin = at_ms - exporter.collection.window_ms
    for one in device.tenants_at(at_ms):
        if one.holding.part.cores or one.holding.part.memory_mib:
            labels = {"namespace": one.pod.namespace, "pod": one.pod.name, "container": one.pod.container}
            labels |= {"vdevice_index": str(_index(one)), "device_uuid": device.gpu.uuid}
            yield Count(labels, device.mean_of([one], begin, at_ms))


def _index(tenant: Tenant) -> int:
    return tenant.pod.gpus.index(tenant.holding.uuid)


def _number(instance: Instance | None) -> str:
    return "" if instance is None else str(instance.id)


def _engine(device: DeviceHistory, busy_ms: Fraction) -> Fraction:
    """Busy time of the engine, whose SMs a program keeps busy in part."""
    return busy_ms / SM_PART if device.node.sharing.plugin is Plugin.MPS else busy_ms


def _sm(device: DeviceHistory, busy_ms: Fraction) -> Fraction:
    return busy_ms if device.node.sharing.plugin is Plugin.MPS else busy_ms * SM_PART
