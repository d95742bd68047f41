"""Counts of closed windows beside the ledger at a place (port `CountStore`)."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder
from deltalake.exceptions import CommitFailedError

from aicost.adapters.ledger.counts.table import (
    FOLDER,
    MARK,
    TENANTS,
    TEXTS,
    append,
    exists,
    kept_revision,
    open_or_create,
    open_table,
)
from aicost.adapters.ledger.failures import translated, unavailable
from aicost.adapters.ledger.place import LedgerPlace
from aicost.adapters.ledger.queries import literal
from aicost.adapters.ledger.schema import window_of
from aicost.domain.exact.windows import DAY_MS, Window, to_datetime
from aicost.domain.serving.counted import CountRow, Kind
from aicost.ports.errors import LedgerConflict

_TABLE = "counts"
_LATEST = "latest"
_FIELDS = (*TEXTS[3:], *TENANTS)
"""Fields of a row by which sums may be kept apart."""


class DeltaCounts:
    """Counts at a place. It holds no state: several threads and processes may use one place."""

    def __init__(self, place: LedgerPlace) -> None:
        self._place = place

    def version(self) -> int | None:
        """The version of the table."""
        table = self._table()
        return None if table is None else int(table.version())

    def revision(self, cluster: str, window: Window) -> int | None:
        """The highest revision that was kept of a window."""
        table = self._table()
        return None if table is None else kept_revision(table, cluster, window)

    def windows(self, span: Window, *, cluster: str) -> Sequence[Window]:
        """The windows that were counted and lie wholly inside a span."""
        marks = f"kind = '{MARK}' AND {_inside([span])} AND {_of(cluster)}"
        query = f"SELECT DISTINCT window_start, window_end FROM {_TABLE} WHERE {marks} ORDER BY 1, 2"  # noqa: S608
        return tuple(map(window_of, self._ask(query)))

    def rows(self, cluster: str, window: Window) -> Sequence[CountRow]:
        """The rows of the highest revision of a window."""
        return [row for kind in Kind for row in self.summed([window], kind, _FIELDS, cluster=cluster)]

    def summed(self, runs: Sequence[Window], kind: Kind, by: Sequence[str], *, cluster: str) -> Sequence[CountRow]:
        """Sums over the windows that lie wholly inside some spans; see the port."""
        if not runs:
            return ()
        kept = [name for name in _FIELDS if name in by]
        groups = ", ".join(["count", "part", *kept])
        where = f"{_inside(runs)} AND {_of(cluster)}"
        latest = (
            f"SELECT window_start AS its_start, window_end AS its_end, MAX(revision) AS its_revision "  # noqa: S608
            f"FROM {_TABLE} WHERE kind = '{MARK}' AND {where} GROUP BY 1, 2"
        )
        query = (
            f"WITH {_LATEST} AS ({latest}) SELECT {groups}, "  # noqa: S608
            f"CAST(SUM(CAST(value AS DECIMAL(38, 0))) AS VARCHAR) AS value, BOOL_OR(at_least) AS at_least "
            f"FROM {_TABLE} JOIN {_LATEST} "
            f"ON window_start = its_start AND window_end = its_end AND revision = its_revision "
            f"WHERE kind = {literal(kind.value)} AND {where} GROUP BY {groups}"
        )
        return [CountRow(**{**row, "kind": kind, "value": int(row["value"])}) for row in self._ask(query)]

    def keep(self, cluster: str, window: Window, revision: int, rows: Sequence[CountRow]) -> bool:
        """Keep the counts of a window in one commit; see the port."""
        with translated("written", self._uri):
            table = open_or_create(self._place)
            highest = kept_revision(table, cluster, window)
            if highest is not None and revision <= highest:
                return False
            try:
                append(self._place, table, cluster, window, revision, rows)
            except CommitFailedError as failure:
                if kept_revision(open_table(self._place), cluster, window) == highest:
                    raise
                raise LedgerConflict(f"window {window} was counted by another writer meanwhile") from failure
            return True

    @property
    def _uri(self) -> str:
        return self._place.within(FOLDER)

    def _table(self) -> DeltaTable | None:
        with translated("read", self._uri):
            return open_table(self._place) if exists(self._place) else None

    def _ask(self, query: str) -> list[dict[str, Any]]:
        table = self._table()
        if table is None:
            return []
        try:
            return list(pa.table(QueryBuilder().register(_TABLE, table).execute(query).read_all()).to_pylist())
        except Exception as failure:  # the engine raises bare exceptions for files that it cannot read
            raise unavailable("read", self._uri, failure) from failure


def _day(millis: int) -> str:
    return to_datetime(millis).date().isoformat()


def _of(cluster: str) -> str:
    return f'"cluster" = {literal(cluster)}'


def _inside(runs: Sequence[Window]) -> str:
    """Windows that lie wholly inside some spans; none is longer than a day."""
    first, last = min(one.start_ms for one in runs), max(one.end_ms for one in runs)
    days = f"date BETWEEN DATE '{_day(first - DAY_MS)}' AND DATE '{_day(last)}'"
    spans = (
        f"(window_start >= to_timestamp_millis({one.start_ms}) AND window_end <= to_timestamp_millis({one.end_ms}))"
        for one in runs
    )
    return f"{days} AND ({' OR '.join(spans)})"
