"""Window expressions, in zones with clocks that change."""

import pytest

from aicost.domain.exact.windows import DAY_MS, HOUR_MS, Window, from_rfc3339
from aicost.domain.reporting.spans import parse_span, parse_zone, span_before

NOW = from_rfc3339("2026-11-25T10:30:00Z")  # a Wednesday
BERLIN = "Europe/Berlin"


def span(start: str, end: str) -> Window:
    return Window(from_rfc3339(start), from_rfc3339(end))


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("today", "2026-11-25T00:00:00Z", "2026-11-25T10:30:00Z"),
        ("yesterday", "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z"),
        ("24h", "2026-11-24T10:30:00Z", "2026-11-25T10:30:00Z"),
        ("7d", "2026-11-18T10:30:00Z", "2026-11-25T10:30:00Z"),
        ("90m", "2026-11-25T09:00:00Z", "2026-11-25T10:30:00Z"),
        ("2w", "2026-11-11T10:30:00Z", "2026-11-25T10:30:00Z"),
        ("this-week", "2026-11-23T00:00:00Z", "2026-11-25T10:30:00Z"),
        ("last-week", "2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z"),
        ("month-to-date", "2026-11-01T00:00:00Z", "2026-11-25T10:30:00Z"),
        ("mtd", "2026-11-01T00:00:00Z", "2026-11-25T10:30:00Z"),
        ("last-month", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z"),
        (" 2026-10 ", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z"),
        ("2025-12", "2025-12-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("2026-10-05", "2026-10-05T00:00:00Z", "2026-10-06T00:00:00Z"),
        ("2026-11", "2026-11-01T00:00:00Z", "2026-11-25T10:30:00Z"),
        ("2026-10-05/2026-10-07", "2026-10-05T00:00:00Z", "2026-10-07T00:00:00Z"),
        ("2026-10-05T08:00:00Z,2026-10-05T09:15:00+01:00", "2026-10-05T08:00:00Z", "2026-10-05T08:15:00Z"),
        ("2026-10-05T08:00:00Z..2026-10-05T08:15:00Z", "2026-10-05T08:00:00Z", "2026-10-05T08:15:00Z"),
        ("2026-11-20 / 2026-12-24", "2026-11-20T00:00:00Z", "2026-11-25T10:30:00Z"),
    ],
)
def test_an_expression_is_read_as_the_span_it_names(text, start, end):
    assert parse_span(text, NOW) == span(start, end)


def test_days_begin_at_midnight_in_the_zone():
    assert parse_span("today", NOW, BERLIN) == span("2026-11-24T23:00:00Z", "2026-11-25T10:30:00Z")
    assert parse_span("2026-10", NOW, BERLIN) == span("2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z")
    assert parse_span("today", NOW, "Asia/Kolkata") == span("2026-11-24T18:30:00Z", "2026-11-25T10:30:00Z")


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-10-26", 24)])
def test_a_day_on_which_clocks_change_has_23_or_25_hours(day, hours):
    assert parse_span(day, NOW, BERLIN).length_ms == hours * HOUR_MS


def test_a_midnight_that_clocks_skip_is_where_the_day_before_ends():
    before, after = (
        parse_span("2018-11-03", NOW, "America/Sao_Paulo"),
        parse_span("2018-11-04", NOW, "America/Sao_Paulo"),
    )
    assert before.end_ms == after.start_ms
    assert (before.length_ms, after.length_ms) == (24 * HOUR_MS, 23 * HOUR_MS)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("2026-12", "lies in the future"),
        ("2026-11-26", "lies in the future"),
        ("2027-01-01/2027-01-02", "lies in the future"),
        ("2026-10-07/2026-10-05", "ends before it begins"),
        ("2026-10-05/2026-10-05", "ends before it begins"),
        ("0h", "ends before it begins"),
        ("2016-01-01/2026-01-01", "longer than 400 days"),
        ("999999w", "longer than 400 days"),
        ("401d", "longer than 400 days"),
        ("2026-13", "is no month or day"),
        ("2026-02-30", "is no month or day"),
        ("0000-01", "is no month or day"),
        ("9999-12", "is no month or day"),
        ("2026-10-05T08:00:00/2026-10-06", "is no moment"),
        ("2026-10-05/", "is no moment"),
        ("/", "is no moment"),
        ("a/b/c", "is no moment"),
        ("last-year", "is not understood"),
        ("-7d", "is not understood"),
        ("7 d", "is not understood"),
        ("\u0667d", "is not understood"),
        ("", "is not understood"),
        ("x" * 5_000, "is not understood"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name_value_and_fix(text, problem):
    with pytest.raises(ValueError, match=f"^window: .*{problem}.*: ") as refused:
        parse_span(text, NOW)
    assert len(str(refused.value)) < 400


def test_400_days_are_allowed():
    assert parse_span("400d", NOW).length_ms == 400 * DAY_MS


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../../etc/passwd", "Europe/", "x" * 300, "a\x00b"])
def test_an_unknown_zone_is_refused(name):
    with pytest.raises(ValueError, match=r"timeZone.*Europe/Berlin"):
        parse_zone(name)


@pytest.mark.parametrize(
    ("now", "before"),
    [
        (("2026-11-01T00:00:00Z", "2026-11-15T12:00:00Z"), ("2026-10-01T00:00:00Z", "2026-10-15T12:00:00Z")),
        (("2026-03-01T00:00:00Z", "2026-03-31T12:00:00Z"), ("2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z")),
        (("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"), ("2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z")),
        (("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"), ("2025-12-01T00:00:00Z", "2025-12-02T00:00:00Z")),
        (("2026-11-01T00:00:00Z", "2026-12-03T00:00:00Z"), ("2026-09-30T00:00:00Z", "2026-11-01T00:00:00Z")),
        (("2026-11-24T10:30:00Z", "2026-11-25T10:30:00Z"), ("2026-11-23T10:30:00Z", "2026-11-24T10:30:00Z")),
    ],
)
def test_the_span_before_is_the_same_part_of_the_month_before_or_of_equal_length(now, before):
    assert span_before(span(*now)) == span(*before)


def test_a_month_to_date_is_compared_by_the_wall_clock_of_the_zone():
    now = parse_span("month-to-date", NOW, BERLIN)
    assert span_before(now, BERLIN) == span("2026-09-30T22:00:00Z", "2026-10-25T10:30:00Z")
    assert span_before(parse_span("2026-10", NOW, BERLIN), BERLIN) == parse_span("2026-09", NOW, BERLIN)


@pytest.mark.parametrize("text", ["today", "this-week", "month-to-date", "mtd"])
def test_at_the_midnight_itself_what_reaches_up_to_now_is_what_ends(text):
    monday = from_rfc3339("2027-02-01T00:00:00Z")
    assert parse_span(text, monday).end_ms == monday
    assert parse_span(text, monday).start_ms < monday
    assert parse_span(text, monday + 1) == Window(monday, monday + 1)
