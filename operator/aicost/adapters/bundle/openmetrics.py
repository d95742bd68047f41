"""Reads OpenMetrics text with times: samples by the million, so whole blocks at once, and labels once per series.

Lines are cut from the right into labels, value and time, and what is left is looked up among the series that are known.
Only where that fails a block is looked at line by line: there is an exemplar, odd spacing, or something that is no
sample.
"""

import re
from codecs import BOM_UTF8
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from aicost.adapters.bundle.columns import Columns, Gathering, SeriesId
from aicost.adapters.bundle.layout import BLOCK, BundleFile
from aicost.adapters.bundle.moments import LARGEST, MILLIS_FROM
from aicost.domain.exact.windows import SECOND_MS, Window
from aicost.domain.sampling.series import Millis
from aicost.ports.errors import InvalidRequest

LONGEST_LINE = 1 << 20
_UNWANTED = -1
_KEY = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(?:\{(.*)\})?\s*", re.DOTALL)
_LABEL = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)', re.DOTALL)
_ROW = re.compile(
    rb'\s*([a-zA-Z_:][a-zA-Z0-9_:]*\s*(?:\{(?:[^"{}]|"(?:[^"\\]|\\.)*")*\})?)\s*([^\s{}#]+)(?:\s+([^\s{}#]+))?\s*(?:#.*)?'
)
_ESCAPE = re.compile(r"\\(.)")
_PLAIN = {"n": "\n", "\\": "\\", '"': '"'}
_SHOWN = 120
_HOW = "write NAME{labels} VALUE TIME, the time in seconds since 1970"

_Row = Sequence[bytes]
"""Labels, value and time."""
_Place = Callable[[bytes], int]
_Identity = tuple[str, tuple[tuple[str, str], ...]]


class _NotPlain(Exception):
    """A block that must be looked at line by line."""


@dataclass(slots=True)
class SampleReader:
    """Reads files into columns.

    Attributes:
        names: metrics that are wanted; samples of others are left out.
        kept: samples outside are left out.
        samples: samples read so far, wanted or not.
        unwanted: names that were left out.
    """

    names: Collection[str]
    kept: Window
    samples: int = 0
    unwanted: set[str] = field(default_factory=set)
    _keys: dict[bytes, int] = field(default_factory=dict)
    _places: dict[_Identity, int] = field(default_factory=dict)
    _helps: list[set[str]] = field(default_factory=list)
    _gathering: Gathering = field(init=False)

    def __post_init__(self) -> None:
        self._gathering = Gathering(self.kept)

    def read(self, file: BundleFile) -> Iterator[int]:
        """Read a file; gives the number of samples so far, block by block, for whoever waits.

        Raises:
            InvalidRequest: a line is no sample or has no time; the message names file, line and fix.
        """
        helps: dict[str, str] = {}
        seen: set[int] = set()
        for number, block in _blocks(file):
            lines = block.split(b"\n")
            _read_helps(lines, helps)
            self._take(_rows(file.name, number, lines, self._place), seen)
            yield self.samples
        identities = list(self._places)
        for place in seen - {_UNWANTED}:
            self._helps[place].add(helps.get(identities[place][0], ""))

    def columns(self) -> Columns:
        """All samples that were read, with the HELP texts on which the files agree."""
        known = []
        for (name, labels), texts in zip(self._places, self._helps, strict=True):
            said = texts - {""}
            known.append(SeriesId(name, dict(labels), said.pop() if len(said) == 1 else ""))
        return self._gathering.columns(tuple(known))

    def _take(self, rows: "_Block", seen: set[int]) -> None:
        self.samples += len(rows.places)
        if rows.places:
            series = np.array(rows.places, np.int32)
            seen.update(np.unique(series).tolist())
            self._gathering.add(series, rows.at_ms, np.array(rows.values, np.float64))

    def _place(self, key: bytes) -> int:
        """The number of a series.

        Raises:
            _NotPlain: this is no series.
        """
        place = self._keys.get(key)
        if place is None:
            place = self._keys[key] = self._new(key)
        return place

    def _new(self, key: bytes) -> int:
        name, labels = _identity(key)
        if name not in self.names:
            self.unwanted.add(name)
            return _UNWANTED
        place = self._places.setdefault((name, labels), len(self._places))
        if place == len(self._helps):
            self._helps.append(set())
        return place


@dataclass(frozen=True, slots=True)
class _Block:
    """Samples of one block: the number of each one's series, its value and its time."""

    places: list[int]
    values: list[float]
    at_ms: Millis


