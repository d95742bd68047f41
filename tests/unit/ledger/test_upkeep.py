"""Compaction changes no sum, retention drops whole days and says so, and verification finds what is wrong."""

import shutil
import threading
from dataclasses import replace

import pytest
from deltalake import DeltaTable, write_deltalake

from aicost.adapters.ledger.delta import DeltaLedger
from aicost.adapters.ledger.postings import Postings
from aicost.adapters.ledger.schema import to_table
from aicost.adapters.ledger.upkeep.record import DeltaRecord
from aicost.adapters.ledger.upkeep.upkeep import DeltaUpkeep
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, Window
from aicost.domain.ledger.audit import Fault
from aicost.domain.ledger.difference import difference
from aicost.ports.errors import LedgerConflict, LedgerUnavailable
from aicost.usecases.upkeep.keep_ledger import KeepLedger
from aicost.usecases.upkeep.verify_ledger import VerifyLedger
from support.ledger_folder import START_MS, fill
from support.ledger_rows import CLUSTER, make_posting, make_row

EVER = Window(START_MS - DAY_MS, START_MS + 60 * DAY_MS)
HOURS = 60
"""Two days and a half."""
NOON = START_MS + HOURS * HOUR_MS


def hour(index: int) -> Window:
    return Window(START_MS + index * HOUR_MS, START_MS + (index + 1) * HOUR_MS)


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ledger")
    made = fill(folder, hours=HOURS)
    before = made.rows(hour(3), cluster=CLUSTER)
    late = [replace(before[0], cost_nanos=before[0].cost_nanos - 9), *before[1:]]
    made.post(make_posting(*difference(before, late, 1, "late-data"), window=hour(3), revision=1))
    return folder


@pytest.fixture
def ledger(filled, tmp_path):
    shutil.copytree(filled, tmp_path / "ledger")
    return DeltaLedger(str(tmp_path / "ledger"))


def upkeep(ledger):
    return DeltaUpkeep(ledger.place)


def table(ledger) -> DeltaTable:
    return DeltaTable(ledger.place.within("rows"))


def sums(ledger):
    return sorted(ledger.sums(EVER, ("cluster", "namespace", "team"), {}), key=repr)


def verified(ledger, cluster=None):
    return VerifyLedger(DeltaRecord(ledger.place))(cluster)


def faults(ledger):
    return [(one.fault, one.window, one.revision) for one in verified(ledger).findings]


def files(ledger):
    return len(table(ledger).file_uris())


def test_a_sound_ledger_verifies_window_by_window(ledger):
    ledger.begin_term(CLUSTER)
    outcome = verified(ledger)
    assert outcome.findings == ()
    assert (outcome.windows, outcome.postings, outcome.unsealed) == (HOURS, HOURS + 1, 0)
    assert outcome.rows == HOURS * 7 + 1
    assert outcome.schema_version == "3"
    assert (outcome.logs[0].cluster, outcome.logs[0].term) == (CLUSTER, 1)


def test_compaction_puts_past_days_together_and_changes_no_row(ledger):
    before, rows = sums(ledger), sorted(map(repr, ledger.rows(EVER)))
    keep = KeepLedger(CLUSTER, upkeep(ledger), 0)
    assert keep.drop(NOON) is None
    compacted = keep.compact(NOON)
    assert compacted.dates == ("2026-03-02",)
    assert (compacted.before, compacted.after) == (25, 1)
    assert files(ledger) == 1 + HOURS - 24
    assert sums(ledger) == before
    assert sorted(map(repr, ledger.rows(EVER))) == rows
    assert verified(ledger).findings == ()
    assert keep.compact(NOON).dates == ()
    assert ledger.post(make_posting(make_row(window=hour(HOURS)), window=hour(HOURS)))


def test_whoever_read_before_compaction_goes_on_reading(ledger):
    snapshot, version, before = ledger.snapshot(), ledger.version(), sums(ledger)
    upkeep(ledger).compact(NOON)
    assert sorted(snapshot.sums(EVER, ("cluster", "namespace", "team"), {}), key=repr) == before
    assert sums(ledger.as_of(version)) == before


