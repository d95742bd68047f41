"""Keeping counts few and for no longer than rows: days put together, old days dropped, customers erased."""

import pyarrow as pa
from deltalake import DeltaTable

from aicost.adapters.ledger.beside.keeper import MANY_FILES, Keeper
from aicost.adapters.ledger.beside.table import TableBeside, sweep
from aicost.adapters.ledger.counts.table import COUNTS, MARK, SCHEMA
from aicost.adapters.ledger.place import LedgerPlace
from aicost.adapters.ledger.schema import window_of
from aicost.domain.ledger.audit import CountCensus, CountsThere

_TABLE = COUNTS.name
_WINDOW = ("cluster", "window_start", "window_end")


class CountKeeper(Keeper):
    """Looks after the counts at a place."""

    def __init__(self, place: LedgerPlace) -> None:
        super().__init__(TableBeside(COUNTS, place))

    def compact(self, before_ms: int) -> int:
        """Put the files of days that began before a moment together where there are many; how many days were.

        Of each window the highest revision stays: the others never count again.
        """
        if not self._beside.exists():
            return 0
        table = self._beside.open()
        days = self._crowded(table, before_ms, MANY_FILES)
        for day in days:
            self._beside.rewrite(table, day, self._latest(table, day))
        if days:
            sweep(table)
        return len(days)

    def census(self) -> CountCensus:
        """What is there of each window and revision."""
        if not self._beside.exists():
            return {}
        key = ", ".join(f'"{name}"' for name in (*_WINDOW, "revision"))
        marked, other = f"kind = '{MARK}'", f"kind <> '{MARK}'"
        query = (
            f"SELECT {key}, SUM(CASE WHEN {marked} THEN 1 ELSE 0 END) AS marks, "  # noqa: S608 -- quoted
            f"SUM(CASE WHEN {marked} THEN value ELSE 0 END) AS said, SUM(CASE WHEN {other} THEN 1 ELSE 0 END) AS there "
            f"FROM {_TABLE} GROUP BY {key}"
        )
        return {
            (one["cluster"], window_of(one), one["revision"]): CountsThere(one["marks"], one["said"], one["there"])
            for one in self._beside.ask(self._beside.open(), query).to_pylist()
        }

    def _latest(self, table: DeltaTable, day: str) -> pa.Table:
        """The rows of a day that count."""
        names = ", ".join(f'{_TABLE}."{name}"' for name in SCHEMA.names)
        key = ", ".join(f'"{name}"' for name in _WINDOW)
        same = " AND ".join(f'{_TABLE}."{name}" = latest."{name}"' for name in (*_WINDOW, "revision"))
        query = (
            f"WITH latest AS (SELECT {key}, MAX(revision) AS revision FROM {_TABLE} "  # noqa: S608 -- quoted
            f"WHERE kind = '{MARK}' AND date = DATE '{day}' GROUP BY {key}) "
            f"SELECT {names} FROM {_TABLE} JOIN latest ON {same} WHERE {_TABLE}.date = DATE '{day}' "
            f"ORDER BY {_TABLE}.window_start, {_TABLE}.kind, {_TABLE}.namespace, {_TABLE}.pod"
        )
        return self._beside.ask(table, query).cast(SCHEMA)
