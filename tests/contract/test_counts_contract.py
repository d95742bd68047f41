"""One contract for every store of counts, the one in memory and the one beside the ledger."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aicost.adapters.ledger.counts.store import DeltaCounts
from aicost.adapters.ledger.place import LedgerPlace
from aicost.domain.exact.windows import DAY_MS, Window
from aicost.domain.serving.counted import CountRow, Kind
from support.fakes.counts import MemoryCounts
from support.ledger_rows import CLUSTER, hour

EVER = Window(hour(0).start_ms - DAY_MS, hour(100).end_ms)
BY = ("source", "namespace", "pod", "model")
HOSTILE = ("it's", '"; DROP TABLE counts; --', "\\", "é\u2028\U0001f600", "a\nb\x1b[31m", "nul\x00byte", "'" * 63)


@pytest.fixture(params=["memory", "delta"])
def store(request, tmp_path):
    return MemoryCounts() if request.param == "memory" else DeltaCounts(LedgerPlace(str(tmp_path / "ledger")))


def engine(value, pod="chat-0", **rest):
    return CountRow(Kind.ENGINE, "output-tokens", value, namespace="team-a", pod=pod, source="vllm", **rest)


def tenant(value, **names):
    return CountRow(Kind.GATEWAY, "output-tokens", value, source="litellm", model="m", **names)


def keep(store, *rows, at=0, revision=0, cluster=CLUSTER):
    return store.keep(cluster, hour(at), revision, rows)


def whole(store, kind=Kind.ENGINE, by=BY, runs=(EVER,), cluster=CLUSTER):
    return {
        (row.count, *(getattr(row, name) for name in by)): row.value
        for row in store.summed(runs, kind, by, cluster=cluster)
    }


def test_where_nothing_was_ever_kept_there_is_nothing(store):
    assert (store.version(), store.revision(CLUSTER, hour(0))) == (None, None)
    assert (list(store.windows(EVER, cluster=CLUSTER)), whole(store)) == ([], {})


def test_a_window_in_which_nothing_was_heard_was_counted_all_the_same(store):
    assert keep(store)
    assert list(store.windows(EVER, cluster=CLUSTER)) == [hour(0)]
    assert (store.revision(CLUSTER, hour(0)), list(store.rows(CLUSTER, hour(0)))) == (0, [])


def test_a_revision_is_kept_once(store):
    assert keep(store, engine(5))
    assert not keep(store, engine(5))
    assert not keep(store, engine(99))
    assert list(store.rows(CLUSTER, hour(0))) == [engine(5)]


def test_a_higher_revision_takes_the_place_of_the_one_before_also_where_it_has_less(store):
    keep(store, engine(5), engine(7, "chat-1"))
    keep(store, engine(8), revision=1)
    assert whole(store) == {("output-tokens", "vllm", "team-a", "chat-0", ""): 8}
    keep(store, revision=2)
    assert whole(store) == {}
    assert store.revision(CLUSTER, hour(0)) == 2


def test_windows_add_up_and_only_those_that_are_asked_for(store):
    for at in range(4):
        keep(store, engine(10**at), at=at)
    assert sum(whole(store).values()) == 1_111
    assert sum(whole(store, runs=(hour(0), hour(2))).values()) == 101
    cut = Window(hour(1).start_ms + 1, hour(3).end_ms)
    assert sum(whole(store, runs=(cut,)).values()) == 1_100
    assert whole(store, runs=()) == {}


def test_clusters_and_kinds_are_told_apart(store):
    keep(store, engine(5), tenant(3, team="search"))
    keep(store, engine(100), cluster="other")
    assert sum(whole(store).values()) == 5
    assert whole(store, Kind.GATEWAY, ("team",)) == {("output-tokens", "search"): 3}
    assert sum(whole(store, cluster="other").values()) == 100


def test_tenants_add_up_along_each_dimension(store):
    keep(store, tenant(3, team="a", feature="x"), tenant(4, team="a", feature="y"), tenant(5, team="b", feature="x"))
    assert whole(store, Kind.GATEWAY, ("team",)) == {("output-tokens", "a"): 7, ("output-tokens", "b"): 5}
    assert whole(store, Kind.GATEWAY, ("feature",)) == {("output-tokens", "x"): 8, ("output-tokens", "y"): 4}


def test_one_that_may_be_more_makes_the_sum_so(store):
    keep(store, engine(5))
    keep(store, engine(5, at_least=True), at=1)
    (row,) = store.summed([EVER], Kind.ENGINE, BY, cluster=CLUSTER)
    assert (row.value, row.at_least) == (10, True)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_come_back_as_they_were(store, text):
    rows = [engine(1, model=text), tenant(2, customer=text)]
    store.keep(text, hour(0), 0, rows)
    assert sorted(map(repr, store.rows(text, hour(0)))) == sorted(map(repr, rows))
    assert list(store.windows(EVER, cluster=text)) == [hour(0)]


def test_half_a_surrogate_pair_is_written_as_its_escape(store):
    keep(store, engine(1, model="\ud800"))
    assert [row.model for row in store.rows(CLUSTER, hour(0))] == ["\\ud800"]


def test_sums_beyond_64_bits_are_exact(store):
    for at in range(4):
        keep(store, engine(2**62 - 1), at=at)
    assert sum(whole(store).values()) == 4 * (2**62 - 1)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4), st.integers(0, 10**12)), max_size=12))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_sum_is_that_of_the_highest_revisions_in_whatever_order_they_come(tmp_path_factory, kept):
    store = DeltaCounts(LedgerPlace(str(tmp_path_factory.mktemp("counts"))))
    latest: dict[int, tuple[int, int]] = {}
    for at, revision, value in kept:
        if keep(store, engine(value), at=at, revision=revision):
            latest[at] = (revision, value)
    assert sum(whole(store).values()) == sum(value for _, value in latest.values())
