"""The division of a node's CPU, or of its memory, over a span of constant price.

h_i = max(request_i, use_i)        where the use is known, request_i where it is not
r   = min(1, K / sum h)            K: what the node has; so nobody holds more than there is

used                 = r use_i dt             allocated-idle = r (h_i - use_i) dt      where the use is known
allocated-unmeasured = r request_i dt                                                  where it is not
system               = r h_i dt               for an exporter or a diagnostic
unallocated          = (K - r sum h) dt       what nobody holds, what the system keeps for itself included
"""

from collections.abc import Sequence
from math import lcm
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aicost.domain.attribution.resources.holding import SAFE, Holdings, Table, exact
from aicost.domain.ledger.rows import Bucket

BUCKETS = (Bucket.USED, Bucket.ALLOCATED_IDLE, Bucket.ALLOCATED_UNMEASURED, Bucket.SYSTEM)
"""Those of pods, in the order of the columns of weights."""


class Weights(NamedTuple):
    """What the parts of a whole weigh: whole numbers that mean something beside the others of the same division alone.

    Attributes:
        pods: for each pod, its weight in each of `BUCKETS`.
        unallocated: what nobody holds.
    """

    pods: Sequence[Sequence[int]]
    unallocated: int


def divide_capacity(holdings: Holdings, capacity: int, system: Sequence[bool]) -> Weights:
    """Divide what a node has among its pods. The weights are exact: no share is rounded.

    Args:
        holdings: who holds how much, over the pieces that are meant.
        capacity: what the node has, in the unit of the holdings; above 0.
        system: for each pod, whether it is a part of the platform.
    """
    lengths = holdings.lengths
    time = int(lengths.sum())
    request, use = exact(holdings.request, time), exact(holdings.use, time)
    held = exact(np.maximum(request, use), time)
    sums = held.sum(axis=0) if len(held) else np.zeros(len(lengths), np.int64)
    sums = sums if capacity < SAFE else sums.astype(np.object_)
    scale, factors = _factors(sums, capacity, lengths)
    unheld = int((exact(np.maximum(0, capacity - sums), time) * lengths).sum()) * scale
    return Weights(_weights(request, use, held, holdings.known, factors, system).tolist(), unheld)


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


def _weights(
    request: Table, use: Table, held: Table, known: NDArray[np.bool_], factors: Table, system: Sequence[bool]
) -> Table:
    """Weights of pods by `BUCKETS`; what the platform holds is in one of them."""
    parts = (np.where(known, use, 0), np.where(known, held - use, 0), np.where(known, 0, request))
    columns = [part @ factors for part in parts]
    table: Table = np.stack((*columns, np.zeros_like(columns[0])), axis=1)
    platform = np.flatnonzero(system)
    table[platform, 3] = table[platform, :3].sum(axis=1)
    table[platform, :3] = 0
    return table
