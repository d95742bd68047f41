"""A report as a question to the ledger."""

import pytest

from aicost.crd.convert.reports import asked_report
from aicost.domain.exact.windows import Window, from_rfc3339
from aicost.domain.reporting.query import IdlePolicy
from support.crd_samples import FULL, resource

NOW = from_rfc3339("2026-11-20T10:20:30Z")  # a Friday


def _read(kind, spec, zone="UTC"):
    return asked_report(resource(kind, "r", spec, namespace="team-a"), NOW, zone)


def test_an_empty_report_asks_about_its_namespace_this_month():
    request = _read("AICostReport", {}).value
    assert (request.window, request.query.time_zone, request.limit) == ("month-to-date", "UTC", 50)
    assert request.query.span == Window(from_rfc3339("2026-11-01T00:00:00Z"), NOW)
    assert request.query.filters == {"namespace": ("team-a",)}
    assert (request.query.group_by, request.query.idle) == (("controller",), IdlePolicy.TO_HOLDER)
    assert request.query.compare


def test_a_report_on_the_cluster_has_no_filter_of_ours():
    request = _read("ClusterAICostReport", {}).value
    assert request.query.filters == {}
    assert request.query.group_by == ("namespace",)


def test_the_fullest_reports_are_read_whole():
    request = _read("AICostReport", FULL["AICostReport"]).value
    assert (request.window, request.query.time_zone, request.limit) == ("7d", "Europe/Berlin", 200)
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
    assert _read("AICostReport", {"window": "today"}, "Europe/Berlin").value.query.time_zone == "Europe/Berlin"


def test_a_day_of_a_range_begins_at_midnight_of_the_time_zone():
    spec = {"range": {"from": "2026-11-01", "to": "2026-11-02"}, "timeZone": "Europe/Berlin"}
    assert _read("AICostReport", spec).value.query.span.start_ms == from_rfc3339("2026-10-31T23:00:00Z")


@pytest.mark.parametrize(
    ("spec", "field", "fix"),
    [
        ({"range": {"from": "2027-01-01", "to": "2027-02-01"}}, "spec.range", "lies in the future"),
        ({"window": "2027-03"}, "spec.window", "lies in the future"),
        ({"window": "2026-02-30"}, "spec.window", "is no month or day"),
    ],
)
def test_what_only_the_present_can_refuse_is_told_with_its_field(spec, field, fix):
    read = _read("ClusterAICostReport", spec)
    assert read.value is None
    assert read.problems[0].field == field
    assert fix in read.problems[0].fix
