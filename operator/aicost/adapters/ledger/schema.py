"""The ledger's columns: what each row of the Delta table says, and the way from rows to columns and back.

The schema is a contract with every reader of the table (Spark, Trino, DuckDB, a spreadsheet). A column is never
renamed and never changes its type; a new one is appended, nullable, and raises `SCHEMA_VERSION`.

| column | type | meaning |
|---|---|---|
| date | date | UTC date of window_start; the table is partitioned by it |
| cluster | string | id of the cluster |
| window_start, window_end | timestamp, UTC | the half-open window that the amount belongs to |
| revision | int32 | 0 for the first posting of a window, higher for signed difference rows |
| component, bucket, method, quality, signal | string | what was paid for, and how it was measured and split |
| node, device, gpu_model, provider, region, zone, instance_type, capacity_type | string | where |
| namespace, pod, pod_uid, controller_kind, controller, workload | string | who held it; empty for nobody |
| dim_team, dim_product ... | string | one per dimension; null where it is untagged |
| provenance, labels | map of string to string | dimension to source and origin; raw labels of the pod |
| currency | string | ISO 4217 code; sums never mix currencies |
| cost_nanos | int64 | 10^-9 units of the currency; null where no price is known |
| gpu_milliseconds, measured_milliseconds | int64 | device time, and the part of it that has samples |
| error_nanos | int64 | half-width of the 95 % error bar; null where unmeasured; signed in a difference row |
| price, list_price | string, boolean | what the price rests on; whether that is a public list price |
| flags | array of string | what a reader should know |
| reason | string | why a difference row was posted; empty for revision 0 |
| evidence | map of string to string | what later rules may ask for: owners, images ...; new in version 2 |
| quantity | int64 | milli-core-seconds of cpu, MiB-seconds of memory and storage; new in version 3, null reads as 0 |
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

import pyarrow as pa

from aicost.domain.exact.windows import Window, to_datetime, to_millis
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.ledger.columns import columns_of
from aicost.domain.ledger.rows import Bucket, Component, Holder, Method, Place, Quality, Row

SCHEMA_VERSION = 3
"""Version 2 has the column `evidence`, version 3 `quantity`. A table of an older version can be read, and becomes one
of this version when it is next written."""
READABLE = frozenset({"1", "2", "3"})
VERSION_PROPERTY = "aicost.schemaVersion"
"""The table property that holds `SCHEMA_VERSION`."""
PARTITION = "date"
PRUNED = ("cluster", "window_start", "window_end", "revision")
"""Columns whose least and greatest value the log keeps for each file, so that readers skip files."""

_PLACE = (
    "cluster",
    "node",
    "device",
    "gpu_model",
    "provider",
    "region",
    "zone",
    "instance_type",
    "capacity_type",
)
_HOLDER = ("namespace", "pod", "pod_uid", "controller_kind", "controller", "workload")
_MAPS = ("provenance", "labels", "evidence")
_LATER = ("evidence", "quantity")
"""Columns that came after version 1: the last ones, null in rows that are older."""
_WORDS = ("component", "bucket", "method", "quality", "signal", "currency", "price", "reason")
_COUNTS = ("gpu_milliseconds", "measured_milliseconds")
_AMOUNTS = ("cost_nanos", "error_nanos")
_TIME = pa.timestamp("us", "UTC")
_MAP = pa.map_(pa.string(), pa.string())
_LIST = pa.list_(pa.string())


def dimension_column(dimension: str) -> str:
    """The column that holds a dimension: `cost-center` is in `dim_cost_center`."""
    return "dim_" + dimension.replace("-", "_")


_DIMENSIONS = {dimension.value: dimension_column(dimension) for dimension in Dimension}


def _fields() -> list[pa.Field]:
    fixed = {"date": pa.date32(), "window_start": _TIME, "window_end": _TIME, "revision": pa.int32()}
    fields = [pa.field(name, kind, nullable=False) for name, kind in fixed.items()]
    fields += [pa.field(name, pa.string(), nullable=False) for name in (*_PLACE, *_HOLDER, *_WORDS)]
    fields += [pa.field(name, pa.string()) for name in _DIMENSIONS.values()]
    fields += [pa.field(name, _MAP) for name in _MAPS if name not in _LATER]
    fields += [pa.field(name, pa.int64(), nullable=False) for name in _COUNTS]
    fields += [pa.field(name, pa.int64()) for name in _AMOUNTS]
    fields += [pa.field("list_price", pa.bool_(), nullable=False), pa.field("flags", _LIST)]
    later = {"evidence": _MAP, "quantity": pa.int64()}
    return [*fields, *(pa.field(name, later[name]) for name in _LATER)]


SCHEMA = pa.schema(_fields())


def _clean(text: str) -> str:
    """Text as UTF-8 can hold it: half a surrogate pair is written out, so that no odd name holds up the money."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def _clean_or_none(text: str | None) -> str | None:
    return None if text is None else _clean(text)


