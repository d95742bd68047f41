"""How busy a whole GPU was: by GPM, else by the driver's buffer of samples, else by its gauge."""

from collections.abc import Callable
from typing import Any

import pynvml

from aicost.adapters.nvml.calls import Calls
from aicost.adapters.nvml.gpm import SUPPORT, Gpm
from aicost.domain.agent.utilisation import LONGEST_NS, Cursor, part_ns
from aicost.domain.agent.values import Busy, Sample

SAMPLES, GAUGE = "nvmlDeviceGetSamples", "nvmlDeviceGetUtilizationRates"


class DeviceBusy:
    """The engine time of one GPU.

    Args:
        handle: of the GPU.
        calls: of the GPU.
    """

    def __init__(self, handle: Any, calls: Calls) -> None:
        self._handle, self._calls = handle, calls
        self._gpm = Gpm(handle, None, calls) if has_gpm(handle, calls) else None
        self._cursor = Cursor()
        self._metered = False

    def read(self, now_ns: int, elapsed_ns: int) -> Busy | None:
        """Engine time since the last reading; None for the first, and where nothing measures it."""
        works, found = self._by_gpm(now_ns)
        if works:
            return found
        samples = self._calls.run(SAMPLES, self._samples, empty=())
        if samples is not None:
            self._cursor, times = self._cursor.read(samples, now_ns, busy=False)
            return Busy(sum(one.busy_ns for one in times)) if elapsed_ns else None
        rates = self._calls.value(GAUGE, self._handle)
        return None if rates is None or not elapsed_ns else Busy(part_ns(min(elapsed_ns, LONGEST_NS), rates.gpu))

    def metered(self) -> bool:
        """Whether something measures it, or did: that it does not now is then a matter of the moment."""
        works = self._calls.works
        self._metered |= any(works.get(name) for name in (SUPPORT, SAMPLES, GAUGE))
        return self._metered

    def _by_gpm(self, now_ns: int) -> tuple[bool, Busy | None]:
        """Whether GPM works, and what it says."""
        gpm = self._gpm
        if gpm is None or not gpm.works():
            return False, None
        found = gpm.read(now_ns)
        if not gpm.works():
            gpm.close()  # its next interval would count again what the others count now
            return False, None
        return True, found

    def close(self) -> None:
        """Give back what the driver lent."""
        if self._gpm is not None:
            self._gpm.close()

    def _samples(self) -> tuple[Sample, ...]:
        kind = pynvml.NVML_GPU_UTILIZATION_SAMPLES
        value_type, found = pynvml.nvmlDeviceGetSamples(self._handle, kind, self._cursor.ask_us)
        value = _VALUES.get(value_type)
        return tuple(Sample(0, one.timeStamp, value(one.sampleValue)) for one in found) if value else ()


_VALUES: dict[int, Callable[[Any], float]] = {
    pynvml.NVML_VALUE_TYPE_DOUBLE: lambda value: float(value.dVal),
    pynvml.NVML_VALUE_TYPE_UNSIGNED_INT: lambda value: float(value.uiVal),
    pynvml.NVML_VALUE_TYPE_UNSIGNED_LONG: lambda value: float(value.ulVal),
    pynvml.NVML_VALUE_TYPE_UNSIGNED_LONG_LONG: lambda value: float(value.ullVal),
    pynvml.NVML_VALUE_TYPE_SIGNED_LONG_LONG: lambda value: float(value.sllVal),
}


def has_gpm(handle: Any, calls: Calls) -> bool:
    """Whether the GPU has GPM."""
    support = calls.value(SUPPORT, handle)
    if support is not None and not support.isSupportedDevice:
        calls.works[SUPPORT] = False
    return support is not None and bool(support.isSupportedDevice)
