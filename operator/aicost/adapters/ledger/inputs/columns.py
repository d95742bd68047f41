"""Columns of samples as bytes that compress well, and back, exactly.

Times come in equal steps and values in multiples of a unit, so what is written is: the first number, the greatest
common divisor of the steps between two numbers, and the steps in that unit, in as few bytes as the largest one needs,
the lowest bytes of all steps first. Half of what is left of plain differences goes so.
"""

import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
_AT_ONCE = 1 << 17
"""Numbers of which so many columns are packed at once: what is worked out of them fits into a cache."""
_WRAPS = 1 << 62
_INTEGERS = np.dtype("<i8")


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


def packed_together(columns: Iterable[NDArray[Any]]) -> Mapping[int, bytes]:
    """Many columns as `packed` writes them, by the identity of each; without those that are empty or no integers."""
    alike: dict[int, dict[int, NDArray[Any]]] = defaultdict(dict)
    for column in columns:
        if column.dtype is _INTEGERS:
            alike[len(column)][id(column)] = column
    alike.pop(0, None)
    found: dict[int, bytes] = {}
    for length, some in alike.items():
        names, every, most = list(some), list(some.values()), max(1, _AT_ONCE // length)
        for start in range(0, len(every), most):
            rows = np.concatenate(every[start : start + most]).reshape(-1, length)
            found.update(zip(names[start : start + most], _packed_rows(rows), strict=True))
    return found


def _packed_rows(rows: NDArray[np.int64]) -> Iterator[bytes]:
    """Each row as `_packed_many` writes it. What repeats the row before is packed with it: devices share times."""
    fresh = np.append(True, (rows[1:] != rows[:-1]).any(axis=1))
    rows = rows[fresh]
    steps = rows[:, 1:] - rows[:, :-1]
    unit = np.gcd.reduce(steps, axis=1)
    steps //= np.maximum(unit, 1)[:, None]
    least = np.minimum.reduce(steps, axis=1, initial=0)
    largest = np.maximum.reduce(steps, axis=1, initial=0)
    width = np.full(len(rows), _WIDTHS[-1])
    for less in _WIDTHS[-2::-1]:
        width[(least >= -(1 << (8 * less - 1))) & (largest < 1 << (8 * less - 1))] = less
    data: dict[int, bytes] = {}
    for one in np.unique(width).tolist():
        chosen = np.flatnonzero(width == one)
        data.update(zip(chosen.tolist(), _written(rows[chosen, 0], unit[chosen], steps[chosen], one), strict=True))
    return map(data.__getitem__, (np.cumsum(fresh) - 1).tolist())


def _written(
    first: NDArray[np.int64], unit: NDArray[np.int64], steps: NDArray[np.int64], width: int
) -> Iterator[bytes]:
    """Columns whose steps need the same number of bytes."""
    many, length = steps.shape
    lines = np.empty((many, _HEAD.size + width * length), np.uint8)
    heads = np.rec.fromarrays((first, unit, np.full(many, width)), "<i8,<i8,u1")
    lines[:, : _HEAD.size] = heads.view(np.uint8).reshape(many, -1)
    planes = steps.astype(f"<i{width}").view(np.uint8).reshape(many, length, width).transpose(0, 2, 1)
    lines[:, _HEAD.size :] = planes.reshape(many, width * length)
    return map(bytes, lines)


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
