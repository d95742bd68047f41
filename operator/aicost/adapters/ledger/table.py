"""The Delta table: made when it is first written, opened and brought up to date when it is read."""

import pyarrow as pa
from deltalake import DeltaTable, Schema
from deltalake.exceptions import DeltaError, TableNotFoundError

from aicost.adapters.ledger.place import LedgerPlace
from aicost.adapters.ledger.schema import PARTITION, PRUNED, READABLE, SCHEMA, SCHEMA_VERSION, VERSION_PROPERTY
from aicost.ports.errors import LedgerUnavailable

FOLDER = "rows"
HISTORY_DAYS = 400
"""For so long the table can be read as it stood at an earlier version: as far back as a report may reach."""
APPEND_ONLY = "delta.appendOnly"
_PROPERTIES = {
    APPEND_ONLY: "true",
    "delta.dataSkippingStatsColumns": ",".join(PRUNED),
    VERSION_PROPERTY: str(SCHEMA_VERSION),
    "delta.logRetentionDuration": f"interval {HISTORY_DAYS} days",
}
_DESCRIPTION = "What each holder owes for each device and window. Sum cost_nanos: difference rows carry their sign."


def give_memory_back() -> None:
    """Let Arrow take memory from the system and give it back after use, in the whole process.

    Arrow's own pool is made for programs that compute all the time: it keeps what one posting needed for the next one.
    We post once an hour, and write the open window once a minute.
    """
    pa.set_memory_pool(pa.system_memory_pool())


def exists(place: LedgerPlace) -> bool:
    """Whether anything was ever posted there."""
    return holds_table(place, FOLDER)


def holds_table(place: LedgerPlace, folder: str) -> bool:
    """Whether there is a table in a part of the ledger.

    An object store is asked by opening the table: the other question holds Python's lock until it is answered, and a
    store that hangs would stop the whole process, its probes and its Lease.
    """
    if place.local is not None:
        return bool(DeltaTable.is_deltatable(place.within(folder), place.options))
    try:
        DeltaTable(place.within(folder), storage_options=place.options)
    except TableNotFoundError:
        return False
    return True


def open_table(place: LedgerPlace, version: int | None = None) -> DeltaTable:
    """The table as it is now, or as it stood at a version.

    Raises:
        LedgerUnavailable: a newer aicost wrote it in a schema that this one does not know.
    """
    table = DeltaTable(place.within(FOLDER), version=version, storage_options=place.options)
    written = schema_version(table)
    if written not in READABLE:
        raise LedgerUnavailable(
            f"the ledger at {place.uri} has schema version {written}, this aicost reads up to {SCHEMA_VERSION}. "
            "To fix: run the version of aicost that wrote it, or a newer one"
        )
    return table


def version_at(table: DeltaTable, at_ms: int) -> int | None:
    """The newest version that was committed at a moment or before it; None where the first one came later."""
    known = [commit["version"] for commit in table.history() if commit["timestamp"] <= at_ms]
    return max(known, default=None)


def open_or_create(place: LedgerPlace) -> DeltaTable:
    """The table, made if it is not there; two who make it at once end with one."""
    if not exists(place):
        place.prepare(FOLDER)
        try:
            _create(place)
        except DeltaError:
            if not exists(place):
                raise
    return _brought_up_to_date(open_table(place), place)


def _brought_up_to_date(table: DeltaTable, place: LedgerPlace) -> DeltaTable:
    """The table in the newest version of the schema.

    Half a step is finished by the next writer. Of two who take one at once, one fails: both go on if it was taken.
    """
    if schema_version(table) == str(SCHEMA_VERSION):
        return _append_only(table)
    there = {field.name for field in table.schema().fields}
    missing = [field for field in Schema.from_arrow(SCHEMA).fields if field.name not in there]
    try:
        if missing:
            table.alter.add_columns(missing)
        table.alter.set_table_properties(_PROPERTIES, raise_if_not_exists=False)
    except DeltaError:
        if schema_version(open_table(place)) != str(SCHEMA_VERSION):
            raise
    return open_table(place)


def _append_only(table: DeltaTable) -> DeltaTable:
    """The table shut again, if somebody who took rows away ended before doing so."""
    if table.metadata().configuration.get(APPEND_ONLY) != "true":
        table.alter.set_table_properties({APPEND_ONLY: "true"})
    return table


def schema_version(table: DeltaTable) -> str:
    """Version of the columns that the table says it has."""
    return str(table.metadata().configuration.get(VERSION_PROPERTY, "unknown"))


def _create(place: LedgerPlace) -> None:
    DeltaTable.create(
        place.within(FOLDER),
        schema=SCHEMA,
        partition_by=[PARTITION],
        name="aicost ledger",
        description=_DESCRIPTION,
        configuration=_PROPERTIES,
        storage_options=place.options,
        raise_if_key_not_exists=False,
    )
