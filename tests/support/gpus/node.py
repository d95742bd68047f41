"""A node with everything that the agent meets there, and the agent on it, by a clock that tests turn."""

from collections.abc import Callable
from pathlib import Path

from aicost.adapters.counter_file import CounterFile
from aicost.adapters.nvml.gpus import NvmlGpus
from aicost.adapters.procfs.names import PodNames
from aicost.adapters.procfs.processes import ProcFs, boot_id
from aicost.domain.agent.counters import Measure
from aicost.ports.agent import Held
from aicost.usecases.agent.measure import MeasurePods
from support.gpus.nvml import FakeNvml
from support.gpus.sampler import Sampler
from support.gpus.tree import Tree
from support.gpus.truth import Card, Process, Truth

PODS = {uid: f"{uid}2345-1234-4234-8234-{uid}12345678" for uid in ("aaaa", "bbbb", "cccc", "dddd")}
A, B, C, D = PODS.values()


class HeldNow:
    """Holders as tests set them."""

    def __init__(self) -> None:
        self.now: tuple[Held, ...] | None = ()

    def held(self) -> tuple[Held, ...] | None:
        return self.now


class Node:
    """The node and its agent. Pods are `ml/a` to `ml/d`, with the UIDs A to D."""

    def __init__(
        self,
        folder: Path,
        cards: list[Card],
        processes: list[Process],
        *,
        gpm: bool = True,
        accounting: bool = False,
        sampler: Sampler | None = None,
        patience: float = 5.0,
    ) -> None:
        self.truth = Truth(cards, list(processes))
        self.sampler = sampler or Sampler()
        self.truth.watchers.append(self.sampler)
        self.nvml = FakeNvml(self.truth, self.sampler, gpm=gpm, accounting=accounting)
        self.tree = Tree(folder, self.truth)
        for letter, uid in zip("abcd", PODS.values(), strict=True):
            self.tree.named(uid, "ml", letter)
        self.state, self.patience = folder / "agent.json", patience
        self.held = HeldNow()
        self.agent = self.begin()

    def now_ns(self) -> int:
        return (1_000_000_000 + self.truth.now_us) * 1000

    def begin(self) -> MeasurePods:
        """A new agent, as after a restart."""
        processes = ProcFs(self.tree.proc, PodNames(self.tree.logs, self.now_ns))
        gpus = NvmlGpus(self.now_ns, self.patience)
        self.gpus = gpus
        boot = boot_id(self.tree.proc)
        self.agent = MeasurePods(gpus, processes, self.held, CounterFile(self.state), boot, self.now_ns)
        return self.agent

    def run(self, seconds: float, every: float = 1.0, then: Callable[[], None] | None = None) -> None:
        """Let time pass, with a round of the agent at each interval."""
        for _ in range(round(seconds / every)):
            self.tree.update()
            self.agent.round()
            if then is not None:
                then()
            self.truth.advance(every)
        self.tree.update()
        self.agent.round()

    def total(self, measure: Measure, uid: str | None = None) -> float:
        """A counter, summed over parts: in seconds, joules, byte-seconds."""
        units = {Measure.POD_MEMORY: 1e3, Measure.POD_ENERGY: 1e6, Measure.DEVICE_ENERGY: 1e6}
        found = self.agent.tell(at_once=True).counters
        chosen = [value for (kind, labels), value in found.items() if kind is measure and uid in (None, labels[-1])]
        return sum(chosen) / units.get(measure, 1e9)
