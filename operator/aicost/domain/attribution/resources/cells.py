"""The division of CPU, or of memory, of many nodes in one pass, by the formulas of `dividing`.

A cell is one pod in one piece of its node's time, in which nothing changes. The cells of all nodes lie in one column,
so that the moments of one node may be others than those of the next.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aicost.domain.attribution.resources.holding import SAFE, Steps
from aicost.domain.attribution.resources.use import Levels, PodUse
from aicost.domain.exact.apportion import SAFE_WHOLE
from aicost.domain.exact.windows import Window

Column = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Plot(NamedTuple):
    """One node, to be divided.

    Attributes:
        segments: each is divided by itself; they follow each other without a gap.
        steps: for each pod, spans with thousandths of cores and bytes that it asked for.
        uses: what each pod used.
    """

    segments: Sequence[Window]
    steps: Sequence[Steps]
    uses: Sequence[PodUse]

    def edges(self) -> list[int]:
        """Where something may change, from the first moment to the last."""
        first, last = self.segments[0].start_ms, self.segments[-1].end_ms
        moments = {last, *(one.start_ms for one in self.segments)}
        # By identity: pods that were there all the time share it, and so do those that are read at the same times.
        spans = {id(span): span for steps in self.steps for span, _, _ in steps}
        levels = (one for use in self.uses for one in (use.cpu, use.memory))
        columns = {id(column): column for one in levels for column in (one.start_ms, one.end_ms)}
        moments.update(moment for span in spans.values() for moment in (span.start_ms, span.end_ms))
        for column in columns.values():
            moments.update(column.tolist())
        return sorted(moment for moment in moments if first <= moment <= last)


class Shares(NamedTuple):
    """What the parts of segments weigh, as `Weights` says it of one segment.

    Attributes:
        segment, pod: of each share, their numbers among those of all nodes. Segment by segment, pods in their order.
        weights: of each share, by `BUCKETS`.
        unallocated: of each segment, what nobody holds.
        odd: segments of which this says nothing, since more is held than there is, or 64 bits might not do.
    """

    segment: Column
    pod: Column
    weights: Column
    unallocated: Column
    odd: Flags


class Cells:
    """Pods by pieces of time, of nodes of which each has a segment or more."""

    def __init__(self, plots: Sequence[Plot]) -> None:
        edges = [plot.edges() for plot in plots]
        nodes, pieces = np.arange(len(plots)), _lengths(edges) - 1
        pods, segments = _lengths([plot.steps for plot in plots]), _lengths([plot.segments for plot in plots])
        self._steps = [steps for plot in plots for steps in plot.steps]
        # 1. Pieces, node by node.
        moments, lasts = _flat(edges), np.cumsum(pieces + 1) - 1
        starts, self._length = np.delete(moments, lasts), np.delete(np.diff(moments), lasts[:-1])
        self._ends = int(moments.max(initial=0))
        self._begins = int(moments.min(initial=self._ends))
        self._node, self._node_of_segment = np.repeat(nodes, pieces), np.repeat(nodes, segments)
        cuts = self._ordered(self._node_of_segment, _flat([one.start_ms for one in plot.segments] for plot in plots))
        self._segment = np.cumsum(np.isin(self._ordered(self._node, starts), cuts)) - 1
        self._time = np.bincount(self._node, self._length, len(plots))  # whole milliseconds, as floats
        # 2. Cells: all pieces of a node for its first pod, then for its second one.
        many = np.repeat(pieces, pods)
        self._pods, self._pod = pods, np.repeat(np.arange(len(many)), many)
        self._piece = _counted(np.repeat(_firsts(pieces), pods), many)
        self._moment, self._bounds = starts[self._piece], np.append(0, np.cumsum(many))
        comes = np.array([steps[0][0].start_ms for steps in self._steps], np.int64)
        goes = np.array([steps[-1][0].end_ms for steps in self._steps], np.int64)
        self._there = (comes[self._pod] <= self._moment) & (self._moment < goes[self._pod])
        # 3. Shares: all pods of a node for its first segment, then for its second one.
        many, first_pod = pods[self._node_of_segment], _firsts(pods)
        self._share_segment = np.repeat(np.arange(len(many)), many)
        self._share_pod = _counted(first_pod[self._node_of_segment], many)
        self._share = (_firsts(many)[self._segment] - first_pod[self._node])[self._piece] + self._pod

    def divide(
        self, asked: Callable[[int, int], int], uses: Sequence[Levels], capacities: Sequence[int], system: Flags
    ) -> Shares:
        """Divide one resource of all nodes.

        Args:
            asked: what a pod asks for, by thousandths of cores and bytes.
            uses: for each pod, what it used.
            capacities: of each node.
            system: for each pod, whether it is a part of the platform.
        """
        request, (use, known) = self._requested(asked), self._used(uses)
        held, length = np.maximum(request, use), self._length[self._piece]
        fits = self._fit(held, capacities)
        capacity = np.array([one if fit else 0 for one, fit in zip(capacities, fits, strict=True)], np.int64)
        room = capacity[self._node] - _sums(self._piece, held, len(self._node))
        unallocated = _sums(self._segment, np.maximum(0, room) * self._length, len(self._node_of_segment))
        odd = ~fits[self._node_of_segment]
        odd[self._segment[room < 0]] = True
        whole, used, unmeasured = (
            _sums(self._share, amount * length, len(self._share_pod)) for amount in (held, use, request * ~known)
        )
        pods = ~system[self._share_pod]
        weights = np.stack((used * pods, (whole - used - unmeasured) * pods, unmeasured * pods, whole * ~pods), axis=1)
        return Shares(self._share_segment, self._share_pod, weights, unallocated, odd)

    def _requested(self, asked: Callable[[int, int], int]) -> Column:
        """What the pod of each cell asks for."""
        at_first = [min(asked(steps[0][1], steps[0][2]), SAFE) for steps in self._steps]  # no node has as much
        request = np.array(at_first, np.int64)[self._pod] * self._there
        for pod in (pod for pod, steps in enumerate(self._steps) if len(steps) > 1):
            steps, cells = self._steps[pod], slice(self._bounds[pod], self._bounds[pod + 1])
            starts = np.array([span.start_ms for span, _, _ in steps], np.int64)
            amounts = np.array([min(asked(cpu, memory), SAFE) for _, cpu, memory in steps], np.int64)
            step = np.searchsorted(starts, self._moment[cells], side="right") - 1
            request[cells] = amounts[step] * self._there[cells]
        return request

    def _used(self, uses: Sequence[Levels]) -> tuple[Column, Flags]:
        """What the pod of each cell uses, 0 where that is not known; and where it is."""
        some = [one for one in uses if len(one.level)]
        if not some:
            return np.zeros(len(self._pod), np.int64), np.zeros(len(self._pod), np.bool_)
        pod = np.repeat(np.arange(len(uses)), [len(one.level) for one in uses])
        start, end, level = (
            np.concatenate(columns)
            for columns in ([one.start_ms for one in some], [one.end_ms for one in some], [one.level for one in some])
        )
        place = np.searchsorted(self._ordered(pod, start), self._ordered(self._pod, self._moment), side="right") - 1
        known = self._there & (place >= 0) & (pod[place] == self._pod) & (self._moment < end[place])
        used: Column = level[place] * known
        return used, known

    def _ordered(self, number: Column, moment: Column) -> Column:
        """One number for a number and a moment: in the same order. What is before the first moment is as that one."""
        return number * (self._ends - self._begins + 2) + np.clip(moment, self._begins, self._ends + 1) - self._begins

    def _fit(self, held: Column, capacities: Sequence[int]) -> Flags:
        """For each node, whether 64 bits hold all that is counted of it."""
        most = np.zeros(len(self._pods), np.int64)
        np.maximum.at(most, self._node[self._piece], held)
        largest = np.maximum(most.astype(np.float64) * self._pods, np.array(capacities, np.float64))
        fit: Flags = largest * self._time < SAFE_WHOLE
        return fit


def _lengths(some: Sequence[Sequence[object]]) -> Column:
    return np.array([len(one) for one in some], np.int64)


def _flat(some: Iterable[Iterable[int]]) -> Column:
    return np.fromiter(chain.from_iterable(some), np.int64)


def _firsts(many: Column) -> Column:
    """Where each of some runs begins, by their lengths."""
    firsts: Column = np.cumsum(many) - many
    return firsts


def _counted(firsts: Column, many: Column) -> Column:
    """Runs of numbers, each counted on from its first one."""
    return np.arange(many.sum()) + np.repeat(firsts - _firsts(many), many)


def _sums(place: Column, amount: ArrayLike, many: int) -> Column:
    """What falls on each place, exactly."""
    found = np.zeros(many, np.int64)
    np.add.at(found, place, amount)
    return found
