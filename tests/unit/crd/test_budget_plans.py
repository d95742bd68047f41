"""Budgets as they are written, and what they come to."""

import pytest

from aicost.crd.convert.budget.plan import budget_plan
from aicost.domain.exact.windows import from_rfc3339
from support.crd_samples import resource


def limits(zone, first):
    spec = {
        "limit": "100",
        "currency": "USD",
        "period": {"type": "Calendar", "unit": "Month", "timeZone": zone},
        "plannedAmounts": [{"from": first, "amount": "300"}],
    }
    read = budget_plan(resource("Budget", "b", spec, "lab"), "UTC")
    assert read.value is not None, read.problems
    return read.value


@pytest.mark.parametrize(
    ("zone", "begins"),
    [
        ("UTC", "2026-12-01T00:00:00Z"),
        ("Asia/Tokyo", "2026-11-30T15:00:00Z"),
        ("America/New_York", "2026-12-01T05:00:00Z"),
    ],
)
def test_a_day_from_which_an_amount_is_planned_begins_where_the_period_does(zone, begins):
    plan, start = limits(zone, "2026-12-01"), from_rfc3339(begins)
    assert plan.limit_nanos(start) == 300 * 10**9
    assert plan.limit_nanos(start - 1) == 100 * 10**9


def test_a_moment_from_which_an_amount_is_planned_is_that_moment():
    assert limits("Asia/Tokyo", "2026-12-01T00:00:00Z").limits[1][0] == from_rfc3339("2026-12-01T00:00:00Z")
