"""Totals are the same in each view, and reports of neighbouring spans sum to the report of both."""

from collections import Counter
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.ledger.difference import difference
from aicost.domain.ledger.rows import HELD, Bucket, Component
from aicost.domain.reporting.prorating import clip
from aicost.domain.reporting.query import IdlePolicy, ReportQuery
from aicost.usecases.build_report import build_reports
from support.fakes.ledger import MemoryLedger
from support.ledger_rows import CLUSTER, HOUR_0, hour, make_holder, make_posting, make_row

HOLDERS = [make_holder(), make_holder("team-a", "b-0", team="x"), make_holder("team-b", "c-0", {"app": "y"}, model="m")]
GROUPINGS = [("namespace",), ("team", "model"), ("node",), ("label:app", "pod"), ("cluster",)]
HOURS = 3
END = hour(HOURS).end_ms


@st.composite
def rows(draw, window: Window):
    bucket = draw(st.sampled_from(Bucket))
    return make_row(
        cost=draw(st.none() | st.integers(0, 10**10)),
        gpu_ms=draw(st.integers(0, HOUR_MS)),
        measured_ms=draw(st.integers(0, HOUR_MS)),
        error=draw(st.none() | st.integers(0, 10**6)),
        bucket=bucket,
        window=window,
        node=draw(st.sampled_from(["node-1", "node-2"])),
        holder=draw(st.sampled_from(HOLDERS)) if bucket in HELD else None,
        currency=draw(st.sampled_from(["USD", "USD", "EUR"])),
        component=draw(st.sampled_from(["gpu", "cpu", "memory"]).map(Component)),
        quantity=draw(st.integers(0, 10**12)),
    )


@st.composite
def ledgers(draw):
    """Three closed hours, one of them corrected, and an open one."""
    ledger = MemoryLedger()
    for index in range(HOURS):
        ledger.post(make_posting(*draw(st.lists(rows(hour(index)), max_size=5)), window=hour(index)))
    corrected = hour(draw(st.integers(0, HOURS - 1)))
    truth = draw(st.lists(rows(corrected), max_size=5))
    change = difference(ledger.rows(corrected), truth, 1, "late")
    ledger.post(make_posting(*change, window=corrected, revision=1))
    elapsed = Window(hour(HOURS).start_ms, hour(HOURS).start_ms + draw(st.integers(1, HOUR_MS)))
    ledger.replace_provisional(CLUSTER, elapsed, draw(st.lists(rows(elapsed), max_size=4)))
    return ledger


MOMENTS = st.integers(HOUR_0.start_ms, END)
SPANS = st.tuples(MOMENTS, MOMENTS).filter(lambda pair: pair[0] != pair[1]).map(lambda pair: Window(*sorted(pair)))
FILTERS = st.sampled_from(
    [{}, {}, {"team": ("x",)}, {"node": ("node-1",)}, {"namespace": ("team-a",), "node": ("node-2",)}]
)


def totals(reports) -> Counter:
    """Every sum of a report's total, by currency."""
    found: Counter = Counter()
    for report in reports:
        for bucket, nanos in report.total.buckets.items():
            found[report.currency, "cost", bucket] += nanos
        for bucket, millis in report.total.gpu_milliseconds.items():
            found[report.currency, "gpu", bucket] += millis
        for dimension, nanos in report.total.tagged_nanos.items():
            found[report.currency, "tagged", dimension] += nanos
        found[report.currency, "unpriced"] += report.total.unpriced_gpu_milliseconds
        found[report.currency, "measured"] += report.total.measured_milliseconds
        found[report.currency, "provisional"] += report.total.provisional_nanos
    return Counter({key: value for key, value in found.items() if value})


def line_sums(reports) -> dict:
    """Cost and device time by line."""
    found: Counter = Counter()
    for report in reports:
        for line in report.lines:
            found[report.currency, line.keys, "cost"] += line.cost_nanos
            for bucket, millis in line.amounts.gpu_milliseconds.items():
                found[report.currency, line.keys, bucket] += millis
    return {key: value for key, value in found.items() if value}


