"""Bits out of many strings of bytes at once, each at a place of its own."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.uint64]
_THREE, _SIX, _WITHIN, _WORD = np.uint64(3), np.uint64(6), np.uint64(63), np.uint64(64)
_PADDING = 16
_LONGEST = 10
"""Bytes of a number of 64 bits, seven in each."""


class Strings:
    """Strings of bytes, one behind the other. Places are counted in bits from the first one on.

    Who reads beyond the end of a string reads of the next one, or the last word again: never outside. So it is enough
    to look at where the reading ended.
    """

    def __init__(self, strings: Sequence[bytes]) -> None:
        joined = b"".join(strings)
        joined += bytes(_PADDING - len(joined) % 8)
        lengths = np.fromiter(map(len, strings), np.int64, len(strings))
        self.bytes = np.frombuffer(joined, np.uint8)
        self.ends = np.cumsum(lengths)
        self.starts = self.ends - lengths
        self._words = np.frombuffer(joined, ">u8").astype(np.uint64)

    def word(self, place: Bits) -> Bits:
        """The 64 bits at each place."""
        index, within = (place >> _SIX).astype(np.intp), place & _WITHIN
        found: Bits = self._words.take(index, mode="clip") << within
        index += 1
        found |= self._words.take(index, mode="clip") >> (_WORD - within)
        return found

    def number(self, place: Bits) -> tuple[Bits, Bits]:
        """The number of seven bits to the byte at each place, all of them at whole bytes, and the places behind it.

        Raises:
            ValueError: one is longer than a number can be.
        """
        byte, going = (place >> _THREE).astype(np.intp), np.ones(len(place), np.bool_)
        found = np.zeros(len(place), np.uint64)
        for shift in range(0, 7 * _LONGEST, 7):
            one = self.bytes.take(byte, mode="clip")
            found[going] |= (one[going] & 0x7F).astype(np.uint64) << np.uint64(shift)
            byte += going
            going &= one > 0x7F
            if not going.any():
                return found, byte.astype(np.uint64) << _THREE
        raise ValueError("a number of more than 64 bits")
