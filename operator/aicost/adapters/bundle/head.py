"""`bundle.yaml`: what a bundle is about."""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from aicost.adapters.bundle.layout import BundleFile
from aicost.adapters.bundle.moments import read_length, read_moment
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, Window
from aicost.domain.sampling.dialects import DCGM, DIALECTS, Dialect
from aicost.ports.errors import InvalidRequest

FORMAT_VERSION = 1
_LARGEST = 1 << 20
_LONGEST_MS = 400 * DAY_MS
_LONGEST_NAME = 253
_VERSION = re.compile(r"(?:.*/)?v?([0-9]{1,6})(?:\.0)?(?:(?:alpha|beta)[0-9]+)?")
_DIALECT_NAMES: Mapping[str, Dialect] = {
    **{one.releases: one for one in DIALECTS},
    "4.8.2": DCGM[0],
    "4.8.3": DCGM[1],
    "4.9": DCGM[2],
}
_SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "formatVersion": ("formatversion", "version", "format", "apiversion"),
    "cluster": ("cluster", "clustername", "clusterid"),
    "window": ("window", "span"),
    "from": ("from", "start", "since"),
    "to": ("to", "end", "until"),
    "scrapeInterval": ("scrapeinterval", "interval", "scrapeintervalseconds", "intervalseconds"),
    "collectionInterval": ("collectioninterval", "collectionintervalseconds", "collectionseconds"),
    "windowLength": ("windowlength", "billingwindow", "grid"),
    "source": ("source",),
    "dialect": ("dialect",),
    "description": ("description", "comment", "name", "title", "kind", "recordedby", "recordedat", "anonymised"),
}
"""Field -> how people spell it, in small letters and without dashes."""


@dataclass(frozen=True, slots=True)
class BundleHead:
    """What a bundle is about.

    Attributes:
        cluster: key of the cluster in the ledger.
        window: what is replayed.
        interval_ms: time between samples; None where it is to be read off the samples.
        collection_ms: how often the exporters collect; None where nobody says.
        window_ms: length of a billing window.
        source: where the samples come from, for people.
        dialect: how the exporters speak, where names and texts do not tell it.
        remarks: what is odd about the head, for people.
    """

    cluster: str
    window: Window
    interval_ms: int | None = None
    collection_ms: int | None = None
    window_ms: int = HOUR_MS
    source: str = ""
    dialect: Dialect | None = None
    remarks: tuple[str, ...] = ()


def read_head(file: BundleFile, *, cluster: str | None = None) -> BundleHead:
    """Read the head of a bundle.

    Args:
        file: `bundle.yaml`.
        cluster: takes the place of the cluster that it names.

    Raises:
        InvalidRequest: a field is missing or makes no sense; the message names file, field, value and fix.
    """
    fields = _Fields(file.name, _mapping(file))
    _check_version(fields)
    return BundleHead(
        cluster=_cluster(fields, cluster),
        window=_window(fields),
        interval_ms=fields.length("scrapeInterval"),
        collection_ms=fields.length("collectionInterval"),
        window_ms=_window_ms(fields),
        source=str(fields.value("source") or ""),
        dialect=_dialect(fields),
        remarks=tuple(fields.remarks()),
    )


class _Fields:
    """The fields of a mapping, however they are spelled."""

    def __init__(self, name: str, body: Mapping[str, Any], within: str = "") -> None:
        self.name, self._within, self._odd = name, within, []
        self._values: dict[str, Any] = {}
        known = {spelling: field for field, spellings in _SPELLINGS.items() for spelling in spellings}
        for key, value in body.items():
            field = known.get(re.sub(r"[-_ ]", "", str(key)).lower())
            if field is None:
                self._odd.append(str(key))
            else:
                self._values.setdefault(field, value)

    def value(self, field: str) -> Any:
        """What a field says; None where it is absent."""
        return self._values.get(field)

    def inner(self, field: str) -> "_Fields":
        """The fields inside a field; none where it is no mapping."""
        value = self.value(field)
        return _Fields(self.name, value if isinstance(value, Mapping) else {}, f"{field}.")

    def length(self, field: str) -> int | None:
        """A length of time; None where it is absent."""
        value = self.value(field)
        try:
            return None if value is None else read_length(value)
        except ValueError as problem:
            raise self.refused(field, value, str(problem)) from problem

    def refused(self, field: str, value: object, fix: str) -> InvalidRequest:
        """The error about a field."""
        shown = "is missing" if value is None else f"{str(value)[:80]!r}"
        return InvalidRequest(f"{self.name}: {self._within}{field}: {shown}: {fix}")

    def remarks(self) -> Iterator[str]:
        """What is not known and hence not read."""
        for key in self._odd:
            close = difflib.get_close_matches(key, _SPELLINGS, 1)
            hint = f"; did you mean {close[0]}?" if close else ""
            yield f"{self.name}: {key[:80]} is no field of a bundle and is not read{hint}"


