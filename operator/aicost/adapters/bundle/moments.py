"""Moments and lengths of time as people and programs write them."""

import re
from datetime import datetime

from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, SECOND_MS, to_millis

MILLIS_FROM = 100_000_000_000
"""From here on a number is milliseconds: in seconds it would be the year 5138."""
LARGEST = 10_000_000_000_000
"""The year 2286 in milliseconds; larger numbers are microseconds or worse."""
_NUMBER = re.compile(r"-?[0-9]{1,19}(?:\.[0-9]{1,9})?")
_LENGTH = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)\s*(ms|s|m|h|)")
_UNITS = {"ms": 1, "s": SECOND_MS, "": SECOND_MS, "m": MINUTE_MS, "h": HOUR_MS}
_HOW = "write a moment such as 2026-11-20T10:00:00Z"


def read_moment(value: object) -> int:
    """A moment in milliseconds: RFC 3339, or a number of seconds (of milliseconds, where it is that large).

    Raises:
        ValueError: it is none; the message is the fix.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float) or value == "":
        raise ValueError(_HOW)
    text = str(value).strip()
    if _NUMBER.fullmatch(text):
        return _from_number(float(text))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as problem:
        raise ValueError(_HOW) from problem
    if moment.tzinfo is None:
        raise ValueError(f"it names no time zone: {_HOW}")
    return to_millis(moment)


def read_length(value: object) -> int:
    """A length of time in milliseconds: `30s`, `500ms`, `1m`, `1h`, or a number of seconds.

    Raises:
        ValueError: it is none; the message is the fix.
    """
    match = None if isinstance(value, bool) else _LENGTH.fullmatch(str(value).strip().lower())
    length = round(float(match[1]) * _UNITS[match[2]]) if match else 0
    if length <= 0:
        raise ValueError("write a length of time such as 30s")
    return length


def _from_number(number: float) -> int:
    if abs(number) >= LARGEST:
        raise ValueError(f"it is neither seconds nor milliseconds since 1970: {_HOW}")
    return round(number) if abs(number) >= MILLIS_FROM else round(number * SECOND_MS)
