"""`aicost report` on a ledger: four views, one total."""

import csv
import io
import json
from itertools import product

import pytest

from aicost.domain.reporting.query import IdlePolicy
from support.ledger_folder import PRICE

HOURS = 4
TOTAL = 4 * PRICE * HOURS
"""Four GPUs with a price, for three posted hours and the open one."""


def as_rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_table_shows_lines_idle_and_a_total_that_is_their_sum(report):
    shown = report().out
    assert "Cost by namespace · all namespaces · USD" in shown
    assert "2026-03-02 00:00 → 2026-03-02 04:00 UTC (4 h)" in shown
    lines = {line.split("  ")[0]: line.split() for line in shown.splitlines()}
    assert lines["team-a"][1] == "$19.92"
    assert lines["team-b"][1] == "$11.38"
    assert "$8.54" in lines["idle: unallocated"]
    assert lines["total"][1] == "$39.84"


def test_what_has_no_price_is_said_and_never_shown_as_zero(report):
    shown = report().out
    row = next(line for line in shown.splitlines() if line.startswith("team-c"))
    assert row.split()[1:3] == ["unpriced", "-"]
    assert "0.00" not in row.split()[1]
    assert "4.00 GPU-hours have no price and are in no amount" in shown


def test_the_facts_name_what_a_reader_must_know(report):
    shown = report().out
    for fact in (
        "telemetry 90.0%",
        "price 80.0%",
        "label team 100.0%",
        "$9.96 (25.0%) of the total rests on public list prices",
        "$9.96 of the total is the open window",
        "cpu, memory, storage, network, api: nothing measures or prices them",
        "at 95 %",
    ):
        assert fact in shown


POLICIES = [policy.value for policy in IdlePolicy]
KEYS = ["namespace", "team,model", "node", "label:app"]


@pytest.mark.parametrize(("idle", "by"), list(product(POLICIES, KEYS)))
def test_the_total_is_the_same_in_every_view(report, idle, by):
    view = ("--idle", idle, "--by", by)
    document = json.loads(report(*view, "-o", "json").out)["reports"][0]
    carried = sum(row["cost_nanos"] or 0 for row in document["rows"])
    assert carried + (document["idle"]["cost_nanos"] or 0) == document["total"]["cost_nanos"] == TOTAL
    rows = as_rows(report(*view, "-o", "csv").out)
    parts = [int(row["cost_nanos"] or 0) for row in rows if row["row_type"] != "total"]
    assert sum(parts) == int(rows[-1]["cost_nanos"]) == TOTAL
    assert "$39.84" in report(*view).out
    assert "$39.84" in report(*view, "-o", "wide").out


def test_json_carries_integers_beside_texts(report):
    row = json.loads(report("-o", "json").out)["reports"][0]["rows"][0]
    assert (row["keys"], row["cost"], row["cost_nanos"]) == ({"namespace": "team-a"}, "$19.92", 2 * PRICE * HOURS)
    assert (row["gpu_hours"], row["gpu_milliseconds"]) == ("8.00", 8 * 3_600_000)
    assert row["buckets"]["allocated-idle"] == {"cost_nanos": 2_490_000_000, "gpu_milliseconds": 3_600_000}


def test_json_says_null_where_nothing_is_known(report):
    rows = json.loads(report("-o", "json").out)["reports"][0]["rows"]
    unpriced = next(row for row in rows if row["keys"]["namespace"] == "team-c")
    assert unpriced["cost_nanos"] is None
    assert unpriced["cost"] == "unpriced"
    assert unpriced["buckets"]["used"]["cost_nanos"] is None


def test_keys_can_be_repeated_or_listed(report):
    one, other = (
        json.loads(report(*by, "-o", "json").out) for by in (("--by", "team,model"), ("-b", "team", "-b", "model"))
    )
    assert one["group_by"] == ["team", "model"]
    assert one["reports"] == other["reports"]


def test_a_filter_accepts_any_of_its_values(report):
    document = json.loads(report("--filter", "team=vision,search", "-o", "json").out)["reports"][0]
    assert [row["keys"]["namespace"] for row in document["rows"]] == ["team-a", "team-b"]
    assert document["total"]["cost_nanos"] == 3 * PRICE * HOURS


def test_a_namespace_is_reported_by_controller_and_without_the_idle_of_others(report):
    document = json.loads(report("-n", "team-a", "-o", "json").out)
    assert document["group_by"] == ["controller"]
    assert document["filters"] == {"namespace": ["team-a"]}
    assert document["reports"][0]["idle"]["cost_nanos"] == 0
    assert document["reports"][0]["total"]["cost_nanos"] == 2 * PRICE * HOURS


def test_the_first_lines_stay_and_the_rest_is_one(report):
    rows = json.loads(report("--by", "team", "--top", "1", "-o", "json").out)["reports"][0]["rows"]
    assert [row["merged_rows"] for row in rows] == [0, 3]
    assert "other (3)" in report("--by", "team", "--top", "1").out


def test_lines_can_be_ordered_the_other_way(report):
    rows = json.loads(report("--sort", "name", "--reverse", "-o", "json").out)["reports"][0]["rows"]
    assert [row["keys"]["namespace"] for row in rows] == ["team-c", "team-b", "team-a"]


def test_the_span_before_stands_beside(run, ledger):
    shown = run("report", "--ledger", str(ledger), "--window", "2026-03-02T01:00Z/2026-03-02T02:00Z", "--compare").out
    assert "CHANGE" in shown
    assert "Before        $9.96, now 0.0%" in shown


def test_a_span_before_that_is_not_known_is_said(report):
    shown = report("--compare").out
    assert "Before        not known" in shown
    assert "CHANGE" not in shown


def test_spread_idle_is_said_where_it_went(report):
    shown = report("--idle", "even").out
    assert next(line for line in shown.splitlines() if line.startswith("idle:")).split()[2] == "spread"
    assert "spread over the lines in equal parts" in shown


def test_bounds_inside_a_window_are_said(run, ledger):
    shown = run("report", "--ledger", str(ledger), "--window", "2026-03-02T00:30:00Z/2026-03-02T01:30:00Z").out
    assert "Pro-rated" in shown
    assert "$9.96" in shown


def test_a_window_that_the_ledger_covers_in_part_says_so(run, ledger):
    shown = run("report", "--ledger", str(ledger), "--window", "2026-03-01/2026-03-02T02:00:00Z").out
    assert "Data          2026-03-02 00:00 → 2026-03-02 02:00 UTC (2 h): 7.7% of the window" in shown


def test_an_empty_window_is_not_a_table_of_zeros(run, ledger):
    result = run("report", "--ledger", str(ledger), "--window", "2025-01")
    assert "The ledger holds nothing for this window." in result.out
    assert "$" not in result.out
    assert "--window 2026-03-02T00:00:00Z..2026-03-02T0" in result.err


def test_a_filter_that_nothing_matches_is_not_a_table_of_zeros(report):
    assert "Nothing in the ledger matches." in report("--filter", "team=nobody").out


def test_times_are_shown_in_the_zone_that_was_asked_for(run, ledger):
    shown = run("report", "--ledger", str(ledger), "--window", "2026-03-02", "--time-zone", "Asia/Tokyo").out
    assert "2026-03-02 00:00 → 2026-03-03 00:00 Asia/Tokyo (1 d)" in shown
