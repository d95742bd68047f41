"""What the Delta tables beside that of the amounts have in common: how one is made, opened, added to, asked and swept.

Each lies in a folder of its own, one day is one partition, and its format is a number in its properties. They differ in
their columns, and in what they raise and do when two write at once: that stays with each of them.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, QueryBuilder, WriterProperties, write_deltalake
from deltalake.exceptions import DeltaError

from aicost.adapters.ledger.durable import persist_commit
from aicost.adapters.ledger.failures import translated, unavailable
from aicost.adapters.ledger.place import LedgerPlace
from aicost.adapters.ledger.table import holds_table
from aicost.domain.exact.windows import to_datetime
from aicost.ports.errors import AicostError, LedgerUnavailable

_UNUSED_HOURS = 48
"""Files that no version of a table needs any more stay for so long: somebody may be reading them."""


@dataclass(frozen=True, slots=True)
class Layout:
    """One kind of table, wherever it lies.

    Attributes:
        name: what its rows are called; by this name queries and messages know it.
        folder: where it lies below the ledger.
        says: what a reader of Delta Lake is told of it.
        properties: of the table, beside its format.
        newer: raised where a newer aicost made it.
    """

    name: str
    folder: str
    format: str
    schema: pa.Schema
    says: str
    writer: WriterProperties
    properties: Mapping[str, str] = field(default_factory=dict)
    newer: type[AicostError] = LedgerUnavailable

    @property
    def format_property(self) -> str:
        """The property that holds the format."""
        return f"aicost.{self.name}Format"


@dataclass(frozen=True, slots=True)
class TableBeside:
    """A table of some kind beside the ledger at a place. It holds no state.

    What it raises is Delta's, for the callers to translate, where nothing else is said.
    """

    layout: Layout
    place: LedgerPlace

    @property
    def uri(self) -> str:
        """Where it lies."""
        return self.place.within(self.layout.folder)

    def exists(self) -> bool:
        """Whether anything was ever kept there."""
        return holds_table(self.place, self.layout.folder)

    def open(self) -> DeltaTable:
        """The table as it is now.

        Raises:
            AicostError: a newer aicost made it; which one, the layout says.
        """
        table = DeltaTable(self.uri, storage_options=self.place.options)
        found, known = table.metadata().configuration.get(self.layout.format_property), self.layout.format
        if found != known:
            raise self.layout.newer(
                f"the {self.layout.name} at {self.uri} are of format {found}, this aicost reads format {known}. "
                "To fix: run the version of aicost that wrote them, or a newer one"
            )
        return table

    def open_or_create(self) -> DeltaTable:
        """The table, made if it is not there; two who make it at once end with one."""
        if not self.exists():
            self.place.prepare(self.layout.folder)
            try:
                self._create()
            except DeltaError:
                if not self.exists():
                    raise
        return self.open()

    def found(self) -> DeltaTable | None:
        """The table as it is now; None where nothing was ever kept.

        Raises:
            LedgerUnavailable: it cannot be read.
        """
        with translated("read", self.uri):
            return self.open() if self.exists() else None

    def append(self, table: DeltaTable, rows: pa.Table, properties: CommitProperties | None = None) -> None:
        """Add rows in one commit that survives a loss of power."""
        writer = self.layout.writer
        write_deltalake(table, rows, mode="append", commit_properties=properties, writer_properties=writer)
        self.persist(table)

    def rewrite(self, table: DeltaTable, day: str, rows: pa.Table) -> None:
        """Put rows in the place of all those of a day, in one commit that survives a loss of power."""
        writer = self.layout.writer
        write_deltalake(table, rows, mode="overwrite", predicate=f"date = '{day}'", writer_properties=writer)
        self.persist(table)

    def persist(self, table: DeltaTable) -> None:
        """Put the last commit on the disk; an object store did so before it answered."""
        if self.place.local is not None:
            persist_commit(self.place.local / self.layout.folder, table.version())

    def ask(self, table: DeltaTable, query: str) -> pa.Table:
        """The answer to a query, as columns.

        Raises:
            LedgerUnavailable: a file cannot be read.
        """
        with self._reading():
            return self._answer(table, query)

    def records(self, table: DeltaTable, query: str) -> list[dict[str, Any]]:
        """The answer to a query, row by row.

        Raises:
            LedgerUnavailable: a file cannot be read.
        """
        with self._reading():
            return list(self._answer(table, query).to_pylist())

    def _answer(self, table: DeltaTable, query: str) -> pa.Table:
        return pa.table(QueryBuilder().register(self.layout.name, table).execute(query).read_all())

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except Exception as failure:  # the engine raises bare exceptions for files that it cannot read
            raise unavailable("read", self.uri, failure) from failure

    def _create(self) -> None:
        DeltaTable.create(
            self.uri,
            schema=self.layout.schema,
            partition_by=["date"],
            name=f"aicost {self.layout.name}",
            description=self.layout.says,
            configuration={**self.layout.properties, self.layout.format_property: self.layout.format},
            storage_options=self.place.options,
            raise_if_key_not_exists=False,
        )


def sweep(table: DeltaTable, hours: int = _UNUSED_HOURS) -> None:
    """Take away files that no version has needed for so long."""
    table.vacuum(hours, dry_run=False, enforce_retention_duration=False)


def day_of(moment_ms: int) -> str:
    """The day of a moment in UTC, as partitions are named."""
    return to_datetime(moment_ms).date().isoformat()
