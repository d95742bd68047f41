"""Under which names a device stands in an exposition: alone, per MIG instance, per replica, per pod of a claim."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from fleet.exporter.device import DeviceHistory, Tenant
from fleet.script import SimExporter
from fleet.sharing.reservations import NAMESPACE, reservation_name
from fleet.sharing.terms import Instance, Plugin

Labels = dict[str, str]
UNTOLD = frozenset({Plugin.HAMI, Plugin.VOLCANO})  # their device ids mean nothing to the exporter
DRIVER = "gpu.nvidia.com"


@dataclass(frozen=True, slots=True)
class Face:
    """One row that each field has.

    Attributes:
        instance: the MIG instance that it is about; None for the whole GPU.
        tenant: the pod that it names.
        own: its utilisation and memory are said to be the pod's own.
        labels: what else it says.
    """

    instance: Instance | None = None
    tenant: Tenant | None = None
    own: bool = False
    labels: Labels = field(default_factory=dict)


def faces(device: DeviceHistory, exporter: SimExporter, at_ms: int) -> Iterator[Face]:
    """The rows that a device has at a moment; a GPU that is cut into instances has one of its own too."""
    instances = device.gpu.instances_at(at_ms)
    if instances:
        yield Face()
    for one in instances or (None,):
        yield from _faces(device, exporter, one, at_ms)


def nameless(shown: Iterable[Face]) -> Iterator[Face]:
    """The same devices and instances, without any pod."""
    seen: set[int | None] = set()
    for face in shown:
        key = None if face.instance is None else face.instance.id
        if key not in seen:
            seen.add(key)
            yield Face(face.instance)


def _faces(device: DeviceHistory, exporter: SimExporter, instance: Instance | None, at_ms: int) -> Iterator[Face]:
    tenants = device.tenants_at(at_ms, instance)
    plugin = device.node.sharing.plugin
    if plugin is Plugin.DRA and exporter.dra and tenants:
        yield from (Face(instance, one, labels=_claim_labels(device, instance, one)) for one in tenants)
    elif plugin in UNTOLD or plugin is Plugin.DRA or not tenants:
        yield Face(instance)
    elif plugin is Plugin.KAI and tenants[0].holding.part.slots == 0 and _is_fraction(tenants[0]):
        name = reservation_name(device.node.name, device.gpu.index)
        yield Face(instance, labels={"container": "reservation", "namespace": NAMESPACE, "pod": name})
    elif tenants[0].holding.part.slots and exporter.virtual_gpus:
        yield Face(instance)
        yield from _replicas(tenants, instance)
    else:
        yield Face(instance, max(tenants, key=lambda one: one.pod.uid))


def _is_fraction(tenant: Tenant) -> bool:
    return bool(tenant.holding.part.cores or tenant.holding.part.memory_mib)


def _replicas(tenants: list[Tenant], instance: Instance | None) -> Iterator[Face]:
    """One row for each replica that a pod holds; two of one pod say the same."""
    number = 0
    for one in tenants:
        for _ in range(one.holding.part.slots):
            yield Face(instance, one, own=True, labels={"vgpu": str(number)})
            number += 1


def _claim_labels(device: DeviceHistory, instance: Instance | None, tenant: Tenant) -> Labels:
    claim = tenant.holding.part.claim
    labels = {
        "dra_claim_name": claim.name if claim else "",
        "dra_claim_namespace": tenant.pod.namespace,
        "dra_driver_name": DRIVER,
        "dra_pool_name": device.node.name,
        "dra_device_name": device_name(device.gpu.index, instance),
    }
    if instance is not None:
        labels |= {"dra_mig_profile": instance.profile, "dra_mig_device_uuid": f"MIG-{device.gpu.uuid}-{instance.id}"}
    return labels


def device_name(index: int, instance: Instance | None) -> str:
    """What a DRA driver calls a GPU, or an instance by its profile, id and place."""
    if instance is None:
        return f"gpu-{index}"
    return f"gpu-{index}-mig-{instance.profile.replace('.', '')}-{instance.id}-{instance.start}"
