"""Units hour by hour: what is known of an hour is kept, what is not is no zero."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from aicost.domain.budgets.units.counts import CountMethod, UnitCount
from aicost.domain.exact.windows import HOUR_MS, Window

_UNKNOWN = UnitCount(None, None, 0, CountMethod.NO_SAMPLES)
_METHODS = tuple(CountMethod)


@dataclass(slots=True)
class UnitHours:
    """What one workload did, by hour.

    Attributes:
        closed: start of an hour that is over -> what was counted in it.
        tail: the span after the last whole hour, and what was counted in it.
    """

    closed: dict[int, UnitCount] = field(default_factory=dict)
    tail: tuple[Window, UnitCount] | None = None

    def known(self, span: Window) -> tuple[tuple[Window, UnitCount], ...]:
        """Parts of a span in which units were counted, the oldest first; a part lies in the span as a whole."""
        hours = ((Window(start, start + HOUR_MS), count) for start, count in sorted(self.closed.items()))
        parts = (*hours, *((self.tail,) if self.tail else ()))
        return tuple((part, count) for part, count in parts if count.units is not None and _inside(part, span))

    def missing(self, span: Window, now_ms: int) -> list[Window]:
        """Whole hours of a span that were not asked for yet, the latest first."""
        first = -(-span.start_ms // HOUR_MS) * HOUR_MS
        last = min(span.end_ms, now_ms) // HOUR_MS * HOUR_MS
        starts = range(first, last, HOUR_MS)
        return [Window(start, start + HOUR_MS) for start in reversed(starts) if start not in self.closed]

    def forget(self, before_ms: int) -> None:
        """Forget hours that nobody asks for any more."""
        self.closed = {start: count for start, count in self.closed.items() if start >= before_ms}


def _inside(part: Window, span: Window) -> bool:
    return span.start_ms <= part.start_ms and part.end_ms <= span.end_ms


def summed(counts: Iterable[UnitCount]) -> UnitCount:
    """Counts of parts of time together. A part whose successes are not known leaves those of the whole unknown."""
    found = list(counts)
    known = [one for one in found if one.units is not None]
    if not known:
        return _UNKNOWN
    good = [one.successes for one in known]
    return UnitCount(
        units=sum(one.units or 0 for one in known),
        successes=None if None in good else sum(one or 0 for one in good),
        series=max(one.series for one in known),
        method=max((one.method for one in known), key=_METHODS.index),
    )


def hourly(hours: UnitHours, starts: Iterable[int]) -> Mapping[int, int]:
    """Units of some hours; hours without a count are absent."""
    found = {start: hours.closed[start].units for start in starts if start in hours.closed}
    return {start: units for start, units in found.items() if units is not None}
