"""A bill in a table of one's own: a day, an amount, and whatever else it says."""

from collections.abc import Iterator, Mapping, Sequence

from aicost.adapters.pricing.bills import values
from aicost.adapters.pricing.bills.values import WrongCell, cell
from aicost.adapters.pricing.tables import cells
from aicost.adapters.pricing.tables.reading import Table
from aicost.domain.thirdparty.lines import SpendLine

_OWN: Mapping[str, tuple[str, ...]] = {
    "day": ("day", "date", "usage_date", "start"),
    "amount": ("amount", "cost", "spend", "total"),
    "currency": ("currency",),
    "provider": ("provider", "vendor"),
    "item": ("item", "line_item", "description", "service"),
    "region": ("region",),
    "quantity": ("quantity", "tokens", "requests"),
}
"""What a column means -> how people call it, best first. Every other column is a tag; `model` is the model."""


def is_plain(table: Table) -> bool:
    """Whether a table has a day and an amount."""
    return all(_column(table.columns, what) for what in ("day", "amount"))


def read_plain(table: Table, provider: str, currency: str) -> Iterator[SpendLine]:
    """The lines; what is wrong with one is added to the table's complaints.

    Args:
        table: the table.
        provider: who billed where no column says it.
        currency: of the amounts where no column says it.
    """
    own = {what: _column(table.columns, what) for what in _OWN}
    tags = [name for name in table.columns if name not in own.values() and name != "model"]
    for row in table.rows:
        try:
            yield _line(row.cells, own, tags, provider, currency)
        except WrongCell as wrong:
            table.complain(row, wrong.column, str(wrong))


def _line(
    said: Mapping[str, str], own: Mapping[str, str], tags: Sequence[str], provider: str, currency: str
) -> SpendLine:
    return SpendLine(
        day=cell(said, own["day"], lambda text: values.day_of(values.moment(text))),
        provider=said.get(own["provider"], provider).lower(),
        cost_attos=cell(said, own["amount"], values.attos),
        currency=cell(said, own["currency"], cells.currency, currency),
        item=said.get(own["item"], ""),
        model=said.get("model", ""),
        region=said.get(own["region"], ""),
        quantity=values.count(said.get(own["quantity"], "0")),
        tags={name: said[name] for name in tags if name in said},
    )


def _column(columns: Mapping[str, str], what: str) -> str:
    return next((name for name in _OWN[what] if name in columns), "")
