"""The physical state of one GPU over time, in closed form: what an exporter's counters and gauges are made of."""

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from fleet.activity import ZERO, Program, busy_ms
from fleet.faults import FaultKind
from fleet.script import Fleet, Holding, SimGpu, SimNode, SimPod
from fleet.sharing.mig import geometry
from fleet.sharing.terms import Instance, Plugin

SM_PART = Fraction(4, 5)  # a busy engine keeps this part of its SMs busy


class Tenant(NamedTuple):
    """A pod that runs on the GPU: what it holds of it, and from when to when its container runs."""

    pod: SimPod
    holding: Holding
    from_ms: int
    to_ms: int

    def busy_ms(self, from_ms: int, to_ms: int) -> Fraction:
        """Milliseconds in a span for which it kept busy what it holds a part of."""
        return _busy_ms(self.holding.program, self.from_ms, self.to_ms, from_ms, to_ms)


class DeviceHistory:
    """One GPU and all that ever ran on it."""

    def __init__(self, fleet: Fleet, node: SimNode, gpu: SimGpu) -> None:
        self.node = node
        self.gpu = gpu
        self.tenants = [
            Tenant(pod, one, *pod.running) for pod in fleet.pods if pod.running for one in pod.holdings_on(gpu.uuid)
        ]
        self._strays = [stray for stray in node.strays if stray.uuid == gpu.uuid]
        resets = (f for f in node.faults if f.kind is FaultKind.COUNTER_RESET and (not f.uuids or gpu.uuid in f.uuids))
        self._counter_starts = sorted({node.booted_ms} | {fault.from_ms for fault in resets})
        self._sizes = _sizes(node, gpu)
        self._last: tuple[tuple[int, int], Fraction] = ((0, 0), ZERO)

    def busy_ms(self, from_ms: int, to_ms: int) -> Fraction:
        """Busy milliseconds of the whole GPU in a span; an instance counts by its compute slices."""
        total = ZERO
        for stray in self._strays:
            total += _busy_ms(stray.program, stray.from_ms, stray.to_ms, from_ms, to_ms)
        for one in self.tenants:
            if one.from_ms < to_ms and from_ms < one.to_ms:
                size = self._sizes.get(one.holding.part.instance)
                busy = one.busy_ms(from_ms, to_ms)
                total += busy if size is None else busy * size
        return total

    def mean(self, from_ms: int, to_ms: int) -> Fraction:
        """Mean activity of the whole GPU in a span. Several fields of one scrape ask for the same."""
        if self._last[0] != (from_ms, to_ms):
            self._last = (from_ms, to_ms), self.busy_ms(from_ms, to_ms) / (to_ms - from_ms)
        return self._last[1]

    def mean_of(self, tenants: Iterable[Tenant], from_ms: int, to_ms: int) -> Fraction:
        """Mean activity of some of its pods, as a part of what they hold a part of."""
        return sum((one.busy_ms(from_ms, to_ms) for one in tenants), ZERO) / (to_ms - from_ms)

    def of_instance(self, instance: Instance) -> list[Tenant]:
        """All that ever ran on an instance."""
        return [one for one in self.tenants if one.holding.part.instance == instance.id]

    def engine(self, activity: Fraction) -> Fraction:
        """How long the engine is busy: under MPS a program says which part of the SMs is."""
        return min(Fraction(1), activity / SM_PART) if self.node.sharing.plugin is Plugin.MPS else activity

    def sm(self, activity: Fraction) -> Fraction:
        """Which part of the SMs is busy."""
        return activity if self.node.sharing.plugin is Plugin.MPS else activity * SM_PART

    def energy_mj(self, at_ms: int) -> Fraction:
        """Millijoules since the boot or the last reset. A watt for a millisecond is a millijoule."""
        start = max((ms for ms in self._counter_starts if ms <= at_ms), default=at_ms)
        model = self.node.model
        return model.idle_watts * (at_ms - start) + (model.busy_watts - model.idle_watts) * self.busy_ms(start, at_ms)

    def watts(self, activity: Fraction) -> Fraction:
        """Board power at an activity."""
        return self.node.model.idle_watts + (self.node.model.busy_watts - self.node.model.idle_watts) * activity

    def memory_mib(self, instance: Instance | None) -> int:
        """Frame buffer of the GPU, or of an instance."""
        if instance is None:
            return self.node.model.memory_mib
        return geometry(self.node.model.name).profile(instance.profile).memory_mib

    def held_mib(self, tenants: Iterable[Tenant], instance: Instance | None) -> int:
        """Frame buffer that some of its pods hold while they run."""
        return sum(int(self.memory_mib(instance) * one.pod.memory) for one in tenants)

    def tenants_at(self, at_ms: int, instance: Instance | None = None) -> list[Tenant]:
        """The pods whose containers run on the GPU, or on an instance of it."""
        wanted = None if instance is None else instance.id
        here = (one for one in self.tenants if one.holding.part.instance == wanted)
        return [one for one in here if one.from_ms <= at_ms < one.to_ms]

    def running(self, at_ms: int) -> list[Tenant]:
        """All pods that run on it, on whichever instance."""
        return [one for one in self.tenants if one.from_ms <= at_ms < one.to_ms]

    def last_ended(self, at_ms: int) -> Tenant | None:
        """The pod that ran on it last and has ended."""
        ended = [one for one in self.tenants if one.to_ms <= at_ms]
        return max(ended, key=lambda one: one.to_ms) if ended else None


def _busy_ms(program: Program, begin: int, end: int, from_ms: int, to_ms: int) -> Fraction:
    first, last = max(begin, from_ms), min(end, to_ms)
    return busy_ms(program, first - begin, last - begin) if first < last else ZERO


def _sizes(node: SimNode, gpu: SimGpu) -> dict[int | None, Fraction]:
    """Instance -> the part of the GPU's compute that it is."""
    if not gpu.layouts:
        return {}
    cut = geometry(node.model.name)
    every = (one for layout in gpu.layouts for one in layout.instances)
    return {one.id: Fraction(cut.profile(one.profile).compute, cut.compute) for one in every}
