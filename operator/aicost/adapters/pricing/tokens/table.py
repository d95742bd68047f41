"""A table of token prices of one's own, in CSV or YAML: for a million tokens, with dates."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import yaml

from aicost.adapters.pricing.tables import cells
from aicost.adapters.pricing.tables.reading import NOTHING, Table, TableRow, Wrong, normal, read_table, refuse
from aicost.adapters.pricing.tokens.bundled import CHANGES, is_named
from aicost.crd.fields.text import moment_ms
from aicost.domain.exact.windows import Window
from aicost.domain.serving.api_prices import ApiPrice
from aicost.ports.errors import InvalidRequest

COLUMNS = ("model", "provider", "input", "cached", "output", "currency", "from", "source")
LARGEST_YAML = 2**20
_LEAST_NANOS = 100_000
"""Nobody sells a million tokens for less than a hundredth of a cent: that is a price for one token."""
_ALWAYS = -(2**62)
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class _Dated:
    from_ms: int
    price: ApiPrice


class TablePrices:
    """The prices of a table (port `ApiPriceSource`)."""

    def __init__(self, rows: Sequence[_Dated]) -> None:
        self._rows = rows

    def find(self, model: str, provider: str, span: Window) -> Sequence[ApiPrice]:
        """Of each provider's prices the last that holds when the span begins."""
        mine = [
            one
            for one in self._rows
            if is_named(one.price.model, model) and provider.lower() in {"", one.price.provider.lower()}
        ]
        found: dict[str, ApiPrice] = {}
        for one in sorted(mine, key=lambda each: each.from_ms):
            key = one.price.name.lower()
            if one.from_ms <= span.start_ms:
                found[key] = one.price
            elif one.from_ms < span.end_ms and key in found:
                found[key] = _noted(found[key])
        return list(found.values())


def read_token_prices(name: str, content: bytes) -> TablePrices:
    """Read a table.

    Args:
        name: of the file: YAML where it ends so, CSV otherwise.
        content: its bytes.

    Raises:
        InvalidRequest: it is no such table, or a cell is wrong: the message has line or row, column, value and fix.
    """
    table = _of_yaml(content) if Path(name).suffix.lower() in {".yaml", ".yml"} else read_table(content)
    header = TableRow(1, {})
    for column in table.columns.keys() - set(COLUMNS):
        table.complain(header, column, f"is no column of token prices: use {', '.join(COLUMNS)}")
    found = [one for row in table.rows for one in _Row(table, row).read()]
    _once(table, found)
    refuse(table.complaints)
    if not found:
        raise InvalidRequest("holds no prices: write one model a line")
    return TablePrices([dated for _, dated in found])


def _noted(price: ApiPrice) -> ApiPrice:
    notes = price.notes if CHANGES in price.notes else (*price.notes, CHANGES)
    return ApiPrice(
        price.model, price.provider, price.input_nanos, price.cached_nanos, price.output_nanos, price.currency,
        price.source, notes,
    )  # fmt: skip


def _once(table: Table, found: Sequence[tuple[TableRow, _Dated]]) -> None:
    """Two prices of one model from one moment on contradict each other."""
    seen: dict[tuple[str, int], int] = {}
    for row, one in found:
        before = seen.setdefault((one.price.name.lower(), one.from_ms), row.line)
        if before != row.line:
            table.complain(row, "model", f"has a price from the same moment on in {before} already: take one out")


def _of_yaml(content: bytes) -> Table:
    """A list of mappings as rows. All scalars stay texts: no number is rounded."""
    if len(content) > LARGEST_YAML:
        raise InvalidRequest(f"larger than {LARGEST_YAML >> 20} MiB: cut it to the models that you run")
    try:
        body = yaml.compose(content.decode("utf-8-sig"), Loader=yaml.SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as problem:
        raise InvalidRequest(f"this is no YAML: {' '.join(str(problem).split())[:200]}") from problem
    if not isinstance(body, yaml.SequenceNode) or not all(isinstance(one, yaml.MappingNode) for one in body.value):
        raise InvalidRequest("write a list, one model each: `- {model: qwen3, provider: acme, input: 0.10}`")
    columns: dict[str, str] = {}
    table = Table(columns, [])
    for one in body.value:
        table.rows.append(_yaml_row(table, columns, one))
    return table


def _yaml_row(table: Table, columns: dict[str, str], node: yaml.MappingNode) -> TableRow:
    said: dict[str, str] = {}
    row = TableRow(node.start_mark.line + 1, said)
    for key, value in node.value:
        name = normal(str(key.value)) if isinstance(key, yaml.ScalarNode) else "?"
        if name in said:
            table.complain(row, name, "stands twice: take one out")
        columns.setdefault(name, name)
        if not isinstance(value, yaml.ScalarNode):
            table.complain(row, name, "write a text or a number, no list and no mapping")
        elif value.value.strip().lower() not in NOTHING:
            said[name] = value.value.strip()
    return row


class _Row:
    """Reads one row; what is wrong with a cell is told, and the row is left out."""

    def __init__(self, table: Table, row: TableRow) -> None:
        self._table, self._row, self._wrong = table, row, False

    def read(self) -> Iterator[tuple[TableRow, _Dated]]:
        """The price of the row, if all of it can be read."""
        texts = {name: self._cell(name, _short, needed=True) or "" for name in ("model", "provider")}
        paid = self._cell("input", _price, needed=True)
        cached, answers = self._cell("cached", _price_or_nothing), self._cell("output", _price)
        currency = self._cell("currency", cells.currency, needed=True) or ""
        start = self._cell("from", lambda text: moment_ms(cells.moment(text)))
        source = self._row.cells.get("source", "your table")
        if not self._wrong and paid is not None:
            price = ApiPrice(texts["model"], texts["provider"], paid, cached, answers, currency, source)
            yield self._row, _Dated(_ALWAYS if start is None else start, price)

    def _cell(self, name: str, read: Callable[[str], Value], *, needed: bool = False) -> Value | None:
        text = self._row.cells.get(name)
        try:
            if text is not None:
                return read(text)
        except Wrong as wrong:
            self._complain(name, str(wrong))
            return None
        if needed:
            self._complain(name, f"is empty: fill {name}")
        return None

    def _complain(self, name: str, fix: str) -> None:
        self._wrong = True
        self._table.complain(self._row, name, fix)


def _short(text: str) -> str:
    if len(text) > 200 or not text.isprintable():
        raise Wrong("write a name of at most 200 printable characters")
    return text


def _price(text: str) -> int:
    if re.fullmatch(r"[0-9]{5,}(\.[0-9]*)?", text) or re.fullmatch(r"[0-9.]+[eE]-?[0-9]+", text):
        raise Wrong('write the price for a million tokens as a decimal, for example "0.15"')
    nanos = cells.amount(text)
    if nanos < _LEAST_NANOS:
        raise Wrong("looks like a price for one token: write that for a million")
    return nanos


def _price_or_nothing(text: str) -> int:
    return 0 if re.fullmatch(r"0(\.0*)?", text) else _price(text)
