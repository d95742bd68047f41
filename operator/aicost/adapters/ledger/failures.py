"""Failures of Delta, Arrow and the file system, in the words of the ports."""

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
from deltalake.exceptions import CommitFailedError, DeltaError

from aicost.ports.errors import LedgerUnavailable

FAILURES: tuple[type[Exception], ...] = (DeltaError, OSError, pa.ArrowException, OverflowError)
"""What Delta, Arrow and the file system raise."""

_FIXES = (
    ("no space left", "free space on the volume or make it larger; what is missing is posted afterwards"),
    ("file too large", "raise the limit on file sizes; what is missing is posted afterwards"),
    ("permission denied", "let the user that aicost runs as write there (fsGroup of the pod)"),
    ("read-only", "mount the volume with write access"),
    ("not a directory", "point the ledger at a directory, or at the URL of an object store"),
    ("not found", "a file of the table is missing: restore the ledger's directory from its backup"),
)
_CORRUPT = "a file of the table cannot be read: restore the ledger's directory from its backup, then start again"
_LONGEST = 300


def unavailable(doing: str, uri: str, failure: BaseException) -> LedgerUnavailable:
    """The port's error for a failure: what was done, where, what happened, and what helps."""
    said = " ".join(str(failure).split())[:_LONGEST] or type(failure).__name__
    fix = next((fix for sign, fix in _FIXES if sign in said.lower()), _CORRUPT)
    return LedgerUnavailable(f"the ledger at {uri} could not be {doing}: {said}. To fix: {fix}")


@contextmanager
def translated(doing: str, uri: str) -> Iterator[None]:
    """Turn failures inside the block into `LedgerUnavailable`."""
    try:
        yield
    except FAILURES as failure:
        raise unavailable(doing, uri, failure) from failure


def lost_a_race(failure: Exception) -> bool:
    """Whether a commit failed since another one came first, and not since the store did."""
    return isinstance(failure, CommitFailedError)
