"""Reports in a currency that the reader asked for, beside their own: each is converted by itself, none is mixed."""

from collections.abc import Sequence
from dataclasses import dataclass

from aicost.domain.pricing.currencies import Conversion, ExchangeRate, NoRate, conversion
from aicost.domain.reporting.query import Report
from aicost.domain.reporting.ratios import is_unpriced
from aicost.ports.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class Shown:
    """What a report comes to in the asked currency.

    Attributes:
        at_ms: the moment whose rate was used.
        lines: one amount for each line, in order.
        idle: what no line carries.
        total: the converted sum, rounded once; lines and idle sum to it.
    """

    report: Report
    conversion: Conversion
    at_ms: int
    lines: tuple[int, ...]
    idle: int
    total: int


def shown_in(reports: Sequence[Report], currency: str, rates: Sequence[ExchangeRate], now_ms: int) -> tuple[Shown, ...]:
    """Convert reports for display by the rate that held at the end of their span, or holds now where it goes on.

    Raises:
        InvalidRequest: a rate is missing; the message gives the entry to add.
    """
    return tuple(_shown(report, currency, rates, now_ms) for report in reports if not is_unpriced(report.total))


def _shown(report: Report, currency: str, rates: Sequence[ExchangeRate], now_ms: int) -> Shown:
    at_ms = min(report.query.span.end_ms, now_ms) - 1
    found = conversion(report.currency, currency, rates, at_ms)
    if isinstance(found, NoRate):
        raise InvalidRequest(f"--currency {currency}: {found.reason}")
    own = [line.amounts.cost_nanos + line.shared_nanos for line in report.lines]
    *lines, idle = found.convert([*own, report.idle.cost_nanos])
    return Shown(report, found, at_ms, tuple(lines), idle, sum(lines) + idle)
