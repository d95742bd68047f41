"""Lifetimes of pods and nodes, in memory for those who ask and on the volume for the next start."""

from pathlib import Path

from aicost.adapters.journal.inventory_file import InventoryFile
from aicost.adapters.journal.memory import MemoryInventory

HEARD_STEP_MS = 10_000
"""How far the watch must have moved before that is worth a write of its own."""


class InventoryJournal(MemoryInventory):
    """An inventory (port `Inventory`) that is kept on the volume, moved forward by what a watch shows.

    Changes are in memory at once and on the volume after `flush()`, which is to be called each second or so: what a
    crash takes away comes back with the next list of the cluster, deletions as gaps that begin at `heard_ms`.

    Args:
        path: the journal's file.
        now_ms: our own clock; a new journal begins then, and so does its ledger.

    Raises:
        JournalUnavailable, JournalDamaged: it cannot be opened; the message names the fix.
    """

    def __init__(self, path: Path, now_ms: int) -> None:
        self._file = InventoryFile(path, now_ms)
        super().__init__(self._file.epoch_ms)
        try:
            for record in self._file.records():
                self._load(record)
        except BaseException:
            self._file.close()
            raise
        self._heard_ms = self._file.heard_ms

    @property
    def heard_ms(self) -> int:
        """Up to here the watch missed nothing; after a restart the start of every gap.

        It goes back with our clock: one that was ahead has heard nothing of the time that it named.
        """
        return self._heard_ms

    def heard(self, at_ms: int) -> None:
        """The watches of pods and nodes are complete up to here."""
        with self._lock:
            self._heard_ms = at_ms

    def flush(self) -> int:
        """Put all changes on the volume, in one transaction; gives their number.

        Raises:
            JournalUnavailable: nothing was written; the changes are kept for the next call.
        """
        with self._lock:
            changes, heard_ms = dict(self._dirty), self._heard_ms
            self._dirty.clear()
        if not changes and abs(heard_ms - self._file.heard_ms) < HEARD_STEP_MS:
            return 0
        try:
            self._file.store(changes, heard_ms)
        except BaseException:
            with self._lock:
                self._dirty.update({**changes, **self._dirty})
            raise
        return len(changes)

    def close(self) -> None:
        """Put all changes on the volume and close the file."""
        try:
            self.flush()
        finally:
            self._file.close()
