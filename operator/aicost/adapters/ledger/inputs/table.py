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
from deltalake import ColumnProperties, WriterProperties

from aicost.adapters.ledger.beside.table import Layout
from aicost.adapters.ledger.inputs.manifest import FORMAT
from aicost.domain.exact.windows import Window, to_datetime
from aicost.ports.errors import InputsDamaged

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
_ROWS_PER_GROUP = 64
"""Parts that lie together in a file: a reader of one node skips the others."""
_LEVEL = 3
"""Of Zstandard: 6 takes three times as long for one byte in a hundred."""
_PACKERS = 2
"""Threads that compress: it needs nothing of Python meanwhile."""
_LARGEST = 2**30
INPUTS = Layout(
    name="inputs",
    folder="inputs",
    format=str(FORMAT),
    schema=SCHEMA,
    says="What the amounts of the ledger rest on, so that each can be computed again. No amounts.",
    writer=WriterProperties(
        compression="UNCOMPRESSED",  # the contents are compressed one by one
        write_batch_size=_ROWS_PER_GROUP,
        max_row_group_size=_ROWS_PER_GROUP,
        column_properties={"data": ColumnProperties(statistics_enabled="NONE", dictionary_enabled=False)},
    ),
    properties={"delta.dataSkippingStatsColumns": "cluster,part,window_start"},
    newer=InputsDamaged,
)


@dataclass(frozen=True, slots=True)
class Part:
    """One row of the table, its content as it is read."""

    name: str
    digest: str
    body: bytes


def compressed(body: bytes) -> bytes:
    """A content as it lies in the table."""
    return bytes(pa.Codec("zstd", _LEVEL).compress(body, asbytes=True))


def _compressed(parts: Sequence[Part]) -> list[bytes]:
    return [compressed(part.body) for part in parts]


def expanded(data: bytes, size: int) -> bytes:
    """A content as it was.

    Raises:
        OSError, ValueError: the data is no such content.
    """
    if not 0 <= size <= _LARGEST:
        raise ValueError(f"{size} is no size of a part")
    return bytes(pa.Codec("zstd").decompress(data, size, asbytes=True))


def rows_of(cluster: str, window: Window, revision: int, parts: Sequence[Part]) -> pa.Table:
    """Parts as rows."""
    ordered = sorted(parts, key=lambda part: part.name)
    data = [b""] * len(ordered)
    with ThreadPoolExecutor(_PACKERS, "inputs") as packing:
        shares = packing.map(_compressed, (ordered[first::_PACKERS] for first in range(_PACKERS)))
        for first, share in enumerate(shares):
            data[first::_PACKERS] = share
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
