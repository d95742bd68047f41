"""The ledger on a real S3 server: exactly once, whoever writes at the same time, and whoever comes too late."""

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from deltalake import DeltaTable

from aicost.adapters.held import FencedWriter
from aicost.adapters.ledger.delta import DeltaLedger
from aicost.adapters.ledger.outcomes.store import DeltaOutcomes
from aicost.adapters.ledger.outcomes.upkeep import OutcomeKeeper
from aicost.adapters.ledger.place import LedgerPlace
from aicost.adapters.ledger.upkeep.record import DeltaRecord
from aicost.adapters.ledger.upkeep.upkeep import DeltaUpkeep
from aicost.domain.attribution.customers import ErasedCustomers
from aicost.domain.exact.windows import DAY_MS, Window
from aicost.domain.serving.outcomes.posted import Statement
from aicost.ports.errors import LedgerConflict, LedgerUnavailable
from aicost.usecases.upkeep.verify_ledger import VerifyLedger
from support.ledger_rows import CLUSTER, HOUR_0, hour, make_posting, make_row
from support.object_store import options, place

ROOT = Path(__file__).parents[2]
ALL = Window(HOUR_0.start_ms - DAY_MS, HOUR_0.end_ms + 3 * DAY_MS)


@pytest.fixture(params=["directory", "object store"])
def where(request, tmp_path):
    """A place and its options: the same holds for both."""
    if request.param == "directory":
        return str(tmp_path / "ledger"), {}
    store = request.getfixturevalue("store")
    return place(store), options(store)


def total(ledger) -> int:
    return sum(one.cost_nanos for one in ledger.sums(ALL, (), {}))


def sound(ledger) -> bool:
    return VerifyLedger(DeltaRecord(ledger.place))().findings == ()


def test_a_ledger_on_the_object_store_is_a_ledger_like_any_other(store):
    ledger = DeltaLedger(place(store), options(store))
    for index in range(8):
        assert ledger.post(make_posting(make_row(10 + index, window=hour(index)), window=hour(index)))
        assert not ledger.post(make_posting(make_row(10 + index, window=hour(index)), window=hour(index)))
    ledger.replace_provisional(CLUSTER, hour(8), [make_row(5, window=hour(8))])
    assert total(ledger) == sum(range(10, 18))
    assert [row.cost_nanos for row in ledger.rows(ALL, provisional=True)] == [5]
    upkeep = DeltaUpkeep(ledger.place)
    assert upkeep.compact(HOUR_0.start_ms + 3 * DAY_MS).after == 1
    assert (total(ledger), sound(ledger)) == (sum(range(10, 18)), True)
    gone = upkeep.drop(CLUSTER, HOUR_0.start_ms - HOUR_0.start_ms % DAY_MS + DAY_MS)
    assert (gone.rows, total(ledger), sound(ledger)) == (8, 0, True)


def test_six_writers_at_once_post_each_window_once(where):
    uri, named = where
    DeltaLedger(uri, named).begin_term(CLUSTER)
    posted: list[int] = []

    def write() -> None:
        ledger = DeltaLedger(uri, named)
        for index in range(6):
            posting = make_posting(make_row(1 << index, window=hour(index)), window=hour(index))
            while True:
                try:
                    if ledger.post(posting):
                        posted.append(index)
                except LedgerConflict:
                    continue
                break

    writers = [threading.Thread(target=write) for _ in range(6)]
    for one in writers:
        one.start()
    for one in writers:
        one.join()
    ledger = DeltaLedger(uri, named)
    assert sorted(posted) == list(range(6))
    assert (total(ledger), sound(ledger)) == ((1 << 6) - 1, True)


def test_terms_that_are_begun_at_once_are_different_ones(where):
    uri, named = where
    terms: list[int] = []
    leaders = [
        threading.Thread(target=lambda: terms.append(DeltaLedger(uri, named).begin_term(CLUSTER))) for _ in range(5)
    ]
    for one in leaders:
        one.start()
    for one in leaders:
        one.join()
    assert sorted(terms) == [1, 2, 3, 4, 5]


@contextmanager
def stopped_leader(uri, named, index):
    """An old leader, stopped right before its commit; gives a function that lets it go on, and tells what it said."""
    command = [sys.executable, "-m", "support.paused_writer", uri, str(index), *(f"{k}={v}" for k, v in named.items())]
    paths = os.pathsep.join(str(ROOT / name) for name in ("operator", "tests", "hack"))
    environment = {**os.environ, "PYTHONPATH": paths}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        heard = []
        while "before the commit" not in (line := process.stdout.readline()):
            heard.append(line)
            assert process.poll() is None, heard
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)

        def go_on() -> str:
            process.send_signal(signal.SIGCONT)
            return process.communicate(timeout=60)[0]

        yield go_on
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


