"""A cluster with what others bill: in its reports and budgets, beside its GPUs, and nobody else's."""

from dataclasses import replace

import pytest

from aicost.adapters.ledger.delta import DeltaLedger
from aicost.adapters.ledger.upkeep.upkeep import DeltaUpkeep
from aicost.domain.budgets.spend.scopes import Scope
from aicost.domain.budgets.spend.series import beside
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, Window
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.ledger.rows import Bucket
from aicost.domain.reporting.query import ReportQuery
from aicost.domain.thirdparty.lines import Mapped, SpendLine, rows_of_bill
from aicost.usecases.budgets.spending import Spending
from aicost.usecases.build_report import build_reports
from aicost.usecases.economics.spend.post_bill import PostBill
from aicost.usecases.economics.spend.settle_estimates import accounts_in
from aicost.usecases.economics.spend.with_accounts import homes, with_accounts
from aicost.usecases.upkeep.keep_ledger import KeepLedger
from support.fakes.ledger import MemoryLedger
from support.ledger_rows import CLUSTER, HOUR_0, hour, make_holder, make_posting, make_row

DAY = Window(HOUR_0.start_ms // DAY_MS * DAY_MS - DAY_MS, HOUR_0.start_ms // DAY_MS * DAY_MS)
"""The day before the hours of the cluster."""
WEEK = Window(DAY.end_ms - 6 * DAY_MS, DAY.end_ms + DAY_MS)
DOLLAR, NANOS = 10**18, 10**9
MAPPED = Mapped({"workspace": Dimension.TEAM}, {("namespace", "w-2"): "team-b"}, frozenset({"workspace"}))


def line(cost, workspace="w-1", day=DAY, **changes):
    tags = {"workspace": workspace}
    return SpendLine(day, "anthropic", cost * DOLLAR, **({"currency": "USD", "tags": tags} | changes))


@pytest.fixture(params=["memory", "delta"])
def ledger(request, tmp_path):
    """GPUs of two clusters and the bill of one account."""
    found = MemoryLedger() if request.param == "memory" else DeltaLedger(str(tmp_path))
    vision = make_holder(team="w-1")
    for at in (0, 1):
        found.post(make_posting(make_row(5 * NANOS, window=hour(at), holder=vision), window=hour(at)))
        other = make_row(70 * NANOS, window=hour(at), cluster="cluster-2", holder=vision)
        found.post(make_posting(other, window=hour(at), cluster="cluster-2"))
    list(PostBill("anthropic", found, found)([line(40), line(2, "w-2")], MAPPED))
    return found


def reported(ledger, cluster=CLUSTER, keys=("component",), **filters):
    counted = with_accounts(ledger.snapshot(), CLUSTER)
    query = ReportQuery(WEEK, keys, {key.replace("_", "-"): (value,) for key, value in filters.items()})
    (report,) = build_reports(counted, query, cluster=cluster)
    return {one.keys[0]: one.cost_nanos / NANOS for one in report.lines}


def test_a_report_of_the_cluster_has_the_bills_beside_its_gpus_and_no_other_cluster(ledger):
    assert reported(ledger) == {"api": 42, "gpu": 10}
    assert reported(ledger, "anthropic") == {"api": 42}
    assert reported(ledger, "cluster-2") == {"gpu": 140}
    assert reported(ledger, keys=("cluster",)) == {"anthropic": 42, CLUSTER: 10}


def test_a_team_has_both_and_a_namespace_only_what_a_rule_gives_it(ledger):
    assert reported(ledger, keys=("team",), team="w-1") == {"w-1": 50}
    assert reported(ledger, namespace="team-b") == {"api": 2}
    assert reported(ledger, namespace="team-a") == {"gpu": 10}


def test_sums_with_accounts_are_the_sums_of_both(ledger):
    reader = ledger.snapshot()
    both = with_accounts(reader, CLUSTER).sums(WEEK, ("team", "provider"), {}, cluster=CLUSTER)
    parts = [reader.sums(WEEK, (), {}, cluster=key) for key in (CLUSTER, "anthropic")]
    assert sum(one.cost_nanos for one in both) == sum(one.cost_nanos for part in parts for one in part)


def test_a_day_that_is_cut_counts_in_part(ledger):
    counted = with_accounts(ledger.snapshot(), CLUSTER)
    half = Window(DAY.start_ms + DAY_MS // 2, DAY.end_ms)
    (report,) = build_reports(counted, ReportQuery(half, ("component",)), cluster=CLUSTER)
    assert (report.total.cost_nanos, report.prorated) == (21 * NANOS, True)


def test_an_estimate_of_the_day_that_goes_on_is_provisional_and_counts(ledger):
    today = Window(DAY.end_ms, DAY.end_ms + 10 * HOUR_MS)
    rows = rows_of_bill("gateway", [line(3)], MAPPED)[DAY]
    ledger.replace_provisional("gateway", today, [replace(row, window=today) for row in rows])
    assert reported(ledger) == {"api": 45, "gpu": 10}


def test_a_budget_counts_the_bill_in_its_scope_and_only_what_it_wants_of_components(ledger):
    keys = ("cluster", "namespace", "team")
    closed = Spending(ledger, CLUSTER, lambda reader: with_accounts(reader, CLUSTER)).closed(keys, ())
    sums = closed.since(WEEK.start_ms)

    def spent(*filters, components=()):
        chosen = tuple((key, frozenset({value})) for key, value in filters)
        return sum(one.cost_nanos for one in sums.inside(Scope(chosen, frozenset(components)))) / NANOS

    assert spent() == 52
    assert spent(("team", "w-1")) == 50
    assert spent(("team", "w-1"), components=("gpu",)) == 10
    assert spent(components=("api",)) == 42
    assert spent(("namespace", "team-b")) == 2
    assert spent(("cluster", CLUSTER)) == 10
    assert closed.end_ms == hour(1).end_ms
    timeline = closed.timeline(Scope((("team", frozenset({"w-1"})),)), "USD")
    assert timeline.spent(WEEK) == 50 * NANOS
    assert timeline.spent(Window(DAY.start_ms, DAY.start_ms + DAY_MS // 4)) == 10 * NANOS


def test_a_budget_without_the_accounts_is_as_before(ledger):
    closed = Spending(ledger, CLUSTER).closed(("cluster",), ())
    assert sum(one.cost_nanos for one in closed.since(WEEK.start_ms).inside(Scope(()))) == 10 * NANOS


def test_a_bill_of_a_day_says_nothing_of_any_hour(ledger):
    parts = [ledger.snapshot().series(WEEK, ("team",), cluster=key) for key in ("anthropic", CLUSTER)]
    cost, _, _ = beside(parts).of(Scope(()), "USD").hourly(72, hour(1).end_ms)
    assert [one for one in cost if one == one] == [5 * NANOS, 5 * NANOS]  # noqa: PLR0124 -- NaN is not itself


def test_a_new_cluster_has_its_accounts_before_its_first_window():
    empty = MemoryLedger()
    list(PostBill("anthropic", empty, empty)([line(40)]))
    counted = with_accounts(empty.snapshot(), CLUSTER)
    assert (counted.first_window(CLUSTER), counted.last_window(CLUSTER)) == (DAY, DAY)
    assert counted.last_window("cluster-2") is None


def test_a_ledger_without_accounts_is_read_as_it_is():
    plain = MemoryLedger()
    plain.post(make_posting(make_row(1, bucket=Bucket.UNALLOCATED)))
    reader = plain.snapshot()
    assert with_accounts(reader, CLUSTER) is reader


def test_retention_drops_the_days_of_accounts_as_well(tmp_path):
    ledger = DeltaLedger(str(tmp_path))
    list(PostBill("anthropic", ledger, ledger)([line(40), line(1, day=Window(DAY.start_ms - DAY_MS, DAY.start_ms))]))
    keep = KeepLedger(
        CLUSTER, DeltaUpkeep(ledger.place), 1, lambda before_ms: accounts_in(ledger, Window(0, before_ms))
    )
    now = DAY.end_ms + HOUR_MS
    (gone,) = keep.drop_of_accounts(now)
    assert (gone.cluster, gone.rows, gone.cost_nanos) == ("anthropic", 1, {"USD": NANOS})
    assert keep.drop_of_accounts(now) == []
    assert sum(row.cost_nanos for row in ledger.rows(WEEK)) == 40 * NANOS
    assert KeepLedger(CLUSTER, DeltaUpkeep(ledger.place), 0).drop_of_accounts(now) == ()


def test_whoever_reads_one_cluster_is_not_asked_about_accounts(ledger):
    assert homes(ledger.snapshot()) == [CLUSTER, "cluster-2"]
    alone = MemoryLedger()
    list(PostBill("anthropic", alone, alone)([line(1)]))
    assert list(homes(alone.snapshot())) == ["anthropic"]
