"""Periods through time zones and start days; pace and forecast by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.budgets.pace import Spend, recent_start, stand
from aicost.domain.budgets.periods import Calendar, Period, Rolling, Total, Unit, current_period
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, from_rfc3339, to_rfc3339


def bounds(rule, now: str) -> tuple[str, str | None]:
    period = current_period(rule, from_rfc3339(now))
    return to_rfc3339(period.start_ms), period.end_ms and to_rfc3339(period.end_ms)


@pytest.mark.parametrize(
    ("rule", "now", "start", "end"),
    [
        (Calendar(), "2026-11-20T10:00:00Z", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"),
        (Calendar(start_day=25), "2026-11-20T10:00:00Z", "2026-10-25T00:00:00Z", "2026-11-25T00:00:00Z"),
        (Calendar(start_day=20), "2026-11-20T10:00:00Z", "2026-11-20T00:00:00Z", "2026-12-20T00:00:00Z"),
        (Calendar(start_day=5), "2027-01-03T00:00:00Z", "2026-12-05T00:00:00Z", "2027-01-05T00:00:00Z"),
        (Calendar(Unit.QUARTER), "2026-11-20T10:00:00Z", "2026-10-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        (Calendar(Unit.QUARTER, 15), "2026-10-03T10:00:00Z", "2026-07-15T00:00:00Z", "2026-10-15T00:00:00Z"),
        (Calendar(Unit.YEAR), "2026-11-30T10:00:00Z", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        (Calendar(Unit.WEEK), "2026-11-22T10:00:00Z", "2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z"),
        (Calendar(Unit.WEEK, 7), "2026-11-22T10:00:00Z", "2026-11-22T00:00:00Z", "2026-11-29T00:00:00Z"),
        (
            Calendar(Unit.DAY, time_zone="Europe/Berlin"),
            "2026-10-25T12:00:00Z",
            "2026-10-24T22:00:00Z",
            "2026-10-25T23:00:00Z",
        ),
        (
            Calendar(time_zone="Asia/Kolkata"),
            "2026-10-31T19:00:00Z",
            "2026-10-31T18:30:00Z",
            "2026-11-30T18:30:00Z",
        ),
        (Calendar(), "2026-03-31T10:00:00Z", "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"),
        (Rolling(7 * DAY_MS), "2026-11-20T10:00:00Z", "2026-11-13T10:00:00Z", None),
        (Total(from_rfc3339("2026-01-01T00:00:00Z")), "2026-11-20T10:00:00Z", "2026-01-01T00:00:00Z", None),
    ],
)
def test_the_running_period(rule, now: str, start: str, end: str | None) -> None:
    assert bounds(rule, now) == (start, end)


@given(
    st.sampled_from(list(Unit)),
    st.integers(1, 28),
    st.sampled_from(["UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]),
    st.integers(0, 60 * 365 * DAY_MS),
)
def test_now_lies_in_its_period_and_the_next_one_begins_at_its_end(unit, start_day, zone, now_ms) -> None:
    rule = Calendar(unit, 1 + start_day % 7 if unit is Unit.WEEK else start_day, zone)
    period = current_period(rule, now_ms)
    assert period.start_ms <= now_ms < period.end_ms
    assert current_period(rule, period.end_ms).start_ms == period.end_ms
    assert current_period(rule, period.end_ms - 1) == period


MONTH = Period(0, 30 * DAY_MS)


def spend(nanos: int, recent: int = 0, since: int = 0) -> Spend:
    return Spend(nanos, 0, recent, DAY_MS, since)


def test_half_the_limit_after_a_third_of_the_period_is_a_pace_of_one_and_a_half() -> None:
    standing = stand(1000, MONTH, spend(500, recent=50), 10 * DAY_MS)
    assert (standing.used_ppm, standing.pace_ppm) == (500_000, 1_500_000)
    assert standing.forecast_nanos == 1500
    assert standing.rate_per_hour_nanos == 2
    assert standing.exhausted_in_ms == 250 * HOUR_MS


def test_a_forecast_is_taken_from_the_time_that_was_watched() -> None:
    assert stand(1000, MONTH, spend(100, since=9 * DAY_MS), 10 * DAY_MS).forecast_nanos == 100 + 20 * 100


def test_what_is_not_defined_is_absent_and_not_zero() -> None:
    first = stand(1000, MONTH, spend(0, since=0), 0)
    assert (first.pace_ppm, first.forecast_nanos, first.exhausted_in_ms) == (None, None, None)
    assert stand(1000, Period(0, None), spend(10), DAY_MS).forecast_nanos is None


def test_a_limit_that_is_reached_is_exhausted_now() -> None:
    assert stand(1000, MONTH, spend(1000), DAY_MS).exhausted_in_ms == 0


def test_a_limit_of_zero_is_rejected() -> None:
    with pytest.raises(ValueError, match="above zero"):
        stand(0, MONTH, spend(1), DAY_MS)


def test_the_rate_looks_back_a_day_within_the_period() -> None:
    assert recent_start(MONTH, 3 * DAY_MS) == 2 * DAY_MS
    assert recent_start(MONTH, HOUR_MS) == 0
