"""From the shares of pods to lines: what ends in the same row of the ledger, added up, for all nodes at once."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from aicost.domain.attribution.resources.cells import Column, Flags, Shares
from aicost.domain.attribution.resources.dividing import BUCKETS
from aicost.domain.exact.apportion import apportion_runs
from aicost.domain.ledger.rows import Bucket

ALL_BUCKETS = (*BUCKETS, Bucket.UNALLOCATED)


class Lines(NamedTuple):
    """Lines of segments, segment by segment, each that comes to something.

    Attributes:
        segment: number of its segment.
        holder: number of its holder; 0 for nobody.
        bucket: place among `ALL_BUCKETS`.
        uncertain: 1 where the end of its pods went unseen, else 0.
        weight: what it weighs beside the other lines of its segment; above 0.
    """

    segment: Column
    holder: Column
    bucket: Column
    uncertain: Column
    weight: Column

    def of(self, lines: Column | Flags) -> "Lines":
        """Some of the lines."""
        return Lines(*(column[lines] for column in self))

    def split(self, totals: Sequence[int]) -> list[int]:
        """An amount of each segment, apportioned over its lines; that of a segment without lines is left out."""
        many = np.bincount(self.segment, minlength=len(totals))
        some = np.flatnonzero(many)
        return apportion_runs([totals[index] for index in some.tolist()], self.weight, many[some])


def lines_of(shares: Shares, told: Flags, holder: Column, uncertain: Column) -> Lines:
    """The lines of segments: those of pods in the order of pods, and then what nobody holds.

    Args:
        shares: what pods weigh.
        told: for each segment, whether its lines are wanted.
        holder: for each pod, the number of who it is in the ledger.
        uncertain: for each pod, 1 where its end went unseen, else 0.
    """
    share, bucket = np.nonzero(shares.weights * told[shares.segment, None])
    pod = shares.pod[share]
    weight = shares.weights[share, bucket]
    held = _together(Lines(shares.segment[share], holder[pod], bucket, uncertain[pod], weight))
    free = np.flatnonzero(shares.unallocated * told)
    nothing, unallocated = np.zeros_like(free), np.full_like(free, len(BUCKETS))
    nobody = Lines(free, nothing, unallocated, nothing, shares.unallocated[free])
    lines = Lines(*(np.concatenate(columns) for columns in zip(held, nobody, strict=True)))
    return lines.of(np.argsort(lines.segment, kind="stable"))


def _together(lines: Lines) -> Lines:
    """One line where several are of the same segment, holder and bucket: in the place of the first of them."""
    most = int(lines.holder.max(initial=0)) + 1
    same = ((lines.segment * most + lines.holder) * 2 + lines.uncertain) * len(BUCKETS) + lines.bucket
    _, first, one = np.unique(same, return_index=True, return_inverse=True)
    if len(first) == len(same):
        return lines
    weight = np.zeros(len(first), np.int64)
    np.add.at(weight, one, lines.weight)
    order = np.argsort(first)
    return lines.of(first[order])._replace(weight=weight[order])
