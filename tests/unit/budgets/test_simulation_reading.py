"""What a simulation reads: of a ledger, piece by piece and never too much; the same figures as the controller has."""

import json
from dataclasses import replace

import pytest

from aicost.domain.budgets.periods import Calendar, Rolling, current_period, period_key
from aicost.domain.budgets.simulation import simulate as simulation
from aicost.domain.budgets.simulation.columns import columns_of, read_columns
from aicost.domain.budgets.simulation.figures import Term
from aicost.domain.budgets.simulation.history import KEYS, history_of
from aicost.domain.budgets.spend.running import grouped
from aicost.domain.budgets.spend.scopes import scope_of
from aicost.domain.coverage.keys import TEAM
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, MINUTE_MS, Window
from aicost.domain.ledger.rows import Bucket
from aicost.ports.errors import InvalidRequest
from aicost.usecases.budgets import simulate as reading
from aicost.usecases.budgets.simulate import (
    SeriesQuestion,
    question_for,
    read_record,
    series_question,
    simulate_budget,
)
from aicost.usecases.budgets.spending import Known, OpenSpend, OpenSums, Spending, spend_of
from support.fakes.ledger import MemoryLedger
from support.ledger_rows import CLUSTER, make_holder, make_posting, make_row
from unit.budgets.test_simulation import OCTOBER, START, UNIT, Ran, budget, recorded

CHAT = make_holder("research", "chat-0", team="vision", stage="pilot")
TRAIN = make_holder("research", "train-0", team="vision", stage="experiment")
FOREIGN = make_holder("search", "rank-0")


