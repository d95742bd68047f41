"""A step on one object as JSON patches: its fields and its record in one, what lies below its `/scale` in another."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from aicost.domain.enforcement.values import Change, Json
from aicost.domain.enforcement.writing.changes import (
    Operation,
    Undoing,
    needed,
    same,
    unchanged_since,
    undoing,
    writing,
)
from aicost.domain.enforcement.writing.pointers import parents
from aicost.domain.enforcement.writing.records import Record, changes_of, is_inherited, with_record, without_record

SCALE = "scale"
"""Key under which the Scale of an object stands beside its other fields, where its kind is known by nothing else."""
_BELOW = f"/{SCALE}"


def own_changes(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Changes of the object itself."""
    return tuple(one for one in changes if not one.pointer.startswith(f"{_BELOW}/"))


def scale_changes(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Changes below `/scale`, with pointers into the Scale."""
    below = (one for one in changes if one.pointer.startswith(f"{_BELOW}/"))
    return tuple(replace(one, pointer=one.pointer.removeprefix(_BELOW)) for one in below)


def doing(obj: Json, changes: Sequence[Change], record: Record) -> list[Operation]:
    """A patch of the object that makes all changes of its own and leaves the record; none where all is there already.

    Raises:
        LookupError: an item of a list is not there any more.
    """
    operations = writing(obj, needed((*own_changes(changes), *with_record(obj, record))))
    return [*unchanged_since(obj), *operations] if operations else []


def all_changes(obj: Json, action: str, changes: Iterable[Change]) -> tuple[Change, ...]:
    """What a step changed, by what is told and by what the object remembers.

    Where both speak of one field and say the same of what was written, the object knows better what stood there before:
    another step may have been undone since.
    """
    remembered = {one.pointer: one for one in changes_of(obj, action)}
    told = [_fresher(one, remembered.pop(one.pointer, one)) for one in changes]
    return (*told, *remembered.values())


def _fresher(told: Change, remembered: Change) -> Change:
    return remembered if same(told.after, remembered.after) else told


def taking_back(obj: Json, action: str, changes: Sequence[Change]) -> Undoing:
    """A patch of the object that puts back its own fields, where they are as we left them, and removes the record.

    What a later step wrote over is not put back and not left: it comes back with that step.
    """
    record = tuple(_as_ours(one) for one in needed(without_record(obj, action, changes)))
    own = tuple(one for one in own_changes(changes) if not is_inherited(obj, action, one))
    found = undoing(obj, (*own, *record))
    guard = unchanged_since(obj) if found.operations else []
    return replace(found, operations=(*guard, *found.operations))


def _as_ours(one: Change) -> Change:
    """The removal of a record as the undoing of a write, so that an empty map of labels goes with it."""
    return Change(one.pointer, one.after, one.before, tuple(parents(one.pointer))[:1])


def rescaling(scale: Json, below: Sequence[Change]) -> list[Operation]:
    """A patch of a Scale that makes changes, which have pointers into it."""
    operations = writing(scale, below)
    return [*unchanged_since(scale), *operations] if operations else []


def scaling_back(obj: Json, action: str, changes: Sequence[Change]) -> Undoing:
    """A patch of the Scale beside an object that puts back what is as we left it; what is left has its own pointers."""
    scale = obj.get(SCALE, {})
    found = undoing(scale, scale_changes(one for one in changes if not is_inherited(obj, action, one)))
    guard = unchanged_since(scale) if found.operations else []
    return Undoing((*guard, *found.operations), tuple(f"{_BELOW}{one}" for one in found.left))
