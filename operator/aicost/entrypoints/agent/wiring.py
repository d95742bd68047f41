"""What the agent is made of. It has a root of its own: the controller's would load a ledger onto every node."""

import time
from dataclasses import dataclass
from pathlib import Path

from aicost.adapters.counter_file import CounterFile
from aicost.adapters.nvml.gpus import NvmlGpus
from aicost.adapters.podresources.client import PodResources
from aicost.adapters.procfs.names import PodNames
from aicost.adapters.procfs.processes import ProcFs, boot_id
from aicost.ports.agent import CounterStore, Saved
from aicost.usecases.agent.measure import MeasurePods


@dataclass(frozen=True, slots=True)
class Places:
    """Where things are on the node.

    Attributes:
        state: file of the counters; None: they are not kept.
    """

    state: Path | None
    proc: Path
    pod_logs: Path
    pod_resources: Path


class _NotKept(CounterStore):
    """Counters that end with the process."""

    def load(self) -> Saved:
        return Saved()

    def save(self, saved: Saved) -> None:
        del saved


def make(places: Places) -> MeasurePods:
    """The agent's work, wired."""
    now_ns = time.monotonic_ns
    store = CounterFile(places.state) if places.state else _NotKept()
    processes = ProcFs(places.proc, PodNames(places.pod_logs, now_ns))
    holders = PodResources(places.pod_resources, now_ns)
    return MeasurePods(NvmlGpus(now_ns), processes, holders, store, boot_id(places.proc), now_ns)