def _clean_map(values: Any) -> list[tuple[str, str]]:
    return sorted((_clean(key), _clean(value)) for key, value in values.items())


def _through(convert: Callable[[Any], Any], name: str) -> Callable[[Any], Any]:
    """Read an attribute and convert it."""
    read = attrgetter(name)
    return lambda part: convert(read(part))


def _dimension(dimension: str) -> Callable[[Holder], Any]:
    """Read a dimension of a holder; null where it is untagged."""
    return lambda holder: _clean_or_none(holder.dimensions.get(dimension))


def _shared() -> Iterator[tuple[str, str, Callable[[Any], Any]]]:
    """Column, the part of a row that it is read from, and how."""
    yield "date", "wording", _through(lambda window: to_datetime(window.start_ms).date(), "window")
    yield "window_start", "wording", _through(lambda window: window.start_ms * 1_000, "window")
    yield "window_end", "wording", _through(lambda window: window.end_ms * 1_000, "window")
    yield from ((name, "wording", attrgetter(name)) for name in ("revision", "list_price"))
    yield from ((name, "wording", _through(_clean, name)) for name in _WORDS)
    yield "flags", "wording", _through(lambda flags: [_clean(flag) for flag in flags], "flags")
    yield from ((name, "place", _through(_clean, name)) for name in _PLACE)
    yield from ((name, "holder", _through(_clean, name)) for name in _HOLDER)
    yield from ((name, "holder", _through(_clean_map, name)) for name in _MAPS)
    yield from ((name, "holder", _dimension(dimension)) for dimension, name in _DIMENSIONS.items())


_SHARED = {name: (part, read) for name, part, read in _shared()}
"""All other columns are amounts, which no two rows share."""


def to_table(rows: Sequence[Row]) -> pa.Table:
    """Rows as columns. What many rows share, holder and place above all, is read once.

    Raises:
        OverflowError: an amount needs more than 64 bits.
    """
    columns = columns_of(rows)
    parts = {part: _distinct(getattr(columns, part)) for part in ("wording", "place", "holder")}
    arrays = []
    for field in SCHEMA:
        if field.name in _SHARED:
            part, read = _SHARED[field.name]
            shared, index = parts[part]
            arrays.append(pa.array([read(one) for one in shared], field.type).take(index))
        else:
            arrays.append(pa.array(getattr(columns, field.name), field.type))
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def _distinct(objects: Sequence[object]) -> tuple[list[object], pa.Array]:
    """Each object once, and for each place which one it is. Told apart by identity: that never takes two for one."""
    numbers: dict[int, int] = {}
    index = [numbers.setdefault(id(one), len(numbers)) for one in objects]
    once = dict(zip(index, objects, strict=True))
    return list(once.values()), pa.array(index, pa.int64())


def _millis(moment: datetime) -> int:
    return to_millis(moment.astimezone(UTC))


def window_of(values: Mapping[str, Any]) -> Window:
    """The window of a row from the values of its columns."""
    return Window(_millis(values["window_start"]), _millis(values["window_end"]))


def _row(values: dict[str, Any]) -> Row:
    """One row from the values of its columns."""
    place = Place(**{name: values[name] for name in _PLACE})
    held: dict[str, Any] = {name: values[name] for name in _HOLDER}
    held["dimensions"] = {key: values[name] for key, name in _DIMENSIONS.items() if values[name] is not None}
    held.update({name: dict(values[name] or ()) for name in _MAPS})
    return Row(
        window=window_of(values),
        revision=values["revision"],
        component=Component(values["component"]),
        place=place,
        holder=Holder(**held),
        bucket=Bucket(values["bucket"]),
        method=Method(values["method"]),
        quality=Quality(values["quality"]),
        signal=values["signal"],
        currency=values["currency"],
        cost_nanos=values["cost_nanos"],
        gpu_milliseconds=values["gpu_milliseconds"],
        measured_milliseconds=values["measured_milliseconds"],
        error_nanos=values["error_nanos"],
        price=values["price"],
        list_price=values["list_price"],
        flags=tuple(values["flags"] or ()),
        reason=values["reason"],
        quantity=values["quantity"] or 0,
    )


def from_table(table: pa.Table) -> tuple[Row, ...]:
    """Columns as rows. A column that the table does not have yet is null throughout."""
    there = set(table.schema.names)
    nulls = [None] * table.num_rows
    columns = [table.column(name).to_pylist() if name in there else nulls for name in SCHEMA.names]
    names = SCHEMA.names
    return tuple(_row(dict(zip(names, values, strict=True))) for values in zip(*columns, strict=True))
