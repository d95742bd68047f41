"""Cost over time: it grows evenly within a piece, and parts of pieces that follow each other sum to the whole."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from aicost.domain.exact.apportion import divide
from aicost.domain.exact.windows import HOUR_MS


@dataclass(frozen=True, slots=True)
class Flow:
    """Cost over time.

    Attributes:
        starts_ms, ends_ms: of the pieces, ascending; between two of them nothing is spent.
        cost: of each piece, in nano-units.
        before: cost of all pieces before each one, and at last of all.
    """

    starts_ms: tuple[int, ...]
    ends_ms: tuple[int, ...]
    cost: tuple[int, ...]
    before: tuple[int, ...]

    def until(self, at_ms: int) -> int:
        """Cost up to a moment."""
        place = bisect_right(self.starts_ms, at_ms) - 1
        if place < 0:
            return 0
        start, end = self.starts_ms[place], self.ends_ms[place]
        if at_ms >= end:
            return self.before[place + 1]
        return self.before[place] + self.cost[place] * (at_ms - start) // (end - start)

    def spent(self, start_ms: int, end_ms: int) -> int:
        """Cost between two moments."""
        return self.until(end_ms) - self.until(start_ms)

    def rate(self, at_ms: int) -> int:
        """Cost per hour at a moment: the mean of its piece."""
        place = bisect_right(self.starts_ms, at_ms) - 1
        if place < 0 or at_ms >= self.ends_ms[place]:
            return 0
        return divide(self.cost[place] * HOUR_MS, self.ends_ms[place] - self.starts_ms[place])


def flow(starts_ms: Sequence[int], ends_ms: Sequence[int], cost: Sequence[int]) -> Flow:
    """Pieces, which follow each other."""
    return Flow(tuple(starts_ms), tuple(ends_ms), tuple(cost), tuple(accumulate(cost, initial=0)))


@dataclass(frozen=True, slots=True)
class Course:
    """How cost would have run: what was recorded, less what was stopped. All three have the same pieces.

    Attributes:
        whole: what was recorded.
        gone: what was stopped and would have been spent.
        counted: what is left: the spend that the budget sees.
    """

    whole: Flow
    gone: Flow
    counted: Flow

    def changed(self, at_ms: int, gone: Sequence[Flow], more: Sequence[Flow], fewer: Sequence[Flow]) -> "Course":
        """The course once something is stopped, or comes back.

        Args:
            at_ms: from when on; no change is made before an earlier one.
            gone: all that is stopped up to then.
            more: what is stopped from then on.
            fewer: what comes back then.
        """
        starts, ends = list(self.whole.starts_ms), list(self.whole.ends_ms)
        whole, cost = list(self.whole.cost), list(self.gone.cost)
        place = bisect_right(starts, at_ms) - 1
        if place >= 0 and starts[place] < at_ms < ends[place]:
            first, stopped = self.whole.spent(starts[place], at_ms), _between(gone, starts[place], at_ms)
            starts.insert(place + 1, at_ms)
            ends.insert(place, at_ms)
            whole[place : place + 1] = [first, whole[place] - first]
            cost[place : place + 1] = [stopped, cost[place] - stopped]
        places = {start: place for place, start in enumerate(starts) if start >= at_ms}
        for sign, parts in ((1, more), (-1, fewer)):
            for part in parts:
                _add(cost, places, part, at_ms, sign)
        left = [all_of - lost for all_of, lost in zip(whole, cost, strict=True)]
        return Course(flow(starts, ends, whole), flow(starts, ends, cost), flow(starts, ends, left))


def undisturbed(whole: Flow) -> Course:
    """The course while nothing is stopped."""
    return Course(whole, flow(whole.starts_ms, whole.ends_ms, [0] * len(whole.cost)), whole)


def _add(cost: list[int], places: dict[int, int], part: Flow, at_ms: int, sign: int) -> None:
    """Add what a flow has from a moment on to the pieces that begin there or later."""
    first = bisect_right(part.ends_ms, at_ms)
    if first < len(part.cost) and part.starts_ms[first] < at_ms:
        cost[places[at_ms]] += sign * part.spent(at_ms, part.ends_ms[first])
        first += 1
    for start, amount in zip(part.starts_ms[first:], part.cost[first:], strict=True):
        cost[places[start]] += sign * amount


def _between(parts: Sequence[Flow], start_ms: int, end_ms: int) -> int:
    return sum(one.spent(start_ms, end_ms) for one in parts)
