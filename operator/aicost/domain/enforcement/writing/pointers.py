"""Places in an object: JSON pointers whose steps into lists name an item by what it says, not by where it stands."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aicost.domain.enforcement.values import ABSENT, Absent, Json

_ITEM = re.compile(r"\[([A-Za-z][A-Za-z0-9]*)=(.*)\]", re.DOTALL)
Step = str | tuple[str, str]
"""A field, or (key, value) of an item of a list."""


def escaped(name: str) -> str:
    """A field's name as a step of a pointer."""
    return name.replace("~", "~0").replace("/", "~1")


def item(key: str, value: str) -> str:
    """A step to the item of a list that has this value."""
    return f"[{key}={escaped(value)}]"


def annotation(name: str) -> str:
    """Pointer to an annotation."""
    return f"/metadata/annotations/{escaped(name)}"


def label(name: str) -> str:
    """Pointer to a label."""
    return f"/metadata/labels/{escaped(name)}"


def parse(pointer: str) -> tuple[Step, ...]:
    """The steps of a pointer.

    Raises:
        ValueError: it does not begin with a slash.
    """
    if not pointer.startswith("/"):
        raise ValueError(f"pointer {pointer!r} must begin with /")
    return tuple(_step(part) for part in pointer.split("/")[1:])


def _step(part: str) -> Step:
    found = _ITEM.fullmatch(part)
    return (found[1], _plain(found[2])) if found else _plain(part)


def _plain(part: str) -> str:
    return part.replace("~1", "/").replace("~0", "~")


def read(obj: Json, pointer: str) -> Any:
    """What stands at a pointer, `ABSENT` where nothing does."""
    here: Any = obj
    for step in parse(pointer):
        here = _into(here, step)
        if here is ABSENT:
            return ABSENT
    return here


def _into(value: Any, step: Step) -> Any:
    if isinstance(step, tuple):
        index = _index(value, step)
        return ABSENT if index is None else value[index]
    return value.get(step, ABSENT) if isinstance(value, Mapping) else ABSENT


def _index(value: Any, step: tuple[str, str]) -> int | None:
    """Where the first item with this value stands."""
    items = value if isinstance(value, Sequence) and not isinstance(value, str) else ()
    key, wanted = step
    return next((at for at, one in enumerate(items) if isinstance(one, Mapping) and one.get(key) == wanted), None)


def parents(pointer: str) -> Iterator[str]:
    """Pointers above a pointer, the innermost first, without the whole object."""
    parts = pointer.split("/")
    for length in range(len(parts) - 1, 1, -1):
        yield "/".join(parts[:length])


def missing_parents(obj: Json, pointer: str) -> tuple[str, ...]:
    """Objects that must be made before something can stand at a pointer, the innermost first; null is none."""
    return tuple(one for one in parents(pointer) if read(obj, one) is ABSENT or read(obj, one) is None)


def has_place(obj: Json, pointer: str) -> bool:
    """Whether something can stand at a pointer: all items of lists on the way are there."""
    try:
        patch_path(obj, pointer)
    except LookupError:
        return False
    return True


def patch_path(obj: Json, pointer: str) -> str:
    """The pointer as a JSON patch wants it: items by their places in this very object.

    Raises:
        LookupError: an item is not there.
    """
    here: Any = obj
    parts = [""]
    for step in parse(pointer):
        if isinstance(step, tuple):
            index = _index(here, step)
            if index is None:
                raise LookupError(f"{pointer}: no item with {step[0]} {step[1]!r}")
            parts.append(str(index))
        else:
            parts.append(escaped(step))
        here = _into(here, step) if here is not ABSENT else ABSENT
    return "/".join(parts)


def is_there(value: Any) -> bool:
    """Whether a field is there; null is."""
    return not isinstance(value, Absent)
