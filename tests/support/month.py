"""A month of a large cluster in a ledger, made as columns: to make each row as an object would take half an hour."""

import pyarrow as pa
from deltalake import write_deltalake

from aicost.adapters.ledger.place import LedgerPlace
from aicost.adapters.ledger.schema import to_table
from aicost.adapters.ledger.table import open_or_create
from aicost.domain.exact.windows import HOUR_MS, to_datetime
from support.ledger_rows import HOUR_0, make_holder, make_row

DAY = 24


def rows_of(count, window=HOUR_0):
    """Rows of one hour: pods of many teams and models."""
    holders = [
        make_holder(f"team-{i % 20}", f"job-{i}", team=f"team-{i % 20}", model=f"model-{i % 50}") for i in range(count)
    ]
    return [
        make_row(1_000 + i, window=window, device=f"GPU-{i}", node=f"node-{i // 8}", holder=holder)
        for i, holder in enumerate(holders)
    ]


def _later(table, hours):
    """The same rows some hours later."""
    start = HOUR_0.start_ms + hours * HOUR_MS
    moments = {
        "date": to_datetime(start).date(),
        "window_start": to_datetime(start),
        "window_end": to_datetime(start + HOUR_MS),
    }
    for name, moment in moments.items():
        index = table.schema.get_field_index(name)
        field = table.schema.field(index)
        table = table.set_column(index, field, pa.repeat(pa.scalar(moment, field.type), table.num_rows))
    return table


def make_month(folder, rows, hours):
    """A ledger with the same rows in each of so many hours, a day in each commit; the sum of its costs."""
    one, place = to_table(rows_of(rows)), LedgerPlace(str(folder), {})
    for first in range(0, hours, DAY):
        parts = [_later(one, number) for number in range(first, min(first + DAY, hours))]
        write_deltalake(open_or_create(place), pa.concat_tables(parts), mode="append")
    return hours * sum(1_000 + i for i in range(rows))
