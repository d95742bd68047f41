"""Statements beside the ledger: the last one about a request counts, whenever it came and whatever day it names."""

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aicost.adapters.ledger.beside.keeper import MANY_FILES
from aicost.adapters.ledger.beside.table import TableBeside
from aicost.adapters.ledger.outcomes.store import DeltaOutcomes
from aicost.adapters.ledger.outcomes.table import OUTCOMES
from aicost.adapters.ledger.outcomes.upkeep import OutcomeKeeper
from aicost.adapters.ledger.place import LedgerPlace
from aicost.adapters.ledger.upkeep.erasing.eraser import DeltaEraser
from aicost.adapters.ledger.upkeep.upkeep import DeltaUpkeep
from aicost.domain.attribution.customers import ErasedCustomers
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, Window, from_rfc3339
from aicost.domain.serving.outcomes.posted import Statement
from aicost.ports.errors import LedgerUnavailable

NOON = from_rfc3339("2026-03-02T12:00:00Z")
TODAY = Window(NOON - 12 * HOUR_MS, NOON + 12 * HOUR_MS)
WEEK = Window(NOON - 7 * DAY_MS, NOON + 7 * DAY_MS)


def one(request="r1", *, ok=False, reason="", at_ms=NOON, namespace="search", **more):
    more = more or {"workload": "chat"}
    return Statement(namespace, request, at_ms, ok, reason=reason or ("" if ok else "bad"), **more)


@pytest.fixture
def place(tmp_path):
    return LedgerPlace(str(tmp_path))


@pytest.fixture
def store(place):
    return DeltaOutcomes(place)


def found(store, span=TODAY, **which):
    return {(found.workload or found.model, found.reason): found.requests for found in store.sums("c", [span], **which)}


def test_nothing_was_stated_where_nothing_was(store):
    assert store.sums("c", [TODAY]) == ()
    assert store.reasons("c", "search", 0) == frozenset()


def test_the_same_statement_again_changes_nothing(store):
    for posted_ms in (NOON, NOON + 1, NOON + 1):
        store.post("c", [one("r1", ok=True), one("r2")], posted_ms)
    assert found(store) == {("chat", ""): 1, ("chat", "bad"): 1}


def test_a_correction_takes_the_place_of_what_was_said_before(store):
    store.post("c", [one("r1", ok=True)], NOON)
    store.post("c", [one("r1", reason="thumbs-down")], NOON + 5 * DAY_MS)
    assert found(store) == {("chat", "thumbs-down"): 1}


def test_of_two_in_one_list_the_later_counts(store):
    store.post("c", [one("r1", ok=True), one("r1", reason="late")], NOON)
    assert found(store) == {("chat", "late"): 1}


def test_a_correction_may_date_the_request_otherwise_and_moves_it(store):
    store.post("c", [one("r1", at_ms=NOON)], NOON)
    store.post("c", [one("r1", at_ms=NOON - 3 * DAY_MS)], NOON + 1)
    assert found(store) == {}
    assert found(store, Window(NOON - 3 * DAY_MS, NOON - 2 * DAY_MS)) == {("chat", "bad"): 1}


def test_what_came_first_does_not_count_though_it_is_written_last(store):
    store.post("c", [one("r1", reason="newer")], NOON + 10)
    store.post("c", [one("r1", reason="older")], NOON)
    assert found(store) == {("chat", "newer"): 1}


def test_one_id_in_two_workloads_namespaces_or_clusters_is_two_requests(store):
    store.post("c", [one(), one(workload="other"), one(model="chat"), one(namespace="shop")], NOON)
    store.post("d", [one()], NOON)
    sums = store.sums("c", [TODAY])
    assert sorted((it.namespace, it.workload, it.model, it.requests) for it in sums) == [
        ("search", "", "chat", 1),
        ("search", "chat", "", 1),
        ("search", "other", "", 1),
        ("shop", "chat", "", 1),
    ]
    assert found(store, namespace="shop") == {("chat", "bad"): 1}


def test_spans_are_half_open_and_gaps_between_them_do_not_count(store):
    hours = [Window(NOON, NOON + HOUR_MS), Window(NOON + 2 * HOUR_MS, NOON + 3 * HOUR_MS)]
    moments = [NOON - 1, NOON, NOON + HOUR_MS - 1, NOON + HOUR_MS, NOON + 2 * HOUR_MS, NOON + 3 * HOUR_MS]
    store.post("c", [one(f"r{at_ms}", at_ms=at_ms) for at_ms in moments], NOON)
    assert sum(it.requests for it in store.sums("c", hours)) == 3


def test_tokens_are_summed_where_they_are_known_and_it_is_said_for_how_many(store):
    store.post("c", [one("a", tokens=7, workload="w"), one("b", tokens=0, workload="w"), one("d", workload="w")], NOON)
    (it,) = store.sums("c", [TODAY])
    assert (it.requests, it.counted, it.tokens) == (3, 2, 7)


def test_hostile_texts_are_texts(store):
    name = "o'brien\"; DROP TABLE outcomes; --"
    store.post("c", [Statement(name, "'", NOON, True, model=name, customer=name)], NOON)
    assert found(store, namespace=name) == {(name, ""): 1}


