"""Keeping the table small: files of a day put together, old days dropped, and nothing taken from under a reader.

A reader holds on to the version of the table that it opened. So files that a version needs stay while that version may
be read: `HISTORY_DAYS` after compaction, `GRACE_HOURS` after retention, which has to mean it.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, QueryBuilder, WriterProperties, write_deltalake
from deltalake.exceptions import CommitFailedError
from deltalake.fs import DeltaStorageHandler

from aicost.adapters.ledger.counts.upkeep import CountKeeper
from aicost.adapters.ledger.durable import persist_commit
from aicost.adapters.ledger.failures import translated, unavailable
from aicost.adapters.ledger.outcomes.upkeep import OutcomeKeeper
from aicost.adapters.ledger.place import LedgerPlace
from aicost.adapters.ledger.postings import Postings
from aicost.adapters.ledger.queries import TABLE, literal
from aicost.adapters.ledger.schema import PARTITION, to_table
from aicost.adapters.ledger.table import APPEND_ONLY, FOLDER, HISTORY_DAYS, exists, open_or_create, open_table
from aicost.domain.exact.windows import DAY_MS, Window, to_datetime, to_millis
from aicost.ports.errors import LedgerConflict
from aicost.ports.upkeep import Compacted, Dropped

GRACE_HOURS = 7 * 24
"""Files of dropped days stay for so long: somebody may be reading the version before."""
MANY_FILES = 4
"""A day of more files than these is put together."""
_MOST_DAYS = 31
_ROWS_PER_GROUP = 16_384
"""A window's rows are found without reading the whole day."""


