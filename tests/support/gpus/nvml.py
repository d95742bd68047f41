# ruff: noqa: N802, ARG002 # names and arguments are the library's
"""The truth as NVML tells it: an object that stands in for `libnvidia-ml.so.1` below NVIDIA's binding.

Methods are named like the symbols of the library and write through the pointers that the binding passes.
"""

import ctypes
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pynvml

from support.gpus.sampler import Sampler
from support.gpus.truth import EPOCH_US, Truth

_GPU, _MIG = 0x1000, 0x100000
_SUCCESS = pynvml.NVML_SUCCESS
HOPPER = frozenset({"nvmlGpmQueryDeviceSupport"})


@dataclass
class Faults:
    """What goes wrong."""

    init: int = _SUCCESS
    missing: set[str] = field(default_factory=set)
    codes: dict[str, int] = field(default_factory=dict)  # of a function, on all GPUs
    gpus: dict[int, int] = field(default_factory=dict)  # of all functions of a GPU
    hanging: dict[int, threading.Event] = field(default_factory=dict)  # a GPU whose calls wait
    garbage: bool = False


@dataclass(frozen=True)
class Ended:
    """What accounting kept of a process."""

    pid: int
    start_us: int
    lived_us: int
    busy_us: float
    running: bool


class FakeNvml:
    """The library."""

    def __init__(self, truth: Truth, sampler: Sampler, *, gpm: bool = True, accounting: bool = False) -> None:
        self.truth, self.sampler, self.gpm, self.accounting = truth, sampler, gpm, accounting
        self.faults = Faults()
        self.calls: list[str] = []
        self.open = False
        self._samples: dict[int, tuple] = {}
        self.nvmlErrorString = lambda code: f"error {code}".encode()

    def __getattr__(self, name: str) -> Callable[..., int]:
        if name.startswith("_") or name in self.faults.missing:
            raise AttributeError(name)
        inner = getattr(type(self), f"do_{name}", None)
        if inner is None:
            raise AttributeError(name)
        return lambda *arguments: self._call(name, inner, arguments)

    def _call(self, name: str, inner: Callable[..., int], arguments: tuple) -> int:
        self.calls.append(name)
        if name in self.faults.missing:
            return pynvml.NVML_ERROR_FUNCTION_NOT_FOUND
        if name == "nvmlInitWithFlags":
            self.open = self.faults.init == _SUCCESS
            return self.faults.init
        if not self.open:
            return pynvml.NVML_ERROR_UNINITIALIZED
        number = _number(arguments[0]) if arguments else None
        if number in self.faults.hanging:
            self.faults.hanging[number].wait(100)
        code = self.faults.codes.get(name, self.faults.gpus.get(number, _SUCCESS))
        return code if code != _SUCCESS else inner(self, *arguments)

    def do_nvmlInitWithFlags(self, flags) -> int:
        return _SUCCESS

    def do_nvmlShutdown(self) -> int:
        self.open = False
        return _SUCCESS

    def do_nvmlDeviceGetCount_v2(self, out) -> int:
        out._obj.value = len(self.truth.cards)
        return _SUCCESS

    def do_nvmlDeviceGetHandleByIndex_v2(self, index, out) -> int:
        if self.faults.gpus.get(index.value):
            return self.faults.gpus[index.value]
        return _point(out, _GPU + index.value)

    def do_nvmlDeviceGetHandleByUUID(self, uuid, out) -> int:
        names = [card.uuid.encode() for card in self.truth.cards]
        text = uuid.value if hasattr(uuid, "value") else uuid
        if text not in names:
            return pynvml.NVML_ERROR_NOT_FOUND
        number = names.index(text)
        return self.faults.gpus.get(number) or _point(out, _GPU + number)

    def do_nvmlDeviceGetUUID(self, handle, text, size) -> int:
        number, instance = _ids(handle)
        text.value = (
            self.mig_uuid(number, instance) if instance is not None else self.truth.cards[number].uuid
        ).encode()
        return _SUCCESS

    def do_nvmlDeviceGetName(self, handle, text, size) -> int:
        text.value = self.truth.cards[_number(handle)].model.encode()
        return _SUCCESS

    def do_nvmlDeviceGetMinorNumber(self, handle, out) -> int:
        out._obj.value = _number(handle)
        return _SUCCESS

    def mig_uuid(self, number: int, instance: int) -> str:
        return f"MIG-{number}-{instance}"

    def do_nvmlDeviceGetMigMode(self, handle, now, pending) -> int:
        now._obj.value = pending._obj.value = int(bool(self.truth.cards[_number(handle)].instances))
        return _SUCCESS

    def do_nvmlDeviceGetMaxMigDeviceCount(self, handle, out) -> int:
        out._obj.value = 7
        return _SUCCESS

    def do_nvmlDeviceGetMigDeviceHandleByIndex(self, handle, index, out) -> int:
        number, instances = _number(handle), sorted(self.truth.cards[_number(handle)].instances)
        at = index.value if hasattr(index, "value") else index
        if at >= len(instances):
            return pynvml.NVML_ERROR_NOT_FOUND
        return _point(out, _MIG + number * 0x100 + instances[at])

    def do_nvmlDeviceGetGpuInstanceId(self, handle, out) -> int:
        out._obj.value = _ids(handle)[1]
        return _SUCCESS

    def do_nvmlDeviceGetAttributes_v2(self, handle, out) -> int:
        number, instance = _ids(handle)
        out._obj.multiprocessorCount = self.truth.cards[number].instances[instance]
        return _SUCCESS

    def do_nvmlDeviceGetTotalEnergyConsumption(self, handle, out) -> int:
        out._obj.value = (
            (1 << 64) - 12 if self.faults.garbage else int(self.truth.energy.get(_number(handle), 0) * 1000)
        )
        return _SUCCESS

    def do_nvmlDeviceGetPowerUsage(self, handle, out) -> int:
        number = _number(handle)
        busy = any(one.gpu == number and one.wants(self.truth.now_us - 10_000) for one in self.truth.processes)
        card = self.truth.cards[number]
        out._obj.value = int((card.idle_w + busy * card.busy_w) * 1000)
        return _SUCCESS

    def do_nvmlDeviceGetUtilizationRates(self, handle, out) -> int:
        samples = self.sampler.devices.get(_number(handle)) or [(0, 0)]
        out._obj.gpu = 4_000_000_000 if self.faults.garbage else samples[-1][1]
        return _SUCCESS

    def do_nvmlDeviceGetSamples(self, handle, kind, since, value_type, count, out) -> int:
        fresh = [one for one in self.sampler.devices.get(_number(handle), ()) if one[0] > since.value]
        if not fresh:
            return pynvml.NVML_ERROR_NOT_FOUND
        value_type._obj.value, count._obj.value = pynvml.NVML_VALUE_TYPE_UNSIGNED_INT, len(fresh)
        for index, (stamp, percent) in enumerate(fresh if out is not None else ()):
            out[index].timeStamp, out[index].sampleValue.uiVal = stamp, 777 if self.faults.garbage else percent
        return _SUCCESS

    def _running(self, handle, count, out, *, mps: bool) -> int:
        number, instance = _ids(handle)
        here = [one for one in self.truth.alive() if one.gpu == number and one.instance == instance]
        found = [one for one in here if one.name.startswith("nvidia-cuda-mps") == mps]
        if not found:
            count._obj.value = 0
            return _SUCCESS
        if out is None or count._obj.value < len(found):
            count._obj.value = len(found)
            return pynvml.NVML_ERROR_INSUFFICIENT_SIZE
        count._obj.value = len(found)
        for index, one in enumerate(found):
            out[index].pid, out[index].usedGpuMemory = one.pid, (1 << 64) - 1 if self.faults.garbage else one.memory
        return _SUCCESS

    def do_nvmlDeviceGetComputeRunningProcesses_v3(self, handle, count, out) -> int:
        return self._running(handle, count, out, mps=False)

    def do_nvmlDeviceGetGraphicsRunningProcesses_v3(self, handle, count, out) -> int:
        return self._running(handle, count, out, mps=True)

    def do_nvmlDeviceGetMPSComputeRunningProcesses_v3(self, handle, count, out) -> int:
        count._obj.value = 0
        return _SUCCESS

    def _utilisation(self, number: int, since: int) -> list[tuple[int, int, int]]:
        found = self.sampler.utilisation(number, since)
        garbage = [((1 << 64) - 1, 4_000_000, 4_294_967_295), (0, 0, 0)] if self.faults.garbage else []
        return found + garbage

    def do_nvmlDeviceGetProcessesUtilizationInfo(self, handle, info) -> int:
        number, instance = _ids(handle)
        if instance is not None or self.truth.cards[number].instances:
            return pynvml.NVML_ERROR_NOT_SUPPORTED
        request = info._obj
        found = self._utilisation(number, request.lastSeenTimeStamp)
        if not found:
            return pynvml.NVML_ERROR_NOT_FOUND
        if request.processSamplesCount < len(found):
            request.processSamplesCount = len(found)
            return pynvml.NVML_ERROR_INSUFFICIENT_SIZE
        request.processSamplesCount = len(found)
        for index, (stamp, pid, percent) in enumerate(found):
            one = request.procUtilArray[index]
            one.timeStamp, one.pid, one.smUtil = stamp, pid, percent
        return _SUCCESS

    def do_nvmlDeviceGetProcessUtilization(self, handle, out, count, since) -> int:
        number = _number(handle)
        if self.truth.cards[number].instances:
            return pynvml.NVML_ERROR_NOT_SUPPORTED
        found = self._utilisation(number, since.value)
        count_before, count._obj.value = count._obj.value, len(found)
        if not found:
            return _SUCCESS  # the binding makes an error of it
        if out is None or count_before < len(found):
            return pynvml.NVML_ERROR_INSUFFICIENT_SIZE
        for index, (stamp, pid, percent) in enumerate(found):
            out[index].timeStamp, out[index].pid, out[index].smUtil = stamp, pid, percent
        return _SUCCESS

    def do_nvmlGpmQueryDeviceSupport(self, handle, out) -> int:
        out._obj.isSupportedDevice = int(self.gpm)
        return _SUCCESS

    def do_nvmlGpmSampleAlloc(self, out) -> int:
        number = len(self._samples) + 1
        self._samples[number] = ()
        return _point(out, number)

    def do_nvmlGpmSampleFree(self, sample) -> int:
        del self._samples[_address(sample)]
        return _SUCCESS

    def do_nvmlGpmSampleGet(self, handle, sample) -> int:
        return self._sample(_number(handle), None, sample)

    def do_nvmlGpmMigSampleGet(self, handle, instance, sample) -> int:
        return self._sample(_number(handle), instance if isinstance(instance, int) else instance.value, sample)

    def _sample(self, number: int, instance: int | None, sample) -> int:
        if not self.gpm:
            return pynvml.NVML_ERROR_NOT_SUPPORTED
        key, truth = (number, instance), self.truth
        self._samples[_address(sample)] = (truth.now_us, truth.busy.get(key, 0), truth.busy_sm.get(key, 0))
        return _SUCCESS

    def do_nvmlGpmMetricsGet(self, out) -> int:
        request = out._obj
        first, second = (self._samples[_address(one)] for one in (request.sample1, request.sample2))
        span = second[0] - first[0]
        for index in range(request.numMetrics):
            metric = request.metrics[index]
            at = {pynvml.NVML_GPM_METRIC_GRAPHICS_UTIL: 1, pynvml.NVML_GPM_METRIC_SM_UTIL: 2}[metric.metricId]
            metric.nvmlReturn = _SUCCESS
            metric.value = float("nan") if self.faults.garbage else 100 * (second[at] - first[at]) / span
        return _SUCCESS

    def _ended(self) -> list[Ended]:
        now = self.truth.now_us
        return [
            Ended(
                one.pid,
                EPOCH_US + one.start_us,
                max(min(now, one.end_us) - one.start_us, 1),
                self.truth.engine.get(one.pid, 0),
                one.lives(now),
            )
            for one in self.truth.processes
            if one.start_us <= now
        ]

    def do_nvmlDeviceGetAccountingBufferSize(self, handle, out) -> int:
        out._obj.value = 4000
        return _SUCCESS if self.accounting else pynvml.NVML_ERROR_NOT_SUPPORTED

    def do_nvmlDeviceGetAccountingPids(self, handle, count, out) -> int:
        found = self._ended()
        count._obj.value = len(found)
        for index, one in enumerate(found):
            out[index] = one.pid
        return _SUCCESS

    def do_nvmlDeviceGetAccountingStats_v2(self, handle, out) -> int:
        (one,) = [each for each in self._ended() if each.pid == out._obj.pid]
        stats = out._obj
        stats.isRunning, stats.startTime, stats.time = int(one.running), one.start_us, one.lived_us // 1000
        stats.sampleCount = max(one.lived_us // 100_000, 1)
        stats.sumGpuUtil = round(one.busy_us / one.lived_us * 10_000 * stats.sampleCount)
        return _SUCCESS

    def do_nvmlDeviceGetAccountingStats(self, handle, pid, out) -> int:
        (one,) = [each for each in self._ended() if each.pid == pid.value]
        stats = out._obj
        stats.isRunning, stats.startTime, stats.time = int(one.running), one.start_us, one.lived_us // 1000
        stats.gpuUtilization = round(one.busy_us / one.lived_us * 100)
        return _SUCCESS


def _address(pointer) -> int:
    return ctypes.cast(pointer, ctypes.c_void_p).value or 0


def _point(out, address: int) -> int:
    ctypes.cast(ctypes.pointer(out._obj), ctypes.POINTER(ctypes.c_void_p)).contents.value = address
    return _SUCCESS


def _ids(handle) -> tuple[int, int | None]:
    address = _address(handle)
    if address >= _MIG:
        return divmod(address - _MIG, 0x100)
    return address - _GPU, None


def _number(handle) -> int | None:
    return _ids(handle)[0] if isinstance(handle, pynvml.c_nvmlDevice_t) else None


@contextmanager
def installed(library: FakeNvml | None) -> Iterator[None]:
    """Let the binding find this library."""
    before = pynvml.nvmlLib
    pynvml._nvmlGetFunctionPointer_cache.clear()
    pynvml.nvmlLib = library
    try:
        yield
    finally:
        pynvml.nvmlLib = before
        pynvml._nvmlGetFunctionPointer_cache.clear()
