"""Counters that never fall: integers, by measure and labels."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from aicost.domain.agent.step import Amounts
from aicost.domain.agent.values import SECOND_NS, Part, Pod

FORGOTTEN_NS = 3600 * SECOND_NS
"""For so long after its last sign of life a pod's counters are shown: the last value must be scraped."""


class Measure(StrEnum):
    """What is counted, and in which unit."""

    DEVICE_BUSY = "device_busy_ns"
    DEVICE_ENERGY = "device_energy_uj"
    POD_ENGINE = "pod_engine_ns"
    POD_SM = "pod_sm_ns"
    POD_MEMORY = "pod_memory_byte_ms"
    POD_ENERGY = "pod_energy_uj"
    UNMAPPED = "unmapped_ns"


Labels = tuple[str, ...]
"""Of a device: UUID, instance, model. Of a pod: UUID, instance, namespace, name, UID. Of what is unmapped: UUID."""
Key = tuple[Measure, Labels]


def pod_labels(part: Part, pod: Pod) -> Labels:
    """Labels of a pod's counters."""
    return (part.uuid, part.instance, pod.namespace, pod.name, pod.uid)


@dataclass(slots=True)
class Counters:
    """All counters of a node.

    Attributes:
        alive_ns: when a pod last gave a sign of life.
    """

    values: dict[Key, int] = field(default_factory=dict)
    alive_ns: dict[Pod, int] = field(default_factory=dict)

    @classmethod
    def resumed(cls, values: Mapping[Key, int], now_ns: int) -> "Counters":
        """Counters as they were written down; all pods count as alive until they are looked for."""
        pods = {Pod(*labels[2:]) for measure, labels in values if measure in _OF_PODS}
        return cls(dict(values), dict.fromkeys(pods, now_ns))

    def add(self, uuid: str, model: str, amounts: Amounts, now_ns: int) -> None:
        """Add what one reading of a device found."""
        for part, ns in amounts.busy_ns.items():
            self._add(Measure.DEVICE_BUSY, (part.uuid, part.instance, model), ns)
        if amounts.energy_uj is not None:
            self._add(Measure.DEVICE_ENERGY, (uuid, "", model), amounts.energy_uj)
        for measure, found in (
            (Measure.POD_ENGINE, amounts.engine_ns),
            (Measure.POD_SM, amounts.sm_ns),
            (Measure.POD_MEMORY, amounts.memory_byte_ms),
            (Measure.POD_ENERGY, amounts.pod_energy_uj),
        ):
            for (part, pod), amount in found.items():
                self._add(measure, pod_labels(part, pod), amount)
                self.alive_ns[pod] = now_ns
        self._add(Measure.UNMAPPED, (uuid,), amounts.unmapped_ns)

    def keep(self, alive: Iterable[Pod], now_ns: int) -> None:
        """Note who is alive, and forget pods that have been gone for long."""
        self.alive_ns.update((pod, now_ns) for pod in alive if pod in self.alive_ns)
        gone = {pod for pod, seen_ns in self.alive_ns.items() if seen_ns < now_ns - FORGOTTEN_NS}
        if gone:
            self.alive_ns = {pod: seen for pod, seen in self.alive_ns.items() if pod not in gone}
            self.values = {key: value for key, value in self.values.items() if not _is_of(key, gone)}

    def _add(self, measure: Measure, labels: Labels, amount: int) -> None:
        assert amount >= 0, f"{measure} would fall by {-amount}"
        key = (measure, labels)
        self.values[key] = self.values.get(key, 0) + amount


_OF_PODS = frozenset({Measure.POD_ENGINE, Measure.POD_SM, Measure.POD_MEMORY, Measure.POD_ENERGY})


def _is_of(key: Key, pods: set[Pod]) -> bool:
    measure, labels = key
    return measure in _OF_PODS and Pod(*labels[2:]) in pods
