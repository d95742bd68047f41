"""What only the Delta ledger can do: fail as a disk fails, race, and be read by others."""

import os
import re
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, Schema

from aicost.adapters.ledger import delta, schema, table
from aicost.adapters.ledger.delta import DeltaLedger
from aicost.adapters.ledger.schema import SCHEMA, VERSION_PROPERTY, from_table, to_table
from aicost.domain.exact.windows import Window
from aicost.domain.identity.dimensions import Dimension
from aicost.ports.errors import InvalidRequest, LedgerConflict, LedgerUnavailable
from support.ledger_rows import CLUSTER, HOUR_0, hour, make_holder, make_posting, make_row


@pytest.fixture
def place(tmp_path):
    return tmp_path / "ledger"


@pytest.fixture
def ledger(place):
    return DeltaLedger(str(place))


def test_every_column_of_the_schema_is_documented():
    named = schema.__doc__.replace(
        "dim_team, dim_product ...", ", ".join(f"dim_{d}".replace("-", "_") for d in Dimension)
    )
    assert [field.name for field in SCHEMA if field.name not in named] == []


def test_the_schema_of_version_3_does_not_change():
    text = [f"{field.name}: {field.type}{'' if field.nullable else ' not null'}" for field in SCHEMA]
    assert len(text) == 50
    assert text[:5] == [
        "date: date32[day] not null",
        "window_start: timestamp[us, tz=UTC] not null",
        "window_end: timestamp[us, tz=UTC] not null",
        "revision: int32 not null",
        "cluster: string not null",
    ]
    assert text[-8:] == [
        "gpu_milliseconds: int64 not null",
        "measured_milliseconds: int64 not null",
        "cost_nanos: int64",
        "error_nanos: int64",
        "list_price: bool not null",
        "flags: list<item: string>",
        "evidence: map<string, string>",
        "quantity: int64",
    ]


def test_half_a_surrogate_pair_does_not_hold_up_the_money():
    row = make_row(holder=make_holder("team-\ud800"))
    (back,) = from_table(to_table([row]))
    assert back.holder.namespace == "team-\\ud800"


def test_an_amount_beyond_64_bits_is_refused_and_nothing_is_posted(ledger):
    with pytest.raises(LedgerUnavailable, match="could not be written"):
        ledger.post(make_posting(make_row(cost=2**63)))
    assert ledger.last_window(CLUSTER) is None


def test_each_posting_is_one_commit_with_a_note(ledger, place):
    ledger.post(make_posting(make_row(cost=7)))
    ledger.post(make_posting(window=hour(1)))
    newest, older, _ = DeltaTable(str(place / "rows")).history()
    assert (newest["window"], newest["rows"]) == (str(hour(1)), 0)
    assert (older["cluster"], older["revision"], older["rows"], older["cost_nanos"]) == (CLUSTER, 0, 1, "7")


def test_rows_lie_in_a_folder_per_day_and_cannot_be_removed(ledger, place):
    ledger.post(make_posting(make_row()))
    (day,) = [path.name for path in (place / "rows").iterdir() if path.name.startswith("date=")]
    assert day == f"date={datetime.fromtimestamp(HOUR_0.start_ms / 1000, UTC).date()}"
    with pytest.raises(Exception, match=r"append-only|appendOnly"):
        DeltaTable(str(place / "rows")).delete()


def test_another_engine_reads_the_same_sum(ledger, place):
    ledger.post(make_posting(make_row(cost=7, holder=make_holder(team="it's")), make_row(cost=None)))
    ledger.replace_provisional(CLUSTER, hour(1), [make_row(cost=99, window=hour(1))])
    files = str(place / "rows" / "*" / "*.parquet")
    found = duckdb.sql(f"select sum(cost_nanos), sum(gpu_milliseconds), max(dim_team) from read_parquet('{files}')")
    assert found.fetchall() == [(7, 1_200_000, "it's")]


def test_the_log_keeps_bounds_of_the_columns_that_prune(ledger, place):
    ledger.post(make_posting(make_row()))
    stats = DeltaTable(str(place / "rows")).get_add_actions(flatten=True)
    assert {"min.cluster", "max.window_start", "min.revision"} <= set(stats.schema.names)
    assert "min.namespace" not in stats.schema.names


