"""The last judgement of the telemetry of nodes as a file: the controller writes it, the query API reads it."""

import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from aicost.domain.trust.standing import NodeTelemetry
from aicost.ports.errors import LedgerUnavailable

NAME = "node-telemetry.json"
VERSION = 1
_NEVER = "the controller has not looked at the telemetry of nodes yet"


class _File(msgspec.Struct):
    """What the file holds: the judgement of one cluster, in a form of one version."""

    version: int
    cluster: str
    nodes: msgspec.Raw


@dataclass(frozen=True, slots=True)
class LastLook:
    """What the last look at all nodes said, or why nothing is known."""

    nodes: tuple[NodeTelemetry, ...] = ()
    why_none: str = ""


class TrustFile:
    """One judgement, replaced as a whole; a reader sees the old one or the new one.

    Args:
        folder: where the file lies.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME

    def put(self, nodes: Sequence[NodeTelemetry], cluster: str) -> None:
        """Keep a judgement of a cluster in place of the one before. Several may write: the last one counts.

        Raises:
            LedgerUnavailable: it cannot be written.
        """
        body = msgspec.json.encode(_File(VERSION, cluster, msgspec.Raw(msgspec.json.encode(nodes))))
        beside = self._path.with_suffix(f".{secrets.token_hex(4)}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(body)
            beside.replace(self._path)
        except OSError as problem:
            beside.unlink(missing_ok=True)
            raise LedgerUnavailable(
                f"telemetry of nodes: {self._path} cannot be written: {problem.strerror}"
            ) from problem

    def latest(self, cluster: str) -> LastLook:
        """The last judgement of a cluster, or why there is none."""
        try:
            body = self._path.read_bytes()
        except FileNotFoundError:
            return LastLook(why_none=_NEVER)
        except OSError as problem:
            return LastLook(why_none=f"{self._path} cannot be read: {os.strerror(problem.errno or 0)}")
        try:
            file = msgspec.json.decode(body, type=_File)
            if (file.version, file.cluster) != (VERSION, cluster):
                return LastLook(why_none=f"{self._path} is of another cluster or version: wait for the next look")
            return LastLook(msgspec.json.decode(file.nodes, type=tuple[NodeTelemetry, ...]))
        except (msgspec.MsgspecError, RecursionError) as problem:
            return LastLook(why_none=f"{self._path} cannot be understood, wait for the next look: {problem}")
