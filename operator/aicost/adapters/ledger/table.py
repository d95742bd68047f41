"""The Delta table: made when it is first written, opened and brought up to date when it is read."""

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from aicost.adapters.ledger.place import LedgerPlace
from aicost.adapters.ledger.schema import PARTITION, PRUNED, SCHEMA, SCHEMA_VERSION, VERSION_PROPERTY
from aicost.ports.errors import LedgerUnavailable

FOLDER = "rows"
_PROPERTIES = {
    "delta.appendOnly": "true",
    "delta.dataSkippingStatsColumns": ",".join(PRUNED),
    VERSION_PROPERTY: str(SCHEMA_VERSION),
}
_DESCRIPTION = "What each holder owes for each device and window. Sum cost_nanos: difference rows carry their sign."


def exists(place: LedgerPlace) -> bool:
    """Whether anything was ever posted there."""
    return bool(DeltaTable.is_deltatable(place.within(FOLDER), place.options))


def open_table(place: LedgerPlace) -> DeltaTable:
    """The table as it is now.

    Raises:
        LedgerUnavailable: a newer aicost wrote it in a schema that this one does not know.
    """
    table = DeltaTable(place.within(FOLDER), storage_options=place.options)
    written = table.metadata().configuration.get(VERSION_PROPERTY, "unknown")
    if written != str(SCHEMA_VERSION):
        raise LedgerUnavailable(
            f"the ledger at {place.uri} has schema version {written}, this aicost reads {SCHEMA_VERSION}. "
            "To fix: run the version of aicost that wrote it, or a newer one"
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
