"""Keeping statements few and for no longer than rows: days put together, old days dropped, customers erased."""

from collections import Counter

import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder, write_deltalake
from deltalake.exceptions import CommitFailedError

from aicost.adapters.ledger.failures import unavailable
from aicost.adapters.ledger.outcomes.table import (
    FOLDER,
    LAST,
    REQUEST,
    SCHEMA,
    WRITER,
    exists,
    open_table,
    persist,
)
from aicost.adapters.ledger.place import LedgerPlace
from aicost.adapters.ledger.queries import literal
from aicost.domain.attribution.customers import ERASED, ErasedCustomers
from aicost.domain.exact.windows import to_datetime

MANY_FILES = 4
"""A day of more files than these is put together."""
_MOST_DAYS = 31
_UNUSED_HOURS = 48
"""Files that no version needs any more stay for so long: somebody may be reading them."""


class OutcomeKeeper:
    """Looks after the statements at a place. Each method raises what Delta raises, for the callers to translate."""

    def __init__(self, place: LedgerPlace) -> None:
        self._place = place

    def compact(self, before_ms: int, many: int = MANY_FILES) -> int:
        """Put the files of days that began before a moment together where there are many; how many days were.

        Of several statements about one request on one day the last one stays: the others never count again.
        """
        if not exists(self._place):
            return 0
        table = open_table(self._place)
        files = Counter(_days(table))
        days = sorted(day for day, count in files.items() if count > many and day < _day(before_ms))
        done = sum(self._put_together(day) for day in days[:_MOST_DAYS])
        if done:
            open_table(self._place).vacuum(_UNUSED_HOURS, dry_run=False, enforce_retention_duration=False)
        return done

    def _put_together(self, day: str) -> bool:
        """One day; False where somebody states something of it at this moment: the next round does it."""
        table = open_table(self._place)
        try:
            write_deltalake(
                table, self._last(table, day), mode="overwrite", predicate=f"date = '{day}'", writer_properties=WRITER
            )
        except CommitFailedError:
            return False
        persist(self._place, table)
        return True

    def drop(self, cluster: str, before_ms: int) -> bool:
        """Forget the days of a cluster that ended before a moment; whether there were any."""
        if not exists(self._place):
            return False
        table = open_table(self._place)
        if not any(day < _day(before_ms) for day in _days(table)):
            return False
        try:
            found = table.delete(f"date < '{_day(before_ms)}' AND \"cluster\" = {literal(cluster)}")
        except CommitFailedError:  # as of `compact`
            return False
        if not found.get("num_deleted_rows"):
            return False
        persist(self._place, table)
        table.vacuum(_UNUSED_HOURS, dry_run=False, enforce_retention_duration=False)
        return True

    def naming(self, customers: ErasedCustomers, cluster: str | None) -> int:
        """How many statements name a customer."""
        if not exists(self._place):
            return 0
        table = open_table(self._place)
        found = self._ask(table, f"SELECT COUNT(*) AS n FROM {FOLDER} WHERE {self._where(table, customers, cluster)}")  # noqa: S608 -- quoted
        return int(found.column("n")[0].as_py())

    def erase(self, customers: ErasedCustomers, cluster: str | None) -> int:
        """Take customers out of statements for good; how many named them.

        Days are written anew: what is updated by a condition stands in the table's log with the names in it.
        """
        if not exists(self._place):
            return 0
        table = open_table(self._place)
        where, changed = self._where(table, customers, cluster), 0
        query = f"SELECT date, COUNT(*) AS n FROM {FOLDER} WHERE {where} GROUP BY date ORDER BY date"  # noqa: S608 -- quoted
        for day in self._ask(table, query).to_pylist():
            names = ", ".join(
                f"CASE WHEN {where} THEN '{ERASED}' ELSE customer END AS customer"
                if name == "customer"
                else f'"{name}"'
                for name in SCHEMA.names
            )
            rows = self._ask(table, f"SELECT {names} FROM {FOLDER} WHERE date = DATE '{day['date']}'").cast(SCHEMA)  # noqa: S608
            predicate = f"date = '{day['date']}'"
            write_deltalake(table, rows, mode="overwrite", predicate=predicate, writer_properties=WRITER)
            persist(self._place, table)
            changed += day["n"]
        table.vacuum(0, dry_run=False, enforce_retention_duration=False)
        return changed

    def _where(self, table: DeltaTable, customers: ErasedCustomers, cluster: str | None) -> str:
        known = self._ask(table, f"SELECT DISTINCT customer FROM {FOLDER}").column("customer").to_pylist()  # noqa: S608
        named = sorted(name for name in known if name and name != ERASED and customers.id_of(name) == ERASED)
        mine = "TRUE" if cluster is None else f'"cluster" = {literal(cluster)}'
        return f"customer IN ({', '.join(map(literal, named))}) AND {mine}" if named else "FALSE"

    def _last(self, table: DeltaTable, day: str) -> pa.Table:
        """The statements of a day that count."""
        names = ", ".join(f'"{name}"' for name in SCHEMA.names)
        ranked = (
            f"SELECT *, ROW_NUMBER() OVER (PARTITION BY {REQUEST} ORDER BY {LAST}) AS nth "  # noqa: S608 -- quoted
            f"FROM {FOLDER} WHERE date = DATE '{day}'"
        )
        order = f"ORDER BY {REQUEST}"
        return self._ask(table, f"SELECT {names} FROM ({ranked}) WHERE nth = 1 {order}").cast(SCHEMA)  # noqa: S608

    def _ask(self, table: DeltaTable, query: str) -> pa.Table:
        try:
            return pa.table(QueryBuilder().register(FOLDER, table).execute(query).read_all())
        except Exception as failure:  # the engine raises bare exceptions for files that it cannot read
            raise unavailable("read", self._place.within(FOLDER), failure) from failure


def _days(table: DeltaTable) -> list[str]:
    """The day of each file."""
    return [str(day) for day in pa.table(table.get_add_actions(flatten=True)).column("partition.date").to_pylist()]


def _day(moment_ms: int) -> str:
    return to_datetime(moment_ms).date().isoformat()
