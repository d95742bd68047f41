"""Machines of a bill beside the nodes of a cluster, on the screen and as JSON."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aicost.crd.status.texts import counted, money
from aicost.domain.thirdparty.machines import Ignored, MatchedMachine
from aicost.entrypoints.cli.output.facts import Fact, fact_lines
from aicost.entrypoints.cli.output.spend.ignored import ignored_documents, ignored_facts
from aicost.entrypoints.cli.output.table import Column, Line, draw
from aicost.entrypoints.cli.terminal import Style, Terminal

_COLUMNS = (
    Column("NODE", shrinks=True),
    Column("IN THE BILL", shrinks=True),
    Column("DAYS", right=True),
    Column("BILLED", right=True),
    Column("LEDGER", right=True),
    Column("DIFFERENCE", right=True),
)


@dataclass(frozen=True, slots=True)
class Matched:
    """What a bill and a ledger say of the same machines.

    Attributes:
        nodes: nodes that were looked for.
        machines: those that both know.
        spend: lines about AI: `aicost spend import` brings them in.
        ignored: all others by service; machines are among them.
    """

    nodes: int
    machines: Sequence[MatchedMachine]
    spend: int
    ignored: Sequence[Ignored]


def show_matched(found: Matched, form: str, terminal: Terminal) -> str:
    """As `json`, else as text."""
    return json.dumps(matched_document(found), indent=2) if form == "json" else _screen(found, terminal)


def _screen(found: Matched, terminal: Terminal) -> str:
    lines = [terminal.paint("Machines of the bill that the cluster costs already", Style.HEAD), ""]
    if found.machines:
        both = {one.currency for one in found.machines if one.ledger_nanos is not None}
        totals = [_total(currency, found.machines) for currency in sorted(both)]
        lines += [
            *draw(_COLUMNS, [[_line(one) for one in found.machines], *([totals] if totals else [])], terminal).lines,
            "",
        ]
    return "\n".join([*lines, *fact_lines(_facts(found), terminal)])


def _line(one: MatchedMachine) -> Line:
    return Line((", ".join(one.nodes), one.resource, f"{one.days:,}", *_amounts(one)))


def _amounts(one: MatchedMachine) -> tuple[str, str, str]:
    there, apart = one.ledger_nanos, one.difference_nanos
    texts = ("-" if nanos is None else money(nanos, one.currency) for nanos in (there, apart))
    return (money(one.billed_nanos, one.currency), *texts)  # type: ignore[return-value] # three


def _total(currency: str, machines: Sequence[MatchedMachine]) -> Line:
    """Over those that both have: a difference to nothing is none."""
    both = [one for one in machines if one.currency == currency and one.ledger_nanos is not None]
    sums = (sum(one.billed_nanos for one in both), sum(one.ledger_nanos or 0 for one in both))
    texts = (money(nanos, currency) for nanos in (*sums, sums[1] - sums[0]))
    return Line(("TOTAL of both", "", "", *texts), Style.HEAD)


def _facts(found: Matched) -> Iterator[Fact]:
    seen = {name for one in found.machines for name in one.nodes}
    yield "Nodes", f"{len(seen):,} of {counted(found.nodes, 'node')} are in the bill; none of it is posted", Style.PLAIN
    if unknown := sum(one.ledger_nanos is None for one in found.machines):
        yield "Unknown", f"{counted(unknown, 'machine')} without any cost in the ledger on these days", Style.WARN
    for currency, nanos in sorted(_beside(found.machines).items()):
        yield (
            "Beside",
            f"{money(nanos, currency)} for traffic and the like of these machines: in no node's cost",
            Style.PLAIN,
        )
    if found.spend:
        yield (
            "AI lines",
            f"{counted(found.spend, 'line')}: `aicost spend import` brings them into the ledger",
            Style.PLAIN,
        )
    yield from ignored_facts(found.ignored)


def _beside(machines: Sequence[MatchedMachine]) -> Mapping[str, int]:
    sums: Counter[str] = Counter()
    for one in machines:
        sums[one.currency] += one.beside_nanos
    return {currency: nanos for currency, nanos in sums.items() if nanos}


def matched_document(found: Matched) -> Mapping[str, Any]:
    """All of it."""
    return {
        "nodes": found.nodes,
        "ai_lines": found.spend,
        "machines": [
            {
                "nodes": list(one.nodes),
                "resource": one.resource,
                "currency": one.currency,
                "days": one.days,
                "billed_nanos": one.billed_nanos,
                "beside_nanos": one.beside_nanos,
                "ledger_nanos": one.ledger_nanos,
                "difference_nanos": one.difference_nanos,
            }
            for one in found.machines
        ],
        "ignored": ignored_documents(found.ignored),
    }