def test_ten_thousand_customers_are_rows_and_not_groups(store):
    store.post("c", [one(f"r{n}", workload="w", customer=f"customer-{n}") for n in range(10_000)], NOON)
    (it,) = store.sums("c", [TODAY])
    assert it.requests == 10_000


def test_many_who_post_at_once_lose_nothing(store):
    def post(n):
        store.post("c", [one(f"r{n}", workload="w")], NOON + n)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(post, range(24)))
    (it,) = store.sums("c", [TODAY])
    assert it.requests == 24


def test_days_that_are_put_together_say_the_same_with_fewer_rows(store, place):
    for n in range(MANY_FILES + 1):
        store.post("c", [one("r1", reason=f"reason-{n}"), one(f"s{n}", ok=True)], NOON + n)
    before = found(store)
    assert OutcomeKeeper(place).compact(NOON) == 0  # today is not over
    DeltaUpkeep(place).compact(NOON + DAY_MS)
    assert found(store) == before == {("chat", "reason-4"): 1, ("chat", ""): MANY_FILES + 1}
    assert len(TableBeside(OUTCOMES, place).open().file_uris()) == 1
    store.post("c", [one("r1", ok=True)], NOON + DAY_MS)  # late, after the day was put together
    assert found(store) == {("chat", ""): MANY_FILES + 2}


def test_what_is_stated_while_a_day_is_put_together_is_never_lost(store, place):
    for n in range(MANY_FILES + 1):
        store.post("c", [one(f"r{n}", ok=True)], NOON + n)
    keeper = OutcomeKeeper(place)

    def late(n):
        store.post("c", [one(f"late{n}", ok=True)], NOON + 100 + n)

    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit(late, n) for n in range(12)]
        put = [pool.submit(keeper.compact, NOON + DAY_MS) for _ in range(6)]
        for future in (*done, *put):
            future.result()
    assert found(store) == {("chat", ""): MANY_FILES + 13}


def test_a_busy_day_is_put_together_before_it_is_over(store, place):
    for n in range(102):
        store.post("c", [one(f"r{n % 60}", ok=True)], NOON + n)
    assert len(TableBeside(OUTCOMES, place).open().file_uris()) < 10
    assert found(store) == {("chat", ""): 60}


def test_old_days_go_with_retention_and_only_those_of_the_cluster(store, place):
    store.post("c", [one("old", at_ms=NOON - 40 * DAY_MS), one("new", workload="w")], NOON)
    store.post("d", [one("old", at_ms=NOON - 40 * DAY_MS)], NOON)
    DeltaUpkeep(place).drop("c", NOON - 35 * DAY_MS)
    everything = Window(NOON - 60 * DAY_MS, NOON + DAY_MS)
    assert found(store, everything) == {("w", "bad"): 1}
    assert len(store.sums("d", [everything])) == 1


def test_an_erased_customer_is_found_first_and_gone_then(store, place):
    store.post("c", [one("a", workload="w", customer="acme"), one("b", workload="w", customer="other")], NOON)
    eraser = DeltaEraser(place)
    looked = eraser.find(["ACME"], [], None)
    assert (looked.outcomes, looked.nothing) == (1, False)
    assert eraser.find(["ACME"], [], "another").outcomes == 0
    assert eraser.erase(["ACME"], [], None).outcomes == 1
    assert eraser.find(["acme"], [], None).outcomes == 0
    assert not any(b"acme" in file.read_bytes() for file in place.local.rglob("*") if file.is_file())
    assert store.sums("c", [TODAY])[0].requests == 2
    assert OutcomeKeeper(place).erase(ErasedCustomers(frozenset({"nobody"})), None) == 0


def test_a_table_of_a_newer_version_is_not_misread(store, place):
    store.post("c", [one()], NOON)
    TableBeside(OUTCOMES, place).open().alter.set_table_properties(
        {"aicost.outcomesFormat": "9"}, raise_if_not_exists=False
    )
    with pytest.raises(LedgerUnavailable, match="of format 9, this aicost reads format 1"):
        store.sums("c", [TODAY])
    with pytest.raises(LedgerUnavailable, match="of format 9"):
        store.post("c", [one()], NOON)


said = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from(["", "bad", "worse"]), st.integers(-3, 3)),
    min_size=1,
    max_size=12,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=said, seed=st.integers(0, 99))
def test_in_whatever_order_statements_arrive_the_last_by_their_time_counts(tmp_path_factory, said, seed):
    store = DeltaOutcomes(LedgerPlace(str(tmp_path_factory.mktemp("outcomes"))))
    posts = [
        (NOON + n, replace(one(request, ok=not reason, reason=reason), at_ms=NOON + days * DAY_MS))
        for n, (request, reason, days) in enumerate(said)
    ]
    last = {it.id: it for _, it in posts}
    shuffled = [*posts, *posts[:3]]
    random.Random(seed).shuffle(shuffled)
    for posted_ms, it in shuffled:
        store.post("c", [it], posted_ms)
    expected = {}
    for it in last.values():
        expected["chat", it.reason] = expected.get(("chat", it.reason), 0) + 1
    assert found(store, WEEK) == expected
