"""Processes that came and went between two readings: the driver's accounting still knows them.

Only a process that began after we did, and that no sample spoke of, is counted by it: else its time is counted already.
The driver keeps thousands of ended processes, so each is asked for until it has ended, and then no more. A PID that is
used again while its former process is still kept is left to the samples.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from aicost.domain.agent.values import EngineTime


@dataclass(frozen=True, slots=True)
class Account:
    """What the driver accounts for a process.

    Attributes:
        started_us: by the system's clock.
        busy_ns: engine time of its whole life.
        lived_ns: length of that life.
    """

    pid: int
    started_us: int
    running: bool
    busy_ns: int
    lived_ns: int


@dataclass(frozen=True, slots=True)
class Accounts:
    """What is settled.

    Attributes:
        settled: PIDs that are not looked at again while the driver keeps them; None before the first look.
        sampled: PIDs that samples spoke of while they ran.
    """

    settled: frozenset[int] | None = None
    sampled: frozenset[int] = frozenset()

    def open(self, pids: Collection[int]) -> list[int]:
        """Those of the driver's PIDs that have to be asked for. What was there before us is none of them."""
        return [] if self.settled is None else [pid for pid in pids if pid not in self.settled]

    def read(
        self, pids: Collection[int], found: Sequence[Account], sampled: Collection[int]
    ) -> tuple["Accounts", tuple[EngineTime, ...]]:
        """What is settled from now on, and the engine time of those that only accounting saw.

        Args:
            pids: all that the driver keeps.
            found: what it accounts for those that are open.
            sampled: PIDs that samples of this reading spoke of.
        """
        if self.settled is None:
            return Accounts(frozenset(pids)), ()
        spoken = self.sampled | set(sampled)
        ended = [one for one in found if not one.running]
        missed = [one for one in ended if one.pid not in spoken and one.busy_ns > 0]
        settled = (self.settled & set(pids)) | {one.pid for one in ended}
        still = {one.pid for one in found if one.running} | set(sampled)
        times = tuple(EngineTime(one.pid, one.started_us + one.lived_ns // 1000, one.busy_ns) for one in missed)
        return Accounts(settled, frozenset(spoken & still)), times
