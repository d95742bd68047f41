"""Who a PID was. PIDs are used again, and the driver still speaks of processes that have ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aicost.domain.agent.values import SECOND_NS, Outside, Owner, Pod

KEPT_NS = 120 * SECOND_NS
"""For so long after it was last seen a process is remembered: the driver names it in samples that come late."""
_MAX_PER_PID = 4
_TICK_US = 20_000
"""`/proc` counts starts of processes in hundredths of a second; the start of the system is known as finely."""


@dataclass(frozen=True, slots=True)
class Alive:
    """A process that runs now.

    Attributes:
        started_us: microseconds since the Unix epoch, by the system's clock.
        pod: None for a process outside pods.
        mps: it is a server of MPS, and computes for others.
    """

    started_us: int
    pod: Pod | None
    mps: bool = False


@dataclass(frozen=True, slots=True)
class _Seen:
    alive: Alive
    seen_ns: int


@dataclass(frozen=True, slots=True)
class PidBook:
    """Processes that run or ran a short while ago, by PID, the latest last."""

    entries: Mapping[int, tuple[_Seen, ...]] = field(default_factory=dict)

    def with_alive(self, found: Mapping[int, Alive], now_ns: int) -> "PidBook":
        """The book after a look at the processes that run now."""
        kept = {pid: seen for pid, seen in self.entries.items() if seen[-1].seen_ns >= now_ns - KEPT_NS}
        for pid, alive in found.items():
            earlier = kept.get(pid, ())
            if earlier and abs(earlier[-1].alive.started_us - alive.started_us) <= _TICK_US:
                earlier = earlier[:-1]
            kept[pid] = (*earlier, _Seen(alive, now_ns))[-_MAX_PER_PID:]
        return PidBook(kept)

    def owner(self, pid: int, stamp_us: int | None = None) -> Owner:
        """Who a PID belonged to at a moment of the driver's clock; without one: the latest that had it."""
        seen = self.entries.get(pid, ())
        if not seen:
            return Outside.UNSEEN
        latest_us = None if stamp_us is None else stamp_us + _TICK_US
        known = (one.alive for one in reversed(seen) if latest_us is None or one.alive.started_us <= latest_us)
        alive = next(known, seen[0].alive)
        return Outside.MPS if alive.mps else alive.pod or Outside.HOST
