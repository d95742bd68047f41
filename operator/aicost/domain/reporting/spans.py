"""Window expressions: `today`, `7d`, `last-month`, `2026-10` or `FROM/TO`, read in a time zone."""

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aicost.domain.exact.windows import DAY_MS, HOUR_MS, MINUTE_MS, Window, to_datetime, to_millis, to_rfc3339

LONGEST_DAYS = 400
"""No report is longer: thirteen months compare a month with the one a year before."""
FORMS = (
    "today, yesterday, 24h, 7d, 90m, 2w, this-week, last-week, month-to-date, last-month, 2026-10, 2026-10-05, FROM/TO"
)
"""What a window expression may look like, for messages and documents."""

_UNITS = {"m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS, "w": 7 * DAY_MS}
_LENGTH = re.compile(r"([0-9]{1,6})([mhdw])")
_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ONE_DAY = timedelta(days=1)


def parse_zone(name: str) -> ZoneInfo:
    """The time zone of a name.

    Raises:
        ValueError: there is no such zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as unknown:
        raise ValueError(
            f"timeZone: {name[:63]!r} is no time zone: use a name such as Europe/Berlin or UTC"
        ) from unknown


def parse_span(text: str, now_ms: int, zone: str = "UTC") -> Window:
    """Read a window expression.

    Days, weeks (from Monday) and months begin at midnight in the zone, so that a day has 23 or 25 hours where clocks
    change. At the midnight itself nothing of the new one has passed: what reaches up to now is then the one that ends.
    `7d` and its like are exact lengths that end now. What reaches into the future ends now. A date as TO means
    its midnight: the day itself is not part of the span.

    Raises:
        ValueError: the expression is none, reversed, in the future or longer than `LONGEST_DAYS`; or the zone is
            unknown. The message names field, value and fix.
    """
    expression = text.strip()
    start_ms, end_ms = _bounds(expression, now_ms, parse_zone(zone))
    if end_ms <= start_ms:
        raise _refused(text, "ends before it begins", "write the earlier moment first, FROM/TO")
    if start_ms >= now_ms:
        raise _refused(text, "lies in the future", f"ask for a time before {to_rfc3339(now_ms)}")
    span = Window(start_ms, min(end_ms, now_ms))
    if span.length_ms > LONGEST_DAYS * DAY_MS:
        raise _refused(text, f"is longer than {LONGEST_DAYS} days", "ask for a shorter time, or for several in turn")
    return span


def _refused(text: str, problem: str, fix: str) -> ValueError:
    return ValueError(f"window: {text[:80]!r} {problem}: {fix}")


def _bounds(expression: str, now_ms: int, zone: ZoneInfo) -> tuple[int, int]:
    """Start and end as they are written, the future included."""
    named = _NAMED.get(expression)
    if named is not None:
        return named(now_ms, zone)
    if (length := _LENGTH.fullmatch(expression)) is not None:
        return now_ms - int(length[1]) * _UNITS[length[2]], now_ms
    if (apart := next((mark for mark in _APART if mark in expression), None)) is not None:
        start, _, end = expression.partition(apart)
        return _moment(start.strip(), expression, zone), _moment(end.strip(), expression, zone)
    return _calendar(expression, zone)


def _calendar(expression: str, zone: ZoneInfo) -> tuple[int, int]:
    """A month or a day."""
    try:
        if (month := _MONTH.fullmatch(expression)) is not None:
            first = date(int(month[1]), int(month[2]), 1)
            return _midnight(first, zone), _midnight(_next_month(first), zone)
        if _DAY.fullmatch(expression) is not None:
            day = date.fromisoformat(expression)
            return _midnight(day, zone), _midnight(day + _ONE_DAY, zone)
    except (ValueError, OverflowError) as impossible:
        raise _refused(expression, "is no month or day", "write 2026-10 or 2026-10-05") from impossible
    raise _refused(expression, "is not understood", f"use one of {FORMS}")


def _moment(text: str, expression: str, zone: ZoneInfo) -> int:
    """One side of FROM/TO."""
    try:
        if _DAY.fullmatch(text) is not None:
            return _midnight(date.fromisoformat(text), zone)
        return to_millis(datetime.fromisoformat(text))
    except (ValueError, OverflowError) as unreadable:
        fix = "write a date such as 2026-10-05, or a moment with its zone such as 2026-10-05T08:00:00Z"
        raise _refused(expression, f"has {text[:40]!r}, which is no moment", fix) from unreadable


def _midnight(day: date, zone: ZoneInfo) -> int:
    return to_millis(datetime.combine(day, time(), zone))


def _today(now_ms: int, zone: ZoneInfo) -> date:
    return to_datetime(now_ms).astimezone(zone).date()


def _monday(now_ms: int, zone: ZoneInfo) -> date:
    today = _today(now_ms, zone)
    return today - timedelta(days=today.weekday())


def _first(now_ms: int, zone: ZoneInfo) -> date:
    return _today(now_ms, zone).replace(day=1)


def _next_month(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)


def _month_before(first: date) -> date:
    return (first - _ONE_DAY).replace(day=1)


def _yesterday(now_ms: int, zone: ZoneInfo) -> tuple[int, int]:
    today = _today(now_ms, zone)
    return _midnight(today - _ONE_DAY, zone), _midnight(today, zone)


def _last_week(now_ms: int, zone: ZoneInfo) -> tuple[int, int]:
    monday = _monday(now_ms, zone)
    return _midnight(monday - timedelta(days=7), zone), _midnight(monday, zone)


def _month_to_date(now_ms: int, zone: ZoneInfo) -> tuple[int, int]:
    return _midnight(_first(now_ms - 1, zone), zone), now_ms


def _last_month(now_ms: int, zone: ZoneInfo) -> tuple[int, int]:
    first = _first(now_ms, zone)
    return _midnight(_month_before(first), zone), _midnight(first, zone)


_APART = ("/", "..", ",")
"""What may stand between FROM and TO: as ISO 8601 writes it, as ranges are often written, and as OpenCost asks it."""
_NAMED: dict[str, Callable[[int, ZoneInfo], tuple[int, int]]] = {
    "today": lambda now_ms, zone: (_midnight(_today(now_ms - 1, zone), zone), now_ms),
    "yesterday": _yesterday,
    "this-week": lambda now_ms, zone: (_midnight(_monday(now_ms - 1, zone), zone), now_ms),
    "last-week": _last_week,
    "month-to-date": _month_to_date,
    "mtd": _month_to_date,
    "last-month": _last_month,
}


def span_before(span: Window, zone: str = "UTC") -> Window:
    """The span to compare with.

    A span that begins with a month and ends within or with it is compared with the same part of the month before, by
    the wall clock (1st to 15th noon with 1st to 15th noon), cut at that month's end. Any other span is compared with
    the span of equal length that ends where it begins.
    """
    place = parse_zone(zone)
    start = to_datetime(span.start_ms).astimezone(place)
    first = start.date().replace(day=1)
    next_ms = _midnight(_next_month(first), place)
    if span.start_ms != _midnight(first, place) or span.end_ms > next_ms:
        return Window(span.start_ms - span.length_ms, span.start_ms)
    before = _month_before(first)
    if span.end_ms == next_ms:
        return Window(_midnight(before, place), span.start_ms)
    elapsed = to_datetime(span.end_ms).astimezone(place).replace(tzinfo=None) - datetime.combine(first, time())
    end = (datetime.combine(before, time()) + elapsed).replace(tzinfo=place)
    return Window(_midnight(before, place), min(to_millis(end), span.start_ms))
