"""Bytes of a CSV file -> rows with their lines. What is wrong is collected, each with line, column, value and fix."""

import csv
import io
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from aicost.ports.errors import InvalidRequest

LARGEST_BYTES = 32 * 2**20
MOST_ROWS = 200_000
_LARGEST_CELL = 8_192
_SHOWN_VALUE = 60
_SHOWN = 20
_DELIMITERS = (",", ";", "\t")
_NOT_IN_A_NAME = re.compile(r"[^a-z0-9:./_]+")
NOTHING = frozenset({"", "null", "none", "n/a", "na", "-"})
"""Cells that say nothing."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How large a file may be.

    Attributes:
        advice: what to do with a larger one.
    """

    bytes: int
    rows: int
    advice: str


OF_PRICES = Bounds(LARGEST_BYTES, MOST_ROWS, "cut the file to the prices of GPU machines")
Keep = Callable[[Collection[str]], Callable[[Mapping[str, str]], bool] | None]
"""Columns -> whether the cells of a row are kept; None keeps all. Of large files most rows are summed and let go."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that is wrong with a file.

    Attributes:
        line: line of the file, counted from 1.
        column: the column as the file calls it; empty where it is about the whole line.
        value: what stands there.
        fix: what is wrong and how to put it right.
    """

    line: int
    column: str
    value: str
    fix: str

    def __str__(self) -> str:
        where = f"line {self.line}" + (f", column {self.column}" if self.column else "")
        shown = self.value if len(self.value) <= _SHOWN_VALUE else f"{self.value[:_SHOWN_VALUE]}..."
        return f"{where}: {shown!r}: {self.fix}" if self.column else f"{where}: {self.fix}"


class Wrong(ValueError):
    """A cell that cannot be used; the text is the fix."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row.

    Attributes:
        line: line of the file that it ends on, counted from 1.
        cells: column in its normal form -> text; a cell that says nothing (empty, NULL, n/a) is left out.
    """

    line: int
    cells: Mapping[str, str]


@dataclass(slots=True)
class Table:
    """A file as rows.

    Attributes:
        columns: column in its normal form -> as the file calls it, in order.
        complaints: what is wrong, more may be added by whoever reads on.
    """

    columns: Mapping[str, str]
    rows: list[TableRow]
    complaints: list[Complaint] = field(default_factory=list)

    def complain(self, row: TableRow, column: str, fix: str) -> None:
        """Add what is wrong with a cell; an empty column means the whole row."""
        self.complaints.append(Complaint(row.line, self.columns.get(column, column), row.cells.get(column, ""), fix))


def normal(name: str) -> str:
    """A column's name in its normal form: lower case, words joined by underscores."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip()) if not name.isupper() else name.strip()
    return _NOT_IN_A_NAME.sub("_", spaced.lower()).strip("_")


def read_table(content: bytes, bounds: Bounds = OF_PRICES, keep: Keep | None = None) -> Table:
    """Read a CSV file: UTF-8, commas, semicolons or tabs, the names of its columns in the first line.

    Args:
        content: the file.
        bounds: how large it may be.
        keep: which rows are kept; None for all.

    Raises:
        InvalidRequest: it is no such file at all, or too large.
    """
    delimiter = _delimiter(_lines(content, bounds))
    lines = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")
    try:
        return _table(csv.reader(lines, delimiter=delimiter, strict=True), bounds, keep)
    except csv.Error as problem:
        raise InvalidRequest(f"this is no CSV: {problem}: check its quotes") from problem


def _lines(content: bytes, bounds: Bounds) -> str:
    if len(content) > bounds.bytes:
        raise InvalidRequest(f"larger than {bounds.bytes >> 20} MiB: {bounds.advice}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise InvalidRequest(f"not UTF-8 (byte {problem.start}): save it as CSV in UTF-8") from problem
    if "\x00" in text:
        raise InvalidRequest("holds zero bytes: this is no CSV, save the table as CSV in UTF-8")
    if not text.strip():
        raise InvalidRequest("empty: the first line names the columns")
    return text


def _delimiter(text: str) -> str:
    head = text.lstrip("\r\n").splitlines()[0]
    return max(_DELIMITERS, key=head.count)


def _table(reader: "csv._reader", bounds: Bounds, keep: Keep | None) -> Table:  # type: ignore[name-defined] # the module names no public type
    header: list[str] = next((row for row in reader if any(cell.strip() for cell in row)), [])
    table = Table(_columns(header, reader.line_num), [])
    names, rows = list(table.columns), 0
    kept = keep(table.columns) if keep else None
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        rows += 1
        if rows > bounds.rows:
            raise InvalidRequest(f"more than {bounds.rows} rows: {bounds.advice}")
        _take(table, names, cells, reader.line_num)
        if kept and table.rows and table.rows[-1].line == reader.line_num and not kept(table.rows[-1].cells):
            table.rows.pop()
    return table


def _columns(header: Sequence[str], line: int) -> Mapping[str, str]:
    columns: dict[str, str] = {}
    for name in header:
        key = normal(name)
        if not key:
            raise InvalidRequest(f"line {line}: a column has no name: name it, or take it out")
        if key in columns:
            raise InvalidRequest(f"line {line}: two columns are called {name.strip()!r}: take one out")
        columns[key] = name.strip()
    return columns


def _take(table: Table, names: Sequence[str], cells: Sequence[str], line: int) -> None:
    if len(cells) > len(names) and any(cell.strip() for cell in cells[len(names) :]):
        fix = f"{len(cells)} cells for {len(names)} columns: quote a cell that holds the separator"
        table.complaints.append(Complaint(line, "", "", fix))
        return
    said = {name: cell.strip() for name, cell in zip(names, cells, strict=False)}
    long = next((name for name, cell in said.items() if len(cell) > _LARGEST_CELL), None)
    row = TableRow(line, {name: cell for name, cell in said.items() if cell.lower() not in NOTHING})
    if long is not None:
        table.complain(row, long, f"longer than {_LARGEST_CELL} characters: check its quotes")
    else:
        table.rows.append(row)


def refuse(complaints: Iterable[Complaint]) -> None:
    """Raise all complaints as one.

    Raises:
        InvalidRequest: there are some.
    """
    found = list(complaints)
    if found:
        raise InvalidRequest("; ".join(_first(found)))


def _first(found: Sequence[Complaint]) -> Iterator[str]:
    in_order = sorted(found, key=lambda one: one.line)
    yield from (str(one) for one in in_order[:_SHOWN])
    if len(found) > _SHOWN:
        yield f"and {len(found) - _SHOWN} more"
