"""Keeping statements few and for no longer than rows: days put together, old days dropped, customers erased."""

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from aicost.adapters.ledger.beside.keeper import MANY_FILES, Keeper
from aicost.adapters.ledger.beside.table import TableBeside, sweep
from aicost.adapters.ledger.outcomes.table import LAST, OUTCOMES, REQUEST, SCHEMA
from aicost.adapters.ledger.place import LedgerPlace


class OutcomeKeeper(Keeper):
    """Looks after the statements at a place.

    People state something at any moment. What one of them is faster with is left to the next round.
    """

    def __init__(self, place: LedgerPlace) -> None:
        super().__init__(TableBeside(OUTCOMES, place))

    def compact(self, before_ms: int, many: int = MANY_FILES) -> int:
        """Put the files of days that began before a moment together where there are many; how many days were.

        Of several statements about one request on one day the last one stays: the others never count again.
        """
        if not self._beside.exists():
            return 0
        days = self._crowded(self._beside.open(), before_ms, many)
        done = sum(map(self._put_together, days))
        if done:
            sweep(self._beside.open())
        return done

    def _put_together(self, day: str) -> bool:
        """One day; False where somebody states something of it at this moment."""
        table = self._beside.open()
        try:
            self._beside.rewrite(table, day, self._last(table, day))
        except CommitFailedError:
            return False
        return True

    def _deleted(self, table: DeltaTable, where: str) -> int:
        """Take rows away; how many, and none where somebody states something of their days at this moment."""
        try:
            return super()._deleted(table, where)
        except CommitFailedError:
            return 0

    def _last(self, table: DeltaTable, day: str) -> pa.Table:
        """The statements of a day that count."""
        names = ", ".join(f'"{name}"' for name in SCHEMA.names)
        ranked = (
            f"SELECT *, ROW_NUMBER() OVER (PARTITION BY {REQUEST} ORDER BY {LAST}) AS nth "  # noqa: S608 -- quoted
            f"FROM {self._name} WHERE date = DATE '{day}'"
        )
        order = f"ORDER BY {REQUEST}"
        return self._beside.ask(table, f"SELECT {names} FROM ({ranked}) WHERE nth = 1 {order}").cast(SCHEMA)  # noqa: S608
