"""Keeping counts few and for no longer than rows: days put together, old days dropped, customers erased."""

from collections import Counter

import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder, write_deltalake

from aicost.adapters.ledger.counts.table import FOLDER, MARK, SCHEMA, WRITER, exists, open_table, persist
from aicost.adapters.ledger.failures import unavailable
from aicost.adapters.ledger.place import LedgerPlace
from aicost.adapters.ledger.queries import literal
from aicost.adapters.ledger.schema import window_of
from aicost.domain.attribution.customers import ERASED, ErasedCustomers
from aicost.domain.exact.windows import to_datetime
from aicost.domain.ledger.audit import CountCensus, CountsThere

MANY_FILES = 4
"""A day of more files than these is put together."""
_MOST_DAYS = 31
_UNUSED_HOURS = 48
"""Files that no version needs any more stay for so long: somebody may be reading them."""
_TABLE = "counts"
_WINDOW = ("cluster", "window_start", "window_end")


class CountKeeper:
    """Looks after the counts at a place. Each method raises what Delta raises, for the callers to translate."""

    def __init__(self, place: LedgerPlace) -> None:
        self._place = place

    def compact(self, before_ms: int) -> int:
        """Put the files of days that began before a moment together where there are many; how many days were.

        Of each window the highest revision stays: the others never count again.
        """
        if not exists(self._place):
            return 0
        table = open_table(self._place)
        files = Counter(_days(table))
        days = sorted(day for day, count in files.items() if count > MANY_FILES and day < _day(before_ms))[:_MOST_DAYS]
        for day in days:
            rows = self._latest(table, day)
            write_deltalake(table, rows, mode="overwrite", predicate=f"date = '{day}'", writer_properties=WRITER)
            persist(self._place, table)
        if days:
            table.vacuum(_UNUSED_HOURS, dry_run=False, enforce_retention_duration=False)
        return len(days)

    def drop(self, cluster: str, before_ms: int) -> bool:
        """Forget the days of a cluster that ended before a moment; whether there were any."""
        if not exists(self._place):
            return False
        table = open_table(self._place)
        if not any(day < _day(before_ms) for day in _days(table)):
            return False
        found = table.delete(f"date < '{_day(before_ms)}' AND \"cluster\" = {literal(cluster)}")
        if not found.get("num_deleted_rows"):
            return False
        persist(self._place, table)
        table.vacuum(_UNUSED_HOURS, dry_run=False, enforce_retention_duration=False)
        return True

    def naming(self, customers: ErasedCustomers, cluster: str | None) -> int:
        """How many counts name a customer."""
        if not exists(self._place):
            return 0
        table = open_table(self._place)
        found = self._ask(table, f"SELECT COUNT(*) AS n FROM {_TABLE} WHERE {self._where(table, customers, cluster)}")  # noqa: S608 -- quoted
        return int(found.column("n")[0].as_py())

    def erase(self, customers: ErasedCustomers, cluster: str | None) -> int:
        """Take customers out of counts for good; how many named them. Nothing that is counted changes.

        Days are written anew: what is updated by a condition stands in the table's log with the names in it.
        """
        if not exists(self._place):
            return 0
        table = open_table(self._place)
        where, changed = self._where(table, customers, cluster), 0
        query = f"SELECT date, COUNT(*) AS n FROM {_TABLE} WHERE {where} GROUP BY date ORDER BY date"  # noqa: S608
        for day in self._ask(table, query).to_pylist():
            names = ", ".join(
                f"CASE WHEN {where} THEN '{ERASED}' ELSE customer END AS customer"
                if name == "customer"
                else f'"{name}"'
                for name in SCHEMA.names
            )
            rows = self._ask(table, f"SELECT {names} FROM {_TABLE} WHERE date = DATE '{day['date']}'").cast(SCHEMA)  # noqa: S608
            predicate = f"date = '{day['date']}'"
            write_deltalake(table, rows, mode="overwrite", predicate=predicate, writer_properties=WRITER)
            persist(self._place, table)
            changed += day["n"]
        table.vacuum(0, dry_run=False, enforce_retention_duration=False)
        return changed

    def census(self) -> CountCensus:
        """What is there of each window and revision."""
        if not exists(self._place):
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
            for one in self._ask(open_table(self._place), query).to_pylist()
        }

    def _where(self, table: DeltaTable, customers: ErasedCustomers, cluster: str | None) -> str:
        known = self._ask(table, f"SELECT DISTINCT customer FROM {_TABLE}").column("customer").to_pylist()  # noqa: S608
        named = sorted(name for name in known if name and name != ERASED and customers.id_of(name) == ERASED)
        mine = "TRUE" if cluster is None else f'"cluster" = {literal(cluster)}'
        return f"customer IN ({', '.join(map(literal, named))}) AND {mine}" if named else "FALSE"

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
        return self._ask(table, query).cast(SCHEMA)

    def _ask(self, table: DeltaTable, query: str) -> pa.Table:
        try:
            return pa.table(QueryBuilder().register(_TABLE, table).execute(query).read_all())
        except Exception as failure:  # the engine raises bare exceptions for files that it cannot read
            raise unavailable("read", self._place.within(FOLDER), failure) from failure


def _days(table: DeltaTable) -> list[str]:
    """The day of each file."""
    return [str(day) for day in pa.table(table.get_add_actions(flatten=True)).column("partition.date").to_pylist()]


def _day(moment_ms: int) -> str:
    return to_datetime(moment_ms).date().isoformat()
