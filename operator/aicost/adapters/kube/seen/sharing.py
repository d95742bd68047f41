"""One object for what many objects of a cluster say alike: ten thousand pods have few nodes, images and labels.

The latest few thousand values are remembered. One that comes back later is a second object, which costs memory and
nothing else. What is shared is never changed.
"""

from collections.abc import Hashable, Mapping
from functools import lru_cache
from typing import TypeVar, cast

H = TypeVar("H", bound=Hashable)
V = TypeVar("V", str, int)

_REMEMBERED = 4_096


def shared(value: H) -> H:
    """The first value that was equal to this one."""
    return cast("H", _first(value))


def shared_mapping(mapping: Mapping[str, V] | None) -> Mapping[str, V]:
    """The first mapping that said the same in the same order; an empty one for None."""
    items = tuple((shared(key), shared(value)) for key, value in mapping.items()) if mapping else ()
    return cast("Mapping[str, V]", _first_mapping(items))


@lru_cache(_REMEMBERED, typed=True)
def _first(value: Hashable) -> Hashable:
    return value


@lru_cache(_REMEMBERED)
def _first_mapping(items: tuple[tuple[str, str | int], ...]) -> Mapping[str, str | int]:
    return dict(items)
