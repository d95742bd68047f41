"""Upkeep that tables beside the ledger have in common: days of many files found, old days dropped, customers erased."""

from collections import Counter

import pyarrow as pa
from deltalake import DeltaTable

from aicost.adapters.ledger.beside.table import TableBeside, day_of, sweep
from aicost.adapters.ledger.queries import literal
from aicost.domain.attribution.customers import ERASED, ErasedCustomers

MANY_FILES = 4
"""A day of more files than these is put together."""
_MOST_DAYS = 31


class Keeper:
    """Looks after a table whose rows name a cluster and a customer.

    Each method raises what Delta raises, for the callers to translate.
    """

    def __init__(self, beside: TableBeside) -> None:
        self._beside = beside

    def drop(self, cluster: str, before_ms: int) -> bool:
        """Forget the days of a cluster that ended before a moment; whether there were any."""
        if not self._beside.exists():
            return False
        table, first = self._beside.open(), day_of(before_ms)
        if not any(day < first for day in _days(table)):
            return False
        if not self._deleted(table, f"date < '{first}' AND \"cluster\" = {literal(cluster)}"):
            return False
        self._beside.persist(table)
        sweep(table)
        return True

    def naming(self, customers: ErasedCustomers, cluster: str | None) -> int:
        """How many rows name a customer."""
        if not self._beside.exists():
            return 0
        table = self._beside.open()
        query = f"SELECT COUNT(*) AS n FROM {self._name} WHERE {self._where(table, customers, cluster)}"  # noqa: S608 -- quoted
        return int(self._beside.ask(table, query).column("n")[0].as_py())

    def erase(self, customers: ErasedCustomers, cluster: str | None) -> int:
        """Take customers out of rows for good; how many named them. Nothing else in them changes.

        Days are written anew: what is updated by a condition stands in the table's log with the names in it.
        """
        if not self._beside.exists():
            return 0
        table = self._beside.open()
        where, changed = self._where(table, customers, cluster), 0
        query = f"SELECT date, COUNT(*) AS n FROM {self._name} WHERE {where} GROUP BY date ORDER BY date"  # noqa: S608 -- quoted
        for day in self._beside.ask(table, query).to_pylist():
            self._beside.rewrite(table, str(day["date"]), self._without(table, where, str(day["date"])))
            changed += day["n"]
        sweep(table, hours=0)
        return changed

    @property
    def _name(self) -> str:
        return self._beside.layout.name

    def _deleted(self, table: DeltaTable, where: str) -> int:
        """Take rows away; how many."""
        return int(table.delete(where).get("num_deleted_rows") or 0)

    def _crowded(self, table: DeltaTable, before_ms: int, many: int) -> list[str]:
        """The days that began before a moment and lie in more files than so many; not too many at once."""
        files = Counter(_days(table))
        return sorted(day for day, count in files.items() if count > many and day < day_of(before_ms))[:_MOST_DAYS]

    def _where(self, table: DeltaTable, customers: ErasedCustomers, cluster: str | None) -> str:
        """Which rows name a customer."""
        known = self._beside.ask(table, f"SELECT DISTINCT customer FROM {self._name}").column("customer").to_pylist()  # noqa: S608
        named = sorted(name for name in known if name and name != ERASED and customers.id_of(name) == ERASED)
        mine = "TRUE" if cluster is None else f'"cluster" = {literal(cluster)}'
        return f"customer IN ({', '.join(map(literal, named))}) AND {mine}" if named else "FALSE"

    def _without(self, table: DeltaTable, where: str, day: str) -> pa.Table:
        """The rows of a day, without the customer in some of them."""
        schema = self._beside.layout.schema
        erased = f"CASE WHEN {where} THEN '{ERASED}' ELSE customer END AS customer"
        names = ", ".join(erased if name == "customer" else f'"{name}"' for name in schema.names)
        query = f"SELECT {names} FROM {self._name} WHERE date = DATE '{day}'"  # noqa: S608 -- quoted
        return self._beside.ask(table, query).cast(schema)


def _days(table: DeltaTable) -> list[str]:
    """The day of each file."""
    return [str(day) for day in pa.table(table.get_add_actions(flatten=True)).column("partition.date").to_pylist()]
