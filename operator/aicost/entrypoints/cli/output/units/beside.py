"""What stands beside unit costs: load, what is behind requests, long prompts, several models."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from fractions import Fraction
from typing import Any

from aicost.crd.status.texts import money
from aicost.domain.serving.calibration.fitting import fit
from aicost.domain.serving.load.context import Band, bands
from aicost.domain.serving.load.latency import Bound, quantile
from aicost.domain.serving.meters import Count, Outcome
from aicost.domain.serving.pods.models import ModelCosts
from aicost.domain.serving.rounds.amplification import Amplification, Behind, growth, tokens_per_request
from aicost.entrypoints.cli.output.table import Column, Line, draw
from aicost.entrypoints.cli.output.units.amounts import ABSENT, percent, price, whole_or_none
from aicost.entrypoints.cli.terminal import Style, Terminal
from aicost.usecases.economics.cost_units import UnitLine, UnitReport

MOST = Fraction(95, 100)
_MILLIS = 1_000


class Beside(StrEnum):
    """What may be asked for beside the table."""

    LOAD = "load"
    AMPLIFICATION = "amplification"
    CONTEXT = "context"


_LOAD = (
    Column("REQUESTS", right=True),
    Column("TOKENS EACH", right=True),
    Column("GROWTH", right=True, drop=2),
    Column("TAKE", right=True),
    Column("95% TAKE", right=True, drop=1),
    Column("AT A TIME", right=True, drop=1),
    Column("BATCH", right=True, drop=2),
    Column("COMPUTED AGAIN", right=True, drop=3),
    Column("REJECTED", right=True, drop=3),
    Column("CACHE SAVED", right=True),
)
_BEHIND = (
    Column("WHAT", shrinks=True),
    Column("NUMBER", right=True),
    Column("PER REQUEST", right=True),
    Column("COST", right=True),
    Column("SHARE", right=True, drop=1),
    Column("COUNTED BY", drop=1),
)
_CONTEXT = (
    Column("PROMPTS"),
    Column("REQUESTS", right=True),
    Column("TOKENS, ABOUT", right=True, drop=1),
    Column("COST", right=True),
    Column("SHARE", right=True),
    Column("PER REQUEST", right=True),
)
_MODELS = (
    Column("MODEL", shrinks=True),
    Column("COST", right=True),
    Column("SHARE", right=True, drop=1),
    Column("IN/M", right=True),
    Column("OUT/M", right=True),
    Column("PER REQUEST", right=True),
    Column("DIVIDED BY", drop=1),
)


def beside_screen(
    report: UnitReport, before: UnitReport | None, keys: Sequence[str], kinds: Iterable[Beside], terminal: Terminal
) -> list[str]:
    """The tables that were asked for, and that of models where pods serve several."""
    wanted = set(kinds)
    earlier = {line.keys: line for line in before.lines} if before else {}
    tables: tuple[tuple[bool, str, Sequence[Column], Callable[[UnitLine], Iterable[tuple[str, ...]]]], ...] = (
        (True, "Models of workloads that serve several", _MODELS, _models),
        (Beside.LOAD in wanted, "Load", _LOAD, lambda line: [_load(line, earlier.get(line.keys))]),
        (Beside.AMPLIFICATION in wanted, "What is behind requests", _BEHIND, _behind),
        (Beside.CONTEXT in wanted, "Short and long prompts", _CONTEXT, _bands),
    )
    shown = []
    for is_wanted, title, columns, rows in tables:
        if is_wanted:
            cells = [[(*line.keys, *one) for one in rows(line)] for line in report.lines]
            shown.append(_table(title, keys, columns, cells, terminal))
    if Beside.AMPLIFICATION in wanted and report.agents:
        parts = [[_part(one, None, "") for one in report.agents]]
        shown.append(_table("Agents, for one of their runs", (), _BEHIND, parts, terminal))
    return [one for one in shown if one]


def beside_row(line: UnitLine) -> dict[str, Any]:
    """What stands beside one line, as JSON; what is not counted is null."""
    costs, did = line.costs, line.costs.did
    fitted = fit(did.counts)
    return {
        "tokens_per_request": _decimal(tokens_per_request(costs)),
        "latency_ms": whole_or_none(did.mean(Count.LATENCY, Count.TIMED)),
        "latency_95_ms": _bound(quantile(did, MOST)),
        "running": _decimal(did.mean(Count.RUNNING, Count.WATCHED)),
        "batch_tokens": _decimal(did.mean(Count.STEP_TOKENS, Count.STEPS)),
        "batch_requests": _decimal(did.mean(Count.BATCHED, Count.BATCHES)),
        "recomputed_tokens": did.recomputed,
        "preempted_requests": did.get(Count.PREEMPTED),
        "cache_savings_nanos": whole_or_none(costs.cache_savings),
        "context_bands": [_band_row(one) for one in bands(costs)],
        "by_model": [_model_row(one) for one in line.by_model],
        "fit": None if fitted is None else {
            "minutes": fitted.minutes, "mixes": fitted.mixes, "explained": _decimal(fitted.explained),
            "accepted": fitted.is_accepted,
        },
        "amplification": None if line.behind is None else _amplification(line.behind),
    }  # fmt: skip


def agents_rows(report: UnitReport) -> list[dict[str, Any]]:
    """What agents did where no model is named, as JSON."""
    return [_behind_row(one) for one in report.agents]


def _table(
    title: str,
    keys: Sequence[str],
    columns: Sequence[Column],
    rows: Sequence[Sequence[tuple[str, ...]]],
    terminal: Terminal,
) -> str:
    sections = [[Line(cells) for cells in mine] for mine in rows if mine]
    if not sections:
        return ""
    if all(len(section) == 1 for section in sections):
        sections = [[line for section in sections for line in section]]
    whole = (*(Column(key.upper(), shrinks=True) for key in keys), *columns)
    return "\n".join([terminal.paint(title, Style.HEAD), "", *draw(whole, sections, terminal).lines])


def _load(line: UnitLine, before: UnitLine | None) -> tuple[str, ...]:
    costs, did = line.costs, line.costs.did
    each = tokens_per_request(costs)
    grown = growth(each, tokens_per_request(before.costs) if before else None)
    tokens, requests = did.mean(Count.STEP_TOKENS, Count.STEPS), did.mean(Count.BATCHED, Count.BATCHES)
    return (
        _number(did.requests),
        _short(each),
        ABSENT if grown is None else f"{float(grown):+.1%}",
        _seconds(did.mean(Count.LATENCY, Count.TIMED)),
        _within(quantile(did, MOST)),
        _short(did.mean(Count.RUNNING, Count.WATCHED)),
        f"{_short(tokens)} tokens" if tokens is not None else _short(requests),
        _number(did.recomputed),
        _number(did.outcomes.get(Outcome.REJECTED)),
        price(costs.cache_savings, costs.spent.currency),
    )


def _behind(line: UnitLine) -> Iterator[tuple[str, ...]]:
    found, spent = line.behind, line.costs.spent
    if found is None:
        return
    if found.calls is not None:
        yield (
            "requests of callers",
            _number(found.calls),
            ABSENT,
            money(spent.cost_nanos, spent.currency),
            ABSENT,
            ABSENT,
        )
    if found.attempts is not None:
        yield "attempts", _number(found.attempts), _short(found.factor), ABSENT, ABSENT, found.counted_by
    for one in found.parts:
        yield _part(one, spent.cost_nanos, spent.currency)


def _part(one: Behind, whole: int | None, currency: str) -> tuple[str, ...]:
    share = Fraction(one.cost_nanos, whole) if one.cost_nanos is not None and whole else None
    cost = ABSENT if one.cost_nanos is None else money(one.cost_nanos, currency)
    return one.part.replace("-", " "), _number(one.number), _short(one.per_call), cost, percent(share), one.counted_by


def _bands(line: UnitLine) -> Iterator[tuple[str, ...]]:
    found = bands(line.costs)
    whole, currency = sum(one.cost_nanos for one in found), line.costs.spent.currency
    for one in found:
        yield (
            _between(one), _number(one.requests), _number(one.prompt_tokens), money(one.cost_nanos, currency),
            percent(Fraction(one.cost_nanos, whole) if whole else None), price(one.per_request, currency),
        )  # fmt: skip


def _models(line: UnitLine) -> Iterator[tuple[str, ...]]:
    whole, currency = line.costs.spent.cost_nanos, line.costs.spent.currency
    for one in line.by_model:
        mine = one.costs
        yield (
            one.model or "unattributed", money(mine.spent.cost_nanos, currency),
            percent(Fraction(mine.spent.cost_nanos, whole) if whole else None),
            price(mine.input.full if mine.input else None, currency),
            price(mine.output.full if mine.output else None, currency),
            price(mine.per_request, currency), ", ".join(one.divisions) or ABSENT,
        )  # fmt: skip


def _between(one: Band) -> str:
    if one.to is None:
        return f"over {one.above:,}" if one.above else "all"
    return f"{one.above + 1:,} to {one.to:,}" if one.above else f"up to {one.to:,}"


def _within(bound: Bound | None) -> str:
    if bound is None:
        return ABSENT
    return f"{'<=' if bound.is_upper else '>'} {bound.millis // _MILLIS} s"


def _seconds(millis: Fraction | None) -> str:
    return ABSENT if millis is None else f"{float(millis) / _MILLIS:,.2f} s"


def _short(number: Fraction | None) -> str:
    return ABSENT if number is None else f"{float(number):,.{2 if number < _SMALL else 0}f}"


_SMALL = 100
"""Below this two digits behind the point say something."""


def _number(number: int | None) -> str:
    return ABSENT if number is None else f"{number:,}"


def _decimal(number: Fraction | None) -> str | None:
    return None if number is None else f"{float(number):.6g}"


def _bound(bound: Bound | None) -> Mapping[str, int] | None:
    return None if bound is None else {"at_most" if bound.is_upper else "more_than": bound.millis}


def _band_row(one: Band) -> dict[str, Any]:
    return {
        "above_tokens": one.above, "to_tokens": one.to, "requests": one.requests,
        "prompt_tokens_about": one.prompt_tokens, "cost_nanos": one.cost_nanos,
        "per_request_nanos": whole_or_none(one.per_request),
    }  # fmt: skip


def _model_row(one: ModelCosts) -> dict[str, Any]:
    costs = one.costs
    return {
        "model": one.model or None,
        "cost_nanos": costs.spent.cost_nanos,
        "idle_nanos": costs.spent.idle_nanos,
        "divided_by": [division.value for division in one.divisions if division],
        "input_per_million_nanos": whole_or_none(costs.input.full if costs.input else None),
        "output_per_million_nanos": whole_or_none(costs.output.full if costs.output else None),
        "per_request_nanos": whole_or_none(costs.per_request),
    }


def _amplification(found: Amplification) -> dict[str, Any]:
    return {
        "caller_requests": found.calls,
        "attempts": found.attempts,
        "counted_by": found.counted_by or None,
        "factor": _decimal(found.factor),
        "parts": [_behind_row(one) for one in found.parts],
    }


def _behind_row(one: Behind) -> dict[str, Any]:
    return {
        "part": one.part.value, "number": one.number, "per_request": _decimal(one.per_call),
        "cost_nanos": one.cost_nanos, "counted_by": one.counted_by,
    }  # fmt: skip