def test_compaction_and_postings_at_once_lose_nothing(ledger):
    failed: list[Exception] = []

    def post() -> None:
        for index in range(HOURS, HOURS + 12):
            row = make_row(1, window=hour(index))
            try:
                assert DeltaLedger(ledger.place.uri).post(make_posting(row, window=hour(index)))
            except Exception as error:  # noqa: BLE001 -- shown by the test
                failed.append(error)

    before = sum(one.cost_nanos for one in sums(ledger))
    writer = threading.Thread(target=post)
    writer.start()
    for day in range(1, 4):
        upkeep(ledger).compact(START_MS + day * DAY_MS)
    writer.join()
    assert failed == []
    assert sum(one.cost_nanos for one in sums(ledger)) == before + 12
    assert verified(ledger).findings == ()


def test_retention_drops_whole_days_and_says_what(ledger):
    fill_other = fill(ledger.place.local, hours=30, cluster="c-2")
    want = [one for one in sums(fill_other) if one.keys[0] == "c-2"]
    looked = upkeep(ledger).droppable(CLUSTER, START_MS + DAY_MS)
    keep = KeepLedger(CLUSTER, upkeep(ledger), 1)
    assert keep.drop(NOON) == looked
    assert (looked.first, looked.last, looked.windows, looked.rows) == ("2026-03-02", "2026-03-02", 24, 24 * 7 + 1)
    hourly = sum(row.cost_nanos or 0 for row in ledger.rows(hour(30), cluster=CLUSTER))
    assert looked.cost_nanos == {"USD": 24 * hourly - 9}
    assert ledger.first_window(CLUSTER) == hour(24)
    assert ledger.last_window(CLUSTER) == hour(HOURS - 1)
    assert [one for one in sums(ledger) if one.keys[0] == "c-2"] == want
    outcome = verified(ledger)
    assert outcome.findings == ()
    mine = next(one for one in outcome.logs if one.cluster == CLUSTER)
    assert (mine.kept_from, mine.dropped_rows) == (START_MS + DAY_MS, 24 * 7 + 1)
    note = next(one for one in table(ledger).history() if one.get("retention"))
    assert (note["rows"], note["cost_nanos.USD"]) == (24 * 7 + 1, str(24 * hourly - 9))
    assert table(ledger).metadata().configuration["delta.appendOnly"] == "true"
    assert keep.drop(NOON) is None


def test_what_retention_dropped_cannot_be_posted_again(ledger):
    upkeep(ledger).drop(CLUSTER, START_MS + DAY_MS)
    with pytest.raises(LedgerConflict, match="retention dropped"):
        ledger.post(make_posting(make_row(window=hour(2), revision=1), window=hour(2), revision=1))


@pytest.mark.parametrize("dies_in", ["_delete", "delete"])
def test_a_drop_that_was_interrupted_is_known_and_done_the_next_time(ledger, monkeypatch, dies_in):
    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(DeltaUpkeep if dies_in == "_delete" else DeltaTable, dies_in, die)
        with pytest.raises(KeyboardInterrupt):
            upkeep(ledger).drop(CLUSTER, START_MS + DAY_MS)
    assert {fault for fault, _, _ in faults(ledger)} == {Fault.LEFT_OVER}
    assert upkeep(ledger).drop(CLUSTER, START_MS + DAY_MS).rows == 24 * 7 + 1
    outcome = verified(ledger)
    assert (outcome.findings, outcome.logs[0].dropped_rows) == ((), 24 * 7 + 1)


def test_a_table_that_was_left_open_is_shut_by_the_next_writer(ledger):
    table(ledger).alter.set_table_properties({"delta.appendOnly": "false"})
    ledger.post(make_posting(make_row(window=hour(HOURS)), window=hour(HOURS)))
    assert table(ledger).metadata().configuration["delta.appendOnly"] == "true"


