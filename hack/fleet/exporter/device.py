"""The physical state of one GPU over time, in closed form: what an exporter's counters and gauges are made of."""

from fractions import Fraction

from fleet.activity import ZERO, busy_ms
from fleet.faults import FaultKind
from fleet.script import Fleet, SimGpu, SimNode, SimPod

SM_PART = Fraction(4, 5)  # a busy engine keeps this part of its SMs busy


class DeviceHistory:
    """One GPU and all that ever ran on it."""

    def __init__(self, fleet: Fleet, node: SimNode, gpu: SimGpu) -> None:
        self.node = node
        self.gpu = gpu
        self._pods = [(pod, *pod.running) for pod in fleet.pods if gpu.uuid in pod.gpus and pod.running]
        strays = [(stray.program, stray.from_ms, stray.to_ms) for stray in node.strays if stray.uuid == gpu.uuid]
        self._runs = strays + [(pod.program_on(gpu.uuid), begin, end) for pod, begin, end in self._pods]
        resets = (f for f in node.faults if f.kind is FaultKind.COUNTER_RESET and (not f.uuids or gpu.uuid in f.uuids))
        self._counter_starts = sorted({node.booted_ms} | {fault.from_ms for fault in resets})

    def busy_ms(self, from_ms: int, to_ms: int) -> Fraction:
        """Busy milliseconds in a span."""
        total = ZERO
        for program, begin, end in self._runs:
            first, last = max(begin, from_ms), min(end, to_ms)
            if first < last:
                total += busy_ms(program, first - begin, last - begin)
        return total

    def mean(self, from_ms: int, to_ms: int) -> Fraction:
        """Mean activity in a span."""
        return self.busy_ms(from_ms, to_ms) / (to_ms - from_ms)

    def energy_mj(self, at_ms: int) -> Fraction:
        """Millijoules since the boot or the last reset. A watt for a millisecond is a millijoule."""
        start = max((ms for ms in self._counter_starts if ms <= at_ms), default=at_ms)
        model = self.node.model
        return model.idle_watts * (at_ms - start) + (model.busy_watts - model.idle_watts) * self.busy_ms(start, at_ms)

    def watts(self, activity: Fraction) -> Fraction:
        """Board power at an activity."""
        return self.node.model.idle_watts + (self.node.model.busy_watts - self.node.model.idle_watts) * activity

    def used_mib(self, at_ms: int) -> int:
        """Frame buffer that is taken: what the running pod holds."""
        pod = self.pod_at(at_ms)
        return 0 if pod is None else int(self.node.model.memory_mib * pod.memory)

    def pod_at(self, at_ms: int) -> SimPod | None:
        """The pod whose container runs on it."""
        return next((pod for pod, begin, end in self._pods if begin <= at_ms < end), None)

    def last_ended(self, at_ms: int) -> SimPod | None:
        """The pod that ran on it last and has ended."""
        ended = [(end, pod) for pod, _, end in self._pods if end <= at_ms]
        return max(ended, key=lambda pair: pair[0])[1] if ended else None
