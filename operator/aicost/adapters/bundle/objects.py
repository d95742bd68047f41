"""`objects.jsonl`: what a watch showed, one event a line."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, BinaryIO

import msgspec

from aicost.adapters.bundle.layout import BundleFile
from aicost.adapters.bundle.moments import read_moment
from aicost.domain.exact.windows import Window
from aicost.ports.errors import InvalidRequest

Body = dict[str, Any]
LONGEST_LINE = 8 << 20
"""The API server itself takes no object above 3 MiB."""
_UNSEEN = "unseenSince"
_SPELLINGS: Mapping[str, tuple[str, ...]] = {"at": ("at", "time", "timestamp")}
_SHOWN = 80
_HOW = 'write {"at": "2026-11-20T10:00:00Z", "type": "ADDED", "object": {...}}'


class Change(StrEnum):
    """What became of an object."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


_SILENT = frozenset({"BOOKMARK", "SYNC"})
"""Events of a watch that show no object."""


@dataclass(frozen=True, slots=True)
class ObjectEvent:
    """One event.

    Attributes:
        at_ms: when it was seen.
        body: the object.
        where: file and line, for messages.
        unseen_since_ms: for a deletion that nobody saw: since when nobody looked.
    """

    at_ms: int
    change: Change
    body: Body
    where: str
    unseen_since_ms: int | None = None

    @property
    def gap(self) -> Window | None:
        """The span in which the object went, where nobody saw it go."""
        since_ms = self.unseen_since_ms
        return None if since_ms is None else Window(min(since_ms, self.at_ms), self.at_ms)

    @property
    def kind(self) -> str:
        """The object's kind."""
        return str(self.body["kind"])

    @property
    def group(self) -> str:
        """The API group of the object's kind, empty for the core one."""
        version = self.body.get("apiVersion")
        return version.rpartition("/")[0] if isinstance(version, str) else ""


def read_events(file: BundleFile) -> Iterator[ObjectEvent]:
    """The events of a file, in its order.

    Raises:
        InvalidRequest: a line is none; the message names file, line, field, value and fix.
    """
    for number, line in _lines(file):
        where = f"{file.name}:{number}"
        event = _decode(line, where)
        change, at_ms = _change(event, where), _moment(event, "at", where)
        if change is not None:
            unseen = _moment(event, _UNSEEN, where) if event.get(_UNSEEN) is not None else None
            for body in _objects(event.get("object"), where):
                yield ObjectEvent(at_ms, change, body, where, unseen)


def _lines(file: BundleFile) -> Iterator[tuple[int, bytes]]:
    with file.open() as stream:
        for number, line in enumerate(_bounded(stream, file.name), 1):
            text = line.strip().removeprefix(b"\xef\xbb\xbf")
            if text:
                yield number, text


def _bounded(stream: BinaryIO, name: str) -> Iterator[bytes]:
    """The lines of a stream, none of them without end."""
    number, rest = 1, b""
    while block := stream.read(1 << 20):
        lines = (rest + block).split(b"\n")
        rest = lines.pop()
        yield from lines
        number += len(lines)
        if len(rest) > LONGEST_LINE:
            raise InvalidRequest(
                f"{name}:{number}: the line is longer than {LONGEST_LINE >> 20} MiB: write one event a line, without "
                "managedFields"
            )
    yield rest


def _decode(line: bytes, where: str) -> Mapping[str, Any]:
    try:
        event = msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        start = line[:_SHOWN].decode("utf-8", errors="replace")
        raise InvalidRequest(f"{where}: is no JSON ({problem}): it starts with {start!r}; {_HOW}") from problem
    if not isinstance(event, Mapping):
        raise InvalidRequest(f"{where}: is no event: {_HOW}")
    return event


def _change(event: Mapping[str, Any], where: str) -> Change | None:
    said = event.get("type")
    text = said.strip().upper() if isinstance(said, str) else ""
    if text in _SILENT:
        return None
    try:
        return Change(text)
    except ValueError as problem:
        raise InvalidRequest(f"{where}: type: {_shown(said)}: write ADDED, MODIFIED or DELETED") from problem


def _moment(event: Mapping[str, Any], field: str, where: str) -> int:
    said = next((event[name] for name in _SPELLINGS.get(field, (field,)) if event.get(name) is not None), None)
    try:
        return read_moment(said)
    except ValueError as problem:
        raise InvalidRequest(f"{where}: {field}: {_shown(said)}: {problem}") from problem


def _objects(body: Any, where: str) -> Iterator[Body]:
    """The object of an event; those of a list, each by itself."""
    if not isinstance(body, dict):
        raise InvalidRequest(f"{where}: object: {_shown(body)}: write the object as the API server shows it")
    kind, metadata = body.get("kind"), body.get("metadata")
    if not isinstance(kind, str) or not kind:
        raise InvalidRequest(f"{where}: object.kind: {_shown(kind)}: write the kind, such as Pod")
    items = body.get("items")
    if kind.endswith("List") and isinstance(items, list):
        of_all = {"kind": kind.removesuffix("List"), "apiVersion": body.get("apiVersion", "")}
        for item in items:
            yield from _objects({**of_all, **item} if isinstance(item, dict) else item, where)
        return
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str) or not metadata["name"]:
        told = metadata.get("name") if isinstance(metadata, dict) else None
        raise InvalidRequest(f"{where}: object.metadata.name: {_shown(told)}: write the name of the {kind}")
    yield body


def _shown(value: object) -> str:
    if value is None:
        return "is missing"
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
