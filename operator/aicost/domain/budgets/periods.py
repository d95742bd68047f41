"""The span of time that a budget is for."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from aicost.domain.exact.windows import HOUR_MS, Window, to_datetime, to_millis


class Unit(StrEnum):
    """Length of a calendar period."""

    DAY = "Day"
    WEEK = "Week"
    MONTH = "Month"
    QUARTER = "Quarter"
    YEAR = "Year"


_MONTHS = {Unit.MONTH: 1, Unit.QUARTER: 3, Unit.YEAR: 12}
_MONTHS_A_YEAR = 12


@dataclass(frozen=True, slots=True)
class Calendar:
    """Begins anew with each unit, in a time zone, on a start day (of the week, or of the unit's first month)."""

    unit: Unit = Unit.MONTH
    start_day: int = 1
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Rolling:
    """Looks back over a length, from the start of an hour on; it has no end."""

    length_ms: int


@dataclass(frozen=True, slots=True)
class Total:
    """One span with one end, or none."""

    start_ms: int
    end_ms: int | None = None


PeriodRule = Calendar | Rolling | Total


@dataclass(frozen=True, slots=True)
class Period:
    """The period that is running.

    Attributes:
        start_ms: first moment.
        end_ms: None where there is no end: a rolling period, an open total.
    """

    start_ms: int
    end_ms: int | None

    def spent_span(self, now_ms: int) -> Window:
        """The part of the period that has passed."""
        last = now_ms if self.end_ms is None else min(now_ms, self.end_ms)
        return Window(self.start_ms, max(self.start_ms, last))

    @property
    def length_ms(self) -> int | None:
        """Its length, None without an end."""
        return None if self.end_ms is None else self.end_ms - self.start_ms


def current_period(rule: PeriodRule, now_ms: int) -> Period:
    """The period that holds now. Days begin at midnight of the time zone, through changes of its offset."""
    match rule:
        case Rolling(length_ms):
            start_ms = now_ms - length_ms
            return Period(start_ms - start_ms % HOUR_MS, None)
        case Total(start_ms, end_ms):
            return Period(start_ms, end_ms)
        case Calendar(unit, start_day, time_zone):
            zone = ZoneInfo(time_zone)
            start = _start(unit, start_day, to_datetime(now_ms).astimezone(zone))
            return Period(to_millis(start), to_millis(_next(unit, start)))


def period_before(rule: PeriodRule, period: Period) -> Period | None:
    """The calendar period that ended where this one begins; None where periods do not follow each other."""
    return current_period(rule, period.start_ms - 1) if isinstance(rule, Calendar) else None


def period_key(rule: PeriodRule, period: Period) -> int:
    """What tells one period of a budget from the next: its start; a rolling period is always the same one."""
    return 0 if isinstance(rule, Rolling) else period.start_ms


def _start(unit: Unit, start_day: int, now: datetime) -> datetime:
    """Start of the calendar period that holds now."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if unit is Unit.DAY:
        return today
    if unit is Unit.WEEK:
        return today - timedelta(days=(today.isoweekday() - start_day) % 7)
    months = _MONTHS[unit]
    first = _shift(today, -((today.month - 1) % months)).replace(day=start_day)
    return first if first <= today else _shift(first, -months)


def _next(unit: Unit, start: datetime) -> datetime:
    """Start of the period after the one that starts then. Wall-clock arithmetic: a day may have 23 or 25 hours."""
    if unit is Unit.DAY:
        return start + timedelta(days=1)
    if unit is Unit.WEEK:
        return start + timedelta(days=7)
    return _shift(start, _MONTHS[unit])


def _shift(moment: datetime, months: int) -> datetime:
    """The first or start day of another month."""
    index = moment.year * _MONTHS_A_YEAR + moment.month - 1 + months
    day = 1 if months < 0 and moment.day > 28 else moment.day
    return moment.replace(year=index // _MONTHS_A_YEAR, month=index % _MONTHS_A_YEAR + 1, day=min(day, 28))
