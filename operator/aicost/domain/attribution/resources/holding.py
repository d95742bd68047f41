"""How much CPU or memory each pod of a node holds at each moment: `max(request, use)`, or the request alone.

Time is cut wherever a pod comes, goes or is resized, and wherever a piece of use begins or ends. In each cell of the
table of pods by pieces nothing changes.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aicost.domain.attribution.resources.use import Levels
from aicost.domain.exact.windows import Window
from aicost.domain.sampling.series import Millis

Table = NDArray[np.int64] | NDArray[np.object_]
"""Pods by pieces. Of whole numbers; Python's own where 64 bits might not do."""
SAFE = 1 << 62
Steps = Sequence[tuple[Window, int, int]]
"""Spans with thousandths of cores and bytes that a pod asked for: they follow each other without a gap."""


class Demand(NamedTuple):
    """What one pod asks for of one resource while it is on a node.

    Attributes:
        steps: spans with what it asks for in each: they follow each other without a gap.
        use: what samples say that it used.
    """

    steps: Sequence[tuple[Window, int]]
    use: Levels


@dataclass(frozen=True, slots=True)
class Holdings:
    """Who holds how much, piece by piece: the pods of one node.

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


def holdings(demands: Sequence[Demand], span: Window) -> Holdings:
    """The holdings of all pods of a node over a span."""
    edges = _edges_of(demands, span)
    bounds = np.array(edges, np.int64)
    starts, pieces = bounds[:-1], len(edges) - 1
    lives = [_between(edges, one.steps[0][0].start_ms, one.steps[-1][0].end_ms) for one in demands]
    first, last = np.array(lives, np.int64).reshape(-1, 2, 1).swapaxes(0, 1)
    asked = np.array([min(one.steps[0][1], SAFE) for one in demands], np.int64)  # no node has as much
    piece = np.arange(pieces)
    there = (piece >= first) & (piece < last)
    request = there * asked[:, None]
    for row in (row for row, one in enumerate(demands) if len(one.steps) > 1):
        request[row] = 0
        for step, amount in demands[row].steps:
            low, high = _between(edges, step.start_ms, step.end_ms)
            request[row, low:high] = min(amount, SAFE)
    use, known = _used([demand.use for demand in demands], starts)
    use *= there
    known &= there
    return Holdings(starts, np.diff(bounds), request, use, known)


def _edges_of(demands: Iterable[Demand], span: Window) -> tuple[int, ...]:
    """Where something may change, within the span. Pieces of use of many pods begin and end together."""
    moments = {span.start_ms, span.end_ms}
    columns: dict[bytes, Millis] = {}
    for demand in demands:
        for step, _ in demand.steps:
            moments.add(step.start_ms)
            moments.add(step.end_ms)
        use = demand.use
        columns[use.start_ms.tobytes()] = use.start_ms
        columns[use.end_ms.tobytes()] = use.end_ms
    for column in columns.values():
        moments.update(column.tolist())
    return tuple(sorted(moment for moment in moments if span.start_ms <= moment <= span.end_ms))


def _between(edges: tuple[int, ...], start_ms: int, end_ms: int) -> tuple[int, int]:
    """Which pieces lie in a span: the first, and the one after the last."""
    last = len(edges) - 1
    low = 0 if start_ms <= edges[0] else bisect_left(edges, start_ms)
    return low, last if end_ms >= edges[-1] else bisect_left(edges, end_ms)


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
        table = np.concatenate([uses[row].level for row in rows]).reshape(len(rows), -1)
        level[rows] = table[:, piece] * covered
        known[rows] = covered
    return level, known


def exact(table: Table, beside: int) -> Table:
    """The table in numbers that hold the sum of all its entries, each times some part of a factor."""
    largest = int(table.max(initial=0)) * max(1, beside) * max(1, len(table))
    return table if largest < SAFE else table.astype(np.object_)