def _rows(name: str, first: int, lines: list[bytes], place: _Place) -> _Block:
    """The samples of a block of lines."""
    try:
        return _read([row for line in lines if line[:1] != b"#" and (row := line.rsplit(None, 2))], place)
    except (_NotPlain, ValueError):
        return _read(list(_one_by_one(name, first, lines)), place)


def _read(rows: Sequence[_Row], place: _Place) -> _Block:
    """Samples from rows that are cut into labels, value and time.

    Raises:
        ValueError, _NotPlain: one of them is not.
    """
    if not rows:
        return _Block([], [], np.zeros(0, np.int64))
    keys, values, times = zip(*rows, strict=True)
    if b"_" in b"".join(values) or b"_" in b"".join(times):  # Python reads 1_000 as a number, nobody else does
        raise _NotPlain
    return _Block(list(map(place, keys)), list(map(float, values)), _moments(list(map(float, times))))


def _moments(times: list[float]) -> Millis:
    """Times in milliseconds, from seconds; what would be the year 5138 is milliseconds already."""
    told = np.array(times, np.float64)
    if not (np.abs(told) < LARGEST).all():
        raise _NotPlain
    return np.rint(np.where(np.abs(told) >= MILLIS_FROM, told, told * SECOND_MS)).astype(np.int64)


def _one_by_one(name: str, first: int, lines: list[bytes]) -> Iterator[_Row]:
    """Each line by itself, to find the one that is wrong.

    Raises:
        InvalidRequest: a line is no sample.
    """
    for number, line in enumerate(lines, first):
        if not line.strip() or line.lstrip()[:1] == b"#":
            continue
        row = _ROW.fullmatch(line)
        problem = "is no sample" if row is None else _problem(row[1], row[2], row[3])
        if problem or row is None:
            shown = line[:_SHOWN].decode("utf-8", errors="replace")
            raise InvalidRequest(f"{name}:{number}: {problem}: {shown!r}: {_HOW}")
        yield row[1], row[2], row[3]


def _problem(key: bytes, value: bytes, time: bytes | None) -> str:
    """What is wrong with a sample; empty for nothing."""
    try:
        _identity(key)
    except _NotPlain:
        return "its labels cannot be read"
    if time is None:
        return "has no time"
    try:
        _read([(b"", value, b"0")], lambda _: 0)
    except (_NotPlain, ValueError):
        return f"its value {value[:_SHOWN].decode(errors='replace')!r} is no number"
    try:
        _read([(b"", b"0", time)], lambda _: 0)
    except (_NotPlain, ValueError):
        return f"its time {time[:_SHOWN].decode(errors='replace')!r} is neither seconds nor milliseconds since 1970"
    return ""


def _identity(key: bytes) -> _Identity:
    """Name and labels, sorted; an empty label is no label.

    Raises:
        _NotPlain: this is no series.
    """
    try:
        match = _KEY.fullmatch(key.decode())
    except UnicodeDecodeError as problem:
        raise _NotPlain from problem
    if match is None:
        raise _NotPlain
    return match[1], tuple(sorted((label, value) for label, value in _labels(match[2] or "").items() if value))


def _labels(text: str) -> dict[str, str]:
    labels: dict[str, str] = {}
    position, end = 0, len(text.rstrip())
    while position < end:
        label = _LABEL.match(text, position)
        if label is None or label[1] in labels:
            raise _NotPlain
        labels[label[1]] = _unescape(label[2])
        position = label.end()
    return labels


def _unescape(text: str) -> str:
    return _ESCAPE.sub(lambda match: _PLAIN.get(match[1], match[0]), text) if "\\" in text else text


def _read_helps(lines: list[bytes], helps: dict[str, str]) -> None:
    """Keep the HELP texts, the first of each metric."""
    for line in lines:
        if line[:1] == b"#":
            parts = line.decode("utf-8", errors="replace").split(None, 3)
            if len(parts) == 4 and parts[:2] == ["#", "HELP"]:
                helps.setdefault(parts[2], _unescape(parts[3].strip()))


def _blocks(file: BundleFile) -> Iterator[tuple[int, bytes]]:
    """Whole lines, many at a time, with the number of the first.

    Raises:
        InvalidRequest: a line has no end.
    """
    with file.open() as stream:
        number, rest = 1, stream.read(len(BOM_UTF8)).removeprefix(BOM_UTF8)
        while got := stream.read(BLOCK):
            head, newline, tail = got.rpartition(b"\n")
            if newline:
                block = rest + head
                yield number, block
                number, rest = number + block.count(b"\n") + 1, tail
            else:
                rest += tail
            if len(rest) > LONGEST_LINE:
                raise InvalidRequest(f"{file.name}:{number}: the line is longer than {LONGEST_LINE >> 20} MiB: {_HOW}")
        yield number, rest
