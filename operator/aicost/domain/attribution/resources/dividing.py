"""The division of a node's CPU, or of its memory, over a span of constant price.

h_i = max(request_i, use_i)        where the use is known, request_i where it is not
r   = min(1, K / sum h)            K: what the node has; so nobody holds more than there is

used                 = r use_i dt             allocated-idle = r (h_i - use_i) dt      where the use is known
allocated-unmeasured = r request_i dt                                                  where it is not
system               = r h_i dt               for an exporter or a diagnostic
unallocated          = (K - r sum h) dt       what nobody holds, what the system keeps for itself included
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import lcm

import numpy as np
from numpy.typing import NDArray

from aicost.domain.attribution.resources.holding import Holdings, Table, exact
from aicost.domain.ledger.rows import Bucket


@dataclass(frozen=True, slots=True)
class Portion:
    """A part of the whole.

    Attributes:
        pod: place of the holder among the pods; None for what nobody holds.
        weight: its share, as a whole number that means something beside the others of the same division alone.
    """

    pod: int | None
    bucket: Bucket
    weight: int


def divide_capacity(
    holdings: Holdings, capacity: int, system: Sequence[bool], inside: NDArray[np.bool_]
) -> tuple[Portion, ...]:
    """Divide what a node has among its pods. The weights are exact: no share is rounded.

    Args:
        holdings: who holds how much.
        capacity: what the node has, in the unit of the holdings; above 0.
        system: for each pod, whether it is a part of the platform.
        inside: which pieces are meant.
    """
    lengths = holdings.lengths[inside]
    time = int(lengths.sum())
    held = exact(holdings.held[:, inside], time)
    sums = held.sum(axis=0) if len(held) else np.zeros(len(lengths), np.int64)
    scale, factors = _factors(sums, capacity, lengths)
    request, use = (exact(table[:, inside], time) for table in (holdings.request, holdings.use))
    known, free = holdings.known[:, inside], np.maximum(0, capacity - sums)
    found = list(_portions((request, use, held), known, factors, system))
    unheld = int((exact(free, time) * lengths).sum()) * scale
    return (*found, Portion(None, Bucket.UNALLOCATED, unheld)) if unheld else tuple(found)


def _factors(sums: Table, capacity: int, lengths: Table) -> tuple[int, Table]:
    """What all weights are multiplied by, and what each piece counts for one unit that a pod holds.

    A piece in which more is held than there is counts `K / sum h` of its length: a common multiple keeps that whole.
    """
    over = sums > capacity
    if not over.any():
        return 1, lengths
    crowded = [int(one) for one in sums[over]]
    scale = lcm(*crowded)
    factors = lengths.astype(np.object_) * scale
    factors[over] = [
        int(length) * capacity * (scale // held) for length, held in zip(lengths[over], crowded, strict=True)
    ]
    return scale, factors


def _portions(
    tables: tuple[Table, Table, Table], known: NDArray[np.bool_], factors: Table, system: Sequence[bool]
) -> Iterator[Portion]:
    request, use, held = tables
    parts = (
        (Bucket.USED, np.where(known, use, 0)),
        (Bucket.ALLOCATED_IDLE, np.where(known, held - use, 0)),
        (Bucket.ALLOCATED_UNMEASURED, np.where(known, 0, request)),
    )
    weights = [(bucket, (table * factors).sum(axis=1).tolist()) for bucket, table in parts]
    for pod, platform in enumerate(system):
        if platform and (whole := sum(column[pod] for _, column in weights)):
            yield Portion(pod, Bucket.SYSTEM, whole)
        elif not platform:
            yield from (Portion(pod, bucket, column[pod]) for bucket, column in weights if column[pod])
