"""The last audit of labels as a file: the controller writes it, the query API beside it reads it."""

import os
from pathlib import Path

import msgspec

from aicost.domain.coverage.objects import Audit, LastAudit
from aicost.ports.errors import LedgerUnavailable

NAME = "label-audit.json"
VERSION = 1
_NEVER = "the controller has not looked at them yet"


class _File(msgspec.Struct):
    """What the file holds: the audit of one cluster, in a form of one version."""

    version: int
    cluster: str
    audit: msgspec.Raw


class AuditFile:
    """One audit, replaced as a whole; a reader sees the old one or the new one.

    Args:
        folder: where the file lies.
        none_here: why there is none where the file is absent.
    """

    def __init__(self, folder: Path, none_here: str = _NEVER) -> None:
        self._path, self._none_here = folder / NAME, none_here
        self._seen: tuple[tuple[int, int], str, LastAudit] | None = None

    def put(self, audit: Audit, cluster: str) -> None:
        """Keep an audit of a cluster in place of the one before.

        Raises:
            LedgerUnavailable: it cannot be written.
        """
        body = msgspec.json.encode(_File(VERSION, cluster, msgspec.Raw(msgspec.json.encode(audit))))
        beside = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(body)
            beside.replace(self._path)
        except OSError as problem:
            raise LedgerUnavailable(f"the audit cannot be written to {self._path}: {problem.strerror}") from problem

    def latest(self, cluster: str = "") -> LastAudit:
        """The last audit, read again only where the file changed; or why there is none.

        Args:
            cluster: key of the cluster whose audit is wanted; empty: whichever lies there.
        """
        try:
            state = self._path.stat()
            mark = (state.st_mtime_ns, state.st_size)
            seen = self._seen
            if seen is None or seen[0] != mark:
                seen = self._seen = (mark, *self._read(self._path.read_bytes()))
        except FileNotFoundError:
            return LastAudit(why_none=self._none_here)
        except OSError as problem:
            return LastAudit(why_none=f"{self._path} cannot be read: {os.strerror(problem.errno or 0)}")
        _, found, last = seen
        if cluster and found not in {cluster, ""}:
            return LastAudit(why_none=f"{self._path} is of another cluster, {found}")
        return last

    def _read(self, body: bytes) -> tuple[str, LastAudit]:
        """The cluster and its audit; no cluster where the file cannot be understood."""
        try:
            file = msgspec.json.decode(body, type=_File)
            if file.version != VERSION:
                return "", LastAudit(why_none=f"{self._path} is of another version of aicost: wait for the next audit")
            return file.cluster, LastAudit(msgspec.json.decode(file.audit, type=Audit))
        except (msgspec.MsgspecError, RecursionError) as problem:
            return "", LastAudit(why_none=f"{self._path} cannot be understood, wait for the next audit: {problem}")
