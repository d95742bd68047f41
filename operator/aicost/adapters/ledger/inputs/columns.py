"""Columns of samples as bytes that compress well, and back, exactly.

Times come in equal steps and values in multiples of a unit, so what is written is: the first number, the greatest
common divisor of the steps between two numbers, and the steps in that unit, in as few bytes as the largest one needs,
the lowest bytes of all steps first. Half of what is left of plain differences goes so.
"""

import struct
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray

_HEAD = struct.Struct("<qqB")
_CODES = {1: "b", 2: "h", 4: "i", 8: "q"}
_WIDTHS = tuple(_CODES)
_FEW = 64
_WRAPS = 1 << 62


def packed(column: NDArray[Any]) -> bytes:
    """A column of 64-bit integers as bytes."""
    return _packed(column.astype("<i8", copy=False).tobytes())


@lru_cache(maxsize=1_024)
def _packed(column: bytes) -> bytes:
    """Remembered: the series of one exporter have the same times, and so have the pieces of use of all pods."""
    if not column:
        return b""
    few = _packed_few(struct.unpack(f"<{len(column) // 8}q", column)) if len(column) <= 8 * _FEW else None
    return _packed_many(np.frombuffer(column, "<i8")) if few is None else few


def _packed_few(whole: Sequence[int]) -> bytes | None:
    """The same without NumPy, whose calls cost more than a few numbers do; None where a step wraps around."""
    steps = [after - before for before, after in pairwise(whole)]
    if steps and not -_WRAPS < min(steps) <= max(steps) < _WRAPS:
        return None
    unit = gcd(*steps)
    if unit > 1:
        steps = [step // unit for step in steps]
    width = _width(min(steps, default=0), max(steps, default=0))
    data = struct.pack(f"<{len(steps)}{_CODES[width]}", *steps)
    planes = data if width == 1 else b"".join(data[place::width] for place in range(width))
    return _HEAD.pack(whole[0], unit, width) + planes


def _packed_many(whole: NDArray[np.int64]) -> bytes:
    steps = whole[1:] - whole[:-1]  # wraps around where it must, as the sum does on the way back
    unit = int(np.gcd.reduce(steps)) if len(steps) else 0
    if unit > 1:
        steps = steps // unit
    width = _width(int(np.minimum.reduce(steps, initial=0)), int(np.maximum.reduce(steps, initial=0)))
    planes = steps.astype(f"<i{width}").view(np.uint8).reshape(-1, width).T
    return _HEAD.pack(int(whole[0]), unit, width) + planes.tobytes()


def unpacked(data: bytes | memoryview) -> NDArray[np.int64]:
    """The column in bytes.

    Raises:
        ValueError: the bytes are no column.
    """
    view = memoryview(data)
    if not view.nbytes:
        return np.zeros(0, np.int64)
    try:
        first, unit, width = _HEAD.unpack_from(view)
        planes = np.frombuffer(view[_HEAD.size :], np.uint8).reshape(width, -1)
    except struct.error as problem:
        raise ValueError(str(problem)) from problem
    steps = np.ascontiguousarray(planes.T).view(f"<i{width}").ravel().astype(np.int64)
    if unit > 1:
        steps *= unit
    return np.cumsum(np.concatenate(([first], steps)), dtype=np.int64)


def _width(least: int, largest: int) -> int:
    """Bytes that the steps need."""
    return next(width for width in _WIDTHS if -(1 << (8 * width - 1)) <= least and largest < 1 << (8 * width - 1))
