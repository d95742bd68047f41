"""Counts of closed windows beside the ledger at a place (port `CountStore`)."""

from collections.abc import Sequence
from typing import Any

from deltalake.exceptions import CommitFailedError

from aicost.adapters.ledger.beside.table import TableBeside, day_of
from aicost.adapters.ledger.counts.table import COUNTS, MARK, TENANTS, TEXTS, append, kept_revision
from aicost.adapters.ledger.failures import translated
from aicost.adapters.ledger.place import LedgerPlace
from aicost.adapters.ledger.queries import literal
from aicost.adapters.ledger.schema import window_of
from aicost.domain.exact.windows import DAY_MS, Window
from aicost.domain.serving.counted import CountRow, Kind
from aicost.ports.errors import LedgerConflict

_TABLE = COUNTS.name
_LATEST = "latest"
_FIELDS = (*TEXTS[3:], *TENANTS)
"""Fields of a row by which sums may be kept apart."""


class DeltaCounts:
    """Counts at a place. It holds no state: several threads and processes may use one place."""

    def __init__(self, place: LedgerPlace) -> None:
        self._beside = TableBeside(COUNTS, place)

    def version(self) -> int | None:
        """The version of the table."""
        table = self._beside.found()
        return None if table is None else int(table.version())

    def revision(self, cluster: str, window: Window) -> int | None:
        """The highest revision that was kept of a window."""
        table = self._beside.found()
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
        with translated("written", self._beside.uri):
            table = self._beside.open_or_create()
            highest = kept_revision(table, cluster, window)
            if highest is not None and revision <= highest:
                return False
            try:
                append(self._beside, table, cluster, window, revision, rows)
            except CommitFailedError as failure:
                if kept_revision(self._beside.open(), cluster, window) == highest:
                    raise
                raise LedgerConflict(f"window {window} was counted by another writer meanwhile") from failure
            return True

    def _ask(self, query: str) -> list[dict[str, Any]]:
        table = self._beside.found()
        return [] if table is None else self._beside.records(table, query)


def _of(cluster: str) -> str:
    return f'"cluster" = {literal(cluster)}'


def _inside(runs: Sequence[Window]) -> str:
    """Windows that lie wholly inside some spans; none is longer than a day."""
    first, last = min(one.start_ms for one in runs), max(one.end_ms for one in runs)
    days = f"date BETWEEN DATE '{day_of(first - DAY_MS)}' AND DATE '{day_of(last)}'"
    spans = (
        f"(window_start >= to_timestamp_millis({one.start_ms}) AND window_end <= to_timestamp_millis({one.end_ms}))"
        for one in runs
    )
    return f"{days} AND ({' OR '.join(spans)})"
