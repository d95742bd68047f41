"""The span of time that a window's name stands for."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from aicost.domain.exact.windows import DAY_MS, HOUR_MS, Window, to_datetime, to_millis

_LENGTHS = {"d": DAY_MS, "h": HOUR_MS}


def window_span(name: str, now_ms: int, zone: ZoneInfo) -> Window:
    """The half-open span of a named window.

    Args:
        name: `today`, `yesterday`, `week-to-date`, `month-to-date`, `lastweek`, `lastmonth`, or a number of days or
            hours up to now such as `7d` and `24h`. A week begins on Monday.
        now_ms: the present, in milliseconds since the epoch.
        zone: where days, weeks and months begin. A day there may have 23 or 25 hours.

    Raises:
        ValueError: the name is none of these.
    """
    today = to_datetime(now_ms).astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    spans = {
        "today": (today, None),
        "yesterday": (_days(today, -1), today),
        "week-to-date": (_monday(today), None),
        "month-to-date": (today.replace(day=1), None),
        "lastweek": (_days(_monday(today), -7), _monday(today)),
        "lastmonth": (_days(today.replace(day=1), -1).replace(day=1), today.replace(day=1)),
    }
    if name in spans:
        start, end = spans[name]
        return Window(to_millis(start), now_ms if end is None else to_millis(end))
    if name.isascii() and name[:-1].isdecimal() and name[-1] in _LENGTHS:
        return Window(now_ms - int(name[:-1]) * _LENGTHS[name[-1]], now_ms)
    raise ValueError(f"window: {name[:63]!r} is no window: use {', '.join(spans)}, or for example 7d or 24h")


def _days(midnight: datetime, days: int) -> datetime:
    """The midnight some days on by the calendar, whatever the clocks do between."""
    return midnight + timedelta(days=days)


def _monday(midnight: datetime) -> datetime:
    return _days(midnight, -midnight.weekday())
