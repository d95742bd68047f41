"""A price table in any form that we know -> manifests of PriceBooks."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from aicost.adapters.pricing.tables.focus import is_focus, read_focus
from aicost.adapters.pricing.tables.offers import BookOptions, Offer, merged, price_books
from aicost.adapters.pricing.tables.opencost import is_opencost, read_opencost
from aicost.adapters.pricing.tables.plain import COLUMNS, is_plain, read_plain
from aicost.adapters.pricing.tables.reading import Table, normal, read_table, refuse
from aicost.ports.errors import InvalidRequest


class TableFormat(StrEnum):
    """Whose columns a table has."""

    PLAIN = "aicost"
    OPENCOST = "opencost"
    FOCUS = "focus"


@dataclass(frozen=True, slots=True)
class Imported:
    """What a table gave.

    Attributes:
        books: manifests.
        rows: rows that were read.
        entries: entries that they gave.
        notes: what was left out, for people.
    """

    books: tuple[dict[str, Any], ...]
    form: TableFormat
    rows: int
    entries: int
    notes: tuple[str, ...]


def import_prices(
    content: bytes,
    options: BookOptions,
    form: TableFormat | None = None,
    currency: str = "",
    ignored: Sequence[str] = (),
) -> Imported:
    """Read a CSV file of prices. Nothing is given where anything is wrong.

    Args:
        content: the file.
        options: what the books are called.
        form: whose columns it has; None finds out.
        currency: what the prices are in where no column says it.
        ignored: names of columns to pass over.

    Raises:
        InvalidRequest: it cannot be read; the message names each line, column, value and fix.
    """
    table = read_table(content)
    form = _checked(table, form) if form else _form(table)
    notes: list[str] = []
    offers = _offers(table, form, currency, [normal(name) for name in ignored], notes)
    kept = merged(offers, table.complaints)
    books = price_books(kept, options, table.complaints)
    refuse(table.complaints)
    if not kept:
        raise InvalidRequest("no price is in it: " + (notes[0] if notes else "it has no rows"))
    if len(offers) > len(kept):
        notes.append(f"{len(offers) - len(kept)} prices that stand there again were merged")
    return Imported(tuple(books), form, len(table.rows), len(kept), tuple(notes))


_KNOWN_BY = {TableFormat.FOCUS: is_focus, TableFormat.OPENCOST: is_opencost, TableFormat.PLAIN: is_plain}


def _checked(table: Table, form: TableFormat) -> TableFormat:
    if not _KNOWN_BY[form](table.columns):
        shown = ", ".join(table.columns.values())[:200]
        raise InvalidRequest(f"the columns are not those of the format {form}: there are {shown}")
    return form


def _form(table: Table) -> TableFormat:
    found = next((form for form, is_so in _KNOWN_BY.items() if is_so(table.columns)), None)
    if found is not None:
        return found
    shown = ", ".join(table.columns.values())[:200]
    raise InvalidRequest(f"no column of a price is in it: there are {shown}; prices need {', '.join(COLUMNS)}")


def _offers(
    table: Table, form: TableFormat, currency: str, ignored: Sequence[str], notes: list[str]
) -> tuple[Offer, ...]:
    match form:
        case TableFormat.PLAIN:
            return read_plain(table, currency, ignored)
        case TableFormat.OPENCOST:
            return tuple(read_opencost(table, currency))
        case TableFormat.FOCUS:
            offers, skipped = read_focus(table)
            if skipped.rows:
                notes.append(f"{skipped.rows} rows of the bill are no hourly price of a named machine")
            return offers
