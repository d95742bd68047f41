"""GPM: what the hardware counted between two samples, as an exact average. Hopper and later."""

from typing import Any

import pynvml

from aicost.adapters.nvml.calls import Calls
from aicost.domain.agent.utilisation import part_ns
from aicost.domain.agent.values import Busy

SUPPORT = "nvmlGpmQueryDeviceSupport"
WHOLE, OF_INSTANCE = "nvmlGpmSampleGet", "nvmlGpmMigSampleGet"
METRICS = "nvmlGpmMetricsGet"
_LEAST_NS = 100_000_000
"""Samples that are closer give no average."""
_IDS = (pynvml.NVML_GPM_METRIC_GRAPHICS_UTIL, pynvml.NVML_GPM_METRIC_SM_UTIL)


class Gpm:
    """Intervals of one part.

    Args:
        handle: of the GPU.
        instance: id of the GPU instance; None for the whole GPU.
        calls: of the GPU.
    """

    def __init__(self, handle: Any, instance: int | None, calls: Calls) -> None:
        self._handle, self._instance, self._calls = handle, instance, calls
        self._name = WHOLE if instance is None else OF_INSTANCE
        self._before: tuple[Any, int] | None = None
        self._spare: Any = None
        self._request = pynvml.c_nvmlGpmMetricsGet_t()

    def works(self) -> bool:
        """Whether none of its calls is known not to work."""
        return all(self._calls.works.get(name, True) for name in (self._name, METRICS))

    def read(self, now_ns: int) -> Busy | None:
        """How busy the part was since the last reading; None for the first, and where GPM does not work."""
        if self._before is not None and now_ns - self._before[1] < _LEAST_NS:
            return None
        sample = self._sample()
        if sample is None:
            return None
        before, self._before = self._before, (sample, now_ns)
        if before is None:
            return None
        self._spare = before[0]
        return self._between(before[0], sample, now_ns - before[1])

    def close(self) -> None:
        """Give the samples back to the driver."""
        for sample in (self._spare, self._before[0] if self._before else None):
            if sample is not None:
                self._calls.samples("nvmlGpmSampleFree", sample)
        self._spare = self._before = None

    def _sample(self) -> Any | None:
        sample, self._spare = self._spare, None
        if sample is None:
            sample = self._calls.value("nvmlGpmSampleAlloc")
        if sample is None:
            return None
        at = (self._handle,) if self._instance is None else (self._handle, self._instance)
        taken = self._calls.value(self._name, *at, sample)
        if taken is None:
            self._spare = sample
        return taken

    def _between(self, first: Any, second: Any, elapsed_ns: int) -> Busy | None:
        request = self._request
        request.version = pynvml.NVML_GPM_METRICS_GET_VERSION
        request.numMetrics = len(_IDS)
        request.sample1, request.sample2 = first, second
        for index, number in enumerate(_IDS):
            request.metrics[index].metricId = number
        if self._calls.value(METRICS, request) is None:
            return None
        engine, sm = (_percent(request.metrics[index]) for index in range(len(_IDS)))
        if engine is None:
            return None
        return Busy(part_ns(elapsed_ns, engine), None if sm is None else part_ns(elapsed_ns, sm))


def _percent(metric: Any) -> float | None:
    """A value that the driver vouches for; slightly above 100 is 100, and what is no percentage is nothing."""
    if metric.nvmlReturn != pynvml.NVML_SUCCESS or not -0.5 <= metric.value <= 130:
        return None
    return float(min(max(metric.value, 0.0), 100.0))
