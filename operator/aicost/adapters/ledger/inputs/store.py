"""Inputs of posted statements in a Delta table beside the ledger (port `InputStore`).

Each part of the inputs is found by the digest of its content and stands in the table once a day, however many windows
and revisions rest on it. A manifest lists the parts of one posting; the ledger holds a number of the manifest's digest.
So a part that was altered is found out by its own digest, and one that was altered together with its manifest by the
ledger's number.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

from deltalake import DeltaTable

from aicost.adapters.ledger.beside.table import TableBeside, day_of, sweep
from aicost.adapters.ledger.failures import FAILURES, translated
from aicost.adapters.ledger.inputs.codec import check_fields, known_fields
from aicost.adapters.ledger.inputs.manifest import (
    FORMAT,
    Manifest,
    PartRef,
    anchor_of,
    content_digest,
    digest_of,
    read_back,
    written,
)
from aicost.adapters.ledger.inputs.parts import SHARED, join, parts_of_node, split
from aicost.adapters.ledger.inputs.table import INPUTS, MANIFEST, Part, expanded, rows_of
from aicost.adapters.ledger.place import LedgerPlace
from aicost.adapters.ledger.queries import literal
from aicost.domain.attribution.window import WindowInput
from aicost.domain.exact.windows import Window, to_millis
from aicost.ports.errors import InputsDamaged
from aicost.ports.inputs import KeptInputs

_TABLE = INPUTS.name
_MANY_NODES = 64
"""Of more nodes than these all parts of the windows in question are read, and not each by its name."""
_UNREADABLE: tuple[type[Exception], ...] = (*FAILURES, ValueError)
_RESTORE = "To fix: restore the ledger's folder `inputs` from its backup"


class DeltaInputs:
    """Inputs beside the ledger at a place. It holds no state: several threads and processes may use one place.

    Args:
        place: the ledger's place.
        software: version of aicost, which is kept beside the inputs.
    """

    def __init__(self, place: LedgerPlace, software: str) -> None:
        self._beside, self._software = TableBeside(INPUTS, place), software

    def keep(
        self, given: WindowInput, revision: int, before: Mapping[str, int] | None = None, *, repriced: bool = False
    ) -> int:
        """Keep what a posting will rest on; see the port."""
        with translated("written", self._beside.uri):
            table = self._beside.open_or_create()
            parts = {name: Part(name, digest_of(body), body) for name, body in split(given).items()}
            known = self._known(table, given.cluster, given.window)
            start_ms = given.window.start_ms
            refs = {name: PartRef(part.digest, known.get(part.digest, start_ms)) for name, part in parts.items()}
            manifest = replace(self._manifest(given, revision, before or {}, refs), repriced=repriced)
            digest = content_digest(manifest)
            if digest not in known:
                new = [part for part in parts.values() if part.digest not in known]
                listed = Part(MANIFEST, digest, written(manifest))
                self._beside.append(table, rows_of(given.cluster, given.window, revision, [*new, listed]))
            return anchor_of(digest)

    def read(
        self, cluster: str, window: Window, revision: int, *, anchor: int, nodes: Collection[str] | None = None
    ) -> KeptInputs | None:
        """What was kept for a posting; see the port."""
        table = self._table()
        if table is None:
            return None
        manifest = self._found(table, cluster, window, revision, anchor)
        if manifest is None:
            return None
        check_fields(manifest.fields, manifest.software)
        wanted = _wanted(manifest, nodes)
        bodies = self._bodies(table, manifest, wanted)
        where = f"window {window}, revision {revision}"
        try:
            given = join({name: bodies[manifest.parts[name].digest] for name in wanted})
        except (ValueError, KeyError) as problem:
            raise InputsDamaged(f"inputs of {where} cannot be put together: {problem}. {_RESTORE}") from problem
        return KeptInputs(
            given, manifest.before, manifest.repriced, manifest.software, anchor_of(content_digest(manifest))
        )

    def pinned(self) -> "DeltaInputs":
        """The inputs as they are now, for many reads: what is kept later is not in them."""
        return _PinnedInputs(self._beside.place, self._software)

    def _table(self) -> DeltaTable | None:
        """The table as it is now; None where nothing was ever kept."""
        return self._beside.found()

    _remembered: Mapping[str, bytes] = MappingProxyType({})
    """Contents by digest that need not be read again."""

    def _remember(self, digest: str, body: bytes, *, shared: bool) -> None:
        """Take note of a content; `shared`: of one that was written with another window."""

    def prune(self, before_ms: int) -> int:
        """Forget the days that ended before a moment; see the port."""
        with translated("written", self._beside.uri):
            if not self._beside.exists():
                return 0
            table, first = self._beside.open(), day_of(before_ms)
            days = {one["date"] for one in table.partitions() if one["date"] < first}
            if days:
                table.delete(f"date < '{first}'")
                sweep(table)
            return len(days)

    def _manifest(
        self, given: WindowInput, revision: int, before: Mapping[str, int], parts: Mapping[str, PartRef]
    ) -> Manifest:
        fields = known_fields()
        return Manifest(
            FORMAT, self._software, given.cluster, given.window, revision, fields, parts, dict(sorted(before.items()))
        )

    def _known(self, table: DeltaTable, cluster: str, window: Window) -> Mapping[str, int]:
        """Digests of what is kept for the window's day, and the start of the window that each was written with."""
        query = f"SELECT digest, window_start FROM {_TABLE} WHERE {_day_of(cluster, window)}"  # noqa: S608
        found = self._ask(table, query)
        return {one["digest"]: to_millis(one["window_start"]) for one in found}

    def _found(self, table: DeltaTable, cluster: str, window: Window, revision: int, anchor: int) -> Manifest | None:
        """The manifest of a posting."""
        where = f"{_day_of(cluster, window)} AND {_written_with([window.start_ms])} AND part = '{MANIFEST}'"
        query = f"SELECT window_end, revision, digest, size, data FROM {_TABLE} WHERE {where}"  # noqa: S608
        end_ms = window.end_ms
        rows = [one for one in self._ask(table, query) if one["revision"] == revision]
        rows = [one for one in rows if to_millis(one["window_end"]) == end_ms]
        rows.sort(key=lambda one: (anchor_of(one["digest"]) != anchor, one["digest"]))
        if not rows:
            return None
        name = f"window {window}, revision {revision}"
        manifest = read_back(_body(rows[0], MANIFEST, name), name)
        if content_digest(manifest) != rows[0]["digest"]:
            raise InputsDamaged(f"the list of inputs of {name} is not what was kept. {_RESTORE}")
        return manifest

    def _bodies(self, table: DeltaTable, manifest: Manifest, wanted: Sequence[str]) -> Mapping[str, bytes]:
        """Contents of parts by their digest, checked."""
        digests = {manifest.parts[name].digest: name for name in wanted}
        found = {digest: body for digest in digests if (body := self._remembered.get(digest)) is not None}
        by_window: dict[int, list[str]] = defaultdict(list)
        for digest, name in digests.items():
            if digest not in found:
                by_window[manifest.parts[name].at_ms].append(name)
        where = f"window {manifest.window}, revision {manifest.revision}"
        for at_ms, names in by_window.items():
            for one in self._ask(table, _parts_query(manifest, at_ms, names)):
                part = digests.get(one["digest"])
                if part is not None and one["digest"] not in found:
                    body = _checked(_body(one, part, where), one["digest"], part, where)
                    found[one["digest"]] = body
                    self._remember(one["digest"], body, shared=at_ms != manifest.window.start_ms)
        missing = [name for digest, name in digests.items() if digest not in found]
        if missing:
            raise InputsDamaged(
                f"inputs of {where} are not complete: part {missing[0]!r} is missing"
                + (f", and {len(missing) - 1} more" if len(missing) > 1 else "")
                + f". {_RESTORE}"
            )
        return found

    def _ask(self, table: DeltaTable, query: str) -> Iterator[dict[str, Any]]:
        return iter(self._beside.ask(table, query).to_pylist())


