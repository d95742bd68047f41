"""Periods hold through all time zones: changes of the clock, leap days, zones that lost a day or their midnight."""

from datetime import datetime
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aicost.domain.budgets.periods import Calendar, Rolling, Total, Unit, current_period, period_before, period_key
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, MINUTE_MS, from_rfc3339, to_datetime, to_millis

ZONES = sorted(available_timezones() - {"Factory", "localtime"})
FIRST, LAST = from_rfc3339("1995-01-01T00:00:00Z"), from_rfc3339("2037-12-31T00:00:00Z")
LONGEST = {Unit.DAY: 2, Unit.WEEK: 9, Unit.MONTH: 33, Unit.QUARTER: 94, Unit.YEAR: 368}


def start_day(unit: Unit, number: int) -> int:
    return 1 if unit is Unit.DAY else 1 + (number - 1) % (7 if unit is Unit.WEEK else 28)


@given(st.sampled_from(ZONES), st.sampled_from(list(Unit)), st.integers(1, 28), st.integers(FIRST, LAST))
@example("Pacific/Apia", Unit.DAY, 1, from_rfc3339("2011-12-30T09:59:59Z"))  # its 30 December never was
@example("America/Sao_Paulo", Unit.DAY, 1, from_rfc3339("2017-10-15T03:30:00Z"))  # a day without its midnight
@example("America/Havana", Unit.DAY, 1, from_rfc3339("2026-11-01T04:30:00Z"))  # a midnight that comes twice
@example("Australia/Lord_Howe", Unit.MONTH, 1, from_rfc3339("2026-10-31T13:10:00Z"))
@example("Asia/Kathmandu", Unit.QUARTER, 28, from_rfc3339("2028-02-29T12:00:00Z"))
@settings(max_examples=1500, deadline=None)
def test_periods_follow_each_other_without_a_gap(zone: str, unit: Unit, number: int, now_ms: int) -> None:
    rule = Calendar(unit, start_day(unit, number), zone)
    period = current_period(rule, now_ms)
    assert period.end_ms is not None
    assert period.start_ms <= now_ms < period.end_ms
    assert 0 < period.end_ms - period.start_ms <= LONGEST[unit] * DAY_MS
    assert current_period(rule, period.end_ms).start_ms == period.end_ms
    assert current_period(rule, period.end_ms - 1) == period
    assert current_period(rule, period.start_ms) == period
    before = period_before(rule, period)
    assert before is not None
    assert before.end_ms == period.start_ms
    assert period_key(rule, before) != period_key(rule, period)


@given(st.sampled_from(ZONES), st.sampled_from(list(Unit)), st.integers(1, 28), st.integers(FIRST, LAST))
@settings(max_examples=700, deadline=None)
def test_a_period_begins_on_its_start_day_with_the_first_moment_of_it(
    zone: str, unit: Unit, number: int, now_ms: int
) -> None:
    day = start_day(unit, number)
    start_ms = current_period(Calendar(unit, day, zone), now_ms).start_ms
    start = to_datetime(start_ms).astimezone(ZoneInfo(zone))
    earlier = to_datetime(start_ms - 1).astimezone(ZoneInfo(zone))
    skipped = start.date() != earlier.date() and (start.date() - earlier.date()).days > 1
    assert start.date() > earlier.date(), "the moment before is of an earlier day"
    if unit is Unit.WEEK and not skipped:
        assert start.isoweekday() == day
    if unit in {Unit.MONTH, Unit.QUARTER, Unit.YEAR} and not skipped:
        assert start.day == day
    if unit is Unit.QUARTER:
        assert start.month % 3 == 1
    if unit is Unit.YEAR:
        assert start.month == 1


@pytest.mark.parametrize("zone", ZONES)
def test_the_months_of_a_leap_year_make_the_year(zone: str) -> None:
    rule = Calendar(Unit.MONTH, 1, zone)
    place = ZoneInfo(zone)
    at_ms = to_millis(datetime(2028, 1, 1, tzinfo=place))
    for _ in range(12):
        period = current_period(rule, at_ms)
        assert period.start_ms == at_ms
        at_ms = period.end_ms or 0
    assert at_ms == to_millis(datetime(2029, 1, 1, tzinfo=place))
    assert current_period(Calendar(Unit.YEAR, 1, zone), at_ms - 1).end_ms == at_ms


MOMENTS = [
    from_rfc3339(f"2028-{day}T{time}Z")
    for day in ("01-01", "02-28", "02-29", "03-01", "03-26", "04-02", "09-24", "10-29", "11-05", "12-31")
    for time in ("00:00:00", "11:59:59", "23:59:59")
]
"""Leap days, turns of the year, and days on which clocks change somewhere."""


@pytest.mark.parametrize("unit", list(Unit))
def test_in_every_zone_the_days_of_a_leap_year_follow_each_other(unit: Unit) -> None:
    for zone in ZONES:
        for now_ms in MOMENTS:
            rule = Calendar(unit, start_day(unit, 1), zone)
            period = current_period(rule, now_ms)
            assert period.end_ms is not None
            assert period.start_ms <= now_ms < period.end_ms, zone
            assert current_period(rule, period.end_ms).start_ms == period.end_ms, zone
            assert current_period(rule, period.end_ms - 1) == period, zone
            before = period_before(rule, period)
            assert before is not None
            assert before.end_ms == period.start_ms, zone


@pytest.mark.parametrize("zone", ZONES)
def test_a_day_is_all_of_its_date_and_nothing_else(zone: str) -> None:
    """Of 22 to 26 hours; in some zones the clock changes by half an hour or by two, or takes midnight away."""
    place, rule = ZoneInfo(zone), Calendar(Unit.DAY, 1, zone)
    for month in (3, 4, 9, 10, 11):
        now_ms = to_millis(datetime(2028, month, 1, 12, tzinfo=place))
        for _ in range(30):
            period = current_period(rule, now_ms)
            start, last, end = (
                to_datetime(at).astimezone(place).date()
                for at in (period.start_ms, (period.end_ms or 0) - 1, period.end_ms or 0)
            )
            assert start == last < end
            assert 22 * HOUR_MS <= (period.length_ms or 0) <= 26 * HOUR_MS, start
            now_ms = period.end_ms or 0


@given(st.integers(-(10**12), 10**13), st.none() | st.integers(1, 10**12), st.integers(0, 10**13))
def test_a_total_is_one_span_whenever_it_is_asked(start_ms: int, length_ms: int | None, now_ms: int) -> None:
    rule = Total(start_ms, None if length_ms is None else start_ms + length_ms)
    period = current_period(rule, now_ms)
    assert (period.start_ms, period.length_ms, period_key(rule, period)) == (start_ms, length_ms, start_ms)
    assert period_before(rule, period) is None
    spent = period.spent_span(now_ms)
    assert spent.start_ms == start_ms
    assert spent.end_ms <= max(start_ms, now_ms)
    assert length_ms is None or spent.length_ms <= length_ms


@given(st.integers(1, 400), st.integers(FIRST, LAST))
def test_a_rolling_period_looks_back_its_length_from_the_start_of_an_hour(days: int, now_ms: int) -> None:
    period = current_period(Rolling(days * DAY_MS), now_ms)
    assert period.end_ms is None
    assert period.start_ms % HOUR_MS == 0
    assert 0 <= now_ms - days * DAY_MS - period.start_ms < HOUR_MS
    assert period_key(Rolling(days * DAY_MS), period) == 0
    assert period.spent_span(now_ms).length_ms < days * DAY_MS + HOUR_MS + MINUTE_MS
