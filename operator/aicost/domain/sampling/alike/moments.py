"""Columns of times: looked at once and kept once for all series that were read at the same moments."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from aicost.domain.sampling.series import Millis

_TAIL = 16
"""Bytes of two times."""


class Moments(NamedTuple):
    """Times of a series.

    Attributes:
        rising: each is later than the one before it.
        newest_ms: the latest.
    """

    at_ms: Millis
    rising: bool
    newest_ms: int


class KnownMoments:
    """The times of some series, which outlive this. Many share an array, more have equal ones."""

    def __init__(self) -> None:
        self._by_array: dict[int, Moments] = {}
        self._by_tail: dict[bytes, tuple[bytes, Moments]] = {}

    def of_each(self, columns: Sequence[Millis]) -> Sequence[Moments]:
        """What there is to know of some columns of times, of which each has at least one. Mostly they are all equal."""
        first = columns[0]
        if len(set(map(id, columns))) == 1 or _are_equal(columns):
            return [self._of(first)] * len(columns)
        return [self._of(at_ms) for at_ms in columns]

    def _of(self, at_ms: Millis) -> Moments:
        found = self._by_array.get(id(at_ms))
        if found is None:
            found = self._by_array[id(at_ms)] = self._equal(at_ms)
        return found

    def _equal(self, at_ms: Millis) -> Moments:
        """The same times if they are known: nearly all that end alike are equal, and a whole column is slow to hash."""
        content = at_ms.tobytes()
        tail = content[-_TAIL:]
        known, found = self._by_tail.get(tail, (b"", None))
        if found is None or known != content:
            rising = bool((at_ms[1:] > at_ms[:-1]).all())
            found = Moments(at_ms, rising, int(at_ms[-1] if rising else at_ms.max()))
            self._by_tail[tail] = content, found
        return found


def _are_equal(columns: Sequence[Millis]) -> bool:
    """Whether all columns hold the same times: of equal lengths, they are looked at as one table."""
    if len(set(map(len, columns))) > 1:
        return False
    table = np.concatenate(columns).reshape(len(columns), -1)
    return bool((table == table[0]).all())