def added(*counters: Counter) -> Counter:
    whole: Counter = Counter()
    for counter in counters:
        for key, value in counter.items():
            whole[key] += value
    return Counter({key: value for key, value in whole.items() if value})


@settings(max_examples=60)
@given(ledgers(), SPANS, FILTERS)
def test_the_total_is_the_same_under_each_policy_and_grouping(ledger, span, filters):
    views = [
        build_reports(ledger, ReportQuery(span, group_by, filters, idle))
        for group_by in GROUPINGS
        for idle in IdlePolicy
    ]
    assert all(totals(view) == totals(views[0]) for view in views)
    for report in (report for view in views for report in view):
        lines = sum(line.cost_nanos for line in report.lines)
        assert lines + report.idle.cost_nanos == report.total.cost_nanos
        held = added(*(Counter(line.amounts.gpu_milliseconds) for line in report.lines))
        assert added(held, Counter(report.idle.gpu_milliseconds)) == Counter(report.total.gpu_milliseconds)


@settings(max_examples=60)
@given(ledgers(), st.lists(MOMENTS, min_size=3, max_size=6, unique=True), st.sampled_from(GROUPINGS), FILTERS)
def test_reports_of_neighbouring_spans_sum_to_the_report_of_both(ledger, cuts, group_by, filters):
    cuts.sort()
    parts = [build_reports(ledger, ReportQuery(Window(start, end), group_by, filters)) for start, end in pairwise(cuts)]
    whole = build_reports(ledger, ReportQuery(Window(cuts[0], cuts[-1]), group_by, filters))
    assert added(*map(totals, parts)) == totals(whole)
    assert added(*(Counter(line_sums(part)) for part in parts)) == Counter(line_sums(whole))


@settings(max_examples=40)
@given(ledgers(), SPANS, st.sampled_from(IdlePolicy), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(ledger, span, idle, random):
    shuffled = MemoryLedger()
    shuffled.postings = {key: tuple(random.sample(own, len(own))) for key, own in ledger.postings.items()}
    shuffled.provisional = {key: tuple(random.sample(own, len(own))) for key, own in ledger.provisional.items()}
    query = ReportQuery(span, ("team", "pod"), idle=idle, compare=True)
    assert build_reports(shuffled, query) == build_reports(ledger, query)


@settings(max_examples=40)
@given(ledgers(), SPANS, st.sampled_from(IdlePolicy))
def test_splitting_rows_into_revisions_changes_nothing(ledger, span, idle):
    plain = MemoryLedger()
    for index in range(HOURS):
        every = [row for (_, window, _), own in ledger.postings.items() if window == hour(index) for row in own]
        plain.postings[CLUSTER, hour(index), 0] = tuple(every)
    plain.provisional = ledger.provisional
    query = ReportQuery(span, ("namespace",), idle=idle)
    assert build_reports(plain, query) == build_reports(ledger, query)


@given(st.data())
def test_the_parts_of_a_row_sum_to_it(data):
    row = data.draw(rows(HOUR_0))
    cuts = sorted(
        data.draw(st.sets(st.integers(HOUR_0.start_ms, HOUR_0.end_ms), max_size=5)) | {HOUR_0.start_ms, HOUR_0.end_ms}
    )
    parts = [clip(row, Window(start, end)) for start, end in pairwise(cuts)]
    assert sum(part.gpu_milliseconds for part in parts) == row.gpu_milliseconds
    assert sum(part.measured_milliseconds for part in parts) == row.measured_milliseconds
    assert sum(part.quantity for part in parts) == row.quantity
    if row.cost_nanos is None:
        assert all(part.cost_nanos is None for part in parts)
    else:
        assert sum(part.cost_nanos for part in parts) == row.cost_nanos
