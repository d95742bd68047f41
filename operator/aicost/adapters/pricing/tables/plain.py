"""A price table of one's own: a line per machine, columns as the guide names them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from fractions import Fraction
from typing import Any, TypeVar

from aicost.adapters.pricing.tables import cells
from aicost.adapters.pricing.tables.offers import Offer
from aicost.adapters.pricing.tables.reading import Table, TableRow, Wrong

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "name": ("entry",),
    "provider": ("cloud",),
    "region": ("location",),
    "zone": ("availability_zone",),
    "instance_type": ("machine_type", "vm_size"),
    "gpu_model": ("gpu", "gpu_type", "gpu_name"),
    "gpu_mem_gib": ("gpu_memory_gib", "gpu_memory"),
    "gpu_count": ("gpus",),
    "capacity_type": ("price_kind", "purchase_option"),
    "price_per_node_hour": ("per_node_hour", "price_per_hour", "hourly_price"),
    "price_per_gpu_hour": ("per_gpu_hour",),
    "spot_price_per_hour": ("spot_price_per_node_hour",),
    "currency": (),
    "from": ("valid_from", "effective_from"),
    "to": ("valid_to", "effective_to"),
    "priority": (),
    "split": (),
    "gpu_share": (),
    "list_price": (),
    "source": (),
    "as_of": ("as_of_date",),
}
"""Column -> other names that are taken for it. A column `label:KEY` is a label that the node must have."""
IGNORED = ("vcpu", "vcpus", "mem_gib", "memory_gib", "notes")
"""Columns that price tables have and that no price needs."""
_LABEL = "label:"
_GPU_ONLY = "-gpu-only"
_MOST_GPUS = 1024
_ROUNDED_DECIMALS = 3
"""A price of a GPU with so many decimals may be a rounded part of the node's; with fewer it was written as it is."""
_FOR_PRICES = ("price_per_node_hour", "price_per_gpu_hour", "spot_price_per_hour")
_MADE_OF = {
    "provider": "provider",
    "region": "region",
    "zone": "zone",
    "instanceType": "instance_type",
}
Value = TypeVar("Value")


def is_plain(columns: Mapping[str, str]) -> bool:
    """Whether a table has one of the columns of a price."""
    known = _known()
    return any(known.get(column) in _FOR_PRICES for column in columns)


def read_plain(table: Table, currency: str, ignored: Sequence[str] = ()) -> tuple[Offer, ...]:
    """The offers of a table.

    Args:
        table: the table; what is wrong is added to its complaints.
        currency: what its prices are in where no column says it; empty where that is wanted in the file.
        ignored: columns to pass over, in their normal form.
    """
    names = _names(table, ignored)
    return tuple(offer for row in table.rows for offer in _Row(table, row, names, currency).offers())


def _known() -> Mapping[str, str]:
    return {name: column for column, others in COLUMNS.items() for name in (column, *others)}


def _names(table: Table, ignored: Sequence[str]) -> Mapping[str, str]:
    """Column of ours -> of the file. One that is not known is a complaint: a price may stand in it."""
    known, found = _known(), dict[str, str]()
    header = TableRow(1, {})
    for column, title in table.columns.items():
        if column in ignored or column in IGNORED or column.startswith(_LABEL):
            continue
        ours = known.get(column)
        if ours is None:
            close = get_close_matches(column, known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(COLUMNS)} and label:KEY;"
            table.complain(header, title, f"is no column of prices: {hint} To pass over it: --ignore {title!r}")
        elif ours in found:
            table.complain(header, title, f"says the same as {table.columns[found[ours]]}: take one out")
        else:
            found[ours] = column
    return found


