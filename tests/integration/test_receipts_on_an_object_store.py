"""Inputs on a real S3 server: kept, explained, rated again and forgotten; readers of the amounts never meet them."""

import duckdb
import pytest
from deltalake import DeltaTable
from deltalake.fs import DeltaStorageHandler
from pyarrow import fs

from aicost.adapters.ledger.delta import DeltaLedger
from aicost.adapters.ledger.inputs.store import DeltaInputs
from aicost.adapters.ledger.inputs.table import INPUTS
from aicost.adapters.ledger.upkeep.erasing.eraser import DeltaEraser
from aicost.domain.exact.windows import DAY_MS, Window
from aicost.usecases.receipts.rerate import Rerate
from support.builders import T0
from support.customers import NAME, spellings_in, with_customers
from support.object_store import options, place
from support.receipts import CLUSTER, Kept, hours, inputs, prices

SPAN = Window(T0 - DAY_MS, T0 + DAY_MS)


@pytest.fixture
def kept(store, tmp_path):
    found = Kept(tmp_path)
    found.ledger = DeltaLedger(place(store), options(store))
    found.inputs = DeltaInputs(found.ledger.place, "1.2.3")
    return found


def test_what_was_kept_on_the_object_store_is_explained_rated_again_and_forgotten(kept, store):
    for count in range(3):
        kept.post(inputs(window=hours(count)))
    assert not kept.explain().differs
    assert len(kept.explain().windows) == 3
    list(Rerate(CLUSTER, kept.ledger, kept.inputs, kept.ledger)(SPAN, (prices(4.0),)))
    receipt = kept.explain()
    assert not receipt.differs
    assert [one.revision for one in receipt.windows] == [1, 1, 1]
    table = DeltaTable(f"{place(store)}/{INPUTS.folder}", storage_options=options(store))
    assert set(table.to_pyarrow_table(columns=["part"]).column("part").to_pylist()) >= {"manifest", "node gpu-1"}
    assert kept.inputs.prune(T0 + 2 * DAY_MS) == 1
    assert len(kept.explain().not_replayed) == 3


def test_readers_of_the_amounts_do_not_meet_the_inputs(tmp_path):
    kept = Kept(tmp_path / "ledger")
    rows = kept.post(inputs())
    files = sorted(str(path) for path in (tmp_path / "ledger" / "rows").rglob("*.parquet"))
    (found,) = duckdb.sql(f"SELECT sum(cost_nanos), count(*) FROM read_parquet({files!r})").fetchall()
    assert found == (sum(row.cost_nanos for row in rows), len(rows))
    names = DeltaTable(str(tmp_path / "ledger" / "rows")).schema().to_arrow()
    assert "data" not in [field.name for field in names]
    stored = {field.name for field in DeltaTable(str(tmp_path / "ledger" / INPUTS.folder)).schema().to_arrow()}
    assert not {"cost_nanos", "error_nanos"} & stored


def test_a_customer_is_erased_from_every_object(kept, store):
    where = fs.PyFileSystem(DeltaStorageHandler(place(store), options(store)))

    def left():
        found = where.get_file_info(fs.FileSelector("", recursive=True))
        names = [one.path for one in found if one.type is fs.FileType.File]
        return spellings_in((name, where.open_input_file(name).read()) for name in names)

    with_customers(kept)
    assert left()
    DeltaEraser(kept.ledger.place).erase((NAME,), (), None)
    assert left() == set()
    assert not kept.explain().differs
    assert not kept.explain().not_replayed
