"""The price table that OpenCost and Kubecost read (`pricing_schema.csv`): a price per node, or per GPU by a label."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from aicost.adapters.pricing.tables import cells
from aicost.adapters.pricing.tables.offers import Offer
from aicost.adapters.pricing.tables.reading import Table, TableRow, Wrong

_COLUMNS = frozenset({"asset_class", "instance_idfield", "market_price_hourly"})
_LABEL_OF_NODE = re.compile(r"metadata\.labels\.(.+)", re.IGNORECASE)
_HOSTNAME = "kubernetes.io/hostname"


def is_opencost(columns: Mapping[str, str]) -> bool:
    """Whether a table is of this kind."""
    return set(columns) >= _COLUMNS


def read_opencost(table: Table, currency: str) -> Iterator[Offer]:
    """The offers of a table; what is wrong is added to its complaints.

    Args:
        table: the table.
        currency: what its prices are in: it says nothing of that.
    """
    for row in table.rows:
        try:
            offer = _offer(table, row, currency)
        except _Cell as cell:
            table.complain(row, cell.column, str(cell))
            continue
        yield offer


class _Cell(Exception):
    """A cell that cannot be used."""

    def __init__(self, column: str, fix: str) -> None:
        super().__init__(fix)
        self.column = column


def _offer(table: Table, row: TableRow, currency: str) -> Offer:
    if not currency:
        raise _Cell("", "such a table names no currency: give --currency")
    try:
        price = cells.amount(row.cells.get("market_price_hourly", ""))
    except Wrong as wrong:
        raise _Cell("market_price_hourly", str(wrong)) from None
    column = table.columns["market_price_hourly"]
    kind = row.cells.get("asset_class", "").lower()
    if kind == "gpu":
        return Offer(row.line, column, currency, _gpu(row), per_gpu_nanos=price)
    if kind == "node":
        return Offer(row.line, column, currency, _node(row), per_node_nanos=price)
    raise _Cell("asset_class", "only node and gpu have prices here: take the row out")


def _gpu(row: TableRow) -> Mapping[str, Any]:
    """A GPU is named by a label of its node."""
    label, value = row.cells.get("instance_idfield", ""), row.cells.get("instance_id", "")
    named = _LABEL_OF_NODE.fullmatch(label)
    return _placed(row, {"nodeSelector": {_key(named[1] if named else label): value}})


def _node(row: TableRow) -> Mapping[str, Any]:
    """A node is named by a label, by its name, or by what it is."""
    field, value = row.cells.get("instance_idfield", ""), row.cells.get("instance_id", "")
    named = _LABEL_OF_NODE.fullmatch(field)
    if named:
        return _placed(row, {"nodeSelector": {_key(named[1]): value}})
    if row.cells.get("instance_type"):
        return _placed(row, {"instanceType": row.cells["instance_type"]})
    if field.lower() == "metadata.name":
        return _placed(row, {"nodeSelector": {_HOSTNAME: value}})
    raise _Cell(
        "instance_idfield",
        "nodes are matched by metadata.name, metadata.labels.KEY or their instance type: fill InstanceType in place of "
        "a provider ID",
    )


def _key(text: str) -> str:
    try:
        return cells.label_key(text)
    except Wrong as wrong:
        raise _Cell("instance_idfield", str(wrong)) from None


def _placed(row: TableRow, match: dict[str, Any]) -> Mapping[str, Any]:
    region = row.cells.get("region")
    return {**match, "region": region} if region else match
