"""Margins: on the screen and for programs."""

from collections.abc import Iterator, Sequence
from typing import Any

from aicost.crd.status.texts import money
from aicost.domain.exact.windows import describe_length, to_rfc3339
from aicost.domain.serving.pipelines.margins import OTHER, Margin, first
from aicost.entrypoints.cli.output.facts import Fact, fact_lines
from aicost.entrypoints.cli.output.table import Column, Line, draw
from aicost.entrypoints.cli.output.units.amounts import ABSENT, percent
from aicost.entrypoints.cli.terminal import Style, Terminal
from aicost.usecases.economics.pipelines.margins import MarginReport

_COLUMNS = (
    Column("VALUE", right=True),
    Column("COST", right=True),
    Column("BY LABEL", right=True, drop=1),
    Column("BY GATEWAY", right=True, drop=1),
    Column("MARGIN", right=True),
    Column("OF VALUE", right=True),
)


def margin_screen(report: MarginReport, key: str, most: int, terminal: Terminal) -> str:
    """A table for each currency, those who cost more than they bring first."""
    span = report.rests_on or report.span
    title = terminal.paint(f"Margin by {key}", Style.HEAD)
    lines = [title, f"{to_rfc3339(span.start_ms)} to {to_rfc3339(span.end_ms)}", ""]
    if report.rests_on is None:
        return "\n".join([*lines, "The ledger holds no whole window of this time, or none that was counted."])
    if not report.margins:
        return "\n".join([*lines, "Nothing cost anything in this time, and nothing was brought."])
    columns = (Column(key.upper(), shrinks=True), *_COLUMNS)
    shown = first(report.margins, most)
    for currency in dict.fromkeys(one.currency for one in report.margins):
        rows = [Line(_cells(one), _style(one)) for one in shown if one.currency == currency]
        total = Line(("TOTAL", *_sums([one for one in report.margins if one.currency == currency])), Style.HEAD)
        lines += [*draw(columns, [rows, [total]], terminal).lines, ""]
    return "\n".join([*lines, *fact_lines(_facts(report, key), terminal)]).rstrip("\n")


def _cells(one: Margin) -> tuple[str, ...]:
    name = one.name or "unattributed"
    return (
        f"{name} ({one.names:,})" if one.name == OTHER and one.names > 1 else name,
        _money(one.value_nanos, one.currency),
        money(one.cost_nanos, one.currency),
        money(one.labelled_nanos, one.currency),
        money(one.shared_nanos, one.currency),
        _money(one.margin_nanos, one.currency),
        percent(one.share),
    )


def _sums(margins: Sequence[Margin]) -> tuple[str, ...]:
    """The whole currency: its cost is the ledger's."""
    currency, labelled = margins[0].currency, sum(one.labelled_nanos for one in margins)
    shared = sum(one.shared_nanos for one in margins)
    valued = [one.value_nanos for one in margins if one.value_nanos is not None]
    whole = Margin("all", currency, labelled, shared, sum(valued) if valued else None)
    return _cells(whole)[1:]


def _style(one: Margin) -> Style:
    return Style.WARN if one.margin_nanos is not None and one.margin_nanos < 0 else Style.PLAIN


def _money(nanos: int | None, currency: str) -> str:
    return ABSENT if nanos is None else money(nanos, currency)


def _facts(report: MarginReport, key: str) -> Iterator[Fact]:
    losing = [one for one in report.margins if one.margin_nanos is not None and one.margin_nanos < 0 and one.name]
    if losing:
        worst = losing[0]
        told = f"{len(losing):,} of {key} cost more than they bring, most of all {worst.name}"
        yield "Losing", told, Style.WARN
    silent = sum(one.value_nanos is None and bool(one.name) for one in report.margins)
    if silent:
        yield "No value", f"nobody says what {silent:,} of them bring: their margin is not known", Style.WARN
    if any(not one.name for one in report.margins):
        told = f"no label {key} and no gateway says whose it is: no margin is lessened by it"
        yield "Unattributed", told, Style.PLAIN
    if report.rests_on is not None and report.covered_ms < report.rests_on.length_ms:
        parts = f"{describe_length(report.covered_ms)} of {describe_length(report.rests_on.length_ms)}"
        yield "Windows", f"{parts} count, for value and cost alike", Style.WARN


def margin_document(report: MarginReport, key: str) -> dict[str, Any]:
    """All names, in integers of nano-units."""
    span = report.rests_on
    return {
        "apiVersion": "query.aicost.dev/v1alpha1",
        "kind": "Margins",
        "by": key,
        "rests_on": None if span is None else {"from": to_rfc3339(span.start_ms), "to": to_rfc3339(span.end_ms)},
        "rows": [_row(one) for one in report.margins],
    }


def _row(one: Margin) -> dict[str, Any]:
    return {
        "name": one.name or None,
        "currency": one.currency,
        "value_nanos": one.value_nanos,
        "cost_nanos": one.cost_nanos,
        "labelled_nanos": one.labelled_nanos,
        "shared_nanos": one.shared_nanos,
        "margin_nanos": one.margin_nanos,
        "share": None if one.share is None else f"{float(one.share):.6f}",
    }
