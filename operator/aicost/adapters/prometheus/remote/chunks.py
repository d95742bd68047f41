"""Samples out of the chunks in which a Prometheus keeps them, many chunks at once.

A chunk is a string of bits. A time is written as how much its distance to the one before differs from the last
distance, a value as the bits in which it differs from the one before; what stays the same takes one bit. So a sample
can only be found behind the one before it. But the tenth sample of a thousand chunks can be read at once, each at its
own place: one column of places, times and values walks through all of them.

| What | Bits | Then |
|---|---|---|
| the distance stays | `0` | |
| it changes by | `10`, `110`, `1110`, `1111` | a number of 14, 17, 20, 64 bits |
| the value stays | `0` | |
| it differs within the bits of before | `10` | these bits |
| it differs elsewhere | `11` | 5 bits: zeros before; 6 bits: how many, 0 for 64; these bits |

The first sample is a number of seven bits to the byte, zigzag, and the 64 bits of its value; the distance to the second
is such a number too. Two bytes before all of that tell how many samples there are.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from aicost.adapters.prometheus.remote.bits import Bits, Strings
from aicost.domain.sampling.series import Millis, Values

_HEAD_BYTES = 2
_FEWEST_BITS = 2
"""Of a sample: nothing changed."""
_ONE, _TOP, _WIDE = np.uint64(1), np.uint64(63), np.uint64(64)
_SIGNS = np.array([1] * 4 + [2] * 2 + [3] * 2, np.uint64)
"""Three bits behind a first 1 -> how many of them say how long the change of a distance is."""
_SIZES = np.array([14] * 4 + [17] * 2 + [20, 64], np.uint64)
_LARGEST = np.array([1 << 13] * 4 + [1 << 16] * 2 + [1 << 19, np.iinfo(np.int64).max], np.int64)
"""The largest change of that size: what is above it, is below zero."""
_WRAP = np.array([1 << 14] * 4 + [1 << 17] * 2 + [1 << 20, 0], np.int64)
_CONTROL = np.array([1, 1, 2, 13], np.uint64)
"""Two bits -> how many bits stand before those of the value."""
_ELSEWHERE = 3


def unpacked(chunks: Sequence[bytes]) -> tuple[Millis, Values, NDArray[np.int64]]:
    """Times and values of all chunks in turn, and how many samples each has.

    Raises:
        ValueError: these are no such chunks.
    """
    strings = Strings(chunks)
    if (strings.ends - strings.starts < _HEAD_BYTES).any():
        raise ValueError("a chunk without its head")
    counts = strings.bytes[strings.starts].astype(np.int64) << 8 | strings.bytes[strings.starts + 1]
    if (counts * _FEWEST_BITS > (strings.ends - strings.starts) * 8).any():
        raise ValueError("a chunk that is too short for its samples")
    at_ms, value = np.zeros(counts.sum(), np.int64), np.zeros(counts.sum(), np.uint64)
    longest = np.argsort(-counts, kind="stable")  # so those that have a sample more come first, always
    to = (np.cumsum(counts) - counts)[longest]
    reader = _Reader(strings, longest[: np.count_nonzero(counts)])
    for number, many in enumerate(_longer(counts)):
        reader.read(number, many)
        here = to[:many] + number
        at_ms[here], value[here] = reader.time, reader.value
    reader.check()
    return at_ms, value.view(np.float64), counts


def _longer(counts: NDArray[np.int64]) -> list[int]:
    """How many chunks have more than no sample, more than one, and so on, as long as there are any."""
    ending = np.bincount(counts)
    many: list[int] = (len(counts) - np.cumsum(ending))[:-1].tolist()
    return many


class _Reader:
    """Where the reading of each chunk stands, and its last sample."""

    def __init__(self, strings: Strings, chunks: NDArray[np.intp]) -> None:
        self._strings, self._ends = strings, strings.ends[chunks].astype(np.uint64) << np.uint64(3)
        self._place = (strings.starts[chunks] + _HEAD_BYTES).astype(np.uint64) << np.uint64(3)
        self.time, self._distance = np.zeros(len(chunks), np.int64), np.zeros(len(chunks), np.int64)
        self.value, self._zeros = np.zeros(len(chunks), np.uint64), np.zeros(len(chunks), np.uint64)
        self._size = np.full(len(chunks), _WIDE)

    def read(self, number: int, many: int) -> None:
        """Read the next sample of the first `many` chunks; the others have no more."""
        if many < len(self._place):
            self.check()
            for name, column in vars(self).items():
                if isinstance(column, np.ndarray):
                    setattr(self, name, column[:many])
        if number == 0:
            self._first()
        else:
            head = self._second_time() if number == 1 else self._next_time()
            self.time = self.time + self._distance
            self._next_value(head)

    def check(self) -> None:
        """Refuse what told of more samples than it held."""
        if (self._place > self._ends).any():
            raise ValueError("a chunk that ends within a sample")

    def _first(self) -> None:
        zigzag, self._place = self._strings.number(self._place)
        self.time = (zigzag >> _ONE).astype(np.int64) ^ -(zigzag & _ONE).astype(np.int64)
        self.value, self._place = self._strings.word(self._place), self._place + _WIDE

    def _second_time(self) -> Bits:
        distance, self._place = self._strings.number(self._place)
        self._distance = distance.astype(np.int64)
        return self._strings.word(self._place)

    def _next_time(self) -> Bits:
        """Read how the distance changed; gives the bits behind it."""
        head = self._strings.word(self._place)
        changed = np.flatnonzero(head >> _TOP)
        head <<= _ONE
        self._place = self._place + _ONE
        if len(changed):
            self._change(head, changed)
        return head

    def _change(self, head: Bits, rows: NDArray[np.intp]) -> None:
        """Read by how much the distance changed in some of the chunks, of which the first bit is read."""
        bits = head[rows]
        kind = (bits >> np.uint64(61)).astype(np.intp)
        sign, size = _SIGNS.take(kind), _SIZES.take(kind)
        change = ((bits << sign) >> (_WIDE - size)).astype(np.int64)
        change -= _WRAP.take(kind) * (change > _LARGEST.take(kind))
        place = self._place[rows] + sign + size
        bits = bits << (sign + size)
        anything = np.flatnonzero(size == _WIDE)
        if len(anything):
            behind = place[anything]
            change[anything] = self._strings.word(behind - _WIDE).astype(np.int64)
            bits[anything] = self._strings.word(behind)
        head[rows], self._place[rows] = bits, place
        self._distance = self._distance.copy()
        self._distance[rows] += change

    def _next_value(self, head: Bits) -> None:
        kind = (head >> np.uint64(62)).astype(np.intp)
        elsewhere = kind == _ELSEWHERE
        if elsewhere.any():
            size = (head >> np.uint64(51)) & np.uint64(63)
            self._zeros = np.where(elsewhere, (head >> np.uint64(57)) & np.uint64(31), self._zeros)
            self._size = np.where(elsewhere, np.where(size == 0, _WIDE, size), self._size)
            if (self._zeros + self._size > _WIDE).any():
                raise ValueError("a value of more than 64 bits")
        self._place = self._place + _CONTROL.take(kind)
        size = self._size * (kind > 1)
        bits = self._strings.word(self._place) >> (_WIDE - size)
        self.value = self.value ^ (bits << (_WIDE - self._zeros - self._size))
        self._place = self._place + size
