"""The ledger at one moment: a pinned version of the table and the provisional rows that belong to it."""

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder

from aicost.adapters.ledger.failures import unavailable
from aicost.adapters.ledger.finished import finished_days
from aicost.adapters.ledger.memory import SumMemory
from aicost.adapters.ledger.postings import Postings
from aicost.adapters.ledger.queries import (
    TABLE,
    clusters_query,
    edges_query,
    flags_query,
    picked_query,
    rows_query,
    series_query,
    sums_query,
    tagged_name,
    windows_query,
)
from aicost.adapters.ledger.schema import from_table, window_of
from aicost.adapters.ledger.series import pivoted
from aicost.domain.budgets.spend.series import SpendSeries
from aicost.domain.exact.windows import Window
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.ledger.rows import Row
from aicost.domain.reporting.sums import GroupSum, merged


class DeltaSnapshot:
    """Answers from one version of the table; `LedgerReader` of one moment."""

    def __init__(
        self, uri: str, table: DeltaTable | None, provisional: pa.Table | None, memory: SumMemory | None = None
    ) -> None:
        """Without a table, nothing was ever posted.

        Args:
            uri: where the ledger is, for messages.
            table: a handle that nobody moves to another version.
            provisional: rows read before the table was pinned: a window that was posted in between is in both, and
                is left out here.
            memory: sums of this version of the table that were asked for before.
        """
        self._uri = uri
        self._table = table
        self._builder = None if table is None else QueryBuilder().register(TABLE, table)
        self._open = provisional
        self._memory = memory or SumMemory()

    def clusters(self) -> Sequence[str]:
        """Clusters that have rows."""
        posted = {record["cluster"] for record in self._ask(clusters_query()).to_pylist()}
        return sorted(posted | {row.place.cluster for row in self._open_rows})

    def last_window(self, cluster: str) -> Window | None:
        """The latest window posted."""
        return None if self._table is None else Postings(self._table, cluster).last()

    def first_window(self, cluster: str) -> Window | None:
        """The earliest window posted."""
        return None if self._table is None else Postings(self._table, cluster).first()

    def revision(self, cluster: str, window: Window) -> int | None:
        """Highest revision posted for a window."""
        return None if self._table is None else Postings(self._table, cluster).revision(window)

    def inputs_of(self, cluster: str, window: Window, revision: int) -> int | None:
        """The number of the inputs that a revision rests on."""
        return None if self._table is None else Postings(self._table, cluster).inputs(window, revision)

    def windows(self, span: Window, *, cluster: str) -> Sequence[Window]:
        """The windows that have rows and share time with the span."""
        if self._table is None or not span.length_ms:
            return ()
        return tuple(map(window_of, self._ask(windows_query(span, cluster)).to_pylist()))

    def rows(self, span: Window, *, cluster: str | None = None, provisional: bool = False) -> Sequence[Row]:
        """Rows of the windows that share time with the span."""
        if provisional:
            mine = (row for row in self._open_rows if cluster in {None, row.place.cluster})
            return tuple(row for row in mine if row.window.overlap(span))
        return from_table(self._ask(rows_query(span, cluster))) if span.length_ms and self._table else ()

    def picked(self, span: Window, where: Mapping[str, Collection[str]], *, cluster: str) -> Sequence[Row]:
        """Rows of some nodes, devices, namespaces, pods, workloads or controllers."""
        asked = span.length_ms and self._table
        return from_table(self._ask(picked_query(span, where, cluster))) if asked else ()

    def edges(
        self, span: Window, filters: Mapping[str, tuple[str, ...]], *, cluster: str | None = None
    ) -> Sequence[Row]:
        """Rows of the windows that a bound of the span lies inside of."""
        return from_table(self._ask(edges_query(span, filters, cluster))) if self._table else ()

    def sums(
        self,
        span: Window,
        keys: Sequence[str],
        filters: Mapping[str, tuple[str, ...]],
        *,
        cluster: str | None = None,
    ) -> Sequence[GroupSum]:
        """Sums by group keys over the windows that lie wholly inside the span."""
        table = self._table
        if table is None:
            return ()

        chosen = tuple(sorted((key, tuple(values)) for key, values in filters.items()))
        posted = self._posted_part(span, cluster)

        def ask_part(part: Window) -> Sequence[GroupSum]:
            there = {field.name for field in table.schema().fields}
            records = self._ask(sums_query(part, keys, filters, cluster, there)).to_pylist()
            return tuple(_group_sum(record, len(keys)) for record in records)

        def ask() -> Sequence[GroupSum]:
            finished = finished_days(table, posted)
            if finished is None:
                return ask_part(posted)
            question = (finished.files, finished.part, *keys, chosen, cluster)
            parts = (
                self._memory.lasting(question, partial(ask_part, part)) if part == finished.part else ask_part(part)
                for part in finished.with_rest(posted)
            )
            return merged([group for groups in parts for group in groups])

        return self._memory.recall(table.version(), (posted, *keys, chosen, cluster), ask)

    def flagged(
        self, span: Window, filters: Mapping[str, tuple[str, ...]], *, cluster: str | None = None
    ) -> Mapping[str, int]:
        """Device time in milliseconds by flag, over the windows that lie wholly inside the span; "" is all of it."""
        found: dict[str, int] = {"": 0}
        for record in self._ask(flags_query(span, filters, cluster)).to_pylist():
            for flag in {"", *(record["flags"] or ())}:
                found[flag] = found.get(flag, 0) + int(record["gpu_milliseconds"])
        return found

    def series(self, span: Window, keys: Sequence[str], *, cluster: str) -> SpendSeries:
        """Cost and device time by group and window over the windows that lie wholly inside the span."""
        found = pa.table({}) if self._table is None else self._ask(series_query(span, keys, cluster))
        return pivoted(tuple(keys), found)

    def _posted_part(self, span: Window, cluster: str | None) -> Window:
        """The span up to the last window posted: a later end asks for the same windows."""
        last = self.last_window(cluster) if cluster is not None else None
        return Window(span.start_ms, max(span.start_ms, min(span.end_ms, last.end_ms) if last else span.end_ms))

    def _ask(self, query: str) -> pa.Table:
        if self._builder is None:
            return pa.table({})
        try:
            return pa.table(self._builder.execute(query).read_all())
        except Exception as failure:  # the engine raises bare exceptions for files that it cannot read
            raise unavailable("read", self._uri, failure) from failure

    @cached_property
    def _open_rows(self) -> tuple[Row, ...]:
        """The provisional rows of windows that are not posted, made when they are first asked for."""
        rows = () if self._open is None else from_table(self._open)
        last = {cluster: self.last_window(cluster) for cluster in {row.place.cluster for row in rows}}
        return tuple(row for row in rows if _is_after(row.window, last[row.place.cluster]))


def _is_after(window: Window, last: Window | None) -> bool:
    return last is None or window.start_ms >= last.end_ms


def _group_sum(record: Mapping[str, Any], keys: int) -> GroupSum:
    tagged = {dimension.value: int(record[tagged_name(dimension)]) for dimension in Dimension}
    return GroupSum(
        keys=tuple(record[f"key_{index}"] for index in range(keys)),
        bucket=record["bucket"],
        currency=record["currency"],
        component=record["component"],
        cost_nanos=int(record["cost_nanos"]),
        gpu_milliseconds=int(record["gpu_milliseconds"]),
        unpriced_gpu_milliseconds=int(record["unpriced_gpu_milliseconds"]),
        measured_milliseconds=int(record["measured_milliseconds"]),
        error_squared=record["error_squared"],
        unmeasured=bool(record["blind_milliseconds"] or record["blind_nanos"]),
        list_price_nanos=int(record["list_price_nanos"]),
        tagged_nanos={dimension: nanos for dimension, nanos in tagged.items() if nanos},
        quantity=int(record["quantity"]),
        unpriced_quantity=int(record["unpriced_quantity"]),
    )
