"""Columns that a reader chooses: those of every report, and some that only make sense for one reader."""

from collections.abc import Sequence

from aicost.crd.allocations.view import ABSENT, FigureColumn, Figures, columns_of
from aicost.crd.status.texts import money, percent, share
from aicost.domain.exact.apportion import divide
from aicost.domain.exact.windows import HOUR_MS
from aicost.domain.reporting import ratios
from aicost.domain.reporting.query import Report


def chosen_columns(titles: Sequence[str], reports: Sequence[Report]) -> tuple[FigureColumn, ...]:
    """The columns of these titles, in this order; one that says nothing in any line or total is left out."""
    known = {column.title: column for column in (*EXTRA, *columns_of(reports))}
    return tuple(known[title] for title in titles if title in known and _says(known[title], reports))


def _says(column: FigureColumn, reports: Sequence[Report]) -> bool:
    figures = [
        Figures(report, line.amounts, line.cost_nanos, line.shared_nanos, line.previous_nanos, line.adjusted_nanos)
        for report in reports
        for line in report.lines
    ]
    figures += [
        Figures(one, one.total, one.total.cost_nanos, 0, one.previous_total_nanos, one.adjusted_nanos)
        for one in reports
    ]
    return any(column.measure(one) not in {None, ABSENT} for one in figures)


def _per_hour(it: Figures) -> str | None:
    """Cost over priced GPU-hours; what other components of the node cost is part of it."""
    time = ratios.gpu_time(it.amounts) - it.amounts.unpriced_gpu_milliseconds
    return money(divide(it.nanos * HOUR_MS, time), it.amounts.currency) if time > 0 and it.nanos > 0 else None


def _moved(it: Figures) -> str | None:
    if it.previous_nanos is None or ratios.is_unpriced(it.amounts):
        return None
    return _signed(it.nanos - it.previous_nanos, it)


def _adjusted(it: Figures) -> str | None:
    return _signed(it.adjusted_nanos, it) if it.adjusted_nanos else None


def _signed(nanos: int, it: Figures) -> str | None:
    if not it.amounts.currency:
        return None
    return f"{'+' if nanos > 0 else ''}{money(nanos, it.amounts.currency)}"


def _provisional(it: Figures) -> str | None:
    nanos = it.amounts.provisional_nanos
    return money(nanos, it.amounts.currency) if nanos and it.amounts.currency else None


EXTRA = (
    FigureColumn(
        "CURRENCY", "Currency of all amounts of the row", wide=False, measure=lambda it: it.amounts.currency or None
    ),
    FigureColumn("PER-GPU-H", "Cost per GPU-hour that has a price", wide=False, measure=_per_hour),
    FigureColumn("MOVED", "Change of the cost against the span before, as an amount", wide=False, measure=_moved),
    FigureColumn("ADJUSTED", "The part that corrections of closed windows make", wide=False, measure=_adjusted),
    FigureColumn("PROVISIONAL", "The part that the open window makes", wide=False, measure=_provisional),
    FigureColumn(
        "LIST-PRICES",
        "Share of the cost that rests on public list prices",
        wide=False,
        measure=lambda it: (
            share(it.amounts.list_price_nanos, it.amounts.cost_nanos) if it.amounts.list_price_nanos else None
        ),
    ),
    FigureColumn(
        "PRICED",
        "Share of device time that has a price",
        wide=False,
        measure=lambda it: percent(ratios.price_coverage(it.amounts)),
    ),
)
"""Columns that no report shows unless they are chosen."""
