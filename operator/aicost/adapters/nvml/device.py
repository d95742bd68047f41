"""One GPU: all that is read of it at once, in the thread that is its own."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pynvml

from aicost.adapters.nvml.busy import DeviceBusy, has_gpm
from aicost.adapters.nvml.calls import Calls
from aicost.adapters.nvml.gpm import Gpm
from aicost.adapters.nvml.processes import Utilisation, running
from aicost.domain.agent.values import SECOND_NS, Part, PartReading, Reading

ENERGY, POWER, MIG = "nvmlDeviceGetTotalEnergyConsumption", "nvmlDeviceGetPowerUsage", "nvmlDeviceGetMigMode"
_LAYOUT_NS = 10 * SECOND_NS
"""MIG is laid out anew rarely, and asking for it is slow."""
_MOST_MJ = 1 << 62


@dataclass(frozen=True, slots=True)
class Card:
    """What stays the same of a GPU.

    Attributes:
        minor: number of its device file; None where the driver does not say.
    """

    handle: Any
    uuid: str
    model: str
    minor: int | None


@dataclass(frozen=True, slots=True)
class _Instance:
    """A GPU instance: its handles, one per compute instance, and its SMs."""

    number: int
    handles: tuple[Any, ...]
    names: tuple[str, ...]
    sms: int


class Device:
    """Reads one GPU, again and again.

    Args:
        card: the GPU.
        monotonic_ns: a clock that never steps.
    """

    def __init__(self, card: Card, monotonic_ns: Callable[[], int]) -> None:
        self.card = card
        self._now = monotonic_ns
        self._calls = Calls(monotonic_ns)
        self._busy = DeviceBusy(card.handle, self._calls)
        self._utilisation = Utilisation(card.handle, self._calls)
        self._gpms: dict[int, Gpm] = {}
        self._has_gpm = has_gpm(card.handle, self._calls)
        self._instances: tuple[_Instance, ...] = ()
        self._mig = False
        self._laid_out_ns: int | None = None
        self._before_ns: int | None = None

    @property
    def instances(self) -> dict[str, Part]:
        """UUIDs of MIG devices, and their parts."""
        return {name: Part(self.card.uuid, str(one.number)) for one in self._instances for name in one.names}

    def read(self) -> Reading:
        """The GPU at this moment.

        Raises:
            DeviceFailed: it cannot be read.
        """
        self._calls.begin()
        now_ns = self._now()
        elapsed_ns = 0 if self._before_ns is None else now_ns - self._before_ns
        parts = self._parts(now_ns, elapsed_ns)
        engine = None
        if not self._mig:
            busy = parts[0].busy
            engine = self._utilisation.read(now_ns, busy=busy is not None and busy.engine_ns > 0)
        energy = _sound(self._calls.value(ENERGY, self.card.handle))
        power = _sound(self._calls.value(POWER, self.card.handle)) if energy is None else None
        self._calls.end()
        self._before_ns = now_ns
        works = dict(self._calls.works)
        return Reading(self.card.uuid, self.card.model, now_ns, elapsed_ns, parts, engine, energy, power, works)

    def close(self) -> None:
        """Give back what the driver lent."""
        self._busy.close()
        for gpm in self._gpms.values():
            gpm.close()

    def _parts(self, now_ns: int, elapsed_ns: int) -> tuple[PartReading, ...]:
        self._lay_out(now_ns)
        if self._mig:
            return tuple(self._instance(one, now_ns) for one in self._instances)
        busy = self._busy.read(now_ns, elapsed_ns)
        found = running((self.card.handle,), self._calls)
        return (PartReading(Part(self.card.uuid), busy, found, metered=self._busy.metered()),)

    def _instance(self, one: _Instance, now_ns: int) -> PartReading:
        part = Part(self.card.uuid, str(one.number))
        if self._has_gpm and one.number not in self._gpms:
            self._gpms[one.number] = Gpm(self.card.handle, one.number, self._calls)
        busy = self._gpms[one.number].read(now_ns) if self._has_gpm else None
        return PartReading(part, busy, running(one.handles, self._calls), one.sms, metered=self._has_gpm)

    def _lay_out(self, now_ns: int) -> None:
        """Look which instances there are, if that may have changed."""
        mode = self._calls.value(MIG, self.card.handle)
        on = mode is not None and mode[0] == pynvml.NVML_DEVICE_MIG_ENABLE
        fresh = self._laid_out_ns is not None and now_ns - self._laid_out_ns < _LAYOUT_NS
        if fresh and on == self._mig:
            return
        if on != self._mig:  # what was measured before is of another layout
            self._busy.close()
            self._busy = DeviceBusy(self.card.handle, self._calls)
        self._mig, self._laid_out_ns = on, now_ns
        before = {one.number for one in self._instances}
        self._instances = tuple(self._look()) if on else ()
        for number in before - {one.number for one in self._instances}:
            if gpm := self._gpms.pop(number, None):
                gpm.close()

    def _look(self) -> Iterable[_Instance]:
        most = self._calls.value("nvmlDeviceGetMaxMigDeviceCount", self.card.handle) or 0
        found: dict[int, list[tuple[Any, str, int]]] = {}
        for index in range(most):
            handle = self._calls.samples("nvmlDeviceGetMigDeviceHandleByIndex", self.card.handle, index)
            number = self._calls.value("nvmlDeviceGetGpuInstanceId", handle) if handle else None
            if number is not None:
                name = str(self._calls.value("nvmlDeviceGetUUID", handle) or "")
                attributes = self._calls.value("nvmlDeviceGetAttributes_v2", handle)
                sms = int(attributes.multiprocessorCount) if attributes is not None else 1
                found.setdefault(number, []).append((handle, name, sms))
        for number, inner in sorted(found.items()):
            handles, names = tuple(one[0] for one in inner), tuple(one[1] for one in inner if one[1])
            yield _Instance(number, handles, names, max(sum(one[2] for one in inner), 1))


def _sound(value: Any | None) -> int | None:
    """A whole number that can be one; sentinels of the driver are near the ends of 64 bits."""
    return int(value) if value is not None and 0 <= value < _MOST_MJ else None
