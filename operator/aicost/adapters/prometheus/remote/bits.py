"""Bits out of many strings of bytes at once, each at a place of its own."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.uint64]
_THREE, _SEVEN, _EIGHT = np.uint64(3), np.uint64(7), np.uint64(8)
_WORD = 8
_LONGEST = 10
"""Bytes of a number of 64 bits, seven in each."""


class Strings:
    """Strings of bytes, one behind the other. Places are counted in bits from the first one on.

    Who reads beyond the end of a string reads of the next one, or the last word again: never outside. So it is enough
    to look at where the reading ended.
    """

    def __init__(self, strings: Sequence[bytes]) -> None:
        joined = b"".join(strings) + bytes(2 * _WORD)
        lengths = np.fromiter(map(len, strings), np.int64, len(strings))
        self.bytes = np.frombuffer(joined, np.uint8)
        self.ends = np.cumsum(lengths)
        self.starts = self.ends - lengths
        self._words = np.ndarray((len(joined) - _WORD,), ">u8", joined, strides=(1,))

    def head(self, place: Bits) -> Bits:
        """At least 57 bits at each place, from the highest bit on."""
        return self._word((place >> _THREE).astype(np.intp)) << (place & _SEVEN)

    def word(self, place: Bits) -> Bits:
        """The 64 bits at each place."""
        byte, within = (place >> _THREE).astype(np.intp), place & _SEVEN
        after: Bits = self.bytes.take(byte + _WORD, mode="clip").astype(np.uint64)
        found: Bits = self._word(byte) << within
        found |= after >> (_EIGHT - within)
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

    def _word(self, byte: NDArray[np.intp]) -> Bits:
        return self._words[np.minimum(byte, len(self._words) - 1)].astype(np.uint64)
