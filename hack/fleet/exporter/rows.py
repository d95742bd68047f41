"""The rows of one exporter at one moment: labels and numbers, before they become text."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from fleet.exporter.agent import POD_FIELDS, Count, device_counts, pod_counts
from fleet.exporter.device import DeviceHistory, Tenant
from fleet.exporter.dialects import Field, dialect_of, fields_of
from fleet.exporter.faces import Face, faces, nameless
from fleet.faults import SPOILED_VALUE, FaultKind
from fleet.script import Fleet, SimExporter, SimNode, SimPod
from fleet.sharing.terms import Instance

BLANK = 9_223_372_036_854_775_794  # "not supported", as the driver's library writes it in 64 bits
ODD_TEXT = 'say "hi"\\ \n' + "ü" * 4096

Labels = dict[str, str]


@dataclass(frozen=True, slots=True)
class Row:
    """One sample of an exposition; `number` is its text."""

    field: Field
    labels: Labels
    number: str


class ExporterView:
    """What one exporter of a node sees."""

    def __init__(self, fleet: Fleet, node: SimNode, index: int = 0) -> None:
        self.node = node
        self.index = index
        self.exporter: SimExporter = node.exporters[index]
        self._dialect = dialect_of(self.exporter)
        self._devices = [DeviceHistory(fleet, node, gpu) for gpu in node.gpus]

    def rows(self, at_ms: int, keep: frozenset[str] = frozenset()) -> list[Row]:
        """All rows at a moment, or those of the fields to keep, grouped by field as an exposition has to be."""
        seen_ms = self._seen_ms(at_ms)
        wanted = [f for f in fields_of(self.exporter) if not keep or f.meaning in keep]
        return [row for f in wanted for device in self._devices for row in self._of(f, device, seen_ms)]

    def has(self, kind: FaultKind, at_ms: int, uuid: str = "", meaning: str = "") -> bool:
        """Whether a fault of this kind is felt."""
        faults = (fault for fault in self.node.faults if fault.kind is kind)
        return any(fault.touches(at_ms, exporter=self.index, uuid=uuid, meaning=meaning) for fault in faults)

    def _seen_ms(self, at_ms: int) -> int:
        """A frozen exporter still shows the moment at which it froze."""
        frozen = (f for f in self.node.faults if f.kind is FaultKind.FROZEN and f.touches(at_ms, exporter=self.index))
        return min((fault.from_ms for fault in frozen), default=at_ms)

    def _of(self, field: Field, device: DeviceHistory, at_ms: int) -> Iterator[Row]:
        uuid = device.gpu.uuid
        if self.has(FaultKind.LOST, at_ms, uuid) or self.has(FaultKind.ABSENT, at_ms, uuid, field.meaning):
            return
        twice = self.has(FaultKind.DUPLICATE_ROWS, at_ms, uuid, field.meaning)
        for row in self._rows(field, device, at_ms):
            yield from (row,) * (1 + twice)

    def _rows(self, field: Field, device: DeviceHistory, at_ms: int) -> Iterator[Row]:
        if field.meaning in POD_FIELDS:
            for count in self._counts(field.meaning, device, at_ms):
                yield Row(field, count.labels, self._printed(field, device, at_ms, count.value))
            return
        for face in self._faces(device, at_ms):
            value = self._value(field.meaning, device, face, at_ms)
            if value is not None:
                yield Row(field, self._labels(device, face, at_ms), self._printed(field, device, at_ms, value))

    def _printed(self, field: Field, device: DeviceHistory, at_ms: int, value: Fraction) -> str:
        spoiled = (kind for kind in SPOILED_VALUE if self.has(kind, at_ms, device.gpu.uuid, field.meaning))
        kind = min(spoiled, default=None)
        if kind is not None and field.meaning != "xid":
            return {FaultKind.SENTINEL: str(BLANK), FaultKind.NAN: "NaN", FaultKind.NEGATIVE: "-5"}[kind]
        value *= field.scale
        if self.has(FaultKind.ABOVE_ONE, at_ms, device.gpu.uuid, field.meaning):
            value *= Fraction(129, 100)
        return printed(value, field.digits) if self.exporter.quantised else repr(float(value))

    def _counts(self, meaning: str, device: DeviceHistory, at_ms: int) -> Iterator[Count]:
        then = self.exporter.collection.collected_at(at_ms)
        if meaning == "device_busy":
            return device_counts(device, self.exporter, then)
        return pod_counts(meaning, device, self.exporter, then)

    def _value(self, meaning: str, device: DeviceHistory, face: Face, at_ms: int) -> Fraction | None:
        """The number in base units; None where the field does not exist for such a row."""
        then = self.exporter.collection.collected_at(at_ms)
        if meaning in {"power", "energy", "xid"}:
            return self._of_board(meaning, device, at_ms, then)
        if meaning in {"fb_used", "fb_free"}:
            return self._memory(meaning, device, face, then)
        cut = bool(device.gpu.instances_at(then))
        if meaning == "util" and cut:
            return Fraction(0) if self._dialect.zero_util else None
        activity = self._activity(device, face, then, own=meaning == "util" and face.own)
        return device.sm(activity) if meaning == "sm" else device.engine(activity)

    def _activity(self, device: DeviceHistory, face: Face, then: int, *, own: bool) -> Fraction:
        begin = then - self.exporter.collection.window_ms
        if own and face.tenant is not None and self.exporter.per_process != "copied":
            return Fraction(0) if self.exporter.per_process == "zero" else device.mean_of([face.tenant], begin, then)
        if face.instance is not None:
            return device.mean_of(device.of_instance(face.instance), begin, then)
        return device.mean(begin, then)

    def _memory(self, meaning: str, device: DeviceHistory, face: Face, then: int) -> Fraction:
        tenants = device.tenants_at(then, face.instance)
        if face.instance is None and device.gpu.layouts:
            used = sum(device.held_mib([one], _instance_of(device, one, then)) for one in device.running(then))
        elif meaning == "fb_used" and face.own and face.tenant is not None and self.exporter.per_process != "copied":
            used = 0 if self.exporter.per_process == "zero" else device.held_mib([face.tenant], face.instance)
        else:
            used = device.held_mib(tenants, face.instance)
        size, kept = device.memory_mib(face.instance), 0 if face.instance else self.node.model.reserved_mib
        return Fraction(used if meaning == "fb_used" else size - kept - used)

    def _of_board(self, meaning: str, device: DeviceHistory, at_ms: int, then: int) -> Fraction:
        """What only the whole board has; rows of instances repeat it."""
        if meaning == "xid":
            return Fraction(self._xid(device.gpu.uuid, at_ms))
        if meaning == "energy":
            return device.energy_mj(then)
        return device.watts(device.mean(then - self.exporter.collection.window_ms, then))

    def _xid(self, uuid: str, at_ms: int) -> int:
        errors = (
            f for f in self.node.faults if f.kind is FaultKind.XID and f.touches(at_ms, exporter=self.index, uuid=uuid)
        )
        return max((fault.amount for fault in errors), default=0)

    def _labels(self, device: DeviceHistory, face: Face, at_ms: int) -> Labels:
        gpu, dialect = device.gpu, self._dialect
        labels = {"gpu": str(gpu.index), "UUID": gpu.uuid}
        if dialect.has_pci:
            labels["pci_bus_id"] = f"00000000:{0x0F + gpu.index:02X}:00.0"
        labels |= {"device": f"nvidia{gpu.index}", "modelName": self.node.model.name}
        if face.instance is not None:
            labels |= {"GPU_I_PROFILE": face.instance.profile, "GPU_I_ID": str(face.instance.id)}
        labels[dialect.host_label] = self.node.name
        if dialect.driver_label:
            labels[dialect.driver_label] = self.node.driver
        labels |= self._pod_labels(face.tenant.pod if face.tenant else None) | face.labels
        if self.has(FaultKind.ODD_LABELS, at_ms, gpu.uuid):
            labels["label_note"] = ODD_TEXT
        return labels

    def _faces(self, device: DeviceHistory, at_ms: int) -> Iterator[Face]:
        """The device's rows, with pods that come and go or stay on where the script says so."""
        uuid = device.gpu.uuid
        for fault in self.node.faults:
            flickers = fault.kind is FaultKind.LABELS_MISSING and fault.touches(at_ms, exporter=self.index, uuid=uuid)
            if flickers and at_ms // fault.amount % 2:
                yield from nameless(faces(device, self.exporter, at_ms))
                return
        lingering = device.last_ended(at_ms) if self.has(FaultKind.LINGERING, at_ms, uuid) else None
        if lingering is not None and not device.running(at_ms):
            yield Face(tenant=lingering)
            return
        yield from faces(device, self.exporter, at_ms)

    def _pod_labels(self, pod: SimPod | None) -> Labels:
        if pod is None:
            return {"container": "", "namespace": "", "pod": ""} if self._dialect.empty_labels else {}
        labels = {"container": pod.container, "namespace": pod.namespace, "pod": pod.name}
        if self._dialect.has_pod_uid and self.exporter.pod_uid:
            labels["pod_uid"] = pod.uid
        return labels


def _instance_of(device: DeviceHistory, tenant: Tenant, at_ms: int) -> Instance | None:
    instances = device.gpu.instances_at(at_ms)
    return next((one for one in instances if one.id == tenant.holding.part.instance), None)


def printed(value: Fraction, digits: int) -> str:
    """A number with so many digits behind the point, rounded half up."""
    units = int(value * 10**digits + Fraction(1, 2))
    return str(units) if digits == 0 else f"{units // 10**digits}.{units % 10**digits:0{digits}d}"
