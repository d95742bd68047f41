"""Answers of the ledger as a status."""

import json
from dataclasses import replace

from aicost.crd.fields.conditions import ConditionStatus
from aicost.crd.models.report import ReportStatus
from aicost.crd.reasons import ConditionType, Reason
from aicost.crd.status.books import book_status
from aicost.crd.status.conditions import Statement, conditions
from aicost.crd.status.reports import Freshness, report_status, workload_status
from aicost.domain.exact.windows import DAY_MS, Window
from aicost.domain.ledger.rows import Bucket
from aicost.domain.pricing.books import PriceBook
from aicost.domain.reporting.query import Amounts, Report, ReportLine, ReportQuery
from support.builders import T0, make_node

HOUR = 3_600_000
QUERY = ReportQuery(Window(T0 - DAY_MS, T0), ("team",), compare=True)
FRESH = Freshness(generation=3, now_ms=T0 + 1_500, data_through_ms=T0)
READY = Statement(ConditionType.READY, ConditionStatus.TRUE, Reason.REPORTED, "as asked")


def _amounts(used, idle, currency="USD", unpriced=0, **more):
    buckets = {Bucket.USED: used * 10**9, Bucket.ALLOCATED_IDLE: idle * 10**9}
    times = {Bucket.USED: used * HOUR, Bucket.ALLOCATED_IDLE: idle * HOUR}
    return Amounts(currency, buckets, times, unpriced_gpu_milliseconds=unpriced * HOUR, **more)


def _report(*lines, currency="USD", **more):
    used = sum(line.amounts.buckets[Bucket.USED] for line in lines) // 10**9
    held = sum(line.amounts.buckets[Bucket.ALLOCATED_IDLE] for line in lines) // 10**9
    total = _amounts(
        used, held, currency, measured_milliseconds=(used + held) * HOUR, tagged_nanos={"team": used * 10**9}
    )
    return Report(QUERY, currency, lines, Amounts(currency, {}, {}), total, **more)


def _line(team, used, idle, **more):
    return ReportLine((team,), _amounts(used, idle), **more)


def _status(*reports, limit=50):
    stated = conditions([READY], [], 3, T0)
    return report_status(reports, window="24h", limit=limit, freshness=FRESH, conditions=stated)


def test_a_report_shows_exact_integers_beside_readable_texts():
    report = _report(
        _line("search", 60, 20, previous_nanos=40 * 10**9), _line("", 10, 10), previous_total_nanos=50 * 10**9
    )
    status = _status(report)
    assert status["summary"] == {
        "window": "24h",
        "groupBy": "team",
        "cost": "$100.00",
        "change": "+100.0%",
        "gpuHours": "100.00",
        "utilisation": "70.0%",
        "idleShare": "30.0%",
        "telemetryCoverage": "100.0%",
        "labelCoverage": "70.0%",
        "priceCoverage": "100.0%",
        "unpricedGpuHours": "0.00",
        "provisional": "$0.00",
    }
    total = status["totals"][0]
    assert total["costNanos"] == 100 * 10**9 == sum(bucket["costNanos"] for bucket in total["buckets"].values())
    assert total["gpuMilliseconds"] == 100 * HOUR
    search, untagged = status["rows"]
    assert search["keys"] == {"team": "search"}
    assert (search["costNanos"], search["share"], search["change"]) == (80 * 10**9, "80.0%", "+100.0%")
    assert search["buckets"] == {"used": 60 * 10**9, "allocatedIdle": 20 * 10**9}
    assert untagged["keys"] == {"team": "untagged"}
    assert "change" not in untagged
    assert status["observedGeneration"] == 3
    assert status["window"] == {"from": "2026-11-24T10:00:00Z", "to": "2026-11-25T10:00:00Z"}
    assert status["previousWindow"] == {"from": "2026-11-23T10:00:00Z", "to": "2026-11-24T10:00:00Z"}
    assert (status["dataThrough"], status["updatedAt"]) == ("2026-11-25T10:00:00Z", "2026-11-25T10:00:01Z")


def test_rows_beyond_the_limit_are_one_row_and_all_rows_sum_to_the_total():
    report = _report(*[_line(f"t{place}", 10, 1) for place in range(30)])
    status = _status(report, limit=4)
    assert len(status["rows"]) == 5
    assert (status["rows"][-1]["keys"], status["rows"][-1]["groups"]) == ({}, 26)
    assert sum(row["costNanos"] for row in status["rows"]) == status["totals"][0]["costNanos"]
    assert sum(row["gpuMilliseconds"] for row in status["rows"]) == status["totals"][0]["gpuMilliseconds"]


