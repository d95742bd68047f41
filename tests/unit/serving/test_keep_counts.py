"""Closed windows are counted once, late samples revise them, and what is read from the store is what was counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicost.adapters.ledger.counts.store import DeltaCounts
from aicost.adapters.ledger.place import LedgerPlace
from aicost.domain.attribution.customers import CustomerIds
from aicost.domain.budgets.units.counts import CountMethod, UnitCount
from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.ledger.rows import Bucket
from aicost.domain.serving.counted import (
    MOST_MODELS,
    MOST_TENANTS,
    OTHER,
    WindowCounts,
    rows_of,
    tallies_of,
    tenants_of,
    units_of,
)
from aicost.domain.serving.meters import Count, Outcome
from aicost.domain.serving.tallies import Tally
from aicost.domain.serving.tenants import Asked, TenantCount
from aicost.ports.errors import SourceUnavailable
from aicost.ports.measured.units import Counter, CounterQuery
from aicost.usecases.economics.cost_units import UnitQuestion, cost_counted, cost_units
from aicost.usecases.economics.count_window import Said
from aicost.usecases.economics.counting import grown_in
from aicost.usecases.economics.keep_counts import MOST_AT_ONCE, KeepCounts
from support.engines import STEP, Scripted, seconds
from support.fakes.ledger import MemoryLedger
from support.ledger_rows import CLUSTER, hour, make_holder, make_posting, make_row

POD = {"namespace": "team-a", "pod": "chat-0"}
VLLM = "vllm:generation_tokens_total"


class Own:
    """Own counters of workloads."""

    def count(self, counters, _span):
        return {one.key: UnitCount(12, 9, 2, CountMethod.INCREASE) for one in counters}


def tokens(**more):
    return (VLLM, {**POD, "model_name": "m", **more}, seconds, 0, 10**15)


def ledger(*offsets):
    made = MemoryLedger()
    for at in offsets:
        row = make_row(10**9, bucket=Bucket.USED, window=hour(at), holder=make_holder("team-a", "chat-0"))
        made.post(make_posting(row, window=hour(at)))
    return made


@pytest.fixture
def store(tmp_path):
    return DeltaCounts(LedgerPlace(str(tmp_path / "ledger")))


def keeping(store, engines, *offsets, **more):
    return KeepCounts(CLUSTER, store, ledger(*offsets), engines, **more)


def span(first, last):
    return Window(hour(first).start_ms, hour(last).end_ms)


def output(store, first, last):
    report = cost_counted(
        ledger(*range(first, last + 1)).snapshot(), store, span(first, last), UnitQuestion(("pod",)), cluster=CLUSTER
    )
    return [line.costs.did.get(Count.OUTPUT) for line in report.lines]


def test_what_is_read_from_the_store_is_what_the_engines_say_now(store):
    engines = Scripted(
        tokens(), ("litellm_output_tokens_metric_total", {**POD, "model": "m", "team_alias": "a"}, seconds, 0, 10**15)
    )
    list(keeping(store, engines, 0, 1, 2)())
    question = UnitQuestion(("namespace", "controller"), tenants=Dimension.TEAM)
    reader = ledger(0, 1, 2).snapshot()
    kept = cost_counted(reader, store, span(0, 2), question, cluster=CLUSTER)
    assert kept == cost_units(reader, engines, span(0, 2), question, cluster=CLUSTER)
    assert kept.lines[0].costs.did.get(Count.OUTPUT) == 3 * 3_600
    assert kept.lines[0].tenancy.shares[0].tenant == "a"


def test_windows_are_counted_once_and_only_some_at_once(store):
    keep = keeping(store, Scripted(tokens()), *range(6))
    assert [one.window for one in keep()] == [hour(at) for at in range(MOST_AT_ONCE)]
    assert [one.window for one in keep()] == [hour(4), hour(5)]
    assert list(keep()) == []


def test_what_is_too_long_ago_is_not_caught_up_with(store):
    assert list(keeping(store, Scripted(tokens()), -60, 0).due()) == [hour(0)]


def test_a_source_that_fails_leaves_what_was_kept_and_is_caught_up_with(store):
    engines = Scripted(tokens())
    list(keeping(store, engines, 0)())
    engines.problem = "down"
    with pytest.raises(SourceUnavailable):
        list(keeping(store, engines, 0, 1)())
    assert list(store.windows(span(0, 3), cluster=CLUSTER)) == [hour(0)]
    engines.problem = ""
    assert [one.window for one in keeping(store, engines, 0, 1, 2)()] == [hour(1), hour(2)]


def test_windows_without_counts_cost_nothing_in_the_ratio(store):
    list(keeping(store, Scripted(tokens()), 0)())
    report = cost_counted(ledger(0, 1).snapshot(), store, span(0, 1), UnitQuestion(("pod",)), cluster=CLUSTER)
    assert (report.rests_on, report.lines[0].costs.spent.cost_nanos) == (hour(0), 10**9)


def test_late_samples_make_a_higher_revision_and_the_same_ones_none(store):
    engines = Scripted(tokens())
    list(keeping(store, engines, 0)())
    engines.add(VLLM, {**POD, "pod": "late-0", "model_name": "m"}, seconds, since=hour(0).start_ms - HOUR_MS)
    told = [(one.window, one.revision) for one in keeping(store, engines, 0, 1)()]
    assert told == [(hour(1), 0), (hour(0), 1)]
    told = [(one.window, one.revision) for one in keeping(store, engines, 0, 1, 2)()]
    assert told == [(hour(2), 0)]
    assert output(store, 0, 0) == [3_600]


def test_a_target_that_was_away_over_the_hour_did_not_begin_anew(store):
    away = hour(0).start_ms - 20 * 60_000
    back = hour(0).start_ms + 60_000
    engines = Scripted((VLLM, {**POD, "model_name": "m"}, seconds, 0, away), tokens(pod="chat-9"))
    engines.add(VLLM, {**POD, "model_name": "m"}, seconds, since=back)
    found = {one.pod[1]: one.grown.growth.by for one in grown_in(engines, hour(0))}
    assert found["chat-0"] == 3_600 + 20 * 60 - STEP // 1_000 + STEP // 1_000
    assert engines.asked_before == [{("team-a", "chat-0")}]


def test_a_pod_that_is_new_counts_from_zero():
    began = hour(0).start_ms + 60_000
    engines = Scripted(tokens(pod="chat-9"))
    engines.add(VLLM, {**POD, "model_name": "m"}, lambda at: 7 + (at - began) / 1_000, since=began)
    found = {one.pod[1]: one.grown.growth.by for one in grown_in(engines, hour(0))}
    assert found["chat-0"] == 7 + 3_600 - 60 - STEP // 1_000


def test_own_counters_of_workloads_are_kept_beside(store):
    own = [CounterQuery("team-a", "chat", Counter("answers_total"))]
    list(keeping(store, Scripted(tokens()), 0, units=Own())(Said(own)))
    assert units_of(store.rows(CLUSTER, hour(0)))[("team-a", "chat")].units == 12


def test_customers_are_kept_under_ids_where_the_settings_want_it(store):
    labels = {**POD, "model": "m", "end_user": "Acme Ltd"}
    engines = Scripted(("litellm_output_tokens_metric_total", labels, seconds, 0, 10**15))
    list(keeping(store, engines, 0, ids=CustomerIds(b"k" * 32))())
    (row,) = store.rows(CLUSTER, hour(0))
    assert row.customer.startswith("c-")
    assert "acme" not in repr(row).lower()


def counts(pods=None, asked=(), units=None):
    return WindowCounts(hour(0), pods or {}, tuple(asked), units or {})


def test_a_tally_comes_back_as_it_was():
    did = Tally(frozenset({"vllm"}), {Count.OUTPUT: 5, Count.INPUT: 0}, {Outcome.SUCCESS: 2, Outcome.FAILED: 0}, True)
    pods = {("a", "b"): {"m": did}}
    assert tallies_of(rows_of(counts(pods))) == pods


def test_ten_thousand_models_of_one_pod_take_some_rows_and_no_token_is_lost():
    models = {f"m-{at}\x1b[31m" * 99: Tally(frozenset({"vllm"}), {Count.OUTPUT: at}) for at in range(10_000)}
    rows = rows_of(counts({("a", "b"): models}))
    assert len(rows) == MOST_MODELS + 1
    assert sum(row.value for row in rows) == sum(range(10_000))
    assert max(len(row.model) for row in rows) <= 253


def test_a_count_that_no_counter_can_reach_is_none():
    rows = rows_of(counts({("a", "b"): {"m": Tally(counts={Count.OUTPUT: 2**63, Count.INPUT: 5})}}))
    assert [row.count for row in rows] == ["input-tokens"]


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 10**9)), max_size=200))
def test_who_asked_little_stands_together_as_other_and_no_token_is_lost(asked):
    many = [
        TenantCount("litellm", "m", {Dimension.CUSTOMER: f"c-{at}", Dimension.TEAM: "t"}, Asked(output=number))
        for at, number in dict(asked).items()
    ]
    found = tenants_of(rows_of(counts(asked=many)))
    assert sum(one.asked.output for one in found) == sum(one.asked.output for one in many)


def test_of_too_many_tenants_the_largest_keep_their_names():
    many = [
        TenantCount("litellm", "m", {Dimension.CUSTOMER: f"c-{at}"}, Asked(1, 1, at + 1))
        for at in range(MOST_TENANTS + 1_000)
    ]
    rows = rows_of(counts(asked=many))
    assert len(rows) == 3 * (MOST_TENANTS + 1)
    others = [row for row in rows if row.customer == OTHER]
    assert sum(row.value for row in others if row.count == Count.OUTPUT) == sum(range(1, 1_001))