def filled(hours: int, start_ms: int = START) -> MemoryLedger:
    """So many hours of three workloads, dearer with each hour, and of what nobody held."""
    ledger = MemoryLedger()
    for number in range(hours):
        window = Window(start_ms + number * HOUR_MS, start_ms + (number + 1) * HOUR_MS)
        rows = [
            make_row(UNIT + number * 1_000_003, window=window, holder=CHAT),
            make_row(UNIT // 3, window=window, holder=CHAT, bucket=Bucket.ALLOCATED_IDLE, gpu_ms=60_000),
            make_row(7 * UNIT, window=window, holder=FOREIGN),
            make_row(UNIT, window=window, bucket=Bucket.UNALLOCATED),
            *([make_row(2 * UNIT, window=window, holder=TRAIN)] if number % 5 else []),
        ]
        ledger.post(make_posting(*rows, window=window))
    return ledger


def asked(span: Window, **filters: str) -> SeriesQuestion:
    return SeriesQuestion(span, KEYS, {key: (value,) for key, value in filters.items()})


def test_a_record_is_the_ledger_and_its_parts_sum_to_it():
    ledger = filled(100)
    span = Window(START, START + 100 * HOUR_MS)
    record = read_record(ledger, asked(span), cluster=CLUSTER)
    assert int(record.cost.sum()) == sum(one.cost_nanos for one in ledger.sums(span, (), {}))
    assert record.covered == span
    assert len(record.starts_ms) == 100
    mine = read_record(ledger, asked(span, namespace="research"), cluster=CLUSTER)
    assert {values[0] for values in mine.groups.values} == {"research"}
    assert int(mine.cost.sum()) == sum(one.cost_nanos for one in ledger.sums(span, (), {"namespace": ("research",)}))


@pytest.mark.parametrize("days", [1, 2, 5, 40])
def test_however_much_is_read_at_once_the_record_is_the_same(monkeypatch, days):
    ledger, span = filled(100, START + 7 * HOUR_MS), Window(START - DAY_MS, START + 110 * HOUR_MS)
    whole = columns_of(read_record(ledger, asked(span), cluster=CLUSTER))
    monkeypatch.setattr(reading, "_SLICE_MS", days * DAY_MS)
    assert columns_of(read_record(ledger, asked(span), cluster=CLUSTER)) == whole


def test_no_more_is_read_than_one_answer_may_have(monkeypatch):
    ledger, spans = filled(60), []
    monkeypatch.setattr(reading, "MOST_ENTRIES", 50)
    series = ledger.series
    monkeypatch.setattr(
        ledger, "series", lambda span, *more, **named: spans.append(span) or series(span, *more, **named)
    )
    with pytest.raises(InvalidRequest, match="more than 50 groups times windows have a cost; ask for a shorter time"):
        read_record(ledger, asked(Window(START, START + 60 * HOUR_MS)), cluster=CLUSTER)
    assert len(spans) == 1, "it stops as soon as it is too much"


def test_a_window_that_is_cut_is_not_in_the_record_and_not_covered():
    span = Window(START + 30 * MINUTE_MS, START + 5 * HOUR_MS + MINUTE_MS)
    record = read_record(filled(10), asked(span), cluster=CLUSTER)
    assert record.covered == Window(START + HOUR_MS, START + 5 * HOUR_MS)
    assert len(record.starts_ms) == 4


def test_a_ledger_that_knows_nothing_of_a_time_says_so():
    assert read_record(filled(3), asked(Window(0, DAY_MS)), cluster=CLUSTER).covered is None
    assert read_record(MemoryLedger(), asked(OCTOBER), cluster=CLUSTER).entries == 0
    plan, nothing = budget(), replace(recorded(hours=0), covered=None)
    with pytest.raises(InvalidRequest, match="it knows nothing there: ask for another time"):
        simulate_budget(plan, scope_of(plan, {}), nothing, OCTOBER, acts=True)
    early = recorded(Ran("a"), hours=3, start_ms=START - DAY_MS)
    with pytest.raises(InvalidRequest, match="what it knows there is 2026-09-30T00:00:00Z/2026-09-30T03:00:00Z"):
        simulate_budget(plan, scope_of(plan, {}), early, OCTOBER, acts=True)


def test_what_is_asked_for_a_budget_leaves_other_namespaces_out_and_is_no_longer_than_a_report():
    plan = budget(filters={"namespace": ("research",), "team": ("vision",), "label:app": ("x",)})
    question = question_for(plan, scope_of(plan, {}), OCTOBER)
    assert question.filters == {"namespace": ("research",)}
    assert set(question.keys) == {*KEYS, "label:app"}
    long = budget(rule=Rolling(399 * DAY_MS))
    assert question_for(long, scope_of(long, {}), OCTOBER).span == Window(OCTOBER.end_ms - 400 * DAY_MS, OCTOBER.end_ms)


@pytest.mark.parametrize(
    ("window", "keys", "filters", "said"),
    [
        ("soon", ("team",), {}, "window: 'soon' is not understood"),
        ("7d", ("tema",), {}, "by: 'tema' is no key: did you mean 'team'"),
        ("7d", ("team",), {"tema": ("x",)}, "filter: 'tema' is no key"),
    ],
)
def test_a_question_that_makes_no_sense_names_the_fix(window, keys, filters, said):
    with pytest.raises(InvalidRequest, match=said):
        series_question(window, keys, filters, OCTOBER.end_ms)


def test_columns_come_back_as_they_were():
    record = recorded(Ran("a", 2), Ran("b", 3, since=5, stage="pilot"), Ran("idle", held=False), hours=30, back=10)
    sent = json.loads(json.dumps(columns_of(record)))
    again = read_columns(sent)
    assert columns_of(again) == columns_of(record)
    empty = recorded(hours=0)
    assert columns_of(read_columns(columns_of(empty))) == columns_of(empty)


def broken(**parts):
    sent = json.loads(json.dumps(columns_of(recorded(Ran("a", 2), Ran("b", 1), hours=3))))
    for path, value in parts.items():
        part, _, name = path.partition("__")
        if name:
            sent[part][name] = value
        else:
            sent[part] = value
    return sent


@pytest.mark.parametrize(
    "sent",
    [
        broken(entries__group=[0, 1, 2, 0, 1, 9]),
        broken(entries__group=[0, 1, -1, 0, 1, 0]),
        broken(entries__window=[0, 0, 1, 1, 2, 3]),
        broken(entries__window=[2, 2, 1, 1, 0, 0]),
        broken(entries__cost_nanos=[1, 2]),
        broken(entries__cost_nanos=[1.5] * 6),
        broken(entries__cost_nanos=["1"] * 6),
        broken(entries__cost_nanos=[2**70] * 6),
        broken(windows__start_ms=[0, 1, 2]),
        broken(windows__end_ms=[START] * 3),
        broken(windows__start_ms=[[0], [1], [2]]),
        broken(groups=[]),
        broken(groups=[{"values": ["a"], "currency": "USD", "component": "gpu", "held": True}] * 2),
        broken(group_by=None),
        broken(covered={"from": "yesterday", "to": "today"}),
        broken(entries={}),
    ],
)
def test_columns_that_do_not_fit_together_are_refused(sent):
    with pytest.raises(ValueError, match=r"the series is not what it should be|Invalid isoformat"):
        read_columns(sent)


@pytest.mark.parametrize("rule", [Calendar(), Rolling(3 * DAY_MS)])
def test_at_the_end_of_a_window_the_figures_are_those_that_the_controller_has(rule):
    """But for what runs now: of the past that is the mean of its hour."""
    ledger, plan = filled(20 * 24), budget(rule=rule, limit=2_000)
    scope, span = scope_of(plan, {}), Window(START, START + 20 * DAY_MS)
    record = read_record(ledger, asked(span), cluster=CLUSTER)
    history = history_of(record, scope, "USD")
    figures = simulation._figures(history, history.known)
    for day in (1, 4, 11, 19):
        now = START + day * DAY_MS + 7 * HOUR_MS
        seen = MemoryLedger()
        seen.postings = {key: rows for key, rows in ledger.postings.items() if key[1].end_ms <= now}
        closed = Spending(seen, CLUSTER).closed(("namespace",), (TEAM,))
        known = Known(closed, OpenSums(OpenSpend(), ("namespace",)), grouped(("namespace",), (), now, now), START, now)
        period = current_period(plan.rule, now)
        theirs = spend_of(known, scope, "USD", period)
        ours = figures.at(Term(period, period_key(plan.rule, period), 2_000 * UNIT), now)
        spend = ours.standing.spend
        assert spend.nanos == theirs.spend.nanos
        assert (spend.lately, spend.days) == (theirs.spend.lately, theirs.spend.days)
        assert (spend.recent_nanos, spend.recent_ms) == (theirs.spend.recent_nanos, theirs.spend.recent_ms)
        assert (spend.since_ms, ours.data.labels) == (theirs.spend.since_ms, theirs.labels)
