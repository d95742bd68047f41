"""Reads objects that others wrote: whatever is not what it should be says nothing, and nothing raises."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

Json = Mapping[str, Any]
Pointer = tuple[str, ...]

EACH = "*"
"""In a pointer: each item of a list, or each value of a map."""
MOST = 2**31 - 1
"""Largest number that Kubernetes takes for a count, and what some write for `no limit`."""
_DIGITS = 10


def mapping(value: Any) -> Json:
    """The value where it is a map, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def items(value: Any) -> Sequence[Any]:
    """The value where it is a list, else an empty one."""
    return value if isinstance(value, list | tuple) else ()


def text(value: Any) -> str:
    """The value where it is a text, else an empty one."""
    return value if isinstance(value, str) else ""


def texts(value: Any) -> dict[str, str]:
    """The entries of a map whose key and value are texts: labels, annotations, node selectors."""
    return {
        key: entry for key, entry in mapping(value).items() if isinstance(key, str) and isinstance(entry, str) and key
    }


def whole(value: Any) -> int | None:
    """A whole number from 0 to `MOST`, also one written as a text; None for everything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and len(value) <= _DIGITS and value.isascii() and value.isdigit():
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and 0 <= value <= MOST else None


@lru_cache(maxsize=4096)
def pointer(written: str) -> Pointer:
    """The tokens of a pointer of our own such as `/spec/tasks/*/template`; empty for the whole object."""
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in written.split("/")[1:])


def written(tokens: Pointer) -> str:
    """The JSON pointer of tokens, with the escapes of RFC 6901."""
    return "".join(f"/{token.replace('~', '~0').replace('/', '~1')}" for token in tokens)


def at(value: Any, tokens: Pointer) -> Any:
    """What a pointer without `*` leads to, None where it leads nowhere."""
    for token in tokens:
        value = _step(value, token)
        if value is None:
            return None
    return value


def found(value: Any, tokens: Pointer) -> Iterator[tuple[Pointer, Any]]:
    """Each place that a pointer leads to, with its tokens and what is there, in order."""
    if EACH not in tokens:
        there = at(value, tokens)
        if there is not None:
            yield tokens, there
        return
    cut = tokens.index(EACH)
    start, rest = tokens[:cut], tokens[cut + 1 :]
    for key, entry in _entries(at(value, start)):
        for place, there in found(entry, rest):
            yield (*start, key, *place), there


def bound(tokens: Pointer, place: Pointer, model: Pointer) -> Pointer:
    """A pointer with its `*` replaced by what the `*` of a model pointer stood for at a place, in order."""
    stood_for = iter([there for there, wanted in zip(place, model, strict=False) if wanted == EACH])
    return tuple(next(stood_for, token) if token == EACH else token for token in tokens)


def _step(value: Any, token: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(token)
    if isinstance(value, list | tuple) and token.isascii() and token.isdigit() and len(token) <= _DIGITS:
        place = int(token)
        return value[place] if place < len(value) else None
    return None


def _entries(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        yield from ((key, entry) for key, entry in value.items() if isinstance(key, str))
    elif isinstance(value, list | tuple):
        yield from ((str(place), entry) for place, entry in enumerate(value))