def test_files_of_dropped_days_go_after_the_grace_and_others_stay(ledger, monkeypatch):
    upkeep(ledger).compact(NOON)
    upkeep(ledger).drop(CLUSTER, START_MS + DAY_MS)
    folder = ledger.place.local / "rows"
    assert list(folder.glob("date=2026-03-02/*.parquet"))
    monkeypatch.setattr("aicost.adapters.ledger.upkeep.upkeep.GRACE_HOURS", 0)
    compacted = upkeep(ledger).compact(NOON)
    assert compacted.deleted == 26
    assert not list(folder.glob("date=2026-03-02/*.parquet"))
    assert len(list(folder.glob("date=2026-03-03/*.parquet"))) == 25  # the old versions still need theirs
    assert verified(ledger).findings == ()


def append(ledger, *rows) -> None:
    """Write past the ledger, as somebody with access to the files can."""
    write_deltalake(table(ledger), to_table(rows), mode="append")


def rewrite(ledger, *words: str) -> None:
    """Change rows past the ledger."""
    open_table = table(ledger)
    open_table.alter.set_table_properties({"delta.appendOnly": "false"})
    if len(words) == 1:
        open_table.delete(words[0])
    else:
        open_table.update(updates={words[0]: words[1]}, predicate=words[2])


def at(index: int) -> str:
    return f"CAST(window_start AS BIGINT) = {hour(index).start_ms * 1000}"


@pytest.mark.parametrize("compacted", [False, True])
def test_an_amount_that_was_altered_is_found_with_its_window_and_revision(ledger, compacted):
    if compacted:
        upkeep(ledger).compact(NOON)
    rewrite(ledger, "cost_nanos", "cost_nanos + 1", f"{at(5)} AND device = 'GPU-2'")
    (found,) = verified(ledger).findings
    assert (found.fault, found.window, found.revision) == (Fault.CHANGED, hour(5), 0)
    assert "checksum of its 7 rows" in found.text


def test_a_name_that_was_altered_is_found_too(ledger):
    rewrite(ledger, "namespace", "'team-z'", f"{at(3)} AND namespace = 'team-a'")
    assert faults(ledger) == [(Fault.CHANGED, hour(3), 0), (Fault.CHANGED, hour(3), 1)]


def test_rows_that_are_gone_are_missed(ledger):
    rewrite(ledger, f"{at(5)} AND device = 'GPU-2'")
    rewrite(ledger, at(7))
    assert faults(ledger) == [(Fault.LOST, hour(5), 0), (Fault.LOST, hour(7), 0)]
    assert [one.text for one in verified(ledger).findings] == [
        "6 rows are there, 7 were posted",
        "0 rows are there, 7 were posted",
    ]


def test_rows_that_stand_twice_are_told_from_others(ledger):
    append(ledger, *ledger.rows(hour(5), cluster=CLUSTER)[:2])
    found = verified(ledger).findings
    assert (found[0].fault, found[0].window) == (Fault.TWICE, hour(5))
    assert "2 stand there twice" in found[0].text


def test_rows_that_nobody_posted_are_found(ledger):
    append(ledger, make_row(1, window=hour(5), device="GPU-9"))
    append(ledger, make_row(1, window=hour(6), device="GPU-9", revision=1))
    append(ledger, make_row(1, window=hour(90), device="GPU-9"))
    append(ledger, make_row(1, window=hour(5), cluster="c-9"))
    found = [(one.cluster, one.fault, one.window) for one in verified(ledger).findings]
    assert found == [
        ("c-9", Fault.UNKNOWN, hour(5)),
        (CLUSTER, Fault.UNKNOWN, hour(5)),
        (CLUSTER, Fault.UNKNOWN, hour(6)),
        (CLUSTER, Fault.UNKNOWN, hour(90)),
    ]
    assert len(verified(ledger, "c-9").findings) == 1


def test_time_that_belongs_to_no_window_is_found(ledger):
    late = Window(hour(HOURS + 2).start_ms, hour(HOURS + 2).end_ms)
    ledger.post(make_posting(make_row(window=late), window=late))
    (found,) = verified(ledger).findings
    assert (found.fault, found.window) == (Fault.GAP, Window(hour(HOURS).start_ms, hour(HOURS + 1).end_ms))


