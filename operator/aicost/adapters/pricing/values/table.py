"""What customers, features or segments bring, from a CSV file."""

import re
from collections.abc import Callable, Iterator
from typing import TypeVar

from aicost.adapters.pricing.tables import cells
from aicost.adapters.pricing.tables.reading import Table, TableRow, Wrong, normal, read_table, refuse
from aicost.crd.fields.text import moment_ms
from aicost.domain.exact.amounts import parse_nanos
from aicost.domain.exact.windows import Window
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.identity.normalise import normalise
from aicost.domain.serving.pipelines.margins import Value
from aicost.ports.errors import InvalidRequest

_SIGNED = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
_Read = TypeVar("_Read")


def read_values(content: bytes, dimension: Dimension) -> tuple[Value, ...]:
    """Read a table of values.

    Columns: the name of the dimension or `name`, `amount`, `currency`; `from` and `to` for the period of the amount.
    Where both are empty the amount is for the time that is asked about.

    Raises:
        InvalidRequest: each cell that makes no sense, with its line.
    """
    table = read_table(content)
    column = next((one for one in (normal(dimension.value), "name") if one in table.columns), None)
    missing = [one for one in ("amount", "currency") if one not in table.columns]
    if column is None or missing:
        named = ", ".join([*([] if column else [f"{dimension.value} (or name)"]), *missing])
        raise InvalidRequest(f"has no column {named}: the first line names the columns")
    known = {column, "amount", "currency", "from", "to"}
    for other in table.columns.keys() - known:
        table.complain(TableRow(1, {}), other, f"is no column of values: use {', '.join(sorted(known))}")
    values = [value for row in table.rows for value in _value(table, row, column, dimension)]
    refuse(table.complaints)
    if not values:
        raise InvalidRequest("holds no values: write one amount a line")
    return tuple(values)


def _value(table: Table, row: TableRow, column: str, dimension: Dimension) -> Iterator[Value]:
    name = _cell(table, row, column, lambda text: _name(dimension, text))
    nanos, currency = _cell(table, row, "amount", _amount), _cell(table, row, "currency", cells.currency)
    began, ended = (row.cells.get(key) for key in ("from", "to"))
    period = None
    if began or ended:
        start, end = (_cell(table, row, key, lambda text: moment_ms(cells.moment(text))) for key in ("from", "to"))
        if start is None or end is None:
            return
        if start >= end:
            table.complain(row, "to", "must be after from: it is the first moment that does not count")
            return
        period = Window(start, end)
    if name is not None and nanos is not None and currency is not None:
        yield Value(name, nanos, currency, period)


def _cell(table: Table, row: TableRow, column: str, read: Callable[[str], _Read]) -> _Read | None:
    """What a cell says; what is wrong with it, or that it is missing, is noted."""
    text = row.cells.get(column)
    if text is None:
        table.complain(row, column, f"is empty: {column} is needed")
        return None
    try:
        return read(text)
    except Wrong as problem:
        table.complain(row, column, str(problem))
        return None


def _name(dimension: Dimension, text: str) -> str:
    name = normalise(dimension, text)
    if name is None:
        raise Wrong(f"is no name of a {dimension.value}")
    return name


def _amount(text: str) -> int:
    if not _SIGNED.fullmatch(text):
        raise Wrong('write a decimal without thousands, for example "1234.56"; what was given back is negative')
    try:
        return parse_nanos(text)
    except ValueError as problem:
        raise Wrong(str(problem)) from None
