"""Margins: the money of the ledger by customer, feature or segment, against what these bring."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from aicost.domain.exact.windows import Window
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.serving.pipelines.margins import Margin, Value, in_order, value_in
from aicost.ports.ledger import LedgerReader
from aicost.usecases.economics.cost_units import Counted
from aicost.usecases.economics.pipelines.divided import Divided, Filters, divided


@dataclass(frozen=True, slots=True)
class MarginReport:
    """Margins of a span.

    Attributes:
        span: what was asked.
        rests_on: from the first to the last window that counts; None where there is none.
        margins: those who cost more than they bring first; see `in_order`.
        covered_ms: length of the windows that count.
    """

    span: Window
    rests_on: Window | None
    margins: tuple[Margin, ...] = ()
    covered_ms: int = 0


def margins(
    reader: LedgerReader,
    counted: Counted,
    span: Window,
    dimension: Dimension,
    values: Iterable[Value],
    filters: Filters,
    *,
    cluster: str,
) -> MarginReport:
    """Set what is brought against what it costs.

    Args:
        reader: the ledger.
        counted: what was counted, with who asked by this dimension.
        span: which time.
        dimension: by what.
        values: what names of this dimension bring.
        filters: of the ledger: what counts.
        cluster: its key in the ledger.

    Raises:
        LedgerUnavailable: the money cannot be read.
    """
    if not counted.windows:
        return MarginReport(span, None)
    brought = dict(value_in(values, counted.windows))
    found = [
        margin
        for one in divided(reader, counted, span, dimension, filters, cluster=cluster)
        for margin in _margins(one, brought)
    ]
    found += [Margin(name, currency, value_nanos=nanos) for (name, currency), nanos in brought.items()]
    rests_on = Window(counted.windows[0].start_ms, counted.windows[-1].end_ms)
    return MarginReport(span, rests_on, in_order(found), sum(one.length_ms for one in counted.windows))


def _margins(money: Divided, brought: dict[tuple[str, str], int]) -> Iterator[Margin]:
    """Who costs something; their value is taken out of what was brought."""
    for name in sorted({*money.labelled, *money.shared}):
        value = brought.pop((name, money.currency), None)
        yield Margin(name, money.currency, money.labelled.get(name, 0), money.shared.get(name, 0), value)
    if money.nobody_nanos:
        yield Margin("", money.currency, money.nobody_nanos)
