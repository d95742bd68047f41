"""Statements about requests beside the ledger (ports `OutcomeReader` and `OutcomeWriter`).

Statements are only added. Which of several about one request counts is found when they are read: the last one. Whoever
corrects a request may date it otherwise; so a reader looks at days around its own as well.
"""

from collections.abc import Sequence
from contextlib import suppress

import pyarrow as pa
from deltalake.exceptions import CommitFailedError

from aicost.adapters.ledger.beside.table import TableBeside, day_of
from aicost.adapters.ledger.failures import FAILURES, translated
from aicost.adapters.ledger.outcomes.table import LAST, OUTCOMES, REQUEST, rows_of
from aicost.adapters.ledger.outcomes.upkeep import OutcomeKeeper
from aicost.adapters.ledger.place import LedgerPlace
from aicost.adapters.ledger.queries import literal
from aicost.domain.exact.windows import DAY_MS, Window
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.serving.outcomes.posted import OLDEST_DAYS, WHO, Statement
from aicost.ports.errors import LedgerUnavailable
from aicost.ports.measured.outcomes import OutcomeSum

_TABLE = OUTCOMES.name
_ATTEMPTS = 8
"""Each of them tries again by itself some times."""
_TIDY_EACH, _MANY_TODAY = 100, 50
"""After so many commits the days of more files than these are put together, today's among them."""


_COLUMNS = {one: one.value for one in WHO}


class DeltaOutcomes:
    """The statements at a place. It holds no state: several threads and processes may use one place."""

    def __init__(self, place: LedgerPlace) -> None:
        self._beside = TableBeside(OUTCOMES, place)

    def post(self, cluster: str, statements: Sequence[Statement], posted_ms: int) -> None:
        """Keep statements; see the port."""
        if not statements:
            return
        version = self._append(rows_of(cluster, statements, posted_ms))
        if version % _TIDY_EACH == 0:
            # What was stated is kept by now, whatever becomes of this.
            with suppress(*FAILURES, LedgerUnavailable):
                OutcomeKeeper(self._beside.place).compact(posted_ms + DAY_MS, _MANY_TODAY)

    def _append(self, rows: pa.Table) -> int:
        """Add rows; the version of the table then."""
        for _ in range(_ATTEMPTS):
            with translated("written", self._beside.uri), suppress(CommitFailedError):  # others were faster: once more
                table = self._beside.open_or_create()
                self._beside.append(table, rows)
                return int(table.version())
        raise LedgerUnavailable(f"many write {self._beside.uri} at once: nothing was kept. To fix: send the same again")

    def version(self) -> int | None:
        """A number that grows when statements are added; None where nothing was ever stated."""
        table = self._beside.found()
        return None if table is None else int(table.version())

    def sums(
        self, cluster: str, spans: Sequence[Window], *, namespace: str | None = None, who: Dimension | None = None
    ) -> Sequence[OutcomeSum]:
        """Requests by how they ended; see the port."""
        table = self._beside.found()
        if table is None or not spans:
            return ()
        mine = "" if namespace is None else f" AND namespace = {literal(namespace)}"
        reach_ms = OLDEST_DAYS * DAY_MS
        around = Window(min(one.start_ms for one in spans) - reach_ms, max(one.end_ms for one in spans) + reach_ms)
        known = f'"cluster" = {literal(cluster)}{mine} AND {_days(around)}'
        ranked = (
            f"SELECT *, ROW_NUMBER() OVER (PARTITION BY {REQUEST} ORDER BY {LAST}) AS nth "  # noqa: S608 -- quoted
            f"FROM {_TABLE} WHERE {known}"
        )
        kinds = f"namespace, workload, model, success, reason{f', {_COLUMNS[who]}' if who else ''}"
        shown = f"{kinds} AS who" if who else kinds
        inside = " OR ".join(map(_inside, spans))
        return tuple(
            OutcomeSum(**one)
            for one in self._beside.records(
                table,
                f"SELECT {shown}, COUNT(*) AS requests, COUNT(tokens) AS counted, "  # noqa: S608 -- quoted
                f"CAST(COALESCE(SUM(tokens), 0) AS BIGINT) AS tokens FROM ({ranked}) "
                f"WHERE nth = 1 AND ({inside}) GROUP BY {kinds} ORDER BY {kinds}",
            )
        )

    def reasons(self, cluster: str, namespace: str, since_ms: int) -> frozenset[str]:
        """The reasons of a namespace; see the port."""
        table = self._beside.found()
        if table is None:
            return frozenset()
        since = f"date >= DATE '{day_of(since_ms)}'"
        where = f'"cluster" = {literal(cluster)} AND namespace = {literal(namespace)} AND {since}'
        found = self._beside.records(table, f"SELECT DISTINCT reason FROM {_TABLE} WHERE {where}")  # noqa: S608 -- quoted
        return frozenset(one["reason"] for one in found)


def _days(span: Window) -> str:
    return f"date BETWEEN DATE '{day_of(span.start_ms)}' AND DATE '{day_of(span.end_ms)}'"


def _inside(span: Window) -> str:
    return f"(at >= to_timestamp_millis({span.start_ms}) AND at < to_timestamp_millis({span.end_ms}))"
