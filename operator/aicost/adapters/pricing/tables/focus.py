"""A bill in FOCUS format (1.0 and later): what was paid per hour for each machine that the bill names."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from aicost.adapters.pricing.tables import cells
from aicost.adapters.pricing.tables.offers import Offer
from aicost.adapters.pricing.tables.reading import Table, TableRow, Wrong

_COLUMNS = frozenset({"pricing_unit", "billing_currency", "charge_category"})
_HOURS = frozenset({"hours", "hour", "hrs", "instance-hours", "instance hours"})
_OF_DESCRIPTION = re.compile(r"\b([a-z][a-z0-9-]*\.[a-z0-9-]+) (?:instance hour|instance-hour)", re.IGNORECASE)
_MACHINE_COLUMNS = ("instance_type", "x_instance_type", "x_sku_instance_type", "x_machine_type")
_MACHINE_KEYS = ("InstanceType", "instanceType", "x_InstanceType")
_PROVIDERS = {"aws": "aws", "microsoft": "azure", "google cloud": "gcp", "gcp": "gcp", "oracle": "oracle"}
"""Names of providers as bills write them, by their beginning."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """Rows of a bill that are no price of a machine."""

    rows: int


@dataclass(frozen=True, slots=True)
class _Seen:
    """A price at a moment.

    Attributes:
        at: start of the charge, empty where the bill does not say it.
    """

    at: str
    offer: Offer


def is_focus(columns: Mapping[str, str]) -> bool:
    """Whether a table is a bill in FOCUS format."""
    return set(columns) >= _COLUMNS and bool({"contracted_unit_price", "list_unit_price"} & set(columns))


def read_focus(table: Table) -> tuple[tuple[Offer, ...], Skipped]:
    """The offers of a bill: usage that was priced by the hour and whose machine is named.

    The contracted price counts; where it is absent or zero the list price does, and is marked so. A price that changes
    in the course of the bill holds from the charge on which it shows first.

    Args:
        table: the bill; what is wrong is added to its complaints.
    """
    seen = [one for row in table.rows if (one := _seen(table, row)) is not None]
    by_scope: dict[tuple[object, ...], list[_Seen]] = defaultdict(list)
    for one in seen:
        by_scope[one.offer.scope].append(one)
    offers = tuple(offer for group in by_scope.values() for offer in _dated(sorted(group, key=lambda one: one.at)))
    return offers, Skipped(len(table.rows) - len(seen))


def _dated(group: list[_Seen]) -> Iterator[Offer]:
    """One price where it never changed; else each from the moment on at which it shows first."""
    changes = [group[0], *(later for sooner, later in pairwise(group) if later.offer.prices != sooner.offer.prices)]
    ends: list[str] = [*(change.at for change in changes[1:]), ""]
    for number, (change, end) in enumerate(zip(changes, ends, strict=True)):
        dates = {"from": change.at} if number else {}
        dates |= {"to": end} if end else {}
        yield replace(change.offer, more={**change.offer.more, **dates})


def _seen(table: Table, row: TableRow) -> _Seen | None:
    said = row.cells
    machine = _machine(said)
    usage = said.get("charge_category", "").lower() == "usage" and not said.get("charge_class")
    if not usage or not machine or said.get("pricing_unit", "").lower() not in _HOURS:
        return None
    column = next((name for name in ("contracted_unit_price", "list_unit_price") if _is_told(said.get(name))), None)
    if column is None:
        return None
    try:
        price, currency = cells.amount(said[column]), cells.currency(said.get("billing_currency", ""))
        at = cells.moment(said["charge_period_start"]) if "charge_period_start" in said else ""
        match = _match(said, machine)
    except Wrong as wrong:
        table.complain(row, column, str(wrong))
        return None
    more = {"listPrice": True} if column == "list_unit_price" else {}
    return _Seen(at, Offer(row.line, table.columns[column], currency, match, None, price, more))


def _is_told(text: str | None) -> bool:
    return text is not None and any(digit in text for digit in "123456789")


def _machine(said: Mapping[str, str]) -> str:
    """The instance type: in a column of its own, in the details of the SKU, or in the provider's own description."""
    for name in _MACHINE_COLUMNS:
        if said.get(name):
            return said[name]
    details = _details(said.get("sku_price_details", ""))
    named = next((str(details[key]) for key in _MACHINE_KEYS if details.get(key)), "")
    described = _OF_DESCRIPTION.search(said.get("charge_description", ""))
    return named or (described[1] if described else "")


def _details(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text) if text.startswith("{") else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _match(said: Mapping[str, str], machine: str) -> Mapping[str, Any]:
    match: dict[str, Any] = {"instanceType": machine}
    if said.get("region_id"):
        match["region"] = said["region_id"]
    provider = said.get("provider_name", said.get("service_provider_name", "")).lower()
    known = next((name for words, name in _PROVIDERS.items() if provider.startswith(words)), "")
    if known:
        match["provider"] = known
    if said.get("pricing_category"):
        match["capacityType"] = cells.capacity(said["pricing_category"])
    return match
