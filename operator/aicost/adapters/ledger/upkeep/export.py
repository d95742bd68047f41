"""The rows of a ledger for other programs: day by day, in one order, as records or as a Parquet file.

The columns are those of the ledger, with `cost` and `error` after their integers: decimal texts, so that no program
rounds.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, QueryBuilder

from aicost.adapters.ledger.failures import translated, unavailable
from aicost.adapters.ledger.place import LedgerPlace
from aicost.adapters.ledger.queries import TABLE, export_query
from aicost.adapters.ledger.schema import PARTITION, SCHEMA
from aicost.adapters.ledger.table import open_table
from aicost.domain.exact.amounts import format_decimal
from aicost.domain.exact.windows import DAY_MS, Window, to_millis

_TEXTS = {"cost_nanos": "cost", "error_nanos": "error"}
"""Integer column -> the decimal text that follows it."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What to hand out.

    Attributes:
        span: rows of the windows that begin in it; None for all. Spans that follow each other share no row.
        filters: as of a report.
        cluster: of one cluster; None for all.
    """

    span: Window | None = None
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cluster: str | None = None


def _schema() -> pa.Schema:
    fields: list[pa.Field] = []
    for one in SCHEMA:
        fields.append(one)
        if one.name in _TEXTS:
            fields.append(pa.field(_TEXTS[one.name], pa.string()))
    return pa.schema(fields)


COLUMNS = tuple(_schema().names)
"""Names in their order."""


class DeltaExport:
    """Rows of the ledger at a place as they are now.

    Raises:
        LedgerUnavailable: it cannot be read.
    """

    def __init__(self, place: LedgerPlace) -> None:
        self._place = place
        with translated("read", place.uri):
            self._table = open_table(place)

    def records(self, asked: Exported) -> Iterator[dict[str, Any]]:
        """Row by row: column -> value; maps are dictionaries, moments are aware."""
        for part in self._parts(asked):
            yield from part.to_pylist(maps_as_pydicts="strict")

    def to_parquet(self, asked: Exported, path: Path) -> int:
        """Write a file; how many rows it has. It is there whole or not at all."""
        partial, rows = path.with_name(f".{path.name}.partial"), 0
        try:
            with pq.ParquetWriter(partial, _schema(), compression="zstd") as writer:
                for part in self._parts(asked):
                    writer.write_table(part)
                    rows += part.num_rows
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
        return rows

    def _parts(self, asked: Exported) -> Iterator[pa.Table]:
        """The rows of one day after the other, so that a day is what has to fit into memory."""
        there = {one.name for one in self._table.schema().fields}
        for day_ms in _days(self._table):
            day = Window(day_ms, day_ms + DAY_MS)
            span = day if asked.span is None else asked.span.overlap(day)
            if span is not None:
                yield _shaped(self._ask(export_query(span, asked.filters, asked.cluster, there)))

    def _ask(self, query: str) -> pa.Table:
        try:
            return pa.table(QueryBuilder().register(TABLE, self._table).execute(query).read_all())
        except Exception as failure:  # the engine raises bare exceptions for files that it cannot read
            raise unavailable("read", self._place.uri, failure) from failure


def _days(table: DeltaTable) -> list[int]:
    """Starts of the days that have rows."""
    files = pa.table(table.get_add_actions(flatten=True)).column(f"partition.{PARTITION}").to_pylist()
    return sorted({to_millis(datetime.combine(day, time(), UTC)) for day in files})


def _shaped(found: pa.Table) -> pa.Table:
    """The columns in their order, with the texts of amounts; columns of later versions are null."""
    arrays = []
    for one in _schema():
        number = next((name for name, text in _TEXTS.items() if text == one.name), None)
        if number is not None:
            texts = [None if nanos is None else format_decimal(nanos) for nanos in found.column(number).to_pylist()]
            arrays.append(pa.chunked_array([pa.array(texts, pa.string())]))
        elif one.name in found.column_names:
            arrays.append(found.column(one.name).cast(one.type))
        else:
            arrays.append(pa.chunked_array([pa.nulls(found.num_rows, one.type)]))
    return pa.Table.from_arrays(arrays, schema=_schema())
