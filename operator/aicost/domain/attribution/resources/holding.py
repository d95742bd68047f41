"""How much CPU or memory each pod of a node holds at each moment: `max(request, use)`, or the request alone.

Time is cut wherever a pod comes, goes or is resized, and wherever a piece of use begins or ends. In each cell of the
table of pods by pieces nothing changes.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aicost.domain.attribution.resources.use import Levels
from aicost.domain.exact.windows import Window

Table = NDArray[np.int64] | NDArray[np.object_]
"""Pods by pieces. Of whole numbers; Python's own where 64 bits might not do."""
_SAFE = 1 << 62


@dataclass(frozen=True, slots=True)
class Demand:
    """What one pod asks for of one resource while it is on a node.

    Attributes:
        steps: spans with what it asks for in each: they follow each other without a gap.
        use: what samples say that it used.
    """

    steps: Sequence[tuple[Window, int]]
    use: Levels

    @property
    def span(self) -> Window:
        """The time for which the pod is there."""
        return Window(self.steps[0][0].start_ms, self.steps[-1][0].end_ms)


@dataclass(frozen=True, slots=True)
class Holdings:
    """Who holds how much, piece by piece.

    Attributes:
        starts: where each piece begins.
        lengths: milliseconds of each piece.
        request, use: what each pod asks for and uses; 0 where it is not there, or where its use is not known.
        known: where its use is known.
    """

    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    request: Table
    use: Table
    known: NDArray[np.bool_]

    @property
    def held(self) -> Table:
        """`max(request, use)`; an unknown use stands as 0 beside the request."""
        return np.maximum(self.request, self.use)


def holdings(demands: Sequence[Demand], span: Window, cuts: Iterable[int] = ()) -> Holdings:
    """The holdings of all pods of a node over a span, in pieces that no cut lies inside of."""
    edges = np.union1d(_edges(demands, span), np.fromiter(cuts, np.int64))
    bounds, starts = edges.tolist(), edges[:-1]
    there = [_between(bounds, demand.span) for demand in demands]
    use, known = _used([demand.use for demand in demands], starts)
    for row, (low, high) in enumerate(there):
        if (low, high) != (0, len(starts)):
            for table in (use, known):
                table[row, :low] = table[row, high:] = 0
    return Holdings(starts, np.diff(edges), _requested(demands, bounds), use, known)


def _between(bounds: list[int], span: Window) -> tuple[int, int]:
    """Which pieces lie in a span: the first, and the one after the last."""
    return bisect_left(bounds, span.start_ms), min(bisect_left(bounds, span.end_ms), len(bounds) - 1)


def _requested(demands: Sequence[Demand], bounds: list[int]) -> NDArray[np.int64]:
    table = np.zeros((len(demands), len(bounds) - 1), np.int64)
    for row, demand in enumerate(demands):
        for step, asked in demand.steps:
            low, high = _between(bounds, step)
            table[row, low:high] = min(asked, _SAFE)  # no node has as much: it takes all that there is
    return table


def _edges(demands: Iterable[Demand], span: Window) -> NDArray[np.int64]:
    """Where something may change, within the span. Pieces of use of many pods begin and end together."""
    steps = {moment for demand in demands for step, _ in demand.steps for moment in (step.start_ms, step.end_ms)}
    columns = {each.tobytes(): each for demand in demands for each in (demand.use.start_ms, demand.use.end_ms)}
    found = np.concatenate([np.array([span.start_ms, span.end_ms, *steps], np.int64), *columns.values()])
    return found[(found >= span.start_ms) & (found <= span.end_ms)]


def _used(uses: Sequence[Levels], starts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The level of each use at each start, and where it is known. Uses with the same pieces are looked up at once."""
    shape = (len(uses), len(starts))
    level, known = np.zeros(shape, np.int64), np.zeros(shape, np.bool_)
    alike: dict[tuple[bytes, bytes], list[int]] = defaultdict(list)
    for row, use in enumerate(uses):
        if len(use.start_ms):
            alike[use.start_ms.tobytes(), use.end_ms.tobytes()].append(row)
    for rows in alike.values():
        one = uses[rows[0]]
        piece = np.searchsorted(one.start_ms, starts, side="right") - 1
        covered = (piece >= 0) & (starts < one.end_ms[piece])
        level[rows] = np.stack([uses[row].level for row in rows])[:, piece] * covered
        known[rows] = covered
    return level, known


def exact(table: Table, beside: int) -> Table:
    """The table in numbers that hold the sum of all its entries, each times some part of a factor."""
    largest = int(table.max(initial=0)) * max(1, beside) * max(1, len(table))
    return table if largest < _SAFE else table.astype(np.object_)
