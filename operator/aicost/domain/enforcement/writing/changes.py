"""Writing a few fields, and undoing exactly that: JSON patches that hold only while the object is as it was read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aicost.domain.enforcement.values import Change, Json
from aicost.domain.enforcement.writing.pointers import escaped, has_place, is_there, missing_parents, patch_path, read

Operation = dict[str, Any]


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON: 1 is not true."""
    return type(one) is type(other) and bool(one == other)


def change(obj: Json, pointer: str, value: Any) -> Change:
    """What it takes to have a value at a pointer."""
    return Change(pointer, read(obj, pointer), value, missing_parents(obj, pointer) if is_there(value) else ())


def needed(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Changes that change something."""
    return tuple(one for one in changes if not same(one.before, one.after))


def combined(earlier: Iterable[Change], later: Iterable[Change]) -> tuple[Change, ...]:
    """What two writes of one step come to, one change per field.

    What stood there before the first write comes back in the end. Where somebody else wrote between the two, it is what
    they wrote.
    """
    found = {one.pointer: one for one in earlier}
    for one in later:
        first = found.get(one.pointer, one)
        before = first.before if same(first.after, one.before) else one.before
        found[one.pointer] = replace(one, before=before, made=tuple(dict.fromkeys((*first.made, *one.made))))
    return tuple(found.values())


def unchanged_since(obj: Json) -> list[Operation]:
    """Operations that let a patch end in a conflict if the object was written since it was read.

    It is no `test`: where that fails, the API server answers that the patch is wrong, as it does for any mistake in it.
    """
    version = read(obj, "/metadata/resourceVersion")
    return [{"op": "replace", "path": "/metadata/resourceVersion", "value": version}] if is_there(version) else []


def writing(obj: Json, changes: Iterable[Change]) -> list[Operation]:
    """Operations that make the changes. Objects above a field are made where they are not there.

    Raises:
        LookupError: an item of a list is not there.
    """
    made: set[str] = set()
    operations: list[Operation] = []
    for one in changes:
        for parent in reversed(missing_parents(obj, one.pointer)) if is_there(one.after) else ():
            if parent not in made:
                operations.append({"op": "add", "path": patch_path(obj, parent), "value": {}})
                made.add(parent)
        operations += _write(obj, one.pointer, one.after)
    return operations


def _write(obj: Json, pointer: str, value: Any) -> list[Operation]:
    if is_there(value):
        return [{"op": "add", "path": patch_path(obj, pointer), "value": value}]
    return [{"op": "remove", "path": patch_path(obj, pointer)}] if is_there(read(obj, pointer)) else []


@dataclass(frozen=True, slots=True)
class Undoing:
    """How to undo changes on an object as it is now.

    Attributes:
        operations: of a JSON patch.
        left: what is no more as we left it and stays as it is, with the reason.
    """

    operations: tuple[Operation, ...]
    left: tuple[str, ...]


def undoing(obj: Json, changes: Sequence[Change]) -> Undoing:
    """Put back what still is as we left it.

    A field that somebody else has written since is theirs. An object that was made for a field goes with it, unless
    something else came into it.
    """
    mine = [one for one in changes if _is_ours(obj, one)]
    theirs = [one for one in changes if not _is_ours(obj, one) and not same(read(obj, one.pointer), one.before)]
    operations = writing(obj, (Change(one.pointer, one.after, one.before) for one in mine))
    operations += _clearing(obj, {each for one in changes for each in one.made}, mine)
    return Undoing(tuple(operations), tuple(map(_left, theirs)))


def _is_ours(obj: Json, one: Change) -> bool:
    """Whether a field is as we left it. A field that we took out needs a place to come back to."""
    return same(read(obj, one.pointer), one.after) and (is_there(one.after) or has_place(obj, one.pointer))


def _clearing(obj: Json, made: Iterable[str], mine: Iterable[Change]) -> list[Operation]:
    """Operations that take out objects which were made for fields, and are empty when those are gone."""
    gone = {one.pointer for one in mine if not is_there(one.before)}
    operations: list[Operation] = []
    for parent in sorted(made, key=lambda each: (-each.count("/"), each)):
        if _is_empty_without(obj, parent, gone):
            operations.append({"op": "remove", "path": patch_path(obj, parent)})
            gone.add(parent)
    return operations


def _is_empty_without(obj: Json, parent: str, gone: set[str]) -> bool:
    """Whether an object holds nothing but what is taken out of it."""
    there = read(obj, parent)
    return isinstance(there, dict) and all(f"{parent}/{escaped(key)}" in gone for key in there)


def _left(one: Change) -> str:
    return f"{one.pointer} was changed by somebody else since and stays as it is"


def holds(obj: Json, changes: Sequence[Change]) -> bool:
    """Whether all fields are as they were written."""
    return all(same(read(obj, one.pointer), one.after) for one in changes)
