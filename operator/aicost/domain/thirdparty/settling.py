"""Estimates beside bills: what a gateway saw counts until the provider's bill of the day is there.

An estimate is never written over. Where the bill has come, each of its rows gets a row beside it that takes it back, so
that both stay visible and the day counts once: as billed.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace

from aicost.domain.exact.windows import Window
from aicost.domain.ledger.rows import Component, Method, Row

TAKEN_BACK = "billed"
"""Flag of a row that takes an estimate back."""
Billed = Collection[tuple[Window, str]]
"""Days, and the providers who billed them."""


def is_estimate(row: Row) -> bool:
    """Whether a row is an estimate, or takes one back."""
    return row.method is Method.ESTIMATED


def seen(rows: Iterable[Row]) -> tuple[Row, ...]:
    """What gateways saw, whether or not it was taken back."""
    return tuple(row for row in rows if is_estimate(row) and TAKEN_BACK not in row.flags)


def billed(rows: Iterable[Row]) -> frozenset[tuple[Window, str]]:
    """Which days of which providers have a bill among some rows."""
    return frozenset(
        (row.window, row.place.provider)
        for row in rows
        if row.component is Component.API and row.method is Method.BILLED
    )


def settled(rows: Iterable[Row], bills: Billed) -> tuple[Row, ...]:
    """What a day of estimates should say: each row, and where a bill is there one that takes it back.

    Args:
        rows: what gateways saw; rows that take something back are made anew.
        bills: what has a bill.
    """
    kept = seen(rows)
    return (*kept, *(_taken_back(row) for row in kept if (row.window, row.place.provider) in bills))


def _taken_back(row: Row) -> Row:
    cost = None if row.cost_nanos is None else -row.cost_nanos
    return replace(row, flags=(*row.flags, TAKEN_BACK), cost_nanos=cost, quantity=-row.quantity)
