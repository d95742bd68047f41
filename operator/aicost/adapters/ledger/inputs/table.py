"""The Delta table of inputs, beside that of the amounts. One day is one partition, so that old days go as a whole.

| column | type | meaning |
|---|---|---|
| date | date | UTC date of the windows; the table is partitioned by it |
| cluster | string | id of the cluster |
| part | string | name of the part; `manifest` for the list of the parts of one posting |
| window_start, window_end | timestamp, UTC | the window with which it was written |
| revision | int32 | the revision with which it was written |
| digest | string | SHA-256 of the content; of a manifest, the digest that the posting is anchored to |
| size | int64 | bytes of the content |
| data | binary | the content, compressed with Zstandard |
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa
from deltalake import ColumnProperties, DeltaTable, WriterProperties, write_deltalake
from deltalake.exceptions import DeltaError

from aicost.adapters.ledger.durable import persist_commit
from aicost.adapters.ledger.inputs.manifest import FORMAT
from aicost.adapters.ledger.place import LedgerPlace
from aicost.adapters.ledger.table import holds_table
from aicost.domain.exact.windows import Window, to_datetime
from aicost.ports.errors import InputsDamaged

FOLDER = "inputs"
FORMAT_PROPERTY = "aicost.inputsFormat"
MANIFEST = "manifest"
_TIME = pa.timestamp("us", "UTC")
SCHEMA = pa.schema(
    [
        pa.field("date", pa.date32(), nullable=False),
        pa.field("cluster", pa.string(), nullable=False),
        pa.field("part", pa.string(), nullable=False),
        pa.field("window_start", _TIME, nullable=False),
        pa.field("window_end", _TIME, nullable=False),
        pa.field("revision", pa.int32(), nullable=False),
        pa.field("digest", pa.string(), nullable=False),
        pa.field("size", pa.int64(), nullable=False),
        pa.field("data", pa.binary(), nullable=False),
    ]
)
_PRUNED = ("cluster", "part", "window_start")
_ROWS_PER_GROUP = 64
"""Parts that lie together in a file: a reader of one node skips the others."""
_LEVEL = 6
_PACKERS = 2
"""Threads that compress: it needs nothing of Python meanwhile."""
_LARGEST = 2**30
_PROPERTIES = {
    "delta.dataSkippingStatsColumns": ",".join(_PRUNED),
    FORMAT_PROPERTY: str(FORMAT),
}
WRITER = WriterProperties(
    compression="UNCOMPRESSED",  # the contents are compressed one by one
    write_batch_size=_ROWS_PER_GROUP,
    max_row_group_size=_ROWS_PER_GROUP,
    column_properties={"data": ColumnProperties(statistics_enabled="NONE", dictionary_enabled=False)},
)


@dataclass(frozen=True, slots=True)
class Part:
    """One row of the table, its content as it is read."""

    name: str
    digest: str
    body: bytes


def exists(place: LedgerPlace) -> bool:
    """Whether anything was ever kept there."""
    return holds_table(place, FOLDER)


def open_table(place: LedgerPlace) -> DeltaTable:
    """The table as it is now.

    Raises:
        InputsDamaged: a newer aicost made it.
    """
    table = DeltaTable(place.within(FOLDER), storage_options=place.options)
    found = table.metadata().configuration.get(FORMAT_PROPERTY)
    if found != str(FORMAT):
        raise InputsDamaged(
            f"the inputs at {place.within(FOLDER)} are of format {found}, this aicost reads format {FORMAT}. "
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


def append(
    place: LedgerPlace, table: DeltaTable, cluster: str, window: Window, revision: int, parts: Sequence[Part]
) -> None:
    """Add parts in one commit."""
    write_deltalake(table, _rows(cluster, window, revision, parts), mode="append", writer_properties=WRITER)
    if place.local is not None:
        persist_commit(place.local / FOLDER, table.version())


def compressed(body: bytes) -> bytes:
    """A content as it lies in the table."""
    return bytes(pa.Codec("zstd", _LEVEL).compress(body, asbytes=True))


def expanded(data: bytes, size: int) -> bytes:
    """A content as it was.

    Raises:
        OSError, ValueError: the data is no such content.
    """
    if not 0 <= size <= _LARGEST:
        raise ValueError(f"{size} is no size of a part")
    return bytes(pa.Codec("zstd").decompress(data, size, asbytes=True))


def _rows(cluster: str, window: Window, revision: int, parts: Sequence[Part]) -> pa.Table:
    ordered = sorted(parts, key=lambda part: part.name)
    with ThreadPoolExecutor(_PACKERS, "inputs") as packing:
        data = list(packing.map(compressed, (part.body for part in ordered)))
    same = {
        "date": to_datetime(window.start_ms).date(),
        "cluster": cluster,
        "window_start": window.start_ms * 1_000,
        "window_end": window.end_ms * 1_000,
        "revision": revision,
    }
    own = {
        "part": [part.name for part in ordered],
        "digest": [part.digest for part in ordered],
        "size": [len(part.body) for part in ordered],
        "data": data,
    }
    columns = {**{name: [value] * len(ordered) for name, value in same.items()}, **own}
    return pa.Table.from_arrays([pa.array(columns[one.name], one.type) for one in SCHEMA], schema=SCHEMA)


def _create(place: LedgerPlace) -> None:
    DeltaTable.create(
        place.within(FOLDER),
        schema=SCHEMA,
        partition_by=["date"],
        name="aicost inputs",
        description="What the amounts of the ledger rest on, so that each can be computed again. No amounts.",
        configuration=_PROPERTIES,
        storage_options=place.options,
        raise_if_key_not_exists=False,
    )
