"""Samples as bytes and back: numbers side by side in a fixed order of bytes, so that reading is one copy."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

_VALUE = np.dtype("<f8")
_ID = np.dtype("<i4")


def pack_values(values: Iterable[float]) -> bytes:
    """Values of one scrape, eight bytes each."""
    return np.fromiter(values, dtype=_VALUE).tobytes()


def pack_ids(ids: Sequence[int]) -> bytes:
    """Series ids, four bytes each."""
    return np.array(ids, dtype=_ID).tobytes()


def unpack_ids(body: bytes) -> tuple[int, ...]:
    """Series ids of a shape.

    Raises:
        ValueError: the bytes are cut off.
    """
    return tuple(np.frombuffer(body, dtype=_ID).tolist())


def columns(bodies: Sequence[bytes], width: int) -> NDArray[np.float64]:
    """Scrapes of equal width as one row per series, each row a contiguous column of samples.

    Raises:
        ValueError: a scrape has another width.
    """
    if any(len(body) != width * _VALUE.itemsize for body in bodies):
        raise ValueError(f"a scrape does not hold {width} values")
    flat = np.frombuffer(b"".join(bodies), dtype=_VALUE).astype(np.float64, copy=False)
    return np.ascontiguousarray(flat.reshape(len(bodies), width).T)
