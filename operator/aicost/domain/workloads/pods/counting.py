"""How many pods a place makes."""

from math import prod
from typing import Any

from aicost.domain.workloads.foreign import MOST, Pointer, at, bound, pointer, whole
from aicost.domain.workloads.places import Number, Place


def replicas(obj: Any, place: Place, where: Pointer) -> tuple[int, int]:
    """Pods of a place at the start, and at most, as far as the object says.

    Args:
        obj: the whole object.
        place: the line of the table.
        where: the tokens that its pointer led to.
    """
    numbers = [_number(obj, number, place, where) for number in place.counts]
    start = prod(numbers)
    limit = _limit(obj, place, where)
    return start, start if limit is None else max(start, limit * prod(numbers[1:]))


def number_at(obj: Any, written: str, place: Place, where: Pointer) -> int | None:
    """The whole number that a pointer of a place leads to, None where there is none."""
    return whole(value_at(obj, written, place, where))


def is_there(obj: Any, written: str, place: Place, where: Pointer) -> bool:
    """Whether a pointer of a place leads to something."""
    return value_at(obj, written, place, where) is not None


def _limit(obj: Any, place: Place, where: Pointer) -> int | None:
    """The largest value of the first number; None where nothing makes it grow, or nothing says how far."""
    if place.most is None or (place.most_if and value_at(obj, place.most_if, place, where) is not True):
        return None
    limit = _first(obj, place.most, place, where)
    return None if limit is None or limit >= MOST else limit


def _number(obj: Any, number: Number, place: Place, where: Pointer) -> int:
    told = _first(obj, number, place, where)
    value = number.default if told is None else told
    value = max(value, _other(obj, number.least, place, where) or 0)
    cap = _other(obj, number.cap, place, where)
    value = value if cap is None else min(value, cap)
    parts = _other(obj, number.per, place, where)
    value = max(1, value // parts) if parts else value
    less = 1 if number.less_if and is_there(obj, number.less_if, place, where) else 0
    return max(0, value - less)


def _first(obj: Any, number: Number, place: Place, where: Pointer) -> int | None:
    numbers = (number_at(obj, written, place, where) for written in number.at)
    return next((value for value in numbers if value is not None), None)


def _other(obj: Any, written: str, place: Place, where: Pointer) -> int | None:
    return number_at(obj, written, place, where) if written else None


def value_at(obj: Any, written: str, place: Place, where: Pointer) -> Any:
    """What a pointer of a place leads to from one of the spots that the place led to."""
    return at(obj, bound(pointer(written), where, pointer(place.at)))