def test_time_without_a_price_is_unpriced_and_never_zero():
    amounts = Amounts("", {}, {Bucket.USED: HOUR}, unpriced_gpu_milliseconds=HOUR)
    report = Report(QUERY, "", (ReportLine(("search",), amounts),), Amounts("", {}, {}), amounts)
    status = _status(report)
    assert status["summary"]["cost"] == status["totals"][0]["cost"] == status["rows"][0]["cost"] == "unpriced"
    assert "costNanos" not in status["totals"][0]
    assert "costNanos" not in status["rows"][0]
    assert status["summary"]["gpuHours"] == status["summary"]["unpricedGpuHours"] == "1.00"
    assert status["summary"]["priceCoverage"] == "0.0%"
    assert status["summary"]["idleShare"] == "0.0%"  # of device time, which is known


def test_currencies_stand_side_by_side_and_are_never_added():
    other = _report(_line("search", 1, 1))
    euros = replace(other, currency="EUR", total=replace(other.total, currency="EUR"))
    status = _status(_report(_line("search", 3, 1)), euros)
    assert status["summary"]["cost"] == "$4.00 + €2.00"
    assert [total["currency"] for total in status["totals"]] == ["USD", "EUR"]
    assert "change" not in status["summary"]


def test_nothing_measured_is_no_utilisation():
    unmeasured = Amounts("USD", {Bucket.ALLOCATED_UNMEASURED: 10**9}, {Bucket.ALLOCATED_UNMEASURED: HOUR})
    status = _status(Report(QUERY, "USD", (), Amounts("USD", {}, {}), unmeasured))
    assert "utilisation" not in status["summary"]
    assert status["summary"]["telemetryCoverage"] == "0.0%"


def test_an_answer_of_nothing_is_a_status_all_the_same():
    status = _status()
    assert status["conditions"][0]["reason"] == "Reported"
    assert status["summary"]["gpuHours"] == "0.00"
    assert "cost" not in status["summary"]


def test_a_large_report_stays_far_below_what_etcd_takes():
    wide = [_line("t" * 63, 9_000_000, 1_000_000, previous_nanos=10**18, shared_nanos=5) for _ in range(400)]
    status = _status(_report(*wide), limit=200)
    assert len(status["rows"]) == 201
    assert len(json.dumps(status)) < 200_000
    ReportStatus.model_validate(status)


def test_a_workload_shows_its_pods_and_its_cost():
    stated = conditions([READY], [], 3, T0)
    reports = [_report(_line("search", 3, 1))]
    status = workload_status(reports, window="month-to-date", pods=(4, 1), freshness=FRESH, conditions=stated)
    assert (status["claimedPods"], status["contestedPods"]) == (4, 1)
    assert status["summary"]["cost"] == "$4.00"


def test_a_book_counts_what_it_prices_and_names_what_nobody_prices():
    nodes = [make_node(f"n-{place}").gpus(8, "NVIDIA-H200").facts() for place in range(3)]
    status = book_status(PriceBook("mine", "USD", ()), nodes_priced=5, unpriced=nodes, freshness=FRESH, conditions=[])
    (kind,) = status["unpriced"]
    assert (kind["nodes"], kind["gpus"]) == (3, 24)
    assert "match:" in kind["entry"]
    assert (status["entries"], status["nodesPriced"]) == (0, 5)


def test_a_condition_keeps_its_time_while_its_status_stays():
    first = conditions([READY], [], 1, T0)
    again = conditions([READY], first, 2, T0 + 60_000)
    assert again[0]["lastTransitionTime"] == first[0]["lastTransitionTime"]
    assert again[0]["observedGeneration"] == 2
    failed = replace(READY, status=ConditionStatus.FALSE, reason=Reason.LEDGER_UNAVAILABLE)
    assert conditions([failed], again, 2, T0 + 60_000)[0]["lastTransitionTime"] == "2026-11-25T10:01:00Z"


def test_an_endless_message_is_cut_to_what_the_schema_takes():
    (stated,) = conditions([replace(READY, message="x" * 40_000)], [], 1, T0)
    assert len(stated["message"]) == 32_768
    assert stated["message"].endswith("...")
