"""The one place where amounts are rounded."""

from collections.abc import Iterator, Sequence
from itertools import chain

_SAFE_TOTAL, _SAFE_WHOLE = 1 << 50, 1 << 60
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
    found: list[list[int]] = [[]] * len(totals)
    narrow: list[int] = []
    for index, (total, some) in enumerate(zip(totals, weights, strict=True)):
        if some and 0 <= total < _SAFE_TOTAL and 0 < sum(some) < _SAFE_WHOLE and min(some) >= 0:
            narrow.append(index)
        else:
            found[index] = apportion(total, some)
    for index, parts in zip(narrow, _narrow([totals[i] for i in narrow], [weights[i] for i in narrow]), strict=True):
        found[index] = parts
    return found


def _narrow(totals: Sequence[int], weights: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Largest remainder for all at once.

    The products need up to 110 bits, but only their remainders are looked at: each is less than 2^62 in size, so that
    modulo 2^64 it is exact, and it tells by how much the estimate of its quotient is off.
    """
    import numpy as np  # noqa: PLC0415 -- the command line splits single amounts without it, and it takes long to import

    counts = np.array([len(some) for some in weights], np.int64)
    if not len(counts):
        return
    flat = np.fromiter(chain.from_iterable(weights), np.int64, int(counts.sum()))
    lasts = np.cumsum(counts)
    firsts = lasts - counts
    owner = np.repeat(np.arange(len(counts)), counts)
    wholes = np.add.reduceat(flat, firsts)[owner]
    total = np.array(totals, np.int64)
    parts = np.floor(total[owner].astype(np.float64) * flat / wholes).astype(np.int64)
    remainders = total[owner] * flat - parts * wholes
    off = remainders // wholes
    parts += off
    remainders -= off * wholes
    left_over = total - np.add.reduceat(parts, firsts)
    ranked = np.lexsort((-remainders, owner))
    rank = np.arange(len(flat)) - firsts[owner]
    parts[ranked[rank < left_over[owner]]] += 1
    listed = parts.tolist()
    yield from (listed[first:last] for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True))
