"""The rows of one exporter at one moment: labels and numbers, before they become text."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from fleet.exporter.device import SM_PART, DeviceHistory
from fleet.exporter.dialects import Field, dialect_of, fields_of
from fleet.faults import SPOILED_VALUE, FaultKind
from fleet.script import Fleet, SimExporter, SimNode, SimPod

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

    def rows(self, at_ms: int) -> list[Row]:
        """All rows at a moment, grouped by field as an exposition has to be."""
        seen_ms = self._seen_ms(at_ms)
        return [
            row for f in fields_of(self.exporter) for device in self._devices for row in self._of(f, device, seen_ms)
        ]

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
        row = Row(field, self._labels(device, at_ms), self._number(field, device, at_ms))
        yield row
        if self.has(FaultKind.DUPLICATE_ROWS, at_ms, uuid, field.meaning):
            yield row

    def _number(self, field: Field, device: DeviceHistory, at_ms: int) -> str:
        spoiled = (kind for kind in SPOILED_VALUE if self.has(kind, at_ms, device.gpu.uuid, field.meaning))
        kind = min(spoiled, default=None)
        if kind is not None and field.meaning != "xid":
            return {FaultKind.SENTINEL: str(BLANK), FaultKind.NAN: "NaN", FaultKind.NEGATIVE: "-5"}[kind]
        value = self._value(field.meaning, device, at_ms) * field.scale
        if self.has(FaultKind.ABOVE_ONE, at_ms, device.gpu.uuid, field.meaning):
            value *= Fraction(129, 100)
        return printed(value, field.digits) if self.exporter.quantised else repr(float(value))

    def _value(self, meaning: str, device: DeviceHistory, at_ms: int) -> Fraction:
        """The number in base units."""
        collection = self.exporter.collection
        then = collection.collected_at(at_ms)
        activity = device.mean(then - collection.window_ms, then)
        used = device.used_mib(then)
        model = self.node.model
        return {
            "util": lambda: activity,
            "engine": lambda: activity,
            "sm": lambda: activity * SM_PART,
            "fb_used": lambda: Fraction(used),
            "fb_free": lambda: Fraction(model.memory_mib - model.reserved_mib - used),
            "power": lambda: device.watts(activity),
            "energy": lambda: device.energy_mj(then),
            "xid": lambda: Fraction(self._xid(device.gpu.uuid, at_ms)),
        }[meaning]()

    def _xid(self, uuid: str, at_ms: int) -> int:
        errors = (
            f for f in self.node.faults if f.kind is FaultKind.XID and f.touches(at_ms, exporter=self.index, uuid=uuid)
        )
        return max((fault.amount for fault in errors), default=0)

    def _labels(self, device: DeviceHistory, at_ms: int) -> Labels:
        gpu, dialect = device.gpu, self._dialect
        labels = {"gpu": str(gpu.index), "UUID": gpu.uuid}
        if dialect.has_pci:
            labels["pci_bus_id"] = f"00000000:{0x0F + gpu.index:02X}:00.0"
        labels |= {
            "device": f"nvidia{gpu.index}",
            "modelName": self.node.model.name,
            dialect.host_label: self.node.name,
        }
        if dialect.driver_label:
            labels[dialect.driver_label] = self.node.driver
        labels |= self._pod_labels(self._shown_pod(device, at_ms))
        if self.has(FaultKind.ODD_LABELS, at_ms, gpu.uuid):
            labels["label_note"] = ODD_TEXT
        return labels

    def _shown_pod(self, device: DeviceHistory, at_ms: int) -> SimPod | None:
        uuid = device.gpu.uuid
        for fault in self.node.faults:
            flickers = fault.kind is FaultKind.LABELS_MISSING and fault.touches(at_ms, exporter=self.index, uuid=uuid)
            if flickers and at_ms // fault.amount % 2:
                return None
        pod = device.pod_at(at_ms)
        return device.last_ended(at_ms) if pod is None and self.has(FaultKind.LINGERING, at_ms, uuid) else pod

    def _pod_labels(self, pod: SimPod | None) -> Labels:
        if pod is None:
            return {"container": "", "namespace": "", "pod": ""} if self._dialect.empty_labels else {}
        labels = {"container": pod.container, "namespace": pod.namespace, "pod": pod.name}
        if self._dialect.has_pod_uid and self.exporter.pod_uid:
            labels["pod_uid"] = pod.uid
        return labels


def printed(value: Fraction, digits: int) -> str:
    """A number with so many digits behind the point, rounded half up."""
    units = int(value * 10**digits + Fraction(1, 2))
    return str(units) if digits == 0 else f"{units // 10**digits}.{units % 10**digits:0{digits}d}"