def test_time_behind_a_backfill_is_listed_and_no_fault(ledger):
    """It ended where it was told to; a gap behind what a controller posted stays one."""
    for at, flags in ((HOURS, ("backfill",)), (HOURS + 2, ()), (HOURS + 4, ())):
        ledger.post(make_posting(make_row(window=hour(at), flags=flags), window=hour(at)))
    outcome = verified(ledger)
    assert [one.window for one in outcome.gaps] == [hour(HOURS + 1)]
    assert [(one.fault, one.window) for one in outcome.findings] == [(Fault.GAP, hour(HOURS + 3))]


def test_windows_without_rows_are_no_gap_and_are_sealed(ledger):
    ledger.post(make_posting(window=hour(HOURS)))
    assert verified(ledger).findings == ()
    append(ledger, make_row(1, window=hour(HOURS)))
    assert faults(ledger) == [(Fault.UNKNOWN, hour(HOURS), 0)]


def test_a_device_with_more_time_than_there_is_is_found_without_a_seal(ledger, monkeypatch):
    monkeypatch.setattr(Postings, "after", _without_seal(Postings.after))
    too_long = make_row(5, gpu_ms=HOUR_MS + 1, window=hour(HOURS))
    ledger.post(make_posting(too_long, window=hour(HOURS)))
    less_than_none = make_row(-5, gpu_ms=-1, measured_ms=-1, window=hour(HOURS + 1))
    ledger.post(make_posting(less_than_none, window=hour(HOURS + 1)))
    measured = make_row(5, gpu_ms=5, measured_ms=6, window=hour(HOURS + 2))
    ledger.post(make_posting(measured, window=hour(HOURS + 2)))
    outcome = verified(ledger)
    assert outcome.unsealed == 3
    assert [one.text for one in outcome.findings] == [
        "device 'GPU-1' of node 'node-1' has 3600001 ms in a window of 3600000 ms",
        "device 'GPU-1' of node 'node-1' has -1 ms in a window of 3600000 ms",
        "device 'GPU-1' of node 'node-1' costs -5 nanos of USD",
        "device 'GPU-1' of node 'node-1' has samples for 6 ms of 5 ms",
    ]


def _without_seal(after):
    def old(self, *arguments):
        return [one for one in after(self, *arguments) if "/seal/" not in one.app_id]

    return old


def test_the_log_is_read_from_its_checkpoint_as_well(ledger):
    before = DeltaRecord(ledger.place).logs()
    table(ledger).create_checkpoint()
    table(ledger).cleanup_metadata()
    for log in (ledger.place.local / "rows" / "_delta_log").glob("*.json"):
        if int(log.stem) < table(ledger).version():
            log.unlink()
    assert DeltaRecord(ledger.place).logs() == before
    ledger.post(make_posting(make_row(window=hour(HOURS)), window=hour(HOURS)))
    assert len(DeltaRecord(ledger.place).logs()[0].windows) == HOURS + 1
    assert verified(ledger).findings == ()


@pytest.mark.parametrize("cluster", ["a/window/1/2", "x\ny", "aicost/", "é", "a/term"])
def test_the_name_of_a_cluster_may_be_anything(tmp_path, cluster):
    ledger = DeltaLedger(str(tmp_path))
    ledger.begin_term(cluster)
    ledger.post(make_posting(make_row(cluster=cluster, window=hour(0)), window=hour(0), cluster=cluster))
    outcome = verified(ledger)
    assert ([log.cluster for log in outcome.logs], outcome.findings, outcome.windows) == ([cluster], (), 1)


def test_a_place_without_a_ledger_is_said(tmp_path):
    with pytest.raises(LedgerUnavailable):
        verified(DeltaLedger(str(tmp_path)))
    assert DeltaUpkeep(DeltaLedger(str(tmp_path)).place).drop(CLUSTER, NOON) is None
    assert DeltaUpkeep(DeltaLedger(str(tmp_path)).place).compact(NOON).dates == ()
