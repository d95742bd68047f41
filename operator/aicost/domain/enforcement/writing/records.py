"""What a step leaves on the object itself: enough to undo it where every other record is lost."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from aicost.domain.enforcement.values import ABSENT, Change, Json
from aicost.domain.enforcement.writing.changes import change, combined, same
from aicost.domain.enforcement.writing.pointers import annotation, is_there, label, read
from aicost.domain.exact.windows import to_rfc3339

ENFORCED = "aicost.dev/enforced"
"""Label of each object that a budget holds, and annotation with the undo data. Only the controller may write them."""
_AT = annotation(ENFORCED)
_LABEL = label(ENFORCED)
_TRUE = "true"


@dataclass(frozen=True, slots=True)
class Record:
    """One step as the object remembers it."""

    action: str
    budget: str
    gate: str
    at: str
    changes: tuple[Change, ...]


def record(action: str, budget: str, gate: str, at_ms: int, changes: Iterable[Change]) -> Record:
    """The record of a step that is done now."""
    return Record(action, budget, gate, to_rfc3339(at_ms - at_ms % 1000), tuple(changes))


def records_on(obj: Json) -> tuple[Record, ...]:
    """The steps that an object remembers. What is no such record says nothing."""
    text = read(obj, _AT)
    try:
        found = json.loads(text) if isinstance(text, str) else []
        return tuple(_record(one) for one in found)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return ()


def changes_of(obj: Json, action: str) -> tuple[Change, ...]:
    """What a step changed, as the object remembers it; nothing where it does not."""
    return next((one.changes for one in records_on(obj) if one.action == action), ())


def held(obj: Json, pointer: str) -> bool:
    """Whether what stands at a pointer was written by a step that the object remembers."""
    there = read(obj, pointer)
    changes = (each for one in records_on(obj) for each in one.changes)
    return any(each.pointer == pointer and same(each.after, there) for each in changes)


def with_record(obj: Json, new: Record) -> tuple[Change, ...]:
    """Changes of annotation and label that add a record.

    One of the same step is replaced, and what it knew of the fields before the step is kept: a step that is done in
    two goes must not take its own first half for what was there before.
    """
    others = [one for one in records_on(obj) if one.action != new.action]
    changes = combined(changes_of(obj, new.action), new.changes)
    return _written(obj, [*others, replace(new, changes=changes)])


def without_record(obj: Json, action: str, changes: Iterable[Change] = ()) -> tuple[Change, ...]:
    """Changes that take out the record of a step; the last one takes the label with it.

    Args:
        obj: the object.
        action: the step.
        changes: what it wrote. A later step that found its values remembers what stood there before both.
    """
    others = [one for one in records_on(obj) if one.action != action]
    for each in changes:
        others = [replace(one, changes=tuple(_inherited(own, each) for own in one.changes)) for one in others]
    return _written(obj, others)


def is_inherited(obj: Json, action: str, one: Change) -> bool:
    """Whether a later step wrote over what a step had written, so that its own undoing brings back what was before."""
    others = (each for record in records_on(obj) if record.action != action for each in record.changes)
    return not same(read(obj, one.pointer), one.after) and any(_follows(each, one) for each in others)


def _follows(later: Change, earlier: Change) -> bool:
    return later.pointer == earlier.pointer and same(later.before, earlier.after)


def _inherited(later: Change, earlier: Change) -> Change:
    if not _follows(later, earlier):
        return later
    return replace(later, before=earlier.before, made=tuple(dict.fromkeys((*earlier.made, *later.made))))


def _written(obj: Json, records: list[Record]) -> tuple[Change, ...]:
    text = json.dumps([_plain(one) for one in records], separators=(",", ":")) if records else ABSENT
    return change(obj, _AT, text), change(obj, _LABEL, _TRUE if records else ABSENT)


def _plain(one: Record) -> dict[str, Any]:
    changes = [_plain_change(each) for each in one.changes]
    return {"action": one.action, "budget": one.budget, "gate": one.gate, "at": one.at, "changes": changes}


def _plain_change(one: Change) -> dict[str, Any]:
    found: dict[str, Any] = {"path": one.pointer}
    if is_there(one.before):
        found["before"] = one.before
    if is_there(one.after):
        found["after"] = one.after
    return {**found, "made": list(one.made)} if one.made else found


def _record(raw: Mapping[str, Any]) -> Record:
    changes = tuple(_change(one) for one in raw["changes"])
    return Record(str(raw["action"]), str(raw["budget"]), str(raw["gate"]), str(raw["at"]), changes)


def _change(raw: Mapping[str, Any]) -> Change:
    made = tuple(str(one) for one in raw.get("made", ()))
    return Change(str(raw["path"]), raw.get("before", ABSENT), raw.get("after", ABSENT), made)