def _mapping(file: BundleFile) -> Mapping[str, Any]:
    with file.open() as stream:
        text = stream.read(_LARGEST + 1)
    if len(text) > _LARGEST:
        raise InvalidRequest(f"{file.name}: is larger than {_LARGEST >> 20} MiB: it holds a few fields")
    try:
        body = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 -- texts alone, and no objects
    except (yaml.YAMLError, ValueError, RecursionError) as problem:
        mark = getattr(problem, "problem_mark", None)
        where = f" line {mark.line + 1}" if mark else ""
        raise InvalidRequest(f"{file.name}{where}: is no YAML: {getattr(problem, 'problem', problem)}") from problem
    if not isinstance(body, Mapping):
        raise InvalidRequest(f"{file.name}: holds no fields: write cluster, window and scrapeInterval")
    return body


def _check_version(fields: _Fields) -> None:
    """A bundle that names no version is of the first."""
    said = fields.value("formatVersion")
    match = _VERSION.fullmatch(str(said or FORMAT_VERSION))
    if match is None or int(match[1]) != FORMAT_VERSION:
        raise fields.refused("formatVersion", said, f"this aicost reads version {FORMAT_VERSION}")


def _cluster(fields: _Fields, named: str | None) -> str:
    cluster = named or fields.value("cluster")
    if not isinstance(cluster, str) or not cluster.strip():
        raise fields.refused("cluster", cluster, "write the name under which the ledger keeps it, or use --cluster")
    if len(cluster) > _LONGEST_NAME:
        raise fields.refused("cluster", cluster, f"write at most {_LONGEST_NAME} characters")
    return cluster.strip()


def _window(fields: _Fields) -> Window:
    """`window: {from, to}`, `window: FROM/TO`, or `from` and `to` beside the other fields."""
    said = fields.value("window")
    inner = fields.inner("window") if isinstance(said, Mapping) else fields
    pair = (inner.value("from"), inner.value("to"))
    if isinstance(said, str):
        first, slash, last = said.replace("..", "/").partition("/")
        pair = (first.strip(), last.strip()) if slash else (None, None)
    bounds = []
    for field, value in zip(("from", "to"), pair, strict=True):
        try:
            bounds.append(read_moment(value))
        except ValueError as problem:
            raise fields.refused(f"window.{field}", value, str(problem)) from problem
    if bounds[0] >= bounds[1]:
        raise fields.refused(
            "window", f"{pair[0]}/{pair[1]}", "it ends before it begins: write the earlier moment as from"
        )
    if bounds[1] - bounds[0] > _LONGEST_MS:
        raise fields.refused("window", f"{pair[0]}/{pair[1]}", "is longer than 400 days: make several bundles")
    return Window(*bounds)


def _window_ms(fields: _Fields) -> int:
    length = fields.length("windowLength") or HOUR_MS
    if DAY_MS % length or length > HOUR_MS:
        raise fields.refused("windowLength", fields.value("windowLength"), "write 1h or 15m")
    return length


def _dialect(fields: _Fields) -> Dialect | None:
    said = fields.value("dialect")
    if said in (None, "", "auto"):
        return None
    known = _DIALECT_NAMES.get(str(said).strip())
    if known is None:
        raise fields.refused(
            "dialect", said, f"use the exporter's release: {', '.join(_DIALECT_NAMES)}; or leave it out"
        )
    return known
