"""What vectors cost: made, written, kept and asked for. A table of its own, where somebody counts them."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from aicost.crd.status.texts import money
from aicost.domain.serving.measures.counts import Count
from aicost.domain.serving.unit_costs import MILLION, UnitCosts
from aicost.entrypoints.cli.output.table import Column, Line, draw
from aicost.entrypoints.cli.output.units.amounts import ABSENT, price, whole, whole_or_none
from aicost.entrypoints.cli.terminal import Style, Terminal
from aicost.usecases.economics.cost_units import UnitLine

_COLUMNS = (
    Column("BY", drop=1),
    Column("COST", right=True),
    Column("MADE", right=True, drop=2),
    Column("MADE/M", right=True),
    Column("WRITTEN", right=True, drop=2),
    Column("WRITTEN/M", right=True),
    Column("KEPT", right=True, drop=2),
    Column("KEPT/M A MONTH", right=True),
    Column("SEARCHES", right=True, drop=1),
    Column("PER SEARCH", right=True),
)
"""/M: for a million vectors."""
_COUNTED = frozenset({Count.VECTORS, Count.INSERTED, Count.STORED, Count.SEARCHES})


def vectors_table(lines: Sequence[UnitLine], covered_ms: int, keys: Sequence[str], terminal: Terminal) -> list[str]:
    """Embeddings and stores of vectors; nothing where nobody counts any."""
    mine = [line for line in lines if _COUNTED & line.costs.did.counts.keys()]
    if not mine:
        return []
    columns = (*(Column(key.upper(), shrinks=True) for key in keys), *_COLUMNS)
    drawn = draw(columns, [[Line((*line.keys, *_cells(line.costs, covered_ms))) for line in mine]], terminal)
    return [terminal.paint("Vectors", Style.HEAD), "", *drawn.lines, ""]


def _cells(costs: UnitCosts, covered_ms: int) -> tuple[str, ...]:
    did, currency = costs.did, costs.spent.currency
    return (
        ", ".join(sorted(did.engines)),
        money(costs.spent.cost_nanos, currency),
        _number(did.get(Count.VECTORS)),
        price(_million(costs.per_vector), currency),
        _number(did.get(Count.INSERTED)),
        price(_million(costs.per_inserted), currency),
        _number(kept(costs, covered_ms)),
        price(_million(costs.per_stored_month), currency),
        _number(did.get(Count.SEARCHES)),
        price(costs.per_search, currency),
    )


def kept(costs: UnitCosts, covered_ms: int) -> Fraction | None:
    """How many vectors a store had, on average over the windows that count."""
    seconds = costs.did.get(Count.STORED)
    return None if seconds is None or not covered_ms else Fraction(seconds * 1_000, covered_ms)


def vectors_row(costs: UnitCosts, covered_ms: int) -> dict[str, Any] | None:
    """The same for programs; None where nobody counts any."""
    if not _COUNTED & costs.did.counts.keys():
        return None
    return {
        "kept": whole_or_none(kept(costs, covered_ms)),
        "made_per_million_nanos": whole_or_none(_million(costs.per_vector)),
        "written_per_million_nanos": whole_or_none(_million(costs.per_inserted)),
        "kept_per_million_month_nanos": whole_or_none(_million(costs.per_stored_month)),
        "per_search_nanos": whole_or_none(costs.per_search),
    }


def _million(one: Fraction | None) -> Fraction | None:
    return None if one is None else one * MILLION


def _number(number: Fraction | int | None) -> str:
    return ABSENT if number is None else f"{whole(number):,}"
