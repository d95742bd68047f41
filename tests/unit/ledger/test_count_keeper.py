"""Counts are kept few and no longer than rows, and a customer who is erased is in none of them."""

import pytest
from deltalake import DeltaTable, write_deltalake

from aicost.adapters.ledger.counts.store import DeltaCounts
from aicost.adapters.ledger.counts.upkeep import CountKeeper
from aicost.adapters.ledger.delta import DeltaLedger
from aicost.adapters.ledger.upkeep.erasing.eraser import DeltaEraser
from aicost.adapters.ledger.upkeep.record import DeltaRecord
from aicost.adapters.ledger.upkeep.upkeep import DeltaUpkeep
from aicost.domain.attribution.customers import ErasedCustomers
from aicost.domain.exact.windows import DAY_MS, Window
from aicost.domain.ledger.audit import Fault
from aicost.domain.serving.counted import CountRow, Kind
from aicost.usecases.upkeep.verify_ledger import VerifyLedger
from support.ledger_rows import CLUSTER, HOUR_0, hour, make_posting, make_row

FIRST = HOUR_0.start_ms - HOUR_0.start_ms % DAY_MS
EVER = Window(FIRST, FIRST + 10 * DAY_MS)


@pytest.fixture
def kept(tmp_path):
    ledger = DeltaLedger(str(tmp_path / "ledger"))
    ledger.post(make_posting(make_row()))
    counts = DeltaCounts(ledger.place)
    for at in range(0, 30, 3):
        rows = [
            CountRow(Kind.ENGINE, "output-tokens", 5, namespace="a", pod="p"),
            CountRow(Kind.GATEWAY, "output-tokens", 3, source="litellm", customer="acme-ltd"),
            CountRow(Kind.GATEWAY, "output-tokens", 2, source="litellm", customer="other"),
        ]
        counts.keep(CLUSTER, hour(at), 0, rows)
        counts.keep(CLUSTER, hour(at), 1, rows[:1] if at % 2 else rows)
    return ledger, counts


def told(counts, kind=Kind.GATEWAY, since=FIRST):
    found = counts.summed([Window(since, EVER.end_ms)], kind, ("customer",), cluster=CLUSTER)
    return {row.customer: row.value for row in found}


def files(ledger):
    return len(list((ledger.place.local / "units").glob("date=*/*.parquet")))


def test_putting_files_together_changes_no_sum_and_no_revision(kept):
    ledger, counts = kept
    before = told(counts), told(counts, Kind.ENGINE), list(counts.windows(EVER, cluster=CLUSTER))
    assert CountKeeper(ledger.place).compact(FIRST + DAY_MS) == 1
    assert (told(counts), told(counts, Kind.ENGINE), list(counts.windows(EVER, cluster=CLUSTER))) == before
    assert counts.revision(CLUSTER, hour(0)) == 1
    assert not counts.keep(CLUSTER, hour(0), 1, ())
    assert CountKeeper(ledger.place).compact(FIRST + DAY_MS) == 0


def test_retention_of_the_ledger_takes_the_counts_along(kept):
    ledger, counts = kept
    after = told(counts, since=FIRST + DAY_MS)
    DeltaUpkeep(ledger.place).drop(CLUSTER, FIRST + DAY_MS)
    assert told(counts) == after
    assert counts.windows(EVER, cluster=CLUSTER)[0].start_ms >= FIRST + DAY_MS
    assert not CountKeeper(ledger.place).drop("another", FIRST + 9 * DAY_MS)


def test_a_customer_is_erased_from_counts_and_nothing_that_is_counted_changes(kept):
    ledger, counts = kept
    eraser, before = DeltaEraser(ledger.place), told(counts)
    assert eraser.find(["Acme Ltd"], (), None).counts == 15
    assert eraser.erase(["Acme Ltd"], (), None).counts == 15
    assert told(counts) == {"erased": before["acme-ltd"], "other": before["other"]}
    assert eraser.find(["Acme Ltd"], (), None).nothing
    assert all(b"acme" not in path.read_bytes() for path in (ledger.place.local / "units").rglob("*") if path.is_file())


def test_of_another_cluster_nobody_is_erased(kept):
    ledger, counts = kept
    before = told(counts)
    assert DeltaEraser(ledger.place).erase(["acme-ltd"], (), "another").counts == 0
    assert told(counts) == before


def faults(ledger):
    return {(one.fault, one.revision): one.text for one in VerifyLedger(DeltaRecord(ledger.place))().findings}


def test_a_verification_finds_counts_that_are_gone_or_there_twice(kept):
    ledger, _ = kept
    assert faults(ledger) == {}
    CountKeeper(ledger.place).compact(FIRST + 5 * DAY_MS)
    CountKeeper(ledger.place).erase(ErasedCustomers(frozenset({"acme-ltd"})), None)
    assert faults(ledger) == {}
    table = DeltaTable(str(ledger.place.local / "units"))
    table.delete("kind = 'engine' AND revision = 1")
    assert faults(ledger)[Fault.LOST, 1] in {
        "2 counts are there, and 3 were kept",
        "0 counts are there, and 1 were kept",
    }


def test_a_verification_finds_counts_that_nobody_kept(kept):
    ledger, _ = kept
    table = DeltaTable(str(ledger.place.local / "units"))
    rows = table.to_pyarrow_table(filters=[("revision", "=", 0)])
    write_deltalake(table, rows, mode="append")
    assert faults(ledger) == {(Fault.TWICE, 0): "the counts of the window stand there 2 times"}
