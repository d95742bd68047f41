"""Statements about requests beside the ledger (ports `OutcomeReader` and `OutcomeWriter`).

Statements are only added. Which of several about one request counts is found when they are read: the last one. Whoever
corrects a request may date it otherwise; so a reader looks at days around its own as well.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder
from deltalake.exceptions import CommitFailedError

from aicost.adapters.ledger.failures import FAILURES, translated, unavailable
from aicost.adapters.ledger.outcomes.table import (
    FOLDER,
    LAST,
    REQUEST,
    append,
    exists,
    open_or_create,
    open_table,
    rows_of,
)
from aicost.adapters.ledger.outcomes.upkeep import OutcomeKeeper
from aicost.adapters.ledger.place import LedgerPlace
from aicost.adapters.ledger.queries import literal
from aicost.domain.exact.windows import DAY_MS, Window, to_datetime
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.serving.outcomes.posted import OLDEST_DAYS, WHO, Statement
from aicost.ports.errors import LedgerUnavailable
from aicost.ports.measured.outcomes import OutcomeSum

_ATTEMPTS = 8
"""Each of them tries again by itself some times."""
_TIDY_EACH, _MANY_TODAY = 100, 50
"""After so many commits the days of more files than these are put together, today's among them."""


_COLUMNS = {one: one.value for one in WHO}


class DeltaOutcomes:
    """The statements at a place. It holds no state: several threads and processes may use one place."""

    def __init__(self, place: LedgerPlace) -> None:
        self._place = place

    def post(self, cluster: str, statements: Sequence[Statement], posted_ms: int) -> None:
        """Keep statements; see the port."""
        if not statements:
            return
        version = self._append(rows_of(cluster, statements, posted_ms))
        if version % _TIDY_EACH == 0:
            # What was stated is kept by now, whatever becomes of this.
            with suppress(*FAILURES, LedgerUnavailable):
                OutcomeKeeper(self._place).compact(posted_ms + DAY_MS, _MANY_TODAY)

    def _append(self, rows: pa.Table) -> int:
        """Add rows; the version of the table then."""
        for _ in range(_ATTEMPTS):
            with translated("written", self._uri), suppress(CommitFailedError):  # others were faster: once more
                table = open_or_create(self._place)
                append(self._place, table, rows)
                return int(table.version())
        raise LedgerUnavailable(f"many write {self._uri} at once: nothing was kept. To fix: send the same again")

    def version(self) -> int | None:
        """A number that grows when statements are added; None where nothing was ever stated."""
        table = self._table()
        return None if table is None else int(table.version())

    def sums(
        self, cluster: str, spans: Sequence[Window], *, namespace: str | None = None, who: Dimension | None = None
    ) -> Sequence[OutcomeSum]:
        """Requests by how they ended; see the port."""
        table = self._table()
        if table is None or not spans:
            return ()
        mine = "" if namespace is None else f" AND namespace = {literal(namespace)}"
        reach_ms = OLDEST_DAYS * DAY_MS
        around = Window(min(one.start_ms for one in spans) - reach_ms, max(one.end_ms for one in spans) + reach_ms)
        known = f'"cluster" = {literal(cluster)}{mine} AND {_days(around)}'
        ranked = (
            f"SELECT *, ROW_NUMBER() OVER (PARTITION BY {REQUEST} ORDER BY {LAST}) AS nth "  # noqa: S608 -- quoted
            f"FROM {FOLDER} WHERE {known}"
        )
        kinds = f"namespace, workload, model, success, reason{f', {_COLUMNS[who]}' if who else ''}"
        shown = f"{kinds} AS who" if who else kinds
        inside = " OR ".join(map(_inside, spans))
        return tuple(
            OutcomeSum(**one)
            for one in self._ask(
                table,
                f"SELECT {shown}, COUNT(*) AS requests, COUNT(tokens) AS counted, "  # noqa: S608 -- quoted
                f"CAST(COALESCE(SUM(tokens), 0) AS BIGINT) AS tokens FROM ({ranked}) "
                f"WHERE nth = 1 AND ({inside}) GROUP BY {kinds} ORDER BY {kinds}",
            )
        )

    def reasons(self, cluster: str, namespace: str, since_ms: int) -> frozenset[str]:
        """The reasons of a namespace; see the port."""
        table = self._table()
        if table is None:
            return frozenset()
        day = to_datetime(since_ms).date().isoformat()
        where = f"\"cluster\" = {literal(cluster)} AND namespace = {literal(namespace)} AND date >= DATE '{day}'"
        found = self._ask(table, f"SELECT DISTINCT reason FROM {FOLDER} WHERE {where}")  # noqa: S608 -- quoted
        return frozenset(one["reason"] for one in found)

    @property
    def _uri(self) -> str:
        return self._place.within(FOLDER)

    def _table(self) -> DeltaTable | None:
        """The table as it is now; None where nothing was ever stated."""
        with translated("read", self._uri):
            return open_table(self._place) if exists(self._place) else None

    def _ask(self, table: DeltaTable, query: str) -> list[dict[str, Any]]:
        try:
            return list(pa.table(QueryBuilder().register(FOLDER, table).execute(query).read_all()).to_pylist())
        except Exception as failure:  # the engine raises bare exceptions for files that it cannot read
            raise unavailable("read", self._uri, failure) from failure


def _days(span: Window) -> str:
    first, last = (to_datetime(at_ms).date().isoformat() for at_ms in (span.start_ms, span.end_ms))
    return f"date BETWEEN DATE '{first}' AND DATE '{last}'"


def _inside(span: Window) -> str:
    return f"(at >= to_timestamp_millis({span.start_ms}) AND at < to_timestamp_millis({span.end_ms}))"
