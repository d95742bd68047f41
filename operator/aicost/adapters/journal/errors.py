"""What the journal's failures mean, in our own words."""

import sqlite3
from pathlib import Path

from aicost.ports.errors import AicostError, InvalidAnswer, SourceUnavailable


class JournalUnavailable(SourceUnavailable):
    """The journal cannot be read or written now; nothing that was committed is lost."""


class JournalDamaged(InvalidAnswer):
    """The journal's file holds what the journal never wrote."""


_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}
_FIXES = {
    sqlite3.SQLITE_FULL: "the disk is full: enlarge the volume or shorten the retention of samples",
    sqlite3.SQLITE_IOERR: "the disk failed or is full: look at the volume and its events",
    sqlite3.SQLITE_READONLY: "the file may not be written: mount the volume for writing, owned by the user we run as",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened: look at the volume, its mount and its permissions",
    sqlite3.SQLITE_PERM: "the file may not be opened: let the user we run as own the volume",
    sqlite3.SQLITE_BUSY: "another process holds the journal: let only one controller use this volume",
    sqlite3.SQLITE_LOCKED: "another process holds the journal: let only one controller use this volume",
}


def translate(error: sqlite3.Error, path: Path, doing: str) -> AicostError:
    """The error that a failure of SQLite stands for; the message names the file and the fix."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in _DAMAGED:
        return damaged(path, str(error))
    fix = _FIXES.get(code, "this is not expected: keep the file and report it")
    return JournalUnavailable(f"cannot {doing} the journal {path} ({error}): {fix}")


def damaged(path: Path, how: str) -> JournalDamaged:
    """The journal's content is wrong."""
    return JournalDamaged(
        f"the journal {path} is damaged ({how}): restore it from a backup, or move it away and restart, which loses "
        "what it kept of the past and nothing that the ledger holds"
    )
