"""The driver's own sampling of the truth: buffers of whole percents, as NVML keeps them."""

from dataclasses import dataclass, field

from support.gpus.truth import EPOCH_US, Truth


@dataclass
class Sampler:
    """Samples each GPU once per period, and keeps what fits.

    `averages`: a reading gives the average since the last seen sample, as NVML's header says; else its newest sample.
    """

    period_us: int = 200_000
    kept: int = 120
    averages: bool = True
    epoch_us: int = EPOCH_US
    _next_us: int = 0
    _before: dict = field(default_factory=dict)
    processes: dict[int, list[tuple[int, dict[int, int]]]] = field(default_factory=dict)
    devices: dict[int, list[tuple[int, int]]] = field(default_factory=dict)

    def __call__(self, truth: Truth) -> None:
        if truth.now_us < self._next_us:
            return
        self._next_us = truth.now_us + self.period_us
        for number in range(len(truth.cards)):
            pids = {one.pid for one in truth.processes if one.gpu == number and one.instance is None}
            percents = {pid: self._percent(("pid", pid), truth.engine.get(pid, 0)) for pid in sorted(pids)}
            device = self._percent(("gpu", number), truth.busy.get((number, None), 0))
            stamp = self.epoch_us + truth.now_us
            self.processes.setdefault(number, []).append((stamp, percents))
            self.devices.setdefault(number, []).append((stamp, device))
            self.processes[number] = self.processes[number][-self.kept :]
            self.devices[number] = self.devices[number][-self.kept :]

    def utilisation(self, number: int, since_us: int) -> list[tuple[int, int, int]]:
        """Stamp, PID and percent of each process that was busy since then."""
        fresh = [one for one in self.processes.get(number, ()) if one[0] > since_us]
        found = []
        for pid in sorted({pid for _, percents in fresh for pid, percent in percents.items() if percent}):
            own = [(stamp, percents[pid]) for stamp, percents in fresh if percents.get(pid)]
            stamp, newest = own[-1]
            window = [percents.get(pid, 0) for at, percents in fresh if at <= stamp]
            found.append((stamp, pid, round(sum(window) / len(window)) if self.averages else newest))
        return found

    def _percent(self, key: tuple, total: float) -> int:
        before = self._before.get(key, 0)
        self._before[key] = total
        return min(round((total - before) / self.period_us * 100), 100)