def test_of_writers_that_race_for_one_window_one_wins(place):
    barrier, results = threading.Barrier(4), []

    def write(cost: int) -> None:
        ledger = DeltaLedger(str(place))
        barrier.wait()
        try:
            results.append(ledger.post(make_posting(make_row(cost=cost))))
        except LedgerConflict:
            results.append("conflict")

    threads = [threading.Thread(target=write, args=(cost,)) for cost in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, results)) == ["True", "conflict", "conflict", "conflict"]
    assert len(DeltaLedger(str(place)).rows(HOUR_0)) == 1


def test_a_writer_that_slept_between_its_look_and_its_commit_posts_nothing(ledger, place, monkeypatch):
    ledger.post(make_posting(make_row()))
    write = delta.write_deltalake

    def woken_late(table, data, **options):
        monkeypatch.setattr(delta, "write_deltalake", write)
        DeltaLedger(str(place)).post(make_posting(make_row(cost=3, window=hour(1)), window=hour(1)))
        write(table, data, **options)

    monkeypatch.setattr(delta, "write_deltalake", woken_late)
    with pytest.raises(LedgerConflict, match="other rows"):
        ledger.post(make_posting(make_row(cost=4, window=hour(1)), window=hour(1)))
    assert [row.cost_nanos for row in ledger.rows(hour(1))] == [3]


def test_a_commit_on_a_ledger_that_moved_on_is_refused(ledger, place, monkeypatch):
    ledger.post(make_posting(make_row()))
    write = delta.write_deltalake

    def overtaken(table, data, **options):
        monkeypatch.setattr(delta, "write_deltalake", write)
        DeltaLedger(str(place)).post(make_posting(make_row(window=hour(1)), window=hour(1)))
        write(table, data, **options)

    monkeypatch.setattr(delta, "write_deltalake", overtaken)
    with pytest.raises(LedgerConflict, match="another writer posted"):
        ledger.post(make_posting(make_row(window=hour(2)), window=hour(2)))
    assert (ledger.last_window(CLUSTER), ledger.revision(CLUSTER, hour(2))) == (hour(1), None)


def test_writers_of_two_clusters_do_not_disturb_each_other(ledger, place, monkeypatch):
    ledger.post(make_posting(make_row()))
    write = delta.write_deltalake

    def overtaken(table, data, **options):
        monkeypatch.setattr(delta, "write_deltalake", write)
        DeltaLedger(str(place)).post(make_posting(make_row(cluster="b", window=hour(1)), window=hour(1), cluster="b"))
        write(table, data, **options)

    monkeypatch.setattr(delta, "write_deltalake", overtaken)
    assert ledger.post(make_posting(make_row(window=hour(1)), window=hour(1)))
    assert {row.place.cluster for row in ledger.rows(hour(1))} == {CLUSTER, "b"}


def test_a_failure_after_the_commit_does_not_make_the_posting_a_loss(ledger, monkeypatch):
    write = delta.write_deltalake

    def fails_late(table, data, **options):
        write(table, data, **options)
        raise OSError("No space left on device")

    monkeypatch.setattr(delta, "write_deltalake", fails_late)
    assert ledger.post(make_posting(make_row(cost=5))) is True
    assert ledger.post(make_posting(make_row(cost=5))) is False
    assert [row.cost_nanos for row in ledger.rows(HOUR_0)] == [5]


def test_a_failure_before_the_commit_is_said_with_its_fix(ledger, monkeypatch):
    def fails(*_, **__):
        raise OSError("No space left on device (os error 28)")

    monkeypatch.setattr(delta, "write_deltalake", fails)
    with pytest.raises(LedgerUnavailable, match=r"No space left.*free space on the volume"):
        ledger.post(make_posting(make_row(cost=5)))
    assert ledger.last_window(CLUSTER) is None


_FULL = """
import resource, sys
from support.ledger_rows import HOUR_0, hour, make_posting, make_row
from aicost.adapters.ledger.delta import DeltaLedger
from aicost.ports.errors import LedgerUnavailable
ledger = DeltaLedger(sys.argv[1])
limit = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, limit[1]))
try:
    ledger.post(make_posting(make_row(window=hour(1)), window=hour(1)))
except LedgerUnavailable as full:
    print(full)
resource.setrlimit(resource.RLIMIT_FSIZE, limit)
print(ledger.post(make_posting(make_row(window=hour(1)), window=hour(1))))
"""


