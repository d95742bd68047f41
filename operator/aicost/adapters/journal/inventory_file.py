"""The inventory's file: records by kind and id, and two moments."""

from collections.abc import Iterator
from pathlib import Path

from aicost.adapters.journal.database import Database
from aicost.adapters.journal.errors import damaged
from aicost.adapters.journal.records import Record, decode_record, encode_record
from aicost.adapters.journal.shelves import Changes

_SCHEMA = (
    "CREATE TABLE records (kind TEXT NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (kind, id))",
    "CREATE TABLE moments (name TEXT PRIMARY KEY, at_ms INTEGER NOT NULL)",
)
_VERSION = 1
_EPOCH, _HEARD = "epoch", "heard"


class InventoryFile:
    """The file of an inventory; a commit is on the disk when `store` returns.

    Args:
        path: the file.
        now_ms: our own clock, kept as the epoch of a new file.

    Attributes:
        epoch_ms: when the file was made.
        heard_ms: up to here the watch missed nothing, as last stored.
    """

    def __init__(self, path: Path, now_ms: int) -> None:
        self._database = Database(path, _SCHEMA, _VERSION, synchronous="FULL")
        try:
            self.epoch_ms, self.heard_ms = self._load_moments(now_ms)
        except BaseException:
            self._database.close()
            raise

    def store(self, changes: Changes, heard_ms: int) -> None:
        """Keep changes and the moment up to which the watch was complete: all of it or nothing."""
        kept = (  # one at a time: after the first list these are all objects of a cluster
            (kind.value, key, encode_record(record)) for (kind, key), record in changes.items() if record is not None
        )
        dropped = [(kind.value, key) for (kind, key), record in changes.items() if record is None]
        with self._database.write() as connection:
            connection.executemany("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", kept)
            connection.executemany("DELETE FROM records WHERE kind = ? AND id = ?", dropped)
            connection.execute("INSERT OR REPLACE INTO moments VALUES (?, ?)", (_HEARD, heard_ms))
        self.heard_ms = heard_ms

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _load_moments(self, now_ms: int) -> tuple[int, int]:
        with self._database.write() as connection:
            for name in (_EPOCH, _HEARD):
                connection.execute("INSERT OR IGNORE INTO moments VALUES (?, ?)", (name, now_ms))
            moments = dict(connection.execute("SELECT name, at_ms FROM moments"))
        return int(moments[_EPOCH]), int(moments[_HEARD])

    def records(self) -> Iterator[Record]:
        """All records that were stored.

        Raises:
            JournalDamaged: one of them cannot be read.
        """
        with self._database.read() as connection:
            for kind, key, body in connection.execute("SELECT kind, id, body FROM records"):
                try:
                    yield decode_record(kind, body)
                except ValueError as error:
                    raise damaged(self._database.path, f"record {kind} {key}: {error}") from error
