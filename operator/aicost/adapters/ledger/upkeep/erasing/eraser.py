"""A customer taken out of a ledger: rows, checksums, inputs, the open window, and the files of before.

Day by day, inputs without the customer are added, and one commit changes the rows together with their checksums and the
numbers of their inputs. At last the inputs that named the customer go, oldest first: the policies among them say who
has several names. Whoever is interrupted runs it again: what was done is not found any more, and the rest is.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from deltalake import CommitProperties, DeltaTable, Transaction, WriterProperties, write_deltalake
from deltalake.exceptions import CommitFailedError
from deltalake.fs import DeltaStorageHandler
from pyarrow import fs

from aicost.adapters.ledger.beside.table import TableBeside
from aicost.adapters.ledger.counts.upkeep import CountKeeper
from aicost.adapters.ledger.durable import persist_commit
from aicost.adapters.ledger.failures import translated
from aicost.adapters.ledger.inputs.table import INPUTS
from aicost.adapters.ledger.outcomes.upkeep import OutcomeKeeper
from aicost.adapters.ledger.place import LedgerPlace
from aicost.adapters.ledger.postings import ERASED, Postings
from aicost.adapters.ledger.provisional import ProvisionalFiles
from aicost.adapters.ledger.queries import literal
from aicost.adapters.ledger.schema import from_table, to_table
from aicost.adapters.ledger.table import APPEND_ONLY, FOLDER, exists, open_or_create, open_table
from aicost.adapters.ledger.upkeep.erasing.inputs import CustomerInputs, WrittenInputs
from aicost.adapters.ledger.upkeep.erasing.rows import CustomerRows, WrittenDay
from aicost.domain.attribution.customers import customer_labels, erased_customers
from aicost.domain.ledger.erasing import Erasure
from aicost.domain.ledger.rows import Row
from aicost.ports.errors import LedgerConflict
from aicost.ports.upkeep import Erased

_IN_FLIGHT_HOURS = 1
"""A file that no version names may be one that is just being written."""
_WRITER = WriterProperties(compression="ZSTD", max_row_group_size=16_384)


@dataclass(frozen=True, slots=True)
class DeltaEraser:
    """Port `CustomerEraser` over the ledger at a place. It holds no state.

    Attributes:
        progress: told what is being looked at.
    """

    place: LedgerPlace
    progress: Callable[[str], None] = lambda _what: None

    def find(self, names: Sequence[str], labels: Sequence[str], cluster: str | None) -> Erased:
        """What `erase` would do; nothing is written."""
        with translated("read", self.place.uri):
            rows = open_table(self.place) if exists(self.place) else None
            inputs = self._inputs(cluster)
            what = _wanted(names, labels, inputs)
            parts = sum(inputs.written(day, what).changed for day in self._told(inputs.days())) if inputs else 0
            outcomes = OutcomeKeeper(self.place).naming(what.customers, cluster)
            counts = CountKeeper(self.place).naming(what.customers, cluster)
            return replace(self._told_of(rows, what, cluster, parts), outcomes=outcomes, counts=counts)

    def erase(self, names: Sequence[str], labels: Sequence[str], cluster: str | None) -> Erased:
        """Erase for good; see the port."""
        with self._writing():
            table = open_or_create(self.place) if exists(self.place) else None
            inputs = self._inputs(cluster)
            what = _wanted(names, labels, inputs)
            found = self._told_of(table, what, cluster, 0)
            self._open_window(what, cluster)
            parts, gone = self._days(table, inputs, what, cluster)
            for day, digests in gone.items():
                if inputs:
                    self._forget(inputs.table, day, digests, cluster)
            if table is not None and (parts or found.rows or table.transaction_version(ERASED) is not None):
                self._sweep()
            outcomes = OutcomeKeeper(self.place).erase(what.customers, cluster)
            counts = CountKeeper(self.place).erase(what.customers, cluster)
            return replace(found, parts=parts, outcomes=outcomes, counts=counts)

    def _inputs(self, cluster: str | None) -> CustomerInputs | None:
        kept = self._kept_inputs
        return CustomerInputs(self.place, kept.open(), cluster) if kept.exists() else None

    def _told_of(self, table: DeltaTable | None, what: Erasure, cluster: str | None, parts: int) -> Erased:
        provisional = sum(len(rows) for rows in self._provisional(what, cluster).values())
        names, labels = tuple(sorted(what.customers.names)), tuple(sorted(what.labels))
        if table is None:
            return Erased(names, labels, parts=parts, provisional=provisional)
        rows = CustomerRows(self.place, table, what, cluster)
        counted: Counter[str] = Counter()
        sums: Counter[str] = Counter()
        found = rows.found()
        for one in found:
            counted[one["cluster"]] += one["rows"]
            sums[one["currency"]] += int(one["cost"])
        days = [one[name].isoformat() for one in found for name in ("first", "last")]
        span = (min(days), max(days)) if days else None
        money = {currency: nanos for currency, nanos in sums.items() if currency}
        return Erased(names, labels, dict(counted), span, money, parts, provisional, rows.elsewhere())

    def _days(
        self, table: DeltaTable | None, inputs: CustomerInputs | None, what: Erasure, cluster: str | None
    ) -> tuple[int, dict[str, set[str]]]:
        """Each day that names the customer, or whose inputs do.

        Returns:
            How many parts did, and by day the digests of what may go now.
        """
        rows = None if table is None else CustomerRows(self.place, table, what, cluster)
        with_rows = rows.days() if rows is not None else set()
        parts, gone = 0, dict[str, set[str]]()
        with self._opened(table if with_rows else None):
            for day in self._told(sorted({*with_rows, *(inputs.days() if inputs else ())})):
                kept = inputs.written(day, what) if inputs else WrittenInputs()
                if kept.new and inputs:
                    self._append(inputs.table, kept)
                    parts, gone[day] = parts + kept.changed, kept.gone
                if table is not None:
                    done = rows.written(day) if rows is not None and day in with_rows else None
                    self._commit(table, day, done, kept)
        return parts, gone

    @contextmanager
    def _opened(self, table: DeltaTable | None) -> Iterator[None]:
        """A table that takes more than rows that are added; who finds it open shuts it.

        It is opened before it is read: so what is read is what is written over, and what others add meanwhile stays.
        """
        if table is None:
            yield
            return
        table.alter.set_table_properties({APPEND_ONLY: "false"})
        try:
            yield
        finally:
            open_or_create(self.place)

    def _append(self, table: DeltaTable, kept: WrittenInputs) -> None:
        """Add the inputs without the customer: what will be posted rests on what is there."""
        if (added := kept.added()).num_rows:
            self._kept_inputs.append(table, added)

    def _forget(self, table: DeltaTable, day: str, digests: Iterable[str], cluster: str | None) -> None:
        """Take the inputs that name the customer away."""
        mine = "" if cluster is None else f' AND "cluster" = {literal(cluster)}'
        where = f"date = '{day}' AND digest IN ({', '.join(map(literal, sorted(digests)))}){mine}"
        table.delete(where, writer_properties=INPUTS.writer)
        self._kept_inputs.persist(table)

    def _commit(self, table: DeltaTable, day: str, done: WrittenDay | None, kept: WrittenInputs) -> None:
        """Rows, checksums and numbers of inputs in one commit."""
        changed = done.changed if done is not None else {}
        said = list(_transactions(table, done, kept))
        if not said:
            return
        note: dict[str, str | int] = {"erased": f"customers of {day}", "rows": sum(changed.values())}
        properties = CommitProperties(custom_metadata=note, app_transactions=said)
        if done is None:
            write_deltalake(table, to_table(()), mode="append", commit_properties=properties)
            self._persist(table)
            return
        write_deltalake(
            table,
            done.rows,
            mode="overwrite",
            predicate=f"date = '{day}'",
            commit_properties=properties,
            writer_properties=_WRITER,
        )
        self._persist(table)

    def _provisional(self, what: Erasure, cluster: str | None) -> dict[str, list[Row]]:
        """Rows of open windows that name the customer, by cluster."""
        found: dict[str, list[Row]] = {}
        for row in from_table(ProvisionalFiles(self.place).table()):
            if cluster in {None, row.place.cluster} and what.row(row) is not row:
                found.setdefault(row.place.cluster, []).append(row)
        return found

    def _open_window(self, what: Erasure, cluster: str | None) -> None:
        files = ProvisionalFiles(self.place)
        rows = from_table(files.table())
        for name in self._provisional(what, cluster):
            files.replace(name, [what.row(row) for row in rows if row.place.cluster == name])

    def _sweep(self) -> None:
        """Files that no version of now needs: readers of versions of before find them gone."""
        _sweep(self.place, FOLDER, open_table(self.place))
        if self._kept_inputs.exists():
            _sweep(self.place, INPUTS.folder, self._kept_inputs.open())

    def _told(self, days: Iterable[str]) -> Iterator[str]:
        for day in days:
            self.progress(day)
            yield day

    @property
    def _kept_inputs(self) -> TableBeside:
        return TableBeside(INPUTS, self.place)

    def _persist(self, table: DeltaTable) -> None:
        if self.place.local is not None:
            persist_commit(self.place.local / FOLDER, table.version())

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with translated("written", self.place.uri):
            try:
                yield
            except CommitFailedError as failure:
                raise LedgerConflict(
                    f"the ledger at {self.place.uri} was written by another meanwhile: days that are done are done, "
                    "run the same command again for the others"
                ) from failure


def _sweep(place: LedgerPlace, folder: str, table: DeltaTable) -> None:
    unused = set(table.vacuum(0, dry_run=True, enforce_retention_duration=False))
    unused.update(table.vacuum(_IN_FLIGHT_HOURS, dry_run=True, enforce_retention_duration=False, full=True))
    handler = DeltaStorageHandler(place.within(folder), place.options)
    there = fs.PyFileSystem(handler).get_file_info(fs.FileSelector("", recursive=True))
    for path in unused & {entry.path for entry in there}:
        handler.delete_file(path)


def _wanted(names: Sequence[str], labels: Sequence[str], inputs: CustomerInputs | None) -> Erasure:
    """Who is meant, by all policies that were ever kept."""
    policies = inputs.policies() if inputs else []
    return Erasure(erased_customers(names, policies), customer_labels(policies) | frozenset(labels))


def _transactions(table: DeltaTable, done: WrittenDay | None, kept: WrittenInputs) -> Iterator[Transaction]:
    changed, seals = (done.changed, done.seals) if done is not None else ({}, {})
    for cluster in sorted({*changed, *kept.anchors}):
        postings = Postings(table, cluster)
        numbers = {
            posted: known[number]
            for posted, known in kept.anchors.get(cluster, {}).items()
            if (number := postings.inputs(*posted)) in known and number is not None
        }
        yield from postings.erased(changed.get(cluster, 0), seals.get(cluster, {}), numbers)
    if done is not None:
        yield Transaction(ERASED, table.version() + 1)
