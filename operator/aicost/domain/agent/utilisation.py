"""From samples of utilisation to engine time.

The driver keeps a buffer of samples. Asked with the stamp of the last sample that was seen, it gives what is newer: how
busy a process was since then. Each sample stands for the time from the one before it. The cursor moves on while nothing
happens, since a first sample after a long silence would else stand for all of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from aicost.domain.agent.values import SECOND_NS, EngineTime, Sample

SLACK_NS = SECOND_NS
"""Longest sample period of the driver: by so much a window of samples may lag behind the time between two readings."""
LONGEST_NS = 10 * SECOND_NS
"""A gap that is longer is not filled with what came after it."""
_JITTER_US, _DRIFT, _MOST_DRIFT_US = 100_000, 1_000, 1_000_000
"""While nothing comes, the driver's clock is guessed by ours; samples come a little late, and clocks drift apart."""
_BLIND = 10
_FUTURE_US = 60_000_000


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a buffer of samples was read.

    Attributes:
        stamp_us: of the newest sample that was seen; None: none was read yet, or the driver's clock was set.
        seen_ns: when it was seen.
        read_ns: when the buffer was last read.
        blind: readings in a row without a sample while the device was busy.
    """

    stamp_us: int | None = None
    seen_ns: int = 0
    read_ns: int = 0
    blind: int = 0

    @property
    def ask_us(self) -> int:
        """What to ask the driver with: up to where nothing was there; 0 for the whole buffer."""
        if not self.stamp_us:
            return 0
        silent_us = (self.read_ns - self.seen_ns) // 1000
        return self.stamp_us + max(silent_us - min(_JITTER_US + silent_us // _DRIFT, _MOST_DRIFT_US), 0)

    def read(self, samples: Sequence[Sample], now_ns: int, *, busy: bool) -> tuple["Cursor", tuple[EngineTime, ...]]:
        """The cursor after a reading, and the engine time that its samples stand for.

        Args:
            samples: the driver's answer; empty where it had nothing new.
            now_ns: the moment of the reading.
            busy: whether the device was seen busy meanwhile by another measure.
        """
        good = [one for one in samples if 0 <= one.percent <= 100]
        if self.stamp_us is None:
            return Cursor(max((one.stamp_us for one in good), default=0), now_ns, now_ns), ()
        since_us, elapsed_ns = self.ask_us, max(now_ns - self.read_ns, 0)
        ahead_us = since_us + elapsed_ns // 1000 + _FUTURE_US
        fresh = [one for one in good if since_us < one.stamp_us and (not since_us or one.stamp_us <= ahead_us)]
        if not fresh:
            return self._silent(now_ns, busy=busy), ()
        newest = max(one.stamp_us for one in fresh)
        limit_ns = min(elapsed_ns + (SLACK_NS if since_us else 0), LONGEST_NS)
        return Cursor(newest, now_ns, now_ns), _times(fresh, since_us, limit_ns)

    def _silent(self, now_ns: int, *, busy: bool) -> "Cursor":
        blind = self.blind + 1 if busy else 0
        return Cursor(None) if blind >= _BLIND else replace(self, read_ns=now_ns, blind=blind)


def _times(fresh: Sequence[Sample], since_us: int, limit_ns: int) -> tuple[EngineTime, ...]:
    """Engine time by process; windows of one process together are no longer than the limit."""
    found = []
    for pid in dict.fromkeys(one.pid for one in fresh):
        own = sorted((one for one in fresh if one.pid == pid), key=lambda one: one.stamp_us)
        starts = [since_us, *(one.stamp_us for one in own[:-1])]
        windows = [(one.stamp_us - start) * 1000 for one, start in zip(own, starts, strict=True)]
        whole = sum(windows)
        busy = sum(part_ns(window, one.percent) for window, one in zip(windows, own, strict=True))
        found.append(EngineTime(pid, own[-1].stamp_us, busy * limit_ns // whole if whole > limit_ns else busy))
    return tuple(found)


def part_ns(window_ns: int, percent: float) -> int:
    """A percentage of a time, garbage as 0."""
    return int(window_ns * percent / 100) if 0 <= percent <= 100 else 0
