"""Reports: lines, idle, totals, filters, cut windows, the open window and the span before."""

import pytest

from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.ledger.difference import difference
from aicost.domain.ledger.rows import Bucket, Component
from aicost.domain.reporting.query import IdlePolicy, ReportQuery
from aicost.ports.errors import InvalidRequest
from aicost.usecases.build_report import ReportRequest, build_reports, read_request
from support.fakes.ledger import MemoryLedger
from support.ledger_rows import CLUSTER, HOUR_0, hour, make_holder, make_posting, make_row

A, B = make_holder("team-a", "a-1", team="vision"), make_holder("team-b", "b-1")


def ledger_of(*rows, window=HOUR_0) -> MemoryLedger:
    ledger = MemoryLedger()
    ledger.post(make_posting(*rows, window=window))
    return ledger


def mixed_rows():
    return [
        make_row(cost=600, gpu_ms=60, holder=A),
        make_row(cost=100, gpu_ms=10, holder=A, bucket=Bucket.ALLOCATED_IDLE),
        make_row(cost=200, gpu_ms=20, holder=B),
        make_row(cost=101, gpu_ms=10, bucket=Bucket.UNALLOCATED, node="node-2"),
    ]


def report(ledger, group_by=("namespace",), span=HOUR_0, **rest):
    (only,) = build_reports(ledger, ReportQuery(span, group_by, **rest))
    return only


def costs(found):
    return {line.keys: line.cost_nanos for line in found.lines}


@pytest.mark.parametrize(
    ("policy", "lines", "idle"),
    [
        (IdlePolicy.SEPARATE, {("team-a",): 600, ("team-b",): 200}, {"allocated-idle": 100, "unallocated": 101}),
        (IdlePolicy.TO_HOLDER, {("team-a",): 700, ("team-b",): 200}, {"unallocated": 101}),
        (IdlePolicy.WEIGHTED, {("team-a",): 700 + 79, ("team-b",): 200 + 22}, {}),
        (IdlePolicy.EVEN, {("team-a",): 700 + 51, ("team-b",): 200 + 50}, {}),
    ],
)
def test_each_idle_policy_moves_idle_and_keeps_the_total(policy, lines, idle):
    found = report(ledger_of(*mixed_rows()), idle=policy)
    assert (costs(found), found.idle.buckets, found.total.cost_nanos) == (lines, idle, 1_001)


def test_device_time_stays_with_the_holder_under_every_policy():
    for policy in IdlePolicy:
        found = report(ledger_of(*mixed_rows()), idle=policy)
        assert found.lines[0].amounts.gpu_milliseconds == {"used": 60, "allocated-idle": 10}
        assert found.idle.gpu_milliseconds == {"unallocated": 10}


def test_lines_come_largest_first_and_equal_ones_by_name():
    rows = [make_row(cost=cost, holder=make_holder(name, name)) for name, cost in (("b", 5), ("a", 5), ("c", 9))]
    assert list(costs(report(ledger_of(*rows)))) == [("c",), ("a",), ("b",)]


def test_a_dimension_that_nothing_names_is_untagged():
    assert costs(report(ledger_of(*mixed_rows()), ("team", "namespace"))) == {
        ("vision", "team-a"): 700,
        ("untagged", "team-b"): 200,
    }


def test_a_filter_by_holder_shows_no_idle_of_the_cluster():
    found = report(ledger_of(*mixed_rows()), filters={"team": ("untagged",)}, idle=IdlePolicy.WEIGHTED)
    assert (costs(found), found.idle.buckets, found.total.cost_nanos) == ({("team-b",): 200}, {}, 200)


def test_a_filter_by_device_filters_idle_too():
    assert report(ledger_of(*mixed_rows()), filters={"node": ("node-2",)}).total.buckets == {"unallocated": 101}
    assert report(ledger_of(*mixed_rows()), filters={"node": ("node-1",)}).total.cost_nanos == 900


