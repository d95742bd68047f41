"""Reads what an exporter or an engine shows: the Prometheus text format, tolerant line by line and fast.

A line that cannot be read is counted and left out; the others are kept. Only the families that are asked for are read.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field

from aicost.domain.sampling.dialects import PROMQL_NAMES
from aicost.domain.sampling.scrapes import Reading
from aicost.ports.errors import InvalidAnswer

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_ROW = re.compile(r"\s*(?:\{(.*)\})?\s*([^\s{}]+)(?:\s+(-?\d{1,18}))?\s*")
_LABEL = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)')
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|[iI]nf|[nN]a[nN])")
_ESCAPE = re.compile(r"\\(.)")
_PLAIN = {"n": "\n", "\\": "\\", '"': '"'}
_SHOWN = 60
_FAMILY = "DCGM_"
_MOST_FOREIGN = 64
"""Names of an unknown dialect that are kept: they are for people."""
Keeps = Callable[[str, Mapping[str, str]], bool]
"""Whether a series of these labels is wanted, of a name that is."""


def keep_all(_name: str, _labels: Mapping[str, str]) -> bool:
    """Want each series of the names that are wanted."""
    return True


@dataclass(frozen=True, slots=True)
class Exposition:
    """What one answer held.

    Attributes:
        readings: rows of the families asked for, in their order.
        defects: lines that could not be read.
        latest_stamp_ms: the latest time that the exporter itself stamped on a row, None where it stamps none.
        foreign: names of families of the exporter that were not asked for.
    """

    readings: tuple[Reading, ...]
    defects: int
    latest_stamp_ms: int | None = None
    foreign: tuple[str, ...] = ()


@dataclass(slots=True)
class _Parser:
    """State of one parse: HELP texts so far, and label blocks, which repeat from family to family."""

    names: Collection[str]
    keeps: Keeps = keep_all
    helps: dict[str, str] = field(default_factory=dict)
    blocks: dict[str, Mapping[str, str] | None] = field(default_factory=dict)
    defects: int = 0
    stamps: list[int] = field(default_factory=list)
    foreign: set[str] = field(default_factory=set)

    def readings(self, lines: list[str]) -> Iterator[Reading]:
        for line in lines:
            if line.startswith("#"):
                self._comment(line)
            elif line and not line.isspace():
                reading = self._row(line)
                if reading:
                    yield reading

    def _comment(self, line: str) -> None:
        parts = line.split(maxsplit=3)
        if len(parts) == 4 and parts[1] == "HELP" and parts[2] in self.names:
            self.helps[parts[2]] = parts[3].strip()

    def _row(self, line: str) -> Reading | None:
        name = _NAME.match(line)
        if name is None:
            self.defects += 1
            return None
        if name[0] not in self.names:
            self._pass_over(name[0])
            return None
        row = _ROW.fullmatch(line, name.end())
        value = _number(row[2]) if row else None
        labels = self._labels(row[1] or "") if row else None
        if row is None or value is None or labels is None:
            self.defects += 1
            return None
        if row[3]:
            self.stamps.append(int(row[3]))
        if not self.keeps(name[0], labels):
            return None
        return Reading(name[0], labels, value, self.helps.get(name[0], ""))

    def _pass_over(self, name: str) -> None:
        if name.startswith(_FAMILY) and len(self.foreign) < _MOST_FOREIGN:
            self.foreign.add(name)

    def _labels(self, block: str) -> Mapping[str, str] | None:
        if block not in self.blocks:
            self.blocks[block] = _read_labels(block)
        return self.blocks[block]


def parse(
    body: bytes, names: Collection[str] = PROMQL_NAMES, keeps: Keeps = keep_all, usual: str = ":9400/metrics"
) -> Exposition:
    """Read the rows of some families.

    The last line counts only if it ends: half a number is a number too, and a wrong one.

    Args:
        body: the answer.
        names: the families.
        keeps: which of their series.
        usual: where metrics of this kind are mostly found, for people.

    Raises:
        InvalidAnswer: this is a web page, or nothing in it is the text format.
    """
    _refuse_pages(body, usual)
    lines = body.decode("utf-8", errors="replace").split("\n")
    parser = _Parser(frozenset(names), keeps)
    unfinished = bool(lines.pop().strip())
    readings = tuple(parser.readings(lines))
    defects = parser.defects + unfinished
    if not readings and defects and defects >= _rows(lines) + unfinished:
        raise InvalidAnswer(f"this is not the Prometheus text format: it starts with {_start(body)}")
    return Exposition(readings, defects, max(parser.stamps, default=None), tuple(sorted(parser.foreign)))


def _rows(lines: list[str]) -> int:
    return sum(1 for line in lines if line.strip() and not line.startswith("#"))


def _refuse_pages(body: bytes, usual: str) -> None:
    if body.lstrip()[:1] == b"<":
        raise InvalidAnswer(
            f"this is a web page, not metrics: it starts with {_start(body)}; check port and path (often {usual})"
        )


def _start(body: bytes) -> str:
    return repr(body.lstrip()[:_SHOWN].decode("utf-8", errors="replace"))


def _number(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text) else None


def _read_labels(block: str) -> Mapping[str, str] | None:
    """Labels of one row; None if the block is not one."""
    labels: dict[str, str] = {}
    position, end = 0, len(block.rstrip())
    while position < end:
        label = _LABEL.match(block, position)
        if label is None:
            return None
        labels[label[1]] = _unescape(label[2]) if "\\" in label[2] else label[2]
        position = label.end()
    return labels


def _unescape(text: str) -> str:
    return _ESCAPE.sub(lambda match: _PLAIN.get(match[1], match[0]), text)
