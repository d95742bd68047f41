"""The ledger on Delta Lake: posting exactly once, and snapshots to read from."""

from collections.abc import Collection, Mapping, Sequence

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError

from aicost.adapters.ledger.durable import persist_commit
from aicost.adapters.ledger.failures import FAILURES, lost_a_race, translated, unavailable
from aicost.adapters.ledger.memory import SumMemory
from aicost.adapters.ledger.place import LedgerPlace
from aicost.adapters.ledger.postings import ERASED, Postings
from aicost.adapters.ledger.provisional import ProvisionalFiles
from aicost.adapters.ledger.reading import DeltaSnapshot
from aicost.adapters.ledger.schema import from_table, to_table
from aicost.adapters.ledger.table import FOLDER, HISTORY_DAYS, exists, open_or_create, open_table, version_at
from aicost.domain.budgets.spend.series import SpendSeries
from aicost.domain.exact.windows import Window
from aicost.domain.ledger.columns import columns_of
from aicost.domain.ledger.difference import same_rows
from aicost.domain.ledger.postings import check_posting, out_of_turn, overlapping
from aicost.domain.ledger.rows import Row
from aicost.domain.ledger.seals import Seal, seal_of
from aicost.domain.reporting.sums import GroupSum
from aicost.ports.errors import InvalidRequest, LedgerConflict, TermOver
from aicost.ports.ledger import Posting

_TRIES = 20
"""Terms that are begun at once get one after the other."""