def test_idle_that_no_line_can_carry_stays_idle():
    for policy in IdlePolicy:
        found = report(ledger_of(make_row(cost=9, bucket=Bucket.STRANDED)), idle=policy)
        assert (found.lines, found.idle.buckets, found.total.cost_nanos) == ((), {"stranded": 9}, 9)


def test_a_window_that_a_bound_cuts_is_pro_rated_and_flagged():
    ledger = ledger_of(make_row(cost=1_000, gpu_ms=100))
    third = HOUR_0.start_ms + HOUR_MS // 3
    first, second = (
        report(ledger, span=Window(HOUR_0.start_ms, third)),
        report(ledger, span=Window(third, HOUR_0.end_ms)),
    )
    assert (first.total.cost_nanos, second.total.cost_nanos) == (333, 667)
    assert first.prorated
    assert second.prorated
    assert not report(ledger).prorated


def test_a_span_inside_one_window_counts_it_once():
    span = Window(HOUR_0.start_ms + HOUR_MS // 4, HOUR_0.start_ms + HOUR_MS // 2)
    assert report(ledger_of(make_row(cost=1_000)), span=span).total.cost_nanos == 250


def test_the_open_window_counts_as_provisional():
    ledger = ledger_of(make_row(cost=1_000))
    elapsed = Window(hour(1).start_ms, hour(1).start_ms + HOUR_MS // 2)
    ledger.replace_provisional(CLUSTER, elapsed, [make_row(cost=400, window=elapsed)])
    found = report(ledger, span=Window(HOUR_0.start_ms, elapsed.end_ms))
    assert (found.total.cost_nanos, found.total.provisional_nanos, found.prorated) == (1_400, 400, False)
    earlier = report(ledger, span=Window(HOUR_0.start_ms, elapsed.start_ms + HOUR_MS // 4))
    assert (earlier.total.cost_nanos, earlier.total.provisional_nanos, earlier.prorated) == (1_200, 200, True)


def test_currencies_get_a_report_each():
    rows = [
        make_row(cost=5, currency="EUR"),
        make_row(cost=9),
        make_row(cost=1, currency="EUR", bucket=Bucket.UNALLOCATED),
    ]
    found = build_reports(ledger_of(*rows), ReportQuery(HOUR_0, ("team",)))
    assert [(one.currency, one.total.cost_nanos) for one in found] == [("USD", 9), ("EUR", 6)]


def test_unpriced_time_counts_beside_the_only_currency_and_costs_nothing():
    found = report(ledger_of(make_row(cost=5, gpu_ms=10), make_row(cost=None, gpu_ms=7, currency="", error=None)))
    assert (found.currency, found.total.cost_nanos) == ("USD", 5)
    assert (found.total.gpu_milliseconds, found.total.unpriced_gpu_milliseconds) == ({"used": 17}, 7)


def test_an_empty_ledger_gives_one_empty_report():
    found = report(MemoryLedger(), compare=True)
    assert (found.lines, found.total.cost_nanos, found.covered, found.previous_total_nanos) == ((), 0, None, None)


def test_covered_is_the_part_that_the_ledger_answers_for():
    ledger = ledger_of(window=hour(1))
    span = Window(hour(0).start_ms, hour(5).start_ms)
    assert build_reports(ledger, ReportQuery(span, ("team",)), cluster=CLUSTER)[0].covered == hour(1)
    ledger.replace_provisional(CLUSTER, hour(2), [make_row(window=hour(2))])
    assert report(ledger, span=span).covered == Window(hour(1).start_ms, hour(2).end_ms)


def test_components_that_no_row_is_about_are_named():
    assert report(ledger_of(*mixed_rows())).not_covered == ("cpu", "memory", "storage", "network", "api")
    with_cpu = ledger_of(*mixed_rows(), make_row(cost=1, gpu_ms=0, component=Component.CPU))
    assert report(with_cpu).not_covered == ("memory", "storage", "network", "api")


def compared_ledger() -> MemoryLedger:
    ledger = ledger_of(make_row(cost=100, holder=A), make_row(cost=50, holder=B))
    new = make_holder("team-c", "c-1")
    ledger.post(
        make_posting(
            make_row(cost=150, holder=A, window=hour(1)), make_row(cost=5, holder=new, window=hour(1)), window=hour(1)
        )
    )
    return ledger


def test_the_span_before_stands_beside_each_line():
    found = report(compared_ledger(), span=hour(1), compare=True)
    assert {line.keys: (line.cost_nanos, line.previous_nanos) for line in found.lines} == {
        ("team-a",): (150, 100),
        ("team-c",): (5, 0),
        ("team-b",): (0, 50),
    }
    assert found.previous_total_nanos == 150


def test_a_span_before_that_the_ledger_does_not_know_is_absent_and_not_zero():
    found = report(compared_ledger(), span=hour(0), compare=True)
    assert ({line.previous_nanos for line in found.lines}, found.previous_total_nanos) == ({None}, None)


def test_difference_rows_of_a_late_price_are_part_of_the_report():
    ledger = ledger_of(make_row(cost=None, gpu_ms=10))
    change = difference(ledger.rows(HOUR_0), [make_row(cost=70, gpu_ms=10)], 1, "late price")
    ledger.post(make_posting(*change, revision=1))
    total = report(ledger).total
    assert (total.cost_nanos, total.gpu_milliseconds, total.unpriced_gpu_milliseconds) == (70, {"used": 10}, 0)


def test_error_bars_add_in_squares_and_one_that_is_missing_leaves_none():
    rows = [make_row(error=30), make_row(error=40, holder=B), make_row(error=None, holder=B, bucket=Bucket.UNALLOCATED)]
    found = report(ledger_of(*rows[:2]))
    assert (found.total.error_nanos, [line.amounts.error_nanos for line in found.lines]) == (50, [30, 40])
    assert report(ledger_of(*rows)).total.error_nanos is None


def test_list_price_and_tags_are_counted_in_money():
    rows = [make_row(cost=6, holder=A, list_price=True), make_row(cost=4, holder=B)]
    total = report(ledger_of(*rows)).total
    assert (total.list_price_nanos, total.tagged_nanos) == (6, {"team": 6})


@pytest.mark.parametrize(
    ("request_", "problem"),
    [
        (ReportRequest("2099-01"), "window: '2099-01' lies in the future"),
        (ReportRequest("7d", ("teem",)), "groupBy: 'teem' is no key: did you mean 'team'"),
        (ReportRequest("7d", ("label:",)), "groupBy: 'label:' is no key"),
        (ReportRequest("7d", ()), "groupBy: name at least one key"),
        (ReportRequest("7d", filters={"colour": ("red",)}), "filter: 'colour' is no key"),
        (ReportRequest("7d", idle="mine"), "idle: 'mine' is no idle policy: use separate, to-holder, weighted, even"),
        (ReportRequest("7d", time_zone="Mars"), "timeZone: 'Mars'"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_with_the_fix(request_, problem):
    with pytest.raises(InvalidRequest, match=problem.replace("'", ".")):
        read_request(request_, hour(1).start_ms)


def test_a_request_becomes_a_query():
    request_ = ReportRequest(
        "90m", ("team", "label:app"), {"namespace": ("a",)}, "even", compare=True, time_zone="Asia/Tokyo"
    )
    assert read_request(request_, HOUR_0.end_ms) == ReportQuery(
        Window(HOUR_0.end_ms - HOUR_MS * 3 // 2, HOUR_0.end_ms),
        ("team", "label:app"),
        {"namespace": ("a",)},
        IdlePolicy.EVEN,
        compare=True,
        time_zone="Asia/Tokyo",
    )