def test_an_old_leader_stopped_before_its_commit_posts_nothing_once_another_began_its_term(where):
    uri, named = where
    ledger = DeltaLedger(uri, named)
    ledger.post(make_posting(make_row(1), window=HOUR_0))
    with stopped_leader(uri, named, 1) as go_on:
        new = FencedWriter(ledger, lambda: True, ledger)
        assert new.begin(CLUSTER) == 2
        said = go_on()
    assert said.startswith("TermOver: term 1"), said
    assert (total(ledger), ledger.last_window(CLUSTER), sound(ledger)) == (1, HOUR_0, True)
    assert new.post(make_posting(make_row(2, window=hour(1)), window=hour(1)))
    assert (total(ledger), sound(ledger)) == (3, True)


def test_what_the_new_leader_posted_meanwhile_is_not_posted_twice(where):
    uri, named = where
    ledger = DeltaLedger(uri, named)
    ledger.post(make_posting(make_row(1), window=HOUR_0))
    with stopped_leader(uri, named, 1) as go_on:
        new = FencedWriter(ledger, lambda: True, ledger)
        assert new.post(make_posting(make_row(2, window=hour(1)), window=hour(1)))
        said = go_on()
    assert said.startswith("LedgerConflict: window"), said
    assert (total(ledger), sound(ledger)) == (3, True)


def test_an_old_leader_whom_nobody_followed_goes_on(where):
    uri, named = where
    ledger = DeltaLedger(uri, named)
    ledger.post(make_posting(make_row(1), window=HOUR_0))
    with stopped_leader(uri, named, 1) as go_on:
        assert go_on() == "posted: True\n"
    assert (total(ledger), sound(ledger)) == (100, True)


def test_a_store_that_is_away_is_said_and_what_is_missing_is_posted_afterwards(store):
    ledger = DeltaLedger(place(store), {**options(store), "max_retries": "1", "retry_timeout": "2s", "timeout": "2s"})
    ledger.post(make_posting(make_row(1), window=HOUR_0))
    store.stop()
    with pytest.raises(LedgerUnavailable, match=r"s3://ledger/aicost could not be written"):
        ledger.post(make_posting(make_row(2, window=hour(1)), window=hour(1)))
    store.start()
    assert ledger.post(make_posting(make_row(2, window=hour(1)), window=hour(1)))
    assert (total(ledger), sound(ledger)) == (3, True)


def test_wrong_keys_are_said_without_showing_them(store, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-the-right-one")
    ledger = DeltaLedger(place(store), {**options(store), "max_retries": "0"})
    with pytest.raises(LedgerUnavailable) as problem:
        ledger.post(make_posting(make_row(1), window=HOUR_0))
    assert "not-the-right-one" not in str(problem.value)


def test_duckdb_reads_the_same_sums_from_the_object_store(store):
    ledger = DeltaLedger(place(store), options(store))
    for index in range(3):
        ledger.post(make_posting(make_row(7 + index, window=hour(index)), window=hour(index)))
    rows = DeltaTable(ledger.place.within("rows"), storage_options=options(store)).to_pyarrow_table()
    assert isinstance(rows, pa.Table)
    found = duckdb.sql("SELECT SUM(cost_nanos), COUNT(*) FROM rows").fetchall()[0]
    assert (int(found[0]), found[1]) == (total(ledger), 3)


def test_statements_about_requests_are_kept_put_together_and_erased_wherever_the_ledger_lies(where):
    home = LedgerPlace(*where)
    store, keeper = DeltaOutcomes(home), OutcomeKeeper(home)

    def post(n: int) -> None:
        store.post("c", [Statement("search", f"r{n % 6}", n, n % 2 == 0, "chat", reason="" if n % 2 == 0 else "bad",
                                   customer="acme")], n)  # fmt: skip

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(post, range(12)))
    before = store.sums("c", [Window(0, DAY_MS)])
    assert sorted((one.reason, one.requests) for one in before) == [("", 3), ("bad", 3)]
    assert keeper.compact(DAY_MS) == 1
    assert store.sums("c", [Window(0, DAY_MS)]) == before
    assert keeper.erase(ErasedCustomers(frozenset({"acme"})), None) == 6
    assert keeper.naming(ErasedCustomers(frozenset({"acme"})), None) == 0
