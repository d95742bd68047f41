"""The one place where amounts are rounded."""

from collections.abc import Sequence
from itertools import chain, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the command line splits single amounts without NumPy, and it takes long to import
    import numpy as np
    from numpy.typing import NDArray

    Column = NDArray[np.int64]

SAFE_TOTAL, SAFE_WHOLE = 1 << 50, 1 << 60
"""Below these a quotient that is computed in floating point is off by less than two, and so its remainder, which is
computed modulo 2^64, is the true one."""


def apportion(total: int, weights: Sequence[int]) -> list[int]:
    """Split an integer in proportion to integer weights so that the parts sum to it exactly.

    Largest remainder: each part is `floor(total * w / sum(w))`, and the units left over go one each to the largest
    remainders, the earlier weight first where remainders are equal. A negative total is split as its absolute value.

    Raises:
        ValueError: a weight is negative, or there is something to split and no weight to split it by.
    """
    whole = sum(weights)
    if any(weight < 0 for weight in weights):
        raise ValueError(f"weights must not be negative: {min(weights)}")
    if whole == 0:
        if total:
            raise ValueError(f"{total} cannot be split: all {len(weights)} weights are zero")
        return [0] * len(weights)
    if total < 0:
        return [-part for part in apportion(-total, weights)]
    shares = [divmod(total * weight, whole) for weight in weights]
    parts = [quotient for quotient, _ in shares]
    by_remainder = sorted(range(len(shares)), key=lambda index: -shares[index][1])
    for index in by_remainder[: total - sum(parts)]:
        parts[index] += 1
    return parts


def divide(numerator: int, denominator: int) -> int:
    """`numerator / denominator` rounded half up: the whole of one amount before it is apportioned."""
    return (2 * numerator + denominator) // (2 * denominator)


def prorate(amount: int, elapsed: int, length: int) -> int:
    """The part of an amount that belongs to the first `elapsed` of `length` units of time.

    `prorate(A, b, L) - prorate(A, a, L)` is the part of [a, b): such parts telescope, so the parts of any partition
    of [0, L) sum to the amount. Rounds toward zero, for a correction as for a charge.
    """
    if not 0 <= elapsed <= length or length == 0:
        raise ValueError(f"elapsed {elapsed} must lie within 0 and the length {length}")
    part = abs(amount) * elapsed // length
    return part if amount >= 0 else -part


def rescale(amounts: Sequence[int], numerator: int, denominator: int) -> list[int]:
    """Multiply amounts by a fraction so that the results sum to their sum, multiplied and rounded once.

    Largest remainder, as in `apportion`; amounts may be of both signs, as corrections are. A result that has no
    remainder is not moved.

    Args:
        amounts: the parts.
        numerator: of the factor.
        denominator: of the factor; above zero.
    """
    scaled = [divmod(amount * numerator, denominator) for amount in amounts]
    parts = [quotient for quotient, _ in scaled]
    left_over = divide(sum(amounts) * numerator, denominator) - sum(parts)
    by_remainder = sorted(range(len(scaled)), key=lambda index: -scaled[index][1])
    for index in by_remainder[:left_over]:
        parts[index] += 1
    return parts


def apportion_each(totals: Sequence[int], weights: Sequence[Sequence[int]]) -> list[list[int]]:
    """`apportion` for many totals, each by its own weights: the same parts, in one pass where 64 bits are enough.

    Raises:
        ValueError: as `apportion`.
    """
    import numpy as np  # noqa: PLC0415 -- see above

    found: list[list[int]] = [[]] * len(totals)
    narrow: list[int] = []
    for index, (total, some) in enumerate(zip(totals, weights, strict=True)):
        if some and 0 <= total < SAFE_TOTAL and 0 < sum(some) < SAFE_WHOLE and min(some) >= 0:
            narrow.append(index)
        else:
            found[index] = apportion(total, some)
    counts = np.array([len(weights[index]) for index in narrow], np.int64)
    flat = np.fromiter(chain.from_iterable(weights[index] for index in narrow), np.int64, int(counts.sum()))
    parts = _narrow(np.array([totals[index] for index in narrow], np.int64), flat, counts).tolist()
    for index, (first, last) in zip(narrow, pairwise([0, *np.cumsum(counts).tolist()]), strict=True):
        found[index] = parts[first:last]
    return found


def apportion_runs(totals: Sequence[int], weights: "Column", counts: "Column") -> list[int]:
    """The same for weights that lie in one column, one run of them after the other: the parts, run after run.

    Args:
        totals: what is split, for each run.
        weights: of all runs; those of a run sum to less than 2^63.
        counts: how many each run has, at least one.

    Raises:
        ValueError: as `apportion`.
    """
    import numpy as np  # noqa: PLC0415 -- see above

    if not len(counts):
        return []
    lasts = np.cumsum(counts)
    firsts = lasts - counts
    wholes, least = np.add.reduceat(weights, firsts), np.minimum.reduceat(weights, firsts)
    small = np.array([0 <= total < SAFE_TOTAL for total in totals], np.bool_)
    if (small & (wholes > 0) & (wholes < SAFE_WHOLE) & (least >= 0)).all():
        narrow: list[int] = _narrow(np.array(totals, np.int64), weights, counts).tolist()
        return narrow
    runs = [weights[first:last].tolist() for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True)]
    return list(chain.from_iterable(apportion_each(totals, runs)))


def _narrow(totals: "Column", weights: "Column", counts: "Column") -> "Column":
    """Largest remainder for all at once.

    The products need up to 110 bits, but only their remainders are looked at: each is less than 2^62 in size, so that
    modulo 2^64 it is exact, and it tells by how much the estimate of its quotient is off.
    """
    import numpy as np  # noqa: PLC0415 -- see above

    if not len(counts):
        return np.zeros(0, np.int64)
    firsts = np.cumsum(counts) - counts
    total, whole = (np.repeat(one, counts) for one in (totals, np.add.reduceat(weights, firsts)))
    parts: Column = np.floor(total.astype(np.float64) * weights / whole).astype(np.int64)
    remainders = total * weights - parts * whole
    off = remainders // whole
    parts += off
    remainders -= off * whole
    _hand_out(parts, remainders, firsts, counts, totals - np.add.reduceat(parts, firsts))
    return parts


def _hand_out(parts: "Column", remainders: "Column", firsts: "Column", counts: "Column", left_over: "Column") -> None:
    """Give the units that are left over to the largest remainders of each run, to the earlier one of equal ones.

    Runs of about the same length are ranked side by side, in a table with room for the longest of them: to rank all
    remainders of all runs in one column takes five times as long.
    """
    import numpy as np  # noqa: PLC0415 -- see above

    _, power = np.frexp(counts - 1)
    for one in np.unique(power[left_over > 0]).tolist():
        runs, place = np.flatnonzero((power == one) & (left_over > 0)), np.arange(1 << one)
        index = np.minimum(firsts[runs, None] + place, len(parts) - 1)
        ranks = np.argsort(np.where(place < counts[runs, None], -remainders[index], 1), axis=1, kind="stable")
        parts[np.take_along_axis(index, ranks, axis=1)[place < left_over[runs, None]]] += 1
