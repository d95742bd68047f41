"""Counts on a real S3 server and in a directory: each revision once, whoever counts at the same time."""

import threading

import pytest

from aicost.adapters.ledger.counts.store import DeltaCounts
from aicost.adapters.ledger.counts.upkeep import CountKeeper
from aicost.adapters.ledger.place import LedgerPlace
from aicost.domain.attribution.customers import ErasedCustomers
from aicost.domain.exact.windows import DAY_MS, Window
from aicost.domain.serving.counted import CountRow, Kind
from aicost.ports.errors import LedgerConflict
from support.ledger_rows import CLUSTER, HOUR_0, hour
from support.object_store import options, place

EVER = Window(HOUR_0.start_ms - DAY_MS, HOUR_0.end_ms + 3 * DAY_MS)
WRITERS = 6


@pytest.fixture(params=["directory", "object store"])
def where(request, tmp_path):
    if request.param == "directory":
        return LedgerPlace(str(tmp_path / "ledger"))
    store = request.getfixturevalue("store")
    return LedgerPlace(place(store), options(store))


def asked(value, customer="acme"):
    return CountRow(Kind.GATEWAY, "output-tokens", value, source="litellm", model="m", customer=customer)


def whole(counts):
    return sum(row.value for row in counts.summed([EVER], Kind.GATEWAY, ("customer",), cluster=CLUSTER))


def test_counts_are_kept_summed_put_together_erased_and_dropped(where):
    counts, keeper = DeltaCounts(where), CountKeeper(where)
    for at in range(6):
        assert counts.keep(CLUSTER, hour(at), 0, [asked(10**at)])
        assert not counts.keep(CLUSTER, hour(at), 0, [asked(5)])
    assert counts.keep(CLUSTER, hour(0), 1, [asked(7)])
    assert whole(counts) == 111_117
    assert keeper.compact(HOUR_0.start_ms + 3 * DAY_MS) == 1
    assert whole(counts) == 111_117
    assert keeper.erase(ErasedCustomers(frozenset({"acme"})), None) == 6
    assert {row.customer for row in counts.rows(CLUSTER, hour(3))} == {"erased"}
    assert keeper.drop(CLUSTER, HOUR_0.start_ms + 2 * DAY_MS)
    assert list(counts.windows(EVER, cluster=CLUSTER)) == []


def test_of_those_who_count_a_window_at_once_one_is_kept(where):
    DeltaCounts(where).keep(CLUSTER, hour(9), 0, ())
    told: list[object] = []
    start = threading.Barrier(WRITERS)

    def count(value):
        start.wait()
        try:
            told.append(DeltaCounts(where).keep(CLUSTER, hour(0), 0, [asked(value)]))
        except LedgerConflict as conflict:
            told.append(conflict)

    threads = [threading.Thread(target=count, args=(10**at,)) for at in range(WRITERS)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert [one for one in told if one is True] == [True]
    assert whole(DeltaCounts(where)) in {10**at for at in range(WRITERS)}
