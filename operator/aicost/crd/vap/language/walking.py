"""Walks through objects of any shape, and through lists in lists: CEL cannot flatten them, but nest questions."""

from collections.abc import Callable

from aicost.crd.vap.language.cel import MANY, found

_WHOLE = "type(n) == string && n.matches('^[0-9]{1,10}$')"
_COUNT = "type(n) == double && n >= 0.0 && n < 4294967296.0"


def anywhere(root: str, pointer: str, holds: Callable[[str], str], depth: int = 0) -> str:
    """True where something holds for any of what stands at a pointer.

    Args:
        root: expression of the object.
        pointer: as in `found`, with any number of `*`.
        holds: what has to hold for the expression that it is given.
        depth: how many lists the walk is inside of already.
    """
    name = f"p{depth}"
    prefix, many, rest = pointer.partition(f"/{MANY}")
    inner = anywhere(name, rest, holds, depth + 1) if rest else holds(name)
    return f"{found(root, f'{prefix}{many}')}.exists({name}, {inner})"


def numbers(listed: str) -> str:
    """The whole numbers of a list, also those that are written as texts."""
    return f"({listed}).filter(n, type(n) == int || ({_COUNT}) || ({_WHOLE})).map(n, int(n))"
