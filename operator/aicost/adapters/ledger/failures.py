"""Failures of Delta, Arrow and the file system, in the words of the ports."""

import re
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
_STORE_FIXES = (
    (
        re.compile(r"\b40[13]\b|forbidden|access ?denied|unauthori[sz]ed|unauthenticated|privileges|signature"),
        (
            "let the ledger's key list, read and write in the bucket, or give it another one "
            "(ledger.storageOptionFiles); what is missing is posted afterwards"
        ),
    ),
    (
        re.compile(r"no ?such ?bucket|bucket \S* ?not found"),
        "make the bucket, or name the one that is there in ledger.url",
    ),
    (
        re.compile(r"sending request|timed out|\b(429|5\d\d)\b|slow ?down|server error|connect"),
        (
            "the object store does not answer as it should: see to it; it is tried again, and what is missing is "
            "posted afterwards"
        ),
    ),
)
"""What object stores say; nothing of it speaks of a damaged file."""
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_TOOK = re.compile(r" in \d+(\.\d+)?(ns|[\u00b5\u03bc]s|us|ms|s)\b")
"""How long it took is another number each time, and what lasts is told once."""
_CORRUPT = "a file of the table cannot be read: restore the ledger's directory from its backup, then start again"
_LONGEST = 300


def unavailable(doing: str, uri: str, failure: BaseException) -> LedgerUnavailable:
    """The port's error for a failure: what was done, where, what happened, and what helps."""
    whole = " ".join(_COLOUR.sub("", str(failure)).replace("\u21b3", "->").split())
    said = _TOOK.sub("", whole)[:_LONGEST] or type(failure).__name__
    return LedgerUnavailable(f"the ledger at {uri} could not be {doing}: {said}. To fix: {_fix(uri, whole.lower())}")


def _fix(uri: str, said: str) -> str:
    """What helps, by what was said."""
    if "://" in uri:
        said = said.replace(uri.lower(), "")
        known = next((fix for sign, fix in _STORE_FIXES if sign.search(said)), None)
        if known is not None:
            return known
    return next((fix for sign, fix in _FIXES if sign in said), _CORRUPT)


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
