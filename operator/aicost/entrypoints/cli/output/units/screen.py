"""Unit costs on the screen and as JSON."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from aicost.crd.status.texts import money
from aicost.domain.exact.windows import describe_length, to_rfc3339
from aicost.domain.serving.meters import Count, Outcome
from aicost.domain.serving.outcomes.judged import JudgedBy
from aicost.domain.serving.tenants import Tenancy, TenantShare
from aicost.domain.serving.unit_costs import TokenCost, UnitCosts
from aicost.entrypoints.cli.output.facts import Fact, fact_lines
from aicost.entrypoints.cli.output.table import Column, Line, draw
from aicost.entrypoints.cli.output.units.amounts import ABSENT, percent, price, whole_or_none
from aicost.entrypoints.cli.output.units.beside import agents_rows, beside_row
from aicost.entrypoints.cli.output.units.vectors import vectors_row, vectors_table
from aicost.entrypoints.cli.terminal import Style, Terminal
from aicost.usecases.economics.cost_units import UnitLine, UnitReport

_SHOWN = 5
_ROUGH = frozenset({"low", "assumed"})
_COLUMNS = (
    Column("SERVES", shrinks=True, drop=2),
    Column("COST", right=True),
    Column("IN/M", right=True),
    Column("CACHED/M", right=True, drop=5),
    Column("OUT/M", right=True),
    Column("ACTIVE OUT/M", right=True, drop=4),
    Column("USEFUL OUT/M", right=True, drop=3),
    Column("PER REQUEST", right=True),
    Column("PER SUCCESS", right=True, drop=1),
    Column("WASTE", right=True, drop=1),
    Column("IDLE", right=True, drop=3),
    Column("BY", drop=2),
)
"""/M: for a million tokens."""
_TENANTS = (
    Column("WHO ASKED", shrinks=True),
    Column("COST", right=True),
    Column("SHARE", right=True),
    Column("IN", right=True, drop=1),
    Column("CACHED", right=True, drop=2),
    Column("OUT", right=True, drop=1),
    Column("OF IT IDLE", right=True, drop=1),
)


def units_screen(report: UnitReport, keys: Sequence[str], terminal: Terminal) -> str:
    """The table and what one should know of it."""
    title = f"Unit costs by {', '.join(keys)}"
    span = report.rests_on or report.span
    lines = [terminal.paint(title, Style.HEAD), f"{to_rfc3339(span.start_ms)} to {to_rfc3339(span.end_ms)}", ""]
    if report.rests_on is None:
        return "\n".join([*lines, "The ledger holds no whole window of this time, or none that was counted."])
    if not report.lines:
        lines.append("No engine of a pod that cost something was heard in this time.")
    else:
        columns = (*(Column(key.upper(), shrinks=True) for key in keys), *_COLUMNS)
        drawn = draw(columns, [[Line((*line.keys, *_cells(line))) for line in report.lines]], terminal)
        lines += [*drawn.lines, "", *_tenants(report, keys, terminal)]
        lines += vectors_table(report.lines, report.covered_ms, keys, terminal)
    return "\n".join([*lines, *fact_lines(_facts(report), terminal)])


def _tenants(report: UnitReport, keys: Sequence[str], terminal: Terminal) -> list[str]:
    """Who asked, and what each of them bears: a table of its own."""
    divided = [(line, line.tenancy) for line in report.lines if line.tenancy]
    sections = [[_tenant(line, one) for one in tenancy.shares] for line, tenancy in divided if tenancy.shares]
    if not sections:
        return []
    columns = (*(Column(key.upper(), shrinks=True) for key in keys), *_TENANTS)
    return [*draw(columns, sections, terminal).lines, ""]


def _tenant(line: UnitLine, one: TenantShare) -> Line:
    spent = line.costs.spent
    part = Fraction(one.cost_nanos, spent.cost_nanos) if spent.cost_nanos else None
    cells = (
        one.tenant or "unattributed",
        money(one.cost_nanos, spent.currency),
        percent(part),
        f"{one.asked.computed:,}",
        f"{one.asked.cached:,}",
        f"{one.asked.output:,}",
        ABSENT if one.idle_nanos is None else money(one.idle_nanos, spent.currency),
    )
    return Line((*line.keys, *cells))


def _cells(line: UnitLine) -> tuple[str, ...]:
    costs, currency = line.costs, line.costs.spent.currency
    return (
        ", ".join(line.models) or ABSENT,
        money(costs.spent.cost_nanos, currency),
        price(costs.input.full if costs.input else None, currency),
        price(costs.cached.full if costs.cached else None, currency),
        price(costs.output.full if costs.output else None, currency),
        price(costs.output.active if costs.output else None, currency),
        price(costs.useful, currency),
        price(costs.per_request, currency),
        price(costs.per_success, currency),
        percent(costs.waste),
        percent(idle_share(costs)),
        f"{costs.phases.method} ({costs.phases.confidence})" if costs.phases else ABSENT,
    )


def _facts(report: UnitReport) -> Iterator[Fact]:
    whole = report.rests_on.length_ms if report.rests_on else 0
    if report.covered_ms < whole:
        counted = f"{describe_length(report.covered_ms)} of {describe_length(whole)}"
        yield "Windows", f"{counted} count: of the rest money or counts are missing", Style.WARN
    found = [line for line in report.lines if line.discovered]
    if found:
        told = f"{_named(found)}: no AIWorkload speaks of {'it' if len(found) == 1 else 'them'}, the engine was heard"
        yield "Discovered", told, Style.PLAIN
    thin = [line for line in report.lines if line.counted < line.pods]
    for line in thin[:_SHOWN]:
        heard = f"the engines of {line.counted} of {line.pods} pods were heard: tokens of the others are missing"
        yield "Coverage", f"{'/'.join(line.keys)}: {heard}", Style.WARN
    if len(thin) > _SHOWN:
        yield "Coverage", f"and so of {len(thin) - _SHOWN} more", Style.WARN
    if least := [line for line in report.lines if line.costs.did.at_least]:
        yield "At least", f"{_named(least)}: a counter began unseen: there may be more tokens", Style.WARN
    yield from _words(report.lines)
    yield from _askers(report)
    if report.strangers:
        named = ", ".join("/".join(pod) for pod in report.strangers[:_SHOWN])
        yield "No cost", f"engines were heard of pods that cost nothing in the ledger: {named}", Style.WARN
    if any(line.costs.phases and line.costs.phases.confidence in _ROUGH for line in report.lines):
        told = "how cost divides into prompts and answers is rough where BY is request-time or priors"
        yield "Prompts", told, Style.PLAIN


def _words(lines: Sequence[UnitLine]) -> Iterator[Fact]:
    """Whose word PER SUCCESS, USEFUL and WASTE are."""
    if all(line.word is None for line in lines):
        yield "Success by", "engine: an answer that came to its own end", Style.PLAIN
        return
    for source in JudgedBy:
        found = [line for line in lines if line.success_by is source and not (line.word and line.word.mixed)]
        silent = [line for line in found if line.word is not None and line.word.outcomes is None]
        told = [line for line in found if line not in silent]
        if told:
            yield "Success by", f"{source}: {_named(told)}", Style.PLAIN
        if silent:
            yield "Success by", f"{source}: {_named(silent)}: it says nothing of them in these windows", Style.WARN
    if mixed := [line for line in lines if line.word and line.word.mixed]:
        why = "their workloads name several sources: the engine judges them all"
        yield "Success by", f"engine: {_named(mixed)}: {why}", Style.WARN


def _askers(report: UnitReport) -> Iterator[Fact]:
    """What gateways say of each line, and of which lines none says anything."""
    divided = [(line, line.tenancy) for line in report.lines if line.tenancy is not None]
    silent = [line for line, tenancy in divided if not tenancy.shares]
    told = [(line, tenancy) for line, tenancy in divided if tenancy.shares]
    for line, tenancy in told[:_SHOWN]:
        counts = f"{tenancy.gateway} counts {percent(tenancy.coverage)} of the engines' tokens"
        yield "Who asked", f"{'/'.join(line.keys)}: {counts}", Style.PLAIN
    if len(told) > _SHOWN:
        yield "Who asked", f"-o json has how much gateways count of {len(told) - _SHOWN} more", Style.PLAIN
    if silent:
        models = sorted({model for line in silent for model in line.models}) or ["their models"]
        more = f" and {len(models) - _SHOWN} more" if len(models) > _SHOWN else ""
        yield "Who asked", f"{_named(silent)}: no gateway counts {', '.join(models[:_SHOWN])}{more}", Style.WARN


def _named(lines: Sequence[UnitLine]) -> str:
    """The first of some lines by name, and how many more there are."""
    more = f" and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    return ", ".join("/".join(line.keys) for line in lines[:_SHOWN]) + more


def idle_share(costs: UnitCosts) -> Fraction | None:
    """Part of the cost that idled; None where it is not known."""
    spent = costs.spent
    return Fraction(spent.idle_nanos, spent.cost_nanos) if spent.idle_nanos is not None and spent.cost_nanos else None


def units_document(report: UnitReport, keys: Sequence[str]) -> Mapping[str, Any]:
    """All of it: integers of nano-units, and exact fractions as decimal texts."""
    span = report.rests_on
    return {
        "apiVersion": "query.aicost.dev/v1alpha1",
        "kind": "UnitCosts",
        "by": list(keys),
        "rests_on": None if span is None else {"from": to_rfc3339(span.start_ms), "to": to_rfc3339(span.end_ms)},
        "rows": [{**_row(line, keys), "vectors": vectors_row(line.costs, report.covered_ms)} for line in report.lines],
        "without_cost": ["/".join(pod) for pod in report.strangers],
        "agents": agents_rows(report),
    }


def _row(line: UnitLine, keys: Sequence[str]) -> dict[str, Any]:
    costs = line.costs
    return {
        "keys": dict(zip(keys, line.keys, strict=True)),
        "models": list(line.models),
        "engines": sorted(costs.did.engines),
        "currency": costs.spent.currency,
        "cost_nanos": costs.spent.cost_nanos,
        "idle_nanos": costs.spent.idle_nanos,
        "pods": line.pods,
        "pods_counted": line.counted,
        "at_least": costs.did.at_least,
        "discovered": line.discovered,
        "counts": {
            count.value: costs.did.counts[count] for count in Count if count in costs.did.counts and _is_read(count)
        },
        "outcomes": {
            outcome.value: costs.did.outcomes[outcome] for outcome in Outcome if outcome in costs.did.outcomes
        },
        "method": costs.phases.method.value if costs.phases else None,
        "confidence": costs.phases.confidence if costs.phases else None,
        "tokens": {name: _kind(getattr(costs, name)) for name in ("input", "cached", "output")},
        "useful_output_per_million_nanos": whole_or_none(costs.useful),
        "per_request_nanos": whole_or_none(costs.per_request),
        "per_success_nanos": whole_or_none(costs.per_success),
        "success_by": line.success_by.value,
        "per_vector_nanos": whole_or_none(costs.per_vector),
        "waste": percent(costs.waste) if costs.waste is not None else None,
        "tenants": None if line.tenancy is None else _tenancy(line.tenancy),
        **beside_row(line),
    }


def _is_read(count: Count) -> bool:
    """Sums of which a fit is made say nothing to people; what came of it stands beside them."""
    return not count.value.startswith("fit-")


def _tenancy(tenancy: Tenancy) -> dict[str, Any]:
    return {
        "gateway": tenancy.gateway or None,
        "token_coverage": None if tenancy.coverage is None else percent(tenancy.coverage),
        "shares": [
            {
                "tenant": one.tenant or None,
                "cost_nanos": one.cost_nanos,
                "idle_nanos": one.idle_nanos,
                "computed_tokens": one.asked.computed,
                "cached_tokens": one.asked.cached,
                "output_tokens": one.asked.output,
            }
            for one in tenancy.shares
        ],
    }


def _kind(kind: TokenCost | None) -> dict[str, Any] | None:
    if kind is None:
        return None
    full, active = whole_or_none(kind.full), whole_or_none(kind.active)
    return {
        "tokens": kind.tokens,
        "cost_nanos": kind.cost_nanos,
        "full_per_million_nanos": full,
        "active_per_million_nanos": active,
    }
