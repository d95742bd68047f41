"""What stands around the table: what was asked, and what a reader must know to trust the total."""

import textwrap
from collections.abc import Container, Iterable, Iterator
from zoneinfo import ZoneInfo

from aicost.crd.allocations.texts import error_text
from aicost.crd.status.texts import change, gpu_hours, money, percent, share
from aicost.domain.exact.windows import Window, describe_length, to_datetime
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.reporting import ratios
from aicost.domain.reporting.keys import is_dimension
from aicost.domain.reporting.query import IdlePolicy, Report
from aicost.domain.reporting.question import NAMESPACE
from aicost.entrypoints.cli.output.table import printable
from aicost.entrypoints.cli.terminal import Style, Terminal

_LABEL_WIDTH = 13
_JOINED = "\u00a0"
_COMMON = (Dimension.TEAM.value, Dimension.MODEL.value)
"""Dimensions whose label coverage is shown whatever the report is grouped by."""
_SPREAD = {IdlePolicy.WEIGHTED: "in proportion to cost", IdlePolicy.EVEN: "in equal parts"}
Fact = tuple[str, str, Style]


def heading(report: Report, terminal: Terminal) -> list[str]:
    """What is reported, for whom, and for which time."""
    query = report.query
    scope = query.filters.get(NAMESPACE)
    place = f"namespace {', '.join(scope)}" if scope else "all namespaces"
    title = f"Cost by {', '.join(query.group_by)} · {place}" + (f" · {report.currency}" if report.currency else "")
    where = [f"{key} = {' or '.join(values)}" for key, values in query.filters.items() if key != NAMESPACE]
    lines = [(title, Style.HEAD), (_span(query.span, query.time_zone), Style.DIM)]
    lines += [(f"where {', '.join(where)}", Style.DIM)] if where else []
    return [terminal.paint(line, style) for text, style in lines for line in wrapped(text, terminal)]


def facts(report: Report, terminal: Terminal, labels: Container[str] | None = None) -> list[str]:
    """The lines under the table: those with these labels, or all."""
    return fact_lines((fact for fact in _facts(report) if labels is None or fact[0] in labels), terminal)


def fact_lines(told: Iterable[Fact], terminal: Terminal) -> list[str]:
    """Facts as lines that fit: labels to the left, texts beside them."""
    indent = " " * (_LABEL_WIDTH + 1)
    lines: list[str] = []
    for label, text, style in told:
        first, *rest = wrapped(text, terminal, len(indent))
        lines.append(f"{label:{_LABEL_WIDTH}} {terminal.paint(first, style)}")
        lines += [indent + terminal.paint(more, style) for more in rest]
    return lines


def wrapped(text: str, terminal: Terminal, indent: int = 0) -> list[str]:
    """The text as lines that fit; what a no-break space joins stays together."""
    lines = textwrap.wrap(printable(text), max(30, (terminal.width or 120) - indent))
    return [line.replace(_JOINED, " ") for line in lines]


def is_empty(report: Report) -> bool:
    """Whether there is nothing to show a table of."""
    return not report.lines and not ratios.gpu_time(report.total) and not report.total.buckets


def _facts(report: Report) -> Iterator[Fact]:
    yield from _precision(report)
    yield from _coverages(report)
    yield from _cautions(report)
    yield from _notes(report)


def _precision(report: Report) -> Iterator[Fact]:
    total = report.total
    if ratios.is_unpriced(total):
        return
    if total.error_nanos is None:
        yield "Error bar", "not known: a part of the device time has no samples", Style.PLAIN
    else:
        yield "Error bar", f"± {error_text(total)} on the total, at 95 %", Style.PLAIN
    before = report.previous_total_nanos
    if before is not None:
        moved = change(total.cost_nanos, before)
        yield "Before", f"{money(before, total.currency)}" + (f", now {moved}" if moved else ""), Style.PLAIN
    elif report.query.compare:
        yield "Before", "not known: the ledger does not cover the whole span before this one", Style.PLAIN


def _coverages(report: Report) -> Iterator[Fact]:
    total = report.total
    keys = dict.fromkeys([*filter(is_dimension, report.query.group_by), *_COMMON])
    parts = [("telemetry", ratios.telemetry_coverage(total)), ("price", ratios.price_coverage(total))]
    parts += [(f"label {key}", ratios.label_coverage(total, key)) for key in keys]
    texts = (f"{name} {percent(value) or '-'}".replace(" ", _JOINED) for name, value in parts)
    yield "Coverage", "   ".join(texts), Style.PLAIN


def _cautions(report: Report) -> Iterator[Fact]:
    """What makes the total smaller, rougher or less final than it looks."""
    total = report.total
    if total.unpriced_gpu_milliseconds:
        hours = gpu_hours(total.unpriced_gpu_milliseconds)
        text = f"{hours} GPU-hours have no price and are in no amount: add what is missing to a PriceBook"
        yield "Unpriced", text, Style.WARN
    if total.list_price_nanos:
        part = share(total.list_price_nanos, total.cost_nanos)
        amount = money(total.list_price_nanos, total.currency)
        yield "List prices", f"{amount} ({part or 'all'}) of the total rests on public list prices", Style.WARN
    if total.provisional_nanos:
        amount = money(total.provisional_nanos, total.currency)
        yield "Provisional", f"{amount} of the total is the open window and may still change", Style.PLAIN


def _notes(report: Report) -> Iterator[Fact]:
    query = report.query
    if report.not_covered:
        yield (
            "Not covered",
            f"{', '.join(report.not_covered)}: nothing measures or prices them, they are in no amount",
            Style.PLAIN,
        )
    if report.partly_covered:
        text = f"{', '.join(report.partly_covered)}: some nodes or volumes have no price and are in no amount"
        yield "In part", text, Style.PLAIN
    if query.idle in _SPREAD and any(line.shared_nanos for line in report.lines):
        yield "Idle", f"what nobody held is spread over the lines {_SPREAD[query.idle]}", Style.PLAIN
    if report.covered is not None and report.covered != query.span:
        part = share(report.covered.length_ms, query.span.length_ms)
        yield "Data", f"{_span(report.covered, query.time_zone)}: {part} of the window", Style.PLAIN
    if report.prorated:
        yield "Pro-rated", "the window begins or ends inside a billing window, whose rows count in part", Style.PLAIN


def _span(span: Window, zone: str) -> str:
    start, end = (to_datetime(at).astimezone(ZoneInfo(zone)) for at in (span.start_ms, span.end_ms))
    return f"{start:%Y-%m-%d %H:%M} → {end:%Y-%m-%d %H:%M} {zone} ({describe_length(span.length_ms)})"
