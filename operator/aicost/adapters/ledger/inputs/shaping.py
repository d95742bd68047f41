"""Plain values into the types of the domain, by their type hints: for types that MessagePack's own decoder refuses."""

import dataclasses
import enum
import types
import typing
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np


def shaped(value: Any, kind: Any) -> Any:
    """A value as its type says.

    Raises:
        ValueError: it is no such value.
    """
    origin = typing.get_origin(kind)
    alias = getattr(origin or kind, "__value__", None)  # NumPy's NDArray is a `type` alias since Python 3.12
    if alias is not None:
        return shaped(value, alias)
    if origin in {typing.Union, types.UnionType}:
        return _one_of(value, typing.get_args(kind))
    if origin is not None:
        return _collection(value, origin, typing.get_args(kind))
    if dataclasses.is_dataclass(kind):
        return _record(value, kind)
    return value if kind is Any else _scalar(value, kind)


def _scalar(value: Any, kind: type) -> Any:
    if issubclass(kind, enum.Enum):
        return kind(value)
    if kind is float and type(value) is int:
        return float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ValueError(f"{value!r} is no {kind.__name__}")
    return value


def _one_of(value: Any, kinds: Sequence[Any]) -> Any:
    """The value as the first of several types that it fits."""
    for kind in kinds:
        try:
            return shaped(value, kind)
        except (ValueError, TypeError):
            continue
    raise ValueError(f"{value!r} is none of {kinds}")


def _collection(value: Any, origin: Any, kinds: Sequence[Any]) -> Any:
    if origin is np.ndarray:
        return _of(value, np.ndarray)
    if issubclass(origin, Mapping):
        return {shaped(key, kinds[0]): shaped(one, kinds[1]) for key, one in _of(value, Mapping).items()}
    items = _of(value, Sequence)
    if origin is tuple and kinds[-1:] != (Ellipsis,):
        return tuple(shaped(one, kind) for one, kind in zip(items, kinds, strict=True))
    made = tuple(shaped(one, kinds[0]) for one in items)
    return frozenset(made) if issubclass(origin, frozenset) else made


def _record(value: Any, kind: Any) -> Any:
    hints = _hints(kind)
    return kind(**{name: shaped(one, hints[name]) for name, one in _of(value, Mapping).items() if name in hints})


@lru_cache(maxsize=256)
def _hints(kind: Any) -> Mapping[str, Any]:
    return typing.get_type_hints(kind)


def _of(value: Any, kind: Any) -> Any:
    fits = isinstance(value, kind) and not isinstance(value, str | bytes)
    if not fits:
        raise ValueError(f"{value!r} is no {kind.__name__}")
    return value