class DeltaLedger:
    """`LedgerWriter`, `LedgerTerms`, `LedgerReader` and `LedgerSource` over one Delta table.

    It holds no state but answers of before: one object may serve several threads, and several processes may read and
    write the same place.
    Of two that post for one cluster at the same time, one gets `LedgerConflict`.
    """

    def __init__(self, uri: str, storage_options: Mapping[str, str] | None = None) -> None:
        self._place = LedgerPlace(uri, storage_options or {})
        self._provisional = ProvisionalFiles(self._place)
        self._memory = SumMemory()

    @property
    def place(self) -> LedgerPlace:
        """Where it lies."""
        return self._place

    def post(self, posting: Posting) -> bool:
        """Post rows in one commit; False if they are there already."""
        check_posting(posting.cluster, posting.window, posting.revision, posting.rows)
        with translated("written", self._place.uri):
            table = open_or_create(self._place)
            return not self._is_posted(table, posting) and self._commit(table, posting)

    def begin_term(self, cluster: str) -> int:
        """Begin a new term: one commit without rows. See the port `LedgerTerms`."""
        with translated("written", self._place.uri):
            for _ in range(_TRIES):
                table = open_or_create(self._place)
                postings = Postings(table, cluster)
                term = postings.term() + 1
                note: dict[str, str | int] = {"cluster": cluster, "term": term}
                properties = CommitProperties(custom_metadata=note, app_transactions=postings.saying(term=term))
                try:
                    write_deltalake(table, to_table(()), mode="append", commit_properties=properties)
                except CommitFailedError:
                    continue
                self._persist(table)
                return term
        raise LedgerConflict(f"no term could be begun for cluster {cluster!r}: others begin one again and again")

    def replace_provisional(self, cluster: str, window: Window, rows: Sequence[Row]) -> None:
        """Replace all provisional rows of the cluster; the window is told for the record."""
        outside = [row for row in rows if row.window.overlap(window) != row.window or row.place.cluster != cluster]
        if outside:
            raise ValueError(
                f"a provisional row of {outside[0].place.cluster!r}, {outside[0].window} is outside {window}"
            )
        self._provisional.replace(cluster, rows)

    def snapshot(self) -> DeltaSnapshot:
        """The ledger as it is now. Provisional rows are read first: see `DeltaSnapshot`."""
        provisional = self._provisional.table()
        return self._posted(provisional)

    def version(self) -> int | None:
        """The number of the last change of what is posted, None for an empty ledger."""
        with translated("read", self._place.uri):
            return open_table(self._place).version() if exists(self._place) else None

    def as_of(self, version: int) -> DeltaSnapshot:
        """What was posted up to a version, without the open window.

        Raises:
            InvalidRequest: there never was such a version, or it is too long ago.
        """
        newest = self.version()
        if newest is None or not 0 <= version <= newest:
            known = "it is empty" if newest is None else f"its versions are 0 to {newest}"
            raise InvalidRequest(f"version {version} of the ledger at {self._place.uri} is not known: {known}")
        erased = self._erased()
        if version < erased:
            raise InvalidRequest(
                f"version {version} of the ledger at {self._place.uri} cannot be read any more: a customer was erased, "
                f"and with them the versions before {erased}; the newest is {newest}"
            )
        try:
            table = open_table(self._place, version)
        except FAILURES as failure:
            raise InvalidRequest(
                f"version {version} of the ledger at {self._place.uri} cannot be read any more: versions are kept for "
                f"{HISTORY_DAYS} days, the newest is {newest}"
            ) from failure
        return DeltaSnapshot(self._place.uri, table, None, self._memory)

    def _erased(self) -> int:
        """The first version that can still be read."""
        with translated("read", self._place.uri):
            said: int | None = open_table(self._place).transaction_version(ERASED)
            return said or 0

    def version_at(self, at_ms: int) -> int | None:
        """The version that was the newest at a moment, by the clocks of those who wrote; None before the first."""
        with translated("read", self._place.uri):
            return version_at(open_table(self._place), at_ms) if exists(self._place) else None

    def clusters(self) -> Sequence[str]:
        """Clusters that have rows."""
        return self.snapshot().clusters()

    def last_window(self, cluster: str) -> Window | None:
        """The latest window posted."""
        return self._posted().last_window(cluster)

    def first_window(self, cluster: str) -> Window | None:
        """The earliest window posted."""
        return self._posted().first_window(cluster)

    def revision(self, cluster: str, window: Window) -> int | None:
        """Highest revision posted for a window."""
        return self._posted().revision(cluster, window)

    def inputs_of(self, cluster: str, window: Window, revision: int) -> int | None:
        """The number of the inputs that a revision rests on."""
        return self._posted().inputs_of(cluster, window, revision)

    def windows(self, span: Window, *, cluster: str) -> Sequence[Window]:
        """The windows that have rows and share time with the span."""
        return self._posted().windows(span, cluster=cluster)

    def rows(self, span: Window, *, cluster: str | None = None, provisional: bool = False) -> Sequence[Row]:
        """Rows of the windows that share time with the span."""
        source = self.snapshot() if provisional else self._posted()
        return source.rows(span, cluster=cluster, provisional=provisional)

    def picked(self, span: Window, where: Mapping[str, Collection[str]], *, cluster: str) -> Sequence[Row]:
        """Rows of some nodes, devices, namespaces, pods, workloads or controllers."""
        return self._posted().picked(span, where, cluster=cluster)

    def edges(
        self, span: Window, filters: Mapping[str, tuple[str, ...]], *, cluster: str | None = None
    ) -> Sequence[Row]:
        """Rows of the windows that a bound of the span lies inside of."""
        return self._posted().edges(span, filters, cluster=cluster)

    def sums(
        self,
        span: Window,
        keys: Sequence[str],
        filters: Mapping[str, tuple[str, ...]],
        *,
        cluster: str | None = None,
    ) -> Sequence[GroupSum]:
        """Sums by group keys over the windows that lie wholly inside the span."""
        return self._posted().sums(span, keys, filters, cluster=cluster)

    def series(self, span: Window, keys: Sequence[str], *, cluster: str) -> SpendSeries:
        """Cost and device time by group and window over the windows that lie wholly inside the span."""
        return self._posted().series(span, keys, cluster=cluster)

    def _posted(self, provisional: pa.Table | None = None) -> DeltaSnapshot:
        """The table as it is now; a provisional file that cannot be read is no hindrance unless it is asked for."""
        with translated("read", self._place.uri):
            table = open_table(self._place) if exists(self._place) else None
            return DeltaSnapshot(self._place.uri, table, provisional, self._memory)

    def _is_posted(self, table: DeltaTable, posting: Posting) -> bool:
        """Whether the posting is there already.

        Raises:
            LedgerConflict: something else stands in its place.
        """
        highest = Postings(table, posting.cluster).revision(posting.window)
        there = self._rows_of(table, posting)
        if highest is not None and posting.revision <= highest:
            self._must_match(posting, there)
            return True
        term = Postings(table, posting.cluster).term()
        if posting.term is not None and posting.term < term:
            raise TermOver(
                f"term {posting.term} of cluster {posting.cluster!r} is over, another leader began term {term}: "
                f"window {posting.window}, revision {posting.revision} is not posted by this one"
            )
        kept_from = Postings(table, posting.cluster).kept_from()
        if kept_from is not None and posting.window.start_ms < kept_from:
            raise LedgerConflict(f"window {posting.window} lies in a time whose rows retention dropped")
        problem = out_of_turn(posting.window, posting.revision, highest)
        problem = problem or overlapping(posting.window, {row.window for row in there})
        if problem:
            raise LedgerConflict(problem)
        return False

    def _rows_of(self, table: DeltaTable, posting: Posting) -> Sequence[Row]:
        """What is posted for the time of the window, all revisions."""
        return DeltaSnapshot(self._place.uri, table, None).rows(posting.window, cluster=posting.cluster)

    def _must_match(self, posting: Posting, there: Sequence[Row]) -> None:
        same = [row for row in there if (row.window, row.revision) == (posting.window, posting.revision)]
        if not same_rows(same, from_table(to_table(posting.rows))):
            raise LedgerConflict(
                f"window {posting.window}, revision {posting.revision} of cluster {posting.cluster!r} is posted with "
                f"other rows ({len(same)} there, {len(posting.rows)} here): another writer is ahead; "
                "read the ledger again and post the difference as the next revision"
            )

    def _commit(self, table: DeltaTable, posting: Posting) -> bool:
        """One atomic commit on top of the snapshot that was judged."""
        judged = table.version()
        transactions = Postings(table, posting.cluster).after(
            posting.window, posting.revision, _seal(posting.rows), posting.inputs, posting.term
        )
        properties = CommitProperties(custom_metadata=_note(posting), app_transactions=transactions)
        try:
            write_deltalake(table, to_table(posting.rows), mode="append", commit_properties=properties)
        except FAILURES as failure:
            return self._settle(posting, judged, failure)
        self._persist(table)
        return True

    def _persist(self, table: DeltaTable) -> None:
        if self._place.local is not None:
            persist_commit(self._place.local / FOLDER, table.version())

    def _settle(self, posting: Posting, judged: int, failure: Exception) -> bool:
        """After a failed commit: what stands in the ledger decides, not what the failure says."""
        table = open_table(self._place)
        if self._is_posted(table, posting):
            return not lost_a_race(failure)
        if lost_a_race(failure) and table.version() > judged:
            raise LedgerConflict(
                f"another writer posted for cluster {posting.cluster!r} while window {posting.window} was being "
                "posted: nothing was posted here; read the ledger again"
            ) from failure
        raise unavailable("written", self._place.uri, failure) from failure


def _seal(rows: Sequence[Row]) -> Seal:
    """The seal of rows as they will be read again."""
    try:
        return seal_of(rows)
    except UnicodeEncodeError:
        return seal_of(from_table(to_table(rows)))


def _note(posting: Posting) -> dict[str, str | int]:
    """What the log says about a commit, for people who read the table's history."""
    return {
        "cluster": posting.cluster,
        "window": str(posting.window),
        "revision": posting.revision,
        "rows": len(posting.rows),
        "cost_nanos": str(sum(nanos or 0 for nanos in columns_of(posting.rows).cost_nanos)),
    }
