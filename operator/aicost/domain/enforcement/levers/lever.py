"""A lever: one way to slow down or stop one kind of object, as a line of a table."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aicost.domain.budgets.gates import Destruction
from aicost.domain.enforcement.values import Change, Json, LeverName
from aicost.domain.enforcement.writing.changes import change, needed
from aicost.domain.enforcement.writing.pointers import is_there, read


@dataclass(frozen=True, slots=True)
class Ask:
    """What a lever has to know beside the object.

    Attributes:
        floor: pods that have to stay, as disruption budgets say.
        live: pods of it that run now.
        note: what people should read on the object.
        used: extended resource -> how many pods of the namespace ask for.
        exempt_ms: no budget stops the workload before this; 0 for no exemption.
    """

    floor: int = 0
    live: int = 0
    note: str = ""
    used: Mapping[str, int] = field(default_factory=dict)
    exempt_ms: int = 0


Writes = Callable[[Json, Ask], Iterable[tuple[str, Any]]]
Refuses = Callable[[Json, Ask], str]


def never(_: Json, __: Ask) -> str:
    """No reason not to."""
    return ""


@dataclass(frozen=True, slots=True)
class Lever:
    """One way to slow down or stop one kind of object.

    Attributes:
        group, kind, plural: of the objects that are written; empty for any.
        writes: pointers and values.
        refuses: why it must not be used on this very object, empty where it may.
        trap: what goes wrong where it is used without care, for the reference.
        what: what it writes, for the reference.
    """

    name: LeverName
    group: str
    kind: str
    plural: str
    destruction: Destruction
    writes: Writes
    refuses: Refuses = field(default=never)
    trap: str = ""
    what: str = ""

    def changes(self, obj: Json, ask: Ask) -> tuple[Change, ...]:
        """What it takes on an object as it is now; none where it is so already."""
        return needed(change(obj, pointer, value) for pointer, value in self.writes(obj, ask))


def setting(pointer: str, value: Any) -> Writes:
    """Writes one value."""
    return lambda _, __: [(pointer, value)]


def text_at(obj: Json, pointer: str, default: str = "") -> str:
    """A text, or the default where none stands there."""
    found = read(obj, pointer)
    return found if isinstance(found, str) else default


def number_at(obj: Json, pointer: str, default: int = 0) -> int:
    """A whole number, or the default where none stands there."""
    found = read(obj, pointer)
    return found if isinstance(found, int) and not isinstance(found, bool) else default


def is_true(obj: Json, pointer: str) -> bool:
    """Whether true stands there."""
    return read(obj, pointer) is True


def has(obj: Json, pointer: str) -> bool:
    """Whether anything but null or an empty thing stands there."""
    found = read(obj, pointer)
    return is_there(found) and bool(found)


def condition(obj: Json, kind: str) -> bool:
    """Whether a condition is True."""
    found = read(obj, "/status/conditions")
    items = found if isinstance(found, list) else []
    return any(isinstance(one, dict) and one.get("type") == kind and one.get("status") == "True" for one in items)


def first_of(*checks: Refuses) -> Refuses:
    """Refuses for the first reason that there is."""
    return lambda obj, ask: next((reason for check in checks if (reason := check(obj, ask))), "")


def kept_by(*kinds: str) -> Refuses:
    """Refuses an object whose controller is of one of these kinds, or of any where none is named: it writes back."""

    def refuses(obj: Json, _: Ask) -> str:
        owners = read(obj, "/metadata/ownerReferences")
        found = [one for one in owners if isinstance(one, dict)] if isinstance(owners, list) else []
        keepers = (one for one in found if one.get("controller") and (not kinds or one.get("kind") in kinds))
        names = [f"{one.get('kind', '')} {one.get('name', '')}".strip() for one in keepers]
        return f"{names[0]} keeps it and would write it back" if names else ""

    return refuses