def test_a_store_that_takes_no_more_loses_nothing_and_goes_on_when_it_does(ledger, place):
    ledger.post(make_posting(make_row()))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-c", _FULL, str(place)]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert re.search(r"could not be written: .*File too large.*To fix: raise the limit.*\nTrue\n", said, re.DOTALL), (
        said
    )
    assert sorted(row.window for row in ledger.rows(type(HOUR_0)(HOUR_0.start_ms, hour(1).end_ms))) == [HOUR_0, hour(1)]


def test_a_path_that_is_a_file_is_said_with_its_fix(tmp_path):
    (tmp_path / "ledger").write_text("not a directory")
    with pytest.raises(LedgerUnavailable, match="To fix"):
        DeltaLedger(str(tmp_path / "ledger")).post(make_posting(make_row()))


def test_a_torn_log_is_said_and_not_read_as_empty(ledger, place):
    ledger.post(make_posting(make_row()))
    for commit in (place / "rows" / "_delta_log").glob("*.json"):
        commit.write_text('{"add": {"pa')
    with pytest.raises(LedgerUnavailable, match="restore"):
        ledger.last_window(CLUSTER)
    with pytest.raises(LedgerUnavailable, match="restore"):
        ledger.post(make_posting(make_row(window=hour(1)), window=hour(1)))


@pytest.mark.parametrize("damage", ["torn", "gone"])
def test_a_damaged_file_is_said_and_not_read_as_zero(ledger, place, damage):
    ledger.post(make_posting(make_row()))
    (file,) = place.glob("rows/date=*/*.parquet")
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(b"PAR1 not any more")
    with pytest.raises(LedgerUnavailable, match="restore the ledger's directory"):
        ledger.sums(HOUR_0, ("team",), {})


def test_a_torn_provisional_file_is_said(ledger, place):
    ledger.replace_provisional(CLUSTER, HOUR_0, [make_row()])
    (file,) = place.glob("provisional/*.parquet")
    assert pq.read_table(file).num_rows == 1
    file.write_bytes(b"PAR1")
    with pytest.raises(LedgerUnavailable, match="could not be read"):
        ledger.rows(HOUR_0, provisional=True)
    assert ledger.post(make_posting())
    assert ledger.last_window(CLUSTER) == HOUR_0
    ledger.replace_provisional(CLUSTER, hour(1), [make_row(window=hour(1))])
    assert len(ledger.rows(hour(1), provisional=True)) == 1


def test_a_ledger_of_a_newer_schema_is_left_alone(ledger, place):
    ledger.post(make_posting(make_row()))
    table = DeltaTable(str(place / "rows"))
    table.alter.set_table_properties({VERSION_PROPERTY: "4"}, raise_if_not_exists=False)
    with pytest.raises(LedgerUnavailable, match="schema version 4"):
        ledger.post(make_posting(make_row(window=hour(1)), window=hour(1)))
    with pytest.raises(LedgerUnavailable, match="schema version 4"):
        ledger.sums(HOUR_0, (), {})


OLDER = {1: {"evidence", "quantity"}, 2: {"quantity"}}
"""Version of the schema -> the columns that came later."""


@pytest.fixture(params=OLDER)
def old_place(request, place, monkeypatch):
    """A ledger as an older release left it: a table without the later columns, with one posting."""
    with monkeypatch.context() as older:
        old = pa.schema([field for field in SCHEMA if field.name not in OLDER[request.param]])
        for module in (schema, table):
            older.setattr(module, "SCHEMA", old)
        older.setattr(table, "SCHEMA_VERSION", request.param)
        older.setitem(table._PROPERTIES, VERSION_PROPERTY, str(request.param))
        assert DeltaLedger(str(place)).post(make_posting(make_row(cost=5)))
    return place


def later(ledger):
    return [(row.holder.evidence, row.quantity) for row in ledger.rows(Window(HOUR_0.start_ms, hour(9).end_ms))]


def test_a_ledger_of_an_older_release_is_read_as_it_is(old_place):
    ledger = DeltaLedger(str(old_place))
    assert later(ledger) == [({}, 0)]
    (found,) = ledger.sums(HOUR_0, ("team",), {})
    assert (found.cost_nanos, found.quantity) == (5, 0)
    assert DeltaTable(str(old_place / "rows")).version() == 1


