"""The Delta table of statements about requests, beside the ledger.

| Column | Type | What it is |
|---|---|---|
| date | date | day of the request in UTC; the table is partitioned by it |
| cluster, namespace | string | where the workload runs |
| workload, model | string | which of the two was named; the other is empty |
| id | string | id of the request or trace |
| at | timestamp | when the request was made |
| posted, place | timestamp, int32 | when the statement came, and at which place among those that came with it |
| success | bool | whether it was one |
| reason | string | why, empty where nobody says |
| tokens | int64 | generated tokens, null where they are not known |
| team, feature, customer | string | for whom, empty where nobody says |
"""

from collections.abc import Sequence

import pyarrow as pa
from deltalake import DeltaTable, WriterProperties, write_deltalake
from deltalake.exceptions import DeltaError

from aicost.adapters.ledger.durable import persist_commit
from aicost.adapters.ledger.place import LedgerPlace
from aicost.adapters.ledger.table import holds_table
from aicost.domain.exact.windows import to_datetime
from aicost.domain.serving.outcomes.posted import Statement
from aicost.ports.errors import LedgerUnavailable

FOLDER = "outcomes"
FORMAT, FORMAT_PROPERTY = "1", "aicost.outcomesFormat"
REQUEST = '"cluster", namespace, workload, model, id'
"""What a statement is about."""
LAST = "posted DESC, place DESC, success, reason"
"""The order in which the first one counts; nothing is left to chance where two replicas took them at once."""
_TIME = pa.timestamp("us", "UTC")
_TEXTS = ("cluster", "namespace", "workload", "model", "id")
SCHEMA = pa.schema(
    [
        pa.field("date", pa.date32(), nullable=False),
        *(pa.field(name, pa.string(), nullable=False) for name in _TEXTS),
        pa.field("at", _TIME, nullable=False),
        pa.field("posted", _TIME, nullable=False),
        pa.field("place", pa.int32(), nullable=False),
        pa.field("success", pa.bool_(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("tokens", pa.int64()),
        *(pa.field(name, pa.string(), nullable=False) for name in ("team", "feature", "customer")),
    ]
)
WRITER = WriterProperties(compression="ZSTD")
_PROPERTIES = {
    "delta.dataSkippingStatsColumns": "cluster,namespace,at",
    "delta.logRetentionDuration": "interval 2 days",
    FORMAT_PROPERTY: FORMAT,
}


def exists(place: LedgerPlace) -> bool:
    """Whether anything was ever stated there."""
    return holds_table(place, FOLDER)


def open_table(place: LedgerPlace) -> DeltaTable:
    """The table as it is now.

    Raises:
        LedgerUnavailable: a newer aicost made it.
    """
    table = DeltaTable(place.within(FOLDER), storage_options=place.options)
    found = table.metadata().configuration.get(FORMAT_PROPERTY)
    if found != FORMAT:
        raise LedgerUnavailable(
            f"the outcomes at {place.within(FOLDER)} are of format {found}, this aicost reads format {FORMAT}. "
            "To fix: run the version of aicost that wrote them, or a newer one"
        )
    return table


def open_or_create(place: LedgerPlace) -> DeltaTable:
    """The table, made if it is not there; two who make it at once end with one."""
    if not exists(place):
        place.prepare(FOLDER)
        try:
            _create(place)
        except DeltaError:
            if not exists(place):
                raise
    return open_table(place)


def append(place: LedgerPlace, table: DeltaTable, rows: pa.Table) -> None:
    """Add rows in one commit that survives a loss of power."""
    write_deltalake(table, rows, mode="append", writer_properties=WRITER)
    persist(place, table)


def persist(place: LedgerPlace, table: DeltaTable) -> None:
    """Put the last commit on the disk; an object store did so before it answered."""
    if place.local is not None:
        persist_commit(place.local / FOLDER, table.version())


def rows_of(cluster: str, statements: Sequence[Statement], posted_ms: int) -> pa.Table:
    """Statements as rows."""
    columns = {
        "date": [to_datetime(one.at_ms).date() for one in statements],
        "cluster": [cluster] * len(statements),
        "at": [one.at_ms * 1_000 for one in statements],
        "posted": [posted_ms * 1_000] * len(statements),
        "place": list(range(len(statements))),
    }
    own = {
        one.name: columns[one.name] if one.name in columns else [getattr(given, one.name) for given in statements]
        for one in SCHEMA
    }
    return pa.Table.from_arrays([pa.array(own[one.name], one.type) for one in SCHEMA], schema=SCHEMA)


def _create(place: LedgerPlace) -> None:
    DeltaTable.create(
        place.within(FOLDER),
        schema=SCHEMA,
        partition_by=["date"],
        name="aicost outcomes",
        description="What was stated of requests. Of several statements about one request the last one counts.",
        configuration=_PROPERTIES,
        storage_options=place.options,
        raise_if_key_not_exists=False,
    )
