"""Converted amounts for people and for programs, always with the rate that they rest on."""

from collections.abc import Mapping, Sequence
from typing import Any

from aicost.crd.allocations.view import key_title
from aicost.crd.status.texts import money
from aicost.domain.exact.windows import to_rfc3339
from aicost.entrypoints.cli.output.display.converting import Shown
from aicost.entrypoints.cli.output.facts import wrapped
from aicost.entrypoints.cli.output.table import Column, Line, draw
from aicost.entrypoints.cli.terminal import Style, Terminal


def draw_shown(shown: Sequence[Shown], currency: str, terminal: Terminal) -> str:
    """A table for each currency of the ledger, and what all come to."""
    parts = [_table(one, currency, terminal) for one in shown]
    if len(shown) > 1:
        together = money(sum(one.total for one in shown), currency)
        parts.append(f"Together {together}, each currency by its own rate.")
    return "\n\n".join(parts)


def _table(one: Shown, currency: str, terminal: Terminal) -> str:
    report = one.report
    keys = [Column(key_title(key), shrinks=True) for key in report.query.group_by]
    columns = [*keys, Column(f"COST {report.currency}", right=True), Column(f"IN {currency}", right=True)]
    blank = ("",) * (len(keys) - 1)
    lines = [
        _line(line.keys, line.amounts.cost_nanos + line.shared_nanos, amount, one)
        for line, amount in zip(report.lines, one.lines, strict=True)
    ]
    idle = [_line(("idle", *blank), report.idle.cost_nanos, one.idle, one)] if report.idle.cost_nanos else []
    total = _line(("TOTAL", *blank), report.total.cost_nanos, one.total, one, Style.HEAD)
    told = wrapped(f"For display, by {one.conversion.explanation} (at {to_rfc3339(one.at_ms + 1)}).", terminal)
    return "\n".join([*draw(columns, [lines, idle, [total]], terminal).lines, *told])


def _line(keys: tuple[str, ...], own: int, converted: int, one: Shown, style: Style = Style.PLAIN) -> Line:
    shown = tuple(key or "-" for key in keys)
    return Line((*shown, money(own, one.report.currency), money(converted, one.conversion.target)), style)


def shown_document(shown: Sequence[Shown], currency: str) -> Mapping[str, Any]:
    """The same for programs; the report itself stays in the currencies of the ledger."""
    return {
        "currency": currency,
        "total_nanos": sum(one.total for one in shown),
        "reports": [_record(one) for one in shown],
    }


def _record(one: Shown) -> Mapping[str, Any]:
    factor = one.conversion.factor
    return {
        "from_currency": one.report.currency,
        "rate": {
            "numerator": factor.numerator,
            "denominator": factor.denominator,
            "at": to_rfc3339(one.at_ms + 1),
            "explanation": one.conversion.explanation,
        },
        "lines": [
            {"keys": dict(zip(one.report.query.group_by, line.keys, strict=True)), "cost_nanos": amount}
            for line, amount in zip(one.report.lines, one.lines, strict=True)
        ],
        "idle_nanos": one.idle,
        "total_nanos": one.total,
    }
