"""Totals of a statement in another currency, for display: the statement itself stays in the ledger's own."""

from collections.abc import Iterable, Mapping
from typing import Any

from aicost.domain.exact.amounts import Money
from aicost.domain.exact.windows import from_rfc3339
from aicost.domain.pricing.currencies import Converted, ExchangeRate, convert_for_display


def with_display(document: Mapping[str, Any], currency: str, rates: Iterable[ExchangeRate]) -> dict[str, Any]:
    """The document with its totals in another currency beside them. Its number and its checksum stay.

    The rate is that of the last moment of the period. A total that no rate leads to says what to add.

    Args:
        document: a statement document.
        currency: ISO 4217 code.
        rates: the table.
    """
    known, at_ms = tuple(rates), from_rfc3339(document["period"]["to"]) - 1
    shown = [_shown(part, currency, known, at_ms) for part in document["parts"] if part["total_nanos"] is not None]
    return {**document, "display": shown}


def _shown(part: Mapping[str, Any], currency: str, rates: tuple[ExchangeRate, ...], at_ms: int) -> dict[str, Any]:
    amount = Money(part["total_nanos"], part["currency"])
    found = convert_for_display(amount, currency, rates, at_ms)
    told = {"currency": currency, "of": amount.currency, "of_nanos": amount.nanos}
    if isinstance(found, Converted):
        return {**told, "total_nanos": found.shown.nanos, "explanation": found.conversion.explanation}
    return {**told, "total_nanos": None, "explanation": found.reason}
