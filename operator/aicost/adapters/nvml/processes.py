"""What the driver says of processes: who has a context, how much memory, how busy each was, and who has ended."""

from collections.abc import Collection, Iterator
from typing import Any

import pynvml

from aicost.adapters.nvml.calls import Calls
from aicost.domain.agent.ended import Account, Accounts
from aicost.domain.agent.utilisation import Cursor, part_ns
from aicost.domain.agent.values import EngineTime, Running, Sample

LISTS = (
    ("nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetComputeRunningProcesses_v2"),
    ("nvmlDeviceGetGraphicsRunningProcesses_v3", "nvmlDeviceGetGraphicsRunningProcesses_v2"),
    ("nvmlDeviceGetMPSComputeRunningProcesses_v3", "nvmlDeviceGetMPSComputeRunningProcesses_v2"),
)
"""Each list by the driver's newest function, and what stands in for it."""
UTILISATION = ("nvmlDeviceGetProcessesUtilizationInfo", "nvmlDeviceGetProcessUtilization")
ACCOUNTING, ACCOUNTS, ACCOUNTS_OLD = (
    "nvmlDeviceGetAccountingPids",
    "nvmlDeviceGetAccountingStats_v2",
    "nvmlDeviceGetAccountingStats",
)
_MOST_BYTES = 1 << 50
_MS_NS = 1_000_000


def running(handles: Collection[Any], calls: Calls) -> tuple[Running, ...] | None:
    """Processes with a context on a part; None where they cannot be listed.

    A process that computes and draws stands in two lists with the same memory, and is one.
    """
    found: dict[int, int | None] = {}
    listed = False
    for names in LISTS:
        for handle in handles:
            answer = _first(calls, names, handle)
            listed |= answer is not None and names is LISTS[0]
            for one in answer or ():
                found[one.pid] = max(found.get(one.pid) or 0, _bytes(one.usedGpuMemory) or 0) or None
    return tuple(Running(pid, memory) for pid, memory in found.items()) if listed else None


def _first(calls: Calls, names: tuple[str, ...], *arguments: Any) -> Any | None:
    """The answer of the first function that works."""
    answers = (calls.samples(name, *arguments) for name in names)
    return next((answer for answer in answers if answer is not None), None)


def _bytes(value: int | None) -> int | None:
    return value if value is not None and 0 <= value < _MOST_BYTES else None


class Utilisation:
    """Engine time of the processes of one GPU.

    Args:
        handle: of the GPU.
        calls: of the GPU.
    """

    def __init__(self, handle: Any, calls: Calls) -> None:
        self._handle, self._calls = handle, calls
        self._cursor = Cursor()
        self._accounts = Accounts()

    def read(self, now_ns: int, *, busy: bool) -> tuple[EngineTime, ...] | None:
        """Engine time since the last reading, of ended processes too; None where processes are not told apart."""
        answer = _first(self._calls, UTILISATION, self._handle, self._cursor.ask_us)
        if answer is None:
            return None
        samples = [Sample(one.pid, one.timeStamp, one.smUtil) for one in answer if one.pid]
        self._cursor, times = self._cursor.read(samples, now_ns, busy=busy)
        return (*times, *self._ended({one.pid for one in times if one.busy_ns}))

    def _ended(self, sampled: Collection[int]) -> tuple[EngineTime, ...]:
        """Engine time of processes that only accounting saw."""
        found = self._calls.run(ACCOUNTING, lambda: pynvml.nvmlDeviceGetAccountingPids(self._handle), empty=())
        if found is None or not self._calls.works.get(ACCOUNTING):
            return ()
        each = list(self._account_each(self._accounts.open(found)))
        self._accounts, times = self._accounts.read(found, each, sampled)
        return times

    def _account_each(self, pids: Collection[int]) -> Iterator[Account]:
        for pid in pids:
            newer = self._calls.samples(ACCOUNTS, self._handle, pid)
            stats = newer or self._calls.samples(ACCOUNTS_OLD, self._handle, pid)
            if stats:
                yield _account(pid, stats, summed=bool(newer))


def _account(pid: int, stats: Any, *, summed: bool) -> Account:
    """What one process did: by the sum of its samples, where the driver has that, else by their average."""
    lived_ns = stats.time * _MS_NS
    if summed and stats.sampleCount:
        busy_ns = part_ns(lived_ns, stats.sumGpuUtil / stats.sampleCount / 100)
    else:
        busy_ns = part_ns(lived_ns, stats.gpuUtilization)
    return Account(pid, stats.startTime, bool(stats.isRunning), busy_ns, lived_ns)
