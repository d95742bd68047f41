"""What really happens on the GPUs of a node, by a clock that tests turn: the truth that the agent is held to.

Time goes in ticks. In each tick the processes of a part that want its engine share it evenly, as time-slicing does. The
truth keeps its own ledger; nothing in it comes from the code under test.
"""

from dataclasses import dataclass, field

TICK_US = 10_000
EPOCH_US = 1_800_000_000_000_000
"""When the node was started, by its wall clock."""


@dataclass(frozen=True)
class Process:
    """A process and its program: busy for `on_us` of each `period_us`, from `start_us` to `end_us` of the truth's time.

    `pod` is a UID, or empty for a process of the host.
    """

    pid: int
    pod: str
    gpu: int = 0
    instance: int | None = None
    start_us: int = 0
    end_us: int = 1 << 60
    on_us: int = 1_000_000
    period_us: int = 1_000_000
    phase_us: int = 0
    sm: float = 0.5
    memory: int = 1 << 30
    name: str = "python"

    def lives(self, at_us: int) -> bool:
        return self.start_us <= at_us < self.end_us

    def wants(self, at_us: int) -> bool:
        return self.lives(at_us) and (at_us - self.start_us + self.phase_us) % self.period_us < self.on_us


@dataclass
class Card:
    """A GPU. With instances, an id of each and its SMs, it is in MIG mode."""

    uuid: str
    model: str = "NVIDIA H100 80GB HBM3"
    instances: dict[int, int] = field(default_factory=dict)
    idle_w: float = 70.0
    busy_w: float = 500.0


@dataclass
class Truth:
    """The node: GPUs, processes, and what was done so far. Sums are in microseconds, joules and byte-microseconds."""

    cards: list[Card]
    processes: list[Process] = field(default_factory=list)
    now_us: int = 0
    engine: dict[int, float] = field(default_factory=dict)
    sm: dict[int, float] = field(default_factory=dict)
    memory: dict[int, float] = field(default_factory=dict)
    busy: dict[tuple[int, int | None], float] = field(default_factory=dict)
    busy_sm: dict[tuple[int, int | None], float] = field(default_factory=dict)
    energy: dict[int, float] = field(default_factory=dict)
    active_energy: dict[int, float] = field(default_factory=dict)
    watchers: list = field(default_factory=list)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(round(seconds * 1_000_000 / TICK_US)):
            self._tick()
            self.now_us += TICK_US
            for watcher in self.watchers:
                watcher(self)

    def alive(self) -> list[Process]:
        return [one for one in self.processes if one.lives(self.now_us)]

    def by_pod(self, sums: dict[int, float]) -> dict[str, float]:
        """One of the sums by pod; of the host under an empty name."""
        pods = {one.pid: one.pod for one in self.processes}
        found: dict[str, float] = {}
        for pid, value in sums.items():
            found[pods[pid]] = found.get(pods[pid], 0) + value
        return found

    def _tick(self) -> None:
        for number, card in enumerate(self.cards):
            weight, total = 0.0, sum(card.instances.values()) or 1
            for part in card.instances or (None,):
                share = card.instances.get(part, 1) / total if part is not None else 1.0
                weight += share * self._part(number, part, card.busy_w * share)
            joules = (card.idle_w + card.busy_w * weight) * TICK_US / 1e6
            self.energy[number] = self.energy.get(number, 0) + joules

    def _part(self, number: int, part: int | None, watts: float) -> int:
        """One tick of one part; whether it was busy."""
        here = [one for one in self.alive() if one.gpu == number and one.instance == part]
        for one in here:
            self.memory[one.pid] = self.memory.get(one.pid, 0) + one.memory * TICK_US
        wanting = [one for one in here if one.wants(self.now_us)]
        for one in wanting:
            slice_us = TICK_US / len(wanting)
            self.engine[one.pid] = self.engine.get(one.pid, 0) + slice_us
            self.sm[one.pid] = self.sm.get(one.pid, 0) + slice_us * one.sm
            self.active_energy[one.pid] = self.active_energy.get(one.pid, 0) + watts * slice_us / 1e6
            self.busy_sm[number, part] = self.busy_sm.get((number, part), 0) + slice_us * one.sm
        self.busy[number, part] = self.busy.get((number, part), 0) + (TICK_US if wanting else 0)
        return int(bool(wanting))
