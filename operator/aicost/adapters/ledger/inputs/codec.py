"""Inputs and rows as bytes and back, exactly: MessagePack by the types of the domain, arrays of samples as integers.

A field that a newer aicost wrote would be skipped in silence, and the figures would differ without a reason. So what
was written says which fields its types had, and a reader that does not know one of them says so.
"""

import dataclasses
import typing
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any, TypeVar, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from aicost.adapters.ledger.inputs.columns import packed, packed_together, unpacked
from aicost.adapters.ledger.inputs.shaping import shaped
from aicost.domain.attribution.window import WindowInput
from aicost.domain.ledger.rows import Row
from aicost.ports.errors import InputsDamaged

T = TypeVar("T")
Fields = Mapping[str, tuple[str, ...]]
"""Name of a type -> names of its fields."""

_WHOLE = 1
"""Code of an array of 64-bit integers; see `aicost.adapters.ledger.inputs.columns`."""
_FLOATS = 2
"""Code of an array of 64-bit floats."""
_FRACTION = 3
"""Code of an exact fraction, written as `7/3`."""


def encode(value: object) -> bytes:
    """A value of the domain as bytes.

    Raises:
        OverflowError: an integer needs more than 64 bits.
    """
    try:
        return _ENCODER.encode(value)
    except UnicodeEncodeError:
        return _ENCODER.encode(_clean(msgspec.to_builtins(value, builtin_types=(msgspec.msgpack.Ext,), enc_hook=_pack)))


def decode(body: bytes, kind: type[T]) -> T:
    """A value from bytes.

    Raises:
        ValueError: the bytes are no such value.
    """
    decoder = _decoder(cast("Any", kind))
    if decoder is not None:
        return cast("T", decoder.decode(body))
    try:
        return cast("T", shaped(_PLAIN.decode(body), kind))
    except TypeError as problem:  # a field is missing
        raise ValueError(str(problem)) from problem


@lru_cache(maxsize=64)
def _decoder(kind: Any) -> msgspec.msgpack.Decoder[Any] | None:
    """MessagePack's own decoder, which is fast; None where it refuses the type."""
    try:
        return msgspec.msgpack.Decoder(kind, dec_hook=_as_it_is, ext_hook=_unpack)
    except TypeError:
        return None


def decode_rows(body: bytes) -> tuple[tuple[Row, ...], ...]:
    """Rows of several statements from bytes."""
    return msgspec.msgpack.Decoder(tuple[tuple[Row, ...], ...]).decode(body)


def _pack(value: object) -> msgspec.msgpack.Ext:
    if isinstance(value, np.ndarray):
        if value.dtype.kind == "f":
            return msgspec.msgpack.Ext(_FLOATS, value.astype("<f8", copy=False).tobytes())
        return msgspec.msgpack.Ext(_WHOLE, packed(value))
    if isinstance(value, Fraction):
        return msgspec.msgpack.Ext(_FRACTION, str(value).encode())
    raise NotImplementedError(f"{type(value).__name__} has no place among stored inputs")


_ENCODER = msgspec.msgpack.Encoder(enc_hook=_pack)


class Packing:
    """Encodes values whose columns are packed together beforehand. The bytes are those of `encode`.

    Args:
        columns: what is missing among them is packed alone.
    """

    def __init__(self, columns: Sequence[NDArray[Any]]) -> None:
        self._columns = columns  # held, so that no other object gets the identity of one
        known = packed_together(columns)

        def pack(value: object) -> msgspec.msgpack.Ext:
            found = known.get(id(value))
            return _pack(value) if found is None else msgspec.msgpack.Ext(_WHOLE, found)

        self._encoder = msgspec.msgpack.Encoder(enc_hook=pack)

    def encode(self, value: object) -> bytes:
        """A value as bytes; errors as of the function."""
        try:
            return self._encoder.encode(value)
        except UnicodeEncodeError:
            return encode(value)


def _unpack(code: int, data: memoryview) -> Any:
    if code == _WHOLE:
        return unpacked(data)
    if code == _FLOATS:
        return np.frombuffer(data, "<f8").astype(np.float64, copy=False)
    if code == _FRACTION:
        return Fraction(bytes(data).decode())
    raise ValueError(f"values of kind {code} are not known")


_PLAIN = msgspec.msgpack.Decoder(ext_hook=_unpack)


def _as_it_is(kind: type, value: object) -> object:
    if not isinstance(value, np.ndarray | Fraction):
        raise NotImplementedError(f"{kind} is not known")
    return value


def clean_text(text: str) -> str:
    """Text as UTF-8 can hold it, as in the rows of the ledger: half a surrogate pair is written out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return {_clean(key): _clean(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_clean(one) for one in value)
    return value


def known_fields() -> Fields:
    """The fields of all types that inputs are made of."""
    found: dict[str, tuple[str, ...]] = {}
    waiting: list[Any] = [WindowInput]
    while waiting:
        kind = waiting.pop()
        if dataclasses.is_dataclass(kind) and isinstance(kind, type):
            if kind.__name__ not in found:
                found[kind.__name__] = tuple(one.name for one in dataclasses.fields(kind))
                waiting += typing.get_type_hints(kind).values()
        else:
            waiting += typing.get_args(kind)
    return dict(sorted(found.items()))


def check_fields(written: Fields, software: str) -> None:
    """Refuse what this aicost would read only in part.

    Raises:
        InputsDamaged: a newer aicost wrote it.
    """
    unknown = list(_unknown(written))
    if unknown:
        raise InputsDamaged(
            f"inputs kept by aicost {software} hold {', '.join(unknown[:3])}, which this aicost does not know. "
            "To fix: explain with the version of aicost that kept them, or a newer one"
        )


def _unknown(written: Fields) -> Iterator[str]:
    known = _KNOWN
    for kind, names in written.items():
        yield from (f"{kind}.{name}" for name in names if name not in known.get(kind, ()))


_KNOWN = known_fields()
