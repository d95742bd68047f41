"""What successes and failures cost, on the screen and as JSON."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from aicost.crd.status.texts import counted, money
from aicost.domain.serving.outcomes.costs import OutcomeCost, OutcomeCosts
from aicost.domain.serving.outcomes.judged import JudgedBy
from aicost.entrypoints.cli.output.facts import Fact, fact_lines
from aicost.entrypoints.cli.output.table import Column, Line, draw
from aicost.entrypoints.cli.output.units.amounts import ABSENT, percent, price, whole_or_none
from aicost.entrypoints.cli.terminal import Style, Terminal
from aicost.usecases.economics.outcomes.judge_lines import JudgedLine, OutcomeReport

UNJUDGED = "unjudged"
_MOST_REASONS = 12
"""Reasons of one line on the screen: the dearest; the rest is one."""
_SHOWN = 5
_COLUMNS = (
    Column("OUTCOME"),
    Column("REASON", shrinks=True),
    Column("REQUESTS", right=True),
    Column("SHARE", right=True),
    Column("COST", right=True),
    Column("EACH", right=True, drop=1),
)
_WHY = {
    JudgedBy.ENGINE: "the engine does not tell how its requests end",
    JudgedBy.GATEWAY: "no gateway tells how it answered for these models, or several workloads share them uncounted",
    JudgedBy.QUERY: "the queries of spec.success say nothing of these windows",
    JudgedBy.OUTCOMES: "no outcome was posted about a request of these windows",
}


def outcomes_screen(report: OutcomeReport, keys: Sequence[str], terminal: Terminal) -> str:
    """A table of reasons for each line, and what one should know of it."""
    sections = [list(_section(one)) for one in report.lines if one.outcomes]
    lines = [terminal.paint("What successes and failures cost", Style.HEAD), ""]
    if sections:
        columns = (*(Column(key.upper(), shrinks=True) for key in keys), *_COLUMNS)
        lines += [*draw(columns, sections, terminal).lines, ""]
    return "\n".join([*lines, *fact_lines(_facts(report), terminal)])


def _section(one: JudgedLine) -> Iterator[Line]:
    found, currency, keys = one.outcomes, one.line.costs.spent.currency, one.line.keys
    assert found is not None
    named, rest = found.lines[:_MOST_REASONS], found.lines[_MOST_REASONS:]
    for line in named:
        outcome = "success" if line.verdict.success else "failure"
        yield _line(keys, (outcome, line.verdict.reason or ABSENT), [line], currency)
    if rest:
        yield _line(keys, ("", f"{len(rest)} more"), rest, currency)
    if found.unjudged_nanos or found.unjudged_requests:
        cost = one.line.costs.spent.cost_nanos
        share = Fraction(found.unjudged_nanos, cost) if cost else None
        requests = ABSENT if found.unjudged_requests is None else f"{found.unjudged_requests:,}"
        cells = (UNJUDGED, ABSENT, requests, percent(share), money(found.unjudged_nanos, currency), ABSENT)
        yield Line((*keys, *cells))


def _line(keys: Sequence[str], named: tuple[str, str], lines: Sequence[OutcomeCost], currency: str) -> Line:
    requests, nanos = sum(one.verdict.requests for one in lines), sum(one.cost_nanos for one in lines)
    shares = [one.share for one in lines if one.share is not None]
    each = ABSENT if not requests else price(Fraction(nanos, requests), currency) if nanos else money(0, currency)
    share = percent(sum(shares, Fraction(0))) if shares else ABSENT
    return Line((*keys, *named, f"{requests:,}", share, money(nanos, currency), each))


def _facts(report: OutcomeReport) -> Iterator[Fact]:
    for one in report.lines:
        name = "/".join(one.line.keys)
        if one.mixed:
            yield "Success by", f"{name}: its workloads name several sources: the engine judges them all", Style.WARN
        if one.outcomes is None:
            yield "Success by", f"{name}: {one.source}: {_WHY[one.source]}", Style.WARN
        elif one.outcomes.division is None:
            told = "requests are not counted, so nothing is divided"
            yield "Success by", f"{name}: {one.source}; {told}", Style.WARN
        else:
            yield "Success by", f"{name}: {_rests_on(one.outcomes)}", Style.PLAIN
    for subject in report.undivided[:_SHOWN]:
        yield (
            "Shared",
            f"{subject.name}: several workloads answer to it, and their requests are not counted",
            Style.WARN,
        )
    named = [f"{subject.name} ({counted(n, 'request')})" for subject, n in _strays(report)]
    if named:
        more = f" and {len(named) - _SHOWN} more" if len(named) > _SHOWN else ""
        told = f"outcomes name what served nothing in these windows: {', '.join(named[:_SHOWN])}{more}"
        yield "No workload", told, Style.WARN


def _strays(report: OutcomeReport) -> list[tuple[Any, int]]:
    return sorted(report.strays.items(), key=lambda one: one[0].name)


def _rests_on(found: OutcomeCosts) -> str:
    return (
        f"{found.source}, divided by {found.division} ({found.confidence}); "
        f"{percent(found.coverage)} of what the engine counted was judged"
    )


def outcomes_document(report: OutcomeReport, keys: Sequence[str]) -> Mapping[str, Any]:
    """All of it: the outcomes of each line, and what was stated of nothing that cost anything."""
    return {
        "lines": [{"keys": dict(zip(keys, one.line.keys, strict=True)), **_line_document(one)} for one in report.lines],
        "without_cost": [
            {
                "namespace": subject.namespace,
                "workload": subject.workload or None,
                "model": subject.model or None,
                "requests": requests,
            }
            for subject, requests in _strays(report)
        ],
        "undivided": [subject.name for subject in report.undivided],
    }


def _line_document(one: JudgedLine) -> Mapping[str, Any]:
    """Nothing is divided where nothing is known."""
    found = one.outcomes
    if found is None:
        return {"source": one.source.value, "rows": None}
    return {
        "currency": one.line.costs.spent.currency,
        "cost_nanos": one.line.costs.spent.cost_nanos,
        "source": found.source.value,
        "several_sources": one.mixed,
        "divided_by": found.division.value if found.division else None,
        "confidence": found.confidence,
        "coverage": None if found.coverage is None else percent(found.coverage),
        "rows": [
            {
                "outcome": "success" if line.verdict.success else "failure",
                "reason": line.verdict.reason or None,
                "requests": line.verdict.requests,
                "share": None if line.share is None else percent(line.share),
                "cost_nanos": line.cost_nanos,
            }
            for line in found.lines
        ],
        "failed_nanos": found.failed_nanos,
        "unjudged_nanos": found.unjudged_nanos,
        "unjudged_requests": found.unjudged_requests,
        "per_success_nanos": whole_or_none(found.per_success),
        "useful_output_per_million_nanos": whole_or_none(found.useful),
        "waste": None if found.waste is None else percent(found.waste),
    }