class _PinnedInputs(DeltaInputs):
    """Opens the table once, and reads once what the windows of a day share."""

    def __init__(self, place: LedgerPlace, software: str) -> None:
        super().__init__(place, software)
        self._shared: dict[str, bytes] = {}
        self._remembered = MappingProxyType(self._shared)

    def _remember(self, digest: str, body: bytes, *, shared: bool) -> None:
        if shared:
            self._shared[digest] = body

    @cached_property
    def _opened(self) -> DeltaTable | None:
        return super()._table()

    def _table(self) -> DeltaTable | None:
        return self._opened


def _wanted(manifest: Manifest, nodes: Collection[str] | None) -> list[str]:
    """Names of the parts that are needed for some nodes, or for all."""
    if nodes is None:
        return list(manifest.parts)
    names = [*SHARED, *(name for node in sorted(nodes) for name in parts_of_node(node))]
    return [name for name in names if name in manifest.parts]


def _day_of(cluster: str, window: Window) -> str:
    return f"date = DATE '{day_of(window.start_ms)}' AND \"cluster\" = {literal(cluster)}"


def _written_with(starts: Sequence[int]) -> str:
    return f"window_start IN ({', '.join(f'to_timestamp_millis({start_ms})' for start_ms in starts)})"


def _parts_query(manifest: Manifest, at_ms: int, names: Sequence[str]) -> str:
    where = f"{_day_of(manifest.cluster, manifest.window)} AND {_written_with([at_ms])}"
    if len(names) <= _MANY_NODES:
        where += f" AND part IN ({', '.join(map(literal, names))})"
    return f"SELECT part, digest, size, data FROM {_TABLE} WHERE {where}"  # noqa: S608


def _body(row: Mapping[str, Any], name: str, where: str) -> bytes:
    try:
        return expanded(row["data"], row["size"])
    except _UNREADABLE as problem:
        raise InputsDamaged(f"inputs of {where}: part {name!r} cannot be read: {problem}. {_RESTORE}") from problem


def _checked(body: bytes, digest: str, name: str, where: str) -> bytes:
    if digest_of(body) != digest:
        raise InputsDamaged(f"inputs of {where}: part {name!r} is not what was kept (its checksum differs). {_RESTORE}")
    return body