class _Row:
    """Reads one row; what is wrong with a cell is told, and the row is left out."""

    def __init__(self, table: Table, row: TableRow, names: Mapping[str, str], currency: str) -> None:
        self._table, self._row, self._names, self._default = table, row, names, currency
        self._wrong = False

    def offers(self) -> Iterator[Offer]:
        """The offers of the row: one at the price of its way of buying, and one of spot where it has such a price."""
        kind, gpu_only = self._kind()
        per_gpu = self._read("price_per_gpu_hour", cells.amount)
        per_node = self._read("price_per_node_hour", cells.amount)
        spot = self._read("spot_price_per_hour", cells.amount)
        currency, match, more = self._currency(), self._match(), self._more()
        gpus = self._read("gpu_count", lambda text: cells.gpu_count(text, _MOST_GPUS))
        if gpus is not None and gpus.denominator == 1:
            more["gpuCount"] = int(gpus)
        if gpu_only and per_gpu is not None:
            per_node = None  # the price of the GPUs alone, not of a machine
        if per_node is not None and per_gpu is not None and self._is_derived(per_gpu, per_node, gpus):
            per_gpu = None
        if per_gpu is None and per_node is None and spot is None and not self._wrong:
            self._complain("", "has no price: fill price_per_node_hour or price_per_gpu_hour, or take the row out")
        if self._wrong:
            return
        line, name = self._row.line, self._text("name") or ""
        if per_gpu is not None or per_node is not None:
            column = self._title("price_per_gpu_hour" if per_node is None else "price_per_node_hour")
            bought = {"capacityType": kind} if kind else {}
            yield Offer(line, column, currency, {**match, **bought}, per_gpu, per_node, more, name)
        if spot is not None:
            as_spot = {**match, "capacityType": "spot"}
            column = self._title("spot_price_per_hour")
            yield Offer(line, column, currency, as_spot, None, spot, more, f"{name}-spot" if name else "")

    def _kind(self) -> tuple[str, bool]:
        text = self._text("capacity_type")
        if text is None:
            return "", False
        gpu_only = text.lower().endswith(_GPU_ONLY)
        found = self._read("capacity_type", lambda said: cells.capacity(said.lower().removesuffix(_GPU_ONLY)))
        return found or "", gpu_only

    def _is_derived(self, per_gpu: int, per_node: int, gpus: Fraction | None) -> bool:
        """Whether the price of a GPU is no more than that of the node divided by its GPUs: it says nothing new.

        As two prices they would say that CPU and memory cost nothing, and a rounded one that they cost less. A part of
        a GPU is one GPU to its node: the price of a whole one is not its price.
        """
        if gpus is None:
            return False
        decimals = len((self._text("price_per_gpu_hour") or "").partition(".")[2])
        step = 10 ** max(0, 9 - decimals) if decimals >= _ROUNDED_DECIMALS else 0
        return gpus < 1 or abs(per_gpu * gpus - per_node) <= step * gpus

    def _match(self) -> dict[str, Any]:
        match: dict[str, Any] = {key: text for key, name in _MADE_OF.items() if (text := self._text(name))}
        model = self._text("gpu_model")
        if model:
            match |= self._model(model, known_machine="instanceType" in match)
        labels = dict(self._labels())
        if labels:
            match["nodeSelector"] = labels
        if not match and not self._wrong:
            self._complain("", "names no nodes: fill instance_type, gpu_model or another column of the machine")
        return match

    def _labels(self) -> Iterator[tuple[str, str]]:
        for column, text in self._row.cells.items():
            if column.startswith(_LABEL):
                try:
                    yield cells.label_key(self._table.columns[column].partition(":")[2].strip()), text
                except Wrong as wrong:
                    self._wrong = True
                    self._table.complain(self._row, column, str(wrong))

    def _model(self, text: str, *, known_machine: bool) -> dict[str, str]:
        """The model; where only the machine is known for sure, the machine alone decides."""
        try:
            return {"gpuModel": cells.gpu_model(text, self._text("gpu_mem_gib"))}
        except Wrong as wrong:
            if not known_machine:
                self._complain("gpu_model", str(wrong))
            return {}

    def _more(self) -> dict[str, Any]:
        """Other fields of the entry."""
        more: dict[str, Any] = {
            "from": self._read("from", cells.moment),
            "to": self._read("to", cells.moment),
            "priority": self._read("priority", _priority),
            "split": self._text("split"),
            "gpuShare": self._text("gpu_share"),
            "listPrice": self._read("list_price", cells.flag),
            **self._origin(),
        }
        return {key: value for key, value in more.items() if value is not None}

    def _origin(self) -> Mapping[str, str | None]:
        """Where the price was read, and when. A time in words is kept as words: nothing is computed from it."""
        source, as_of = self._text("source"), self._text("as_of")
        try:
            return {"source": source, "asOf": None if as_of is None else cells.moment(as_of)}
        except Wrong:
            return {"source": f"{source or ''} ({as_of})".strip()}

    def _currency(self) -> str:
        if self._text("currency") is not None:
            return self._read("currency", cells.currency) or ""
        if not self._default:
            self._complain("currency", "no currency: fill the column currency, or give --currency")
        return self._default

    def _text(self, name: str) -> str | None:
        return self._row.cells.get(self._names.get(name, ""))

    def _title(self, name: str) -> str:
        return self._table.columns.get(self._names.get(name, ""), name)

    def _read(self, name: str, read: Callable[[str], Value]) -> Value | None:
        text = self._text(name)
        if text is None:
            return None
        try:
            return read(text)
        except Wrong as wrong:
            self._complain(name, str(wrong))
            return None

    def _complain(self, name: str, fix: str) -> None:
        self._wrong = True
        self._table.complain(self._row, self._names.get(name, name), fix)


def _priority(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise Wrong("write a whole number from -1000 to 1000") from None
