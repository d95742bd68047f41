"""A SQLite file that survives being killed: one writer in turn, any number of readers, each write a transaction."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Literal

from aicost.adapters.journal.errors import JournalUnavailable, damaged, translate

_PAGE_BYTES = 16_384
_BUSY_S = 5.0


class Database:
    """One file.

    Args:
        path: the file; its folder is made where it is missing.
        schema: statements that make the tables of an empty file.
        version: of the schema. A file of a later version is left alone.
        synchronous: FULL keeps a commit even where the power fails; NORMAL may lose the last ones then, and neither
            loses any where only the process dies.

    Raises:
        JournalUnavailable: the file cannot be opened, or a newer release wrote it.
        JournalDamaged: it is no journal.
    """

    def __init__(
        self, path: Path, schema: tuple[str, ...], version: int, *, synchronous: Literal["FULL", "NORMAL"]
    ) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
            try:
                self._prepare(schema, version, synchronous)
            except BaseException:
                self._writer.close()
                raise
        except sqlite3.Error as error:
            raise translate(error, path, "open") from error
        except OSError as error:
            raise JournalUnavailable(f"cannot open the journal {path} ({error}): look at the volume") from error

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of it is kept, or nothing. Waits for the one before."""
        with self._lock:
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                try:
                    yield self._writer
                except BaseException:
                    self._undo()
                    raise
                self._commit()
            except sqlite3.Error as error:
                raise translate(error, self.path, "write") from error

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection of its own, which sees one state of the file and holds up no writer."""
        try:
            uri = f"{self.path.absolute().as_uri()}?mode=ro"
            with closing(sqlite3.connect(uri, uri=True, timeout=_BUSY_S, isolation_level=None)) as reader:
                yield reader
        except sqlite3.Error as error:
            raise translate(error, self.path, "read") from error

    def close(self) -> None:
        """Close the file; what was not committed is gone."""
        with self._lock:
            self._writer.close()

    def _prepare(self, schema: tuple[str, ...], version: int, synchronous: str) -> None:
        self._writer.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
        self._writer.execute("PRAGMA journal_mode = WAL")
        self._writer.execute(f"PRAGMA synchronous = {synchronous}")
        found = self._number("PRAGMA user_version")
        if found > version:
            raise JournalUnavailable(
                f"the journal {self.path} was written by a newer release (schema {found}, this one knows {version}): "
                "run that release, or move the file away"
            )
        if found < version:
            self._create(schema, version)

    def _create(self, schema: tuple[str, ...], version: int) -> None:
        if self._number("SELECT count(*) FROM sqlite_master"):
            raise damaged(self.path, "it is a database of another program")
        self._writer.execute("BEGIN IMMEDIATE")
        for statement in schema:
            self._writer.execute(statement)
        self._writer.execute(f"PRAGMA user_version = {version}")
        self._writer.execute("COMMIT")

    def _number(self, query: str) -> int:
        return int(self._writer.execute(query).fetchone()[0])

    def _commit(self) -> None:
        try:
            self._writer.execute("COMMIT")
        except sqlite3.Error:
            self._undo()
            raise

    def _undo(self) -> None:
        if self._writer.in_transaction:
            self._writer.execute("ROLLBACK")