def test_a_ledger_of_an_older_release_is_brought_up_to_date_when_it_is_written(old_place):
    ledger, known = DeltaLedger(str(old_place)), replace(make_holder(), evidence={"images": "a"})
    row = make_row(cost=7, window=hour(1), holder=known, quantity=3)
    before = ledger.version()
    assert ledger.post(make_posting(row, window=hour(1)))
    assert sorted(later(ledger), key=str) == [({"images": "a"}, 3), ({}, 0)]
    assert DeltaTable(str(old_place / "rows")).metadata().configuration[VERSION_PROPERTY] == "3"
    (found,) = ledger.sums(Window(HOUR_0.start_ms, hour(1).end_ms), (), {})
    assert (found.cost_nanos, found.quantity) == (12, 3)
    (found,) = ledger.as_of(before).sums(HOUR_0, (), {})
    assert (found.cost_nanos, found.quantity) == (5, 0)


def test_half_a_step_to_the_new_schema_is_finished_by_the_next_writer(old_place):
    half = DeltaTable(str(old_place / "rows"))
    there = {field.name for field in half.schema().fields}
    half.alter.add_columns([field for field in Schema.from_arrow(SCHEMA).fields if field.name not in there])
    ledger = DeltaLedger(str(old_place))
    assert ledger.post(make_posting(make_row(window=hour(1)), window=hour(1)))
    assert later(ledger) == [({}, 0), ({}, 0)]


def test_a_provisional_file_of_an_older_release_is_read(place):
    ledger = DeltaLedger(str(place))
    ledger.replace_provisional(CLUSTER, HOUR_0, [make_row(quantity=3)])
    (file,) = place.glob("provisional/*.parquet")
    pq.write_table(pq.read_table(file).drop_columns(sorted(OLDER[1])), file)
    assert [(row.cost_nanos, row.quantity) for row in ledger.rows(HOUR_0, provisional=True)] == [(1_000, 0)]


def test_the_ledger_can_be_read_as_it_stood(ledger):
    assert ledger.version() is None
    ledger.post(make_posting(make_row(cost=5)))
    before = ledger.version()
    ledger.post(make_posting(make_row(cost=7, revision=1), revision=1))
    assert ledger.version() == before + 1
    for version, cost in ((before, 5), (before + 1, 12)):
        (found,) = ledger.as_of(version).sums(HOUR_0, (), {})
        assert found.cost_nanos == cost
    assert list(ledger.as_of(before).rows(HOUR_0, provisional=True)) == []


@pytest.mark.parametrize("version", [-1, 2, 99])
def test_a_version_that_never_was_is_refused(ledger, version):
    with pytest.raises(InvalidRequest, match="it is empty"):
        ledger.as_of(version)
    ledger.post(make_posting(make_row()))
    with pytest.raises(InvalidRequest, match="its versions are 0 to 1"):
        ledger.as_of(version)


def test_a_version_whose_log_is_gone_is_refused(ledger, place):
    ledger.post(make_posting(make_row()))
    DeltaTable(str(place / "rows")).create_checkpoint()
    (place / "rows/_delta_log/00000000000000000000.json").unlink()
    with pytest.raises(InvalidRequest, match="versions are kept for 400 days, the newest is 1"):
        ledger.as_of(0)


def test_readers_see_whole_postings_while_a_writer_posts(place):
    writer, problems, done = DeltaLedger(str(place)), [], threading.Event()
    writer.post(make_posting(make_row(cost=1), make_row(cost=1, device="GPU-2")))
    span = type(HOUR_0)(HOUR_0.start_ms, hour(20).end_ms)

    def read() -> None:
        seen = 0
        while not done.is_set():
            cost = sum(group.cost_nanos for group in DeltaLedger(str(place)).sums(span, ("node",), {}))
            if cost % 2 or cost < seen:
                problems.append(cost)
            seen = cost

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for offset in range(1, 15):
        window = hour(offset)
        rows = (make_row(cost=1, window=window), make_row(cost=1, device="GPU-2", window=window))
        assert writer.post(make_posting(*rows, window=window))
    done.set()
    for thread in threads:
        thread.join()
    assert problems == []
