"""A report as a question, and the span that its window stands for."""

from zoneinfo import ZoneInfo

import pytest

from aicost.crd.convert.reports import report_request
from aicost.crd.convert.windows import window_span
from aicost.domain.exact.windows import HOUR_MS, Window, from_rfc3339
from aicost.domain.reporting.query import IdlePolicy
from support.crd_samples import FULL, resource

NOW = from_rfc3339("2026-11-20T10:20:30Z")  # a Friday
UTC, BERLIN = ZoneInfo("UTC"), ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("today", "2026-11-20T00:00:00Z", "2026-11-20T10:20:30Z"),
        ("yesterday", "2026-11-19T00:00:00Z", "2026-11-20T00:00:00Z"),
        ("week-to-date", "2026-11-16T00:00:00Z", "2026-11-20T10:20:30Z"),
        ("month-to-date", "2026-11-01T00:00:00Z", "2026-11-20T10:20:30Z"),
        ("lastweek", "2026-11-09T00:00:00Z", "2026-11-16T00:00:00Z"),
        ("lastmonth", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z"),
        ("7d", "2026-11-13T10:20:30Z", "2026-11-20T10:20:30Z"),
        ("24h", "2026-11-19T10:20:30Z", "2026-11-20T10:20:30Z"),
    ],
)
def test_a_window_is_a_span_up_to_now_or_a_whole_one_before(name, start, end):
    assert window_span(name, NOW, UTC) == Window(from_rfc3339(start), from_rfc3339(end))


def test_days_begin_at_midnight_of_the_zone_whatever_the_clocks_do():
    autumn = from_rfc3339("2026-10-26T12:00:00Z")  # the clocks went back on the 25th
    day = window_span("yesterday", autumn, BERLIN)
    assert day.length_ms == 25 * HOUR_MS
    assert window_span("lastmonth", NOW, BERLIN).length_ms == (31 * 24 + 1) * HOUR_MS
    assert window_span("today", from_rfc3339("2026-11-19T23:30:00Z"), BERLIN).length_ms == HOUR_MS // 2


def test_a_month_that_begins_now_is_an_empty_span():
    start = from_rfc3339("2026-11-01T00:00:00Z")
    assert window_span("month-to-date", start, UTC) == Window(start, start)


def test_january_looks_back_into_the_year_before():
    january = from_rfc3339("2027-01-03T00:00:00Z")
    assert window_span("lastmonth", january, UTC).start_ms == from_rfc3339("2026-12-01T00:00:00Z")


@pytest.mark.parametrize("name", ["", "d", "xd", "7w", "-7d", "lastyear", "\uff17d"])
def test_what_is_no_window_is_refused(name):
    with pytest.raises(ValueError, match="is no window: use today"):
        window_span(name, NOW, UTC)


def _read(kind, spec, zone="UTC"):
    return report_request(resource(kind, "r", spec, namespace="team-a"), NOW, zone)


def test_an_empty_report_asks_about_its_namespace_this_month():
    request = _read("AICostReport", {}).value
    assert (request.window, request.zone, request.limit) == ("month-to-date", "UTC", 50)
    assert request.query.span == window_span("month-to-date", NOW, UTC)
    assert request.query.filters == {"namespace": ("team-a",)}
    assert (request.query.group_by, request.query.idle) == (("controller",), IdlePolicy.TO_HOLDER)
    assert request.query.compare


def test_a_report_on_the_cluster_has_no_filter_of_ours():
    request = _read("ClusterAICostReport", {}).value
    assert request.query.filters == {}
    assert request.query.group_by == ("namespace",)


def test_the_fullest_reports_are_read_whole():
    request = _read("AICostReport", FULL["AICostReport"]).value
    assert (request.window, request.zone, request.limit) == ("7d", "Europe/Berlin", 200)
    assert request.query.group_by == ("team", "model", "label:app.kubernetes.io/name")
    assert request.query.filters["stage"] == ("production", "pilot")
    assert request.query.filters["namespace"] == ("team-a",)
    assert (request.query.idle, request.query.compare) == (IdlePolicy.WEIGHTED, False)
    cluster = _read("ClusterAICostReport", FULL["ClusterAICostReport"]).value
    assert cluster.query.span == Window(from_rfc3339("2026-01-01T00:00:00Z"), from_rfc3339("2026-04-01T00:00:00Z"))
    assert cluster.window == "2026-01-01/2026-04-01T00:00:00Z"


def test_a_namespace_cannot_be_widened_by_a_filter_that_slipped_through():
    read = _read("AICostReport", {"filter": {"namespace": ["team-b"]}})
    assert read.value is None
    assert "covers its own namespace" in read.problems[0].fix


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "Mars", "UTC/../UTC", "A" * 64])
def test_an_unknown_time_zone_is_told(zone):
    read = _read("AICostReport", {"timeZone": zone})
    assert read.value is None
    assert read.problems[0].field == "spec.timeZone"


def test_the_zone_of_the_settings_holds_where_the_report_names_none():
    assert _read("AICostReport", {"window": "today"}, "Europe/Berlin").value.zone == "Europe/Berlin"