class DeltaUpkeep:
    """Port `LedgerUpkeep` over the ledger at a place. It holds no state."""

    def __init__(self, place: LedgerPlace) -> None:
        self._place, self._outcomes, self._counts = place, OutcomeKeeper(place), CountKeeper(place)

    def compact(self, before_ms: int) -> Compacted:
        """Put the files of whole days together, and take away what nobody reads any more."""
        with self._writing():
            self._outcomes.compact(before_ms)
            self._counts.compact(before_ms)
            if not exists(self._place):
                return Compacted()
            table = open_or_create(self._place)
            files = Counter(str(one[f"partition.{PARTITION}"]) for one in _files(table))
            many = sorted(day for day, count in files.items() if count > MANY_FILES and day < _day(before_ms))
            days = many[:_MOST_DAYS]
            after = sum(self._put_together(table, day) for day in days)
            return Compacted(tuple(days), sum(files[day] for day in days), after, self._sweep(table))

    def droppable(self, cluster: str, before_ms: int) -> Dropped | None:
        """What `drop` would drop."""
        with translated("read", self._place.uri):
            return self._look(open_table(self._place), cluster, before_ms) if exists(self._place) else None

    def drop(self, cluster: str, before_ms: int) -> Dropped | None:
        """Drop whole days: said in the log first, so that what is half done is known and done again."""
        with self._writing():
            self._outcomes.drop(cluster, before_ms)
            self._counts.drop(cluster, before_ms)
            if not exists(self._place):
                return None
            table = open_or_create(self._place)
            found = self._look(table, cluster, before_ms)
            if found is None:
                return None
            self._say(table, found, before_ms)
            self._delete(table, f"{PARTITION} < DATE '{_day(before_ms)}' AND \"cluster\" = {literal(cluster)}")
            self._sweep(table)
            return found

    def _put_together(self, table: DeltaTable, day: str) -> int:
        """One day's files; how many there are then."""
        properties = WriterProperties(compression="ZSTD", max_row_group_size=_ROWS_PER_GROUP)
        table.optimize.compact(partition_filters=[(PARTITION, "=", day)], writer_properties=properties)
        self._persist(table)
        return sum(str(one[f"partition.{PARTITION}"]) == day for one in _files(table))

    def _look(self, table: DeltaTable, cluster: str, before_ms: int) -> Dropped | None:
        where = f"{PARTITION} < DATE '{_day(before_ms)}' AND \"cluster\" = {literal(cluster)}"
        query = (
            f"SELECT currency, MIN({PARTITION}) AS first, MAX({PARTITION}) AS last, COUNT(*) AS rows, "  # noqa: S608
            "CAST(COALESCE(SUM(CAST(cost_nanos AS DECIMAL(38, 0))), 0) AS VARCHAR) AS cost "
            f"FROM {TABLE} WHERE {where} GROUP BY currency"
        )
        windows = f"SELECT DISTINCT window_start, window_end FROM {TABLE} WHERE {where}"  # noqa: S608
        rows = self._ask(table, query)
        if not rows:
            return None
        return Dropped(
            cluster,
            min(one["first"] for one in rows).isoformat(),
            max(one["last"] for one in rows).isoformat(),
            len(self._ask(table, windows)),
            sum(one["rows"] for one in rows),
            {one["currency"]: int(one["cost"]) for one in rows if one["currency"]},
        )

    def _say(self, table: DeltaTable, found: Dropped, before_ms: int) -> None:
        """Write down what goes, before it goes."""
        postings = Postings(table, found.cluster)
        first = self._first_kept(table, found.cluster, before_ms) or postings.last()
        kept_from = max(before_ms, postings.kept_from() or 0)
        counted = self._look(table, found.cluster, kept_before) if (kept_before := postings.kept_from()) else None
        more = found.rows - (counted.rows if counted else 0)  # a drop that was interrupted has counted its rows
        said = postings.saying(kept_from=kept_from, dropped_rows=postings.dropped_rows() + more)
        if first is not None:
            said += postings.saying(first=first.start_ms, first_length=first.length_ms)
        note: dict[str, str | int] = {
            "cluster": found.cluster,
            "retention": f"{found.first} to {found.last} dropped",
            "rows": found.rows,
            **{f"cost_nanos.{currency}": str(nanos) for currency, nanos in found.cost_nanos.items()},
        }
        properties = CommitProperties(custom_metadata=note, app_transactions=said)
        write_deltalake(table, to_table(()), mode="append", commit_properties=properties)
        self._persist(table)

    def _first_kept(self, table: DeltaTable, cluster: str, before_ms: int) -> Window | None:
        """The earliest window with rows that stays."""
        query = (
            f"SELECT window_start, window_end FROM {TABLE} WHERE {PARTITION} >= DATE '{_day(before_ms)}' "  # noqa: S608
            f'AND "cluster" = {literal(cluster)} ORDER BY window_start, window_end LIMIT 1'
        )
        bounds = [(one["window_start"], one["window_end"]) for one in self._ask(table, query)]
        return Window(*(to_millis(moment) for moment in bounds[0])) if bounds else None

    def _delete(self, table: DeltaTable, predicate: str) -> None:
        """Take rows away from a table that is append-only before and afterwards; who finds it open shuts it."""
        table.alter.set_table_properties({APPEND_ONLY: "false"})
        try:
            table.delete(predicate)
            self._persist(table)
        finally:
            open_or_create(self._place)

    def _sweep(self, table: DeltaTable) -> int:
        """Take files away that no version needs which may still be read; how many."""
        unused = table.vacuum(HISTORY_DAYS * 24, dry_run=False, enforce_retention_duration=False)
        kept = {str(one[f"partition.{PARTITION}"]) for one in _files(table)}
        gone = [
            path
            for path in table.vacuum(GRACE_HOURS, dry_run=True, enforce_retention_duration=False)
            if (day := _day_of(path)) and day not in kept
        ]
        files = DeltaStorageHandler(self._place.within(FOLDER), self._place.options)
        for path in gone:
            files.delete_file(path)
        return len(unused) + len(gone)

    def _ask(self, table: DeltaTable, query: str) -> list[dict[str, Any]]:
        try:
            return list(pa.table(QueryBuilder().register(TABLE, table).execute(query).read_all()).to_pylist())
        except Exception as failure:  # the engine raises bare exceptions for files that it cannot read
            raise unavailable("read", self._place.uri, failure) from failure

    def _persist(self, table: DeltaTable) -> None:
        if self._place.local is not None:
            persist_commit(self._place.local / FOLDER, table.version())

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Failures in the words of the port; a lost race is one that the next round wins."""
        with translated("written", self._place.uri):
            try:
                yield
            except CommitFailedError as failure:
                raise LedgerConflict(
                    f"the ledger at {self._place.uri} was written by another while its files were being looked after: "
                    "nothing is lost, try again"
                ) from failure


def _files(table: DeltaTable) -> list[dict[str, Any]]:
    return list(pa.table(table.get_add_actions(flatten=True)).to_pylist())


def _day(moment_ms: int) -> str:
    return to_datetime(moment_ms - moment_ms % DAY_MS).date().isoformat()


def _day_of(path: str) -> str:
    """The day whose folder a file lies in; empty for another file."""
    folder, _, _ = path.partition("/")
    return folder.removeprefix(f"{PARTITION}=") if folder.startswith(f"{PARTITION}=") else ""
