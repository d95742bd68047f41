"""Pipelines of features: on the screen and for programs."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from aicost.crd.status.texts import money
from aicost.domain.exact.windows import to_rfc3339
from aicost.domain.serving.pipelines.pipeline import SHARED, Pipeline, StepCost
from aicost.entrypoints.cli.output.facts import Fact, fact_lines
from aicost.entrypoints.cli.output.table import Column, Line, draw
from aicost.entrypoints.cli.output.units.amounts import ABSENT, percent, price, whole_or_none
from aicost.entrypoints.cli.terminal import Style, Terminal
from aicost.usecases.economics.pipelines.cost_pipelines import PipelineReport

NO_STEP = "(no step)"
_COLUMNS = (
    Column("STEP", shrinks=True),
    Column("COST", right=True),
    Column("SHARE", right=True),
    Column("GPU", right=True, drop=1),
    Column("BESIDE", right=True, drop=2),
    Column("SHARED", right=True, drop=2),
    Column("UNITS", right=True),
    Column("OF", drop=1),
    Column("PER UNIT", right=True),
    Column("FAN-OUT", right=True),
)


def pipeline_screen(report: PipelineReport, terminal: Terminal) -> str:
    """A table for each feature, and what one should know."""
    span = report.rests_on or report.span
    title = terminal.paint("Cost of features, step by step", Style.HEAD)
    lines = [title, f"{to_rfc3339(span.start_ms)} to {to_rfc3339(span.end_ms)}", ""]
    if report.rests_on is None:
        return "\n".join([*lines, "The ledger holds no whole window of this time, or none that was counted."])
    if not report.pipelines:
        told = "Nothing that cost something belongs to a feature: label pods aicost.dev/feature, and aicost.dev/step."
        return "\n".join([*lines, told])
    for one in report.pipelines:
        lines += [terminal.paint(_heading(one), Style.HEAD), "", *_table(one, terminal), ""]
    return "\n".join([*lines, *fact_lines(_facts(report), terminal)]).rstrip("\n")


def _heading(one: Pipeline) -> str:
    answer = "" if one.per_answer is None else f", {price(one.per_answer, one.currency)} for one answer"
    return f"{one.feature}: {money(one.cost_nanos, one.currency)}{answer}"


def _table(one: Pipeline, terminal: Terminal) -> list[str]:
    rows = [Line(_cells(one, step)) for step in one.steps]
    total = Line(("TOTAL", money(one.cost_nanos, one.currency), *("" for _ in _COLUMNS[2:])), Style.HEAD)
    return list(draw(_COLUMNS, [rows, [total]], terminal).lines)


def _cells(one: Pipeline, step: StepCost) -> tuple[str, ...]:
    gpu, shared = step.components.get("gpu", 0), step.components.get(SHARED, 0)
    return (
        step.step or NO_STEP,
        money(step.cost_nanos, one.currency),
        percent(Fraction(step.cost_nanos, one.cost_nanos) if one.cost_nanos else None),
        money(gpu, one.currency) if gpu else ABSENT,
        money(step.cost_nanos - gpu - shared, one.currency) if step.cost_nanos - gpu - shared else ABSENT,
        money(shared, one.currency) if shared else ABSENT,
        ABSENT if step.units is None else f"{step.units:,}",
        step.unit or ABSENT,
        price(step.per_unit, one.currency),
        _times(one.fan_out(step)),
    )


def _times(ratio: Fraction | None) -> str:
    return ABSENT if ratio is None else f"{float(ratio):,.2f}x"


def _facts(report: PipelineReport) -> Iterator[Fact]:
    for one in report.pipelines:
        if any(not step.step for step in one.steps):
            told = f"{one.feature}: pods without aicost.dev/step stand as {NO_STEP}"
            yield "Steps", told, Style.WARN
        if any(step.components.get(SHARED) for step in one.steps):
            told = f"{one.feature}: its part of shared endpoints, as gateways count; requests there are not told apart"
            yield "Shared", told, Style.PLAIN
        elif one.answers is None:
            told = f"{one.feature}: nobody counts the requests of a step infer: no fan-out, no cost of one answer"
            yield "Answers", told, Style.PLAIN
        if any(step.did.at_least for step in one.steps):
            yield "At least", f"{one.feature}: a counter began unseen: there may be more units", Style.WARN


def pipeline_document(report: PipelineReport) -> dict[str, Any]:
    """All of it: integers of nano-units, and ratios as decimal texts."""
    span = report.rests_on
    return {
        "apiVersion": "query.aicost.dev/v1alpha1",
        "kind": "Pipelines",
        "rests_on": None if span is None else {"from": to_rfc3339(span.start_ms), "to": to_rfc3339(span.end_ms)},
        "features": [_feature(one) for one in report.pipelines],
    }


def _feature(one: Pipeline) -> dict[str, Any]:
    return {
        "feature": one.feature,
        "currency": one.currency,
        "cost_nanos": one.cost_nanos,
        "answers": one.answers,
        "per_answer_nanos": whole_or_none(one.per_answer),
        "steps": [_step(one, step) for step in one.steps],
    }


def _step(one: Pipeline, step: StepCost) -> dict[str, Any]:
    ratio = one.fan_out(step)
    return {
        "step": step.step or None,
        "cost_nanos": step.cost_nanos,
        "components": dict(step.components),
        "engines": sorted(step.did.engines),
        "unit": step.unit,
        "units": step.units,
        "per_unit_nanos": whole_or_none(step.per_unit),
        "fan_out": None if ratio is None else f"{float(ratio):.6f}",
        "at_least": step.did.at_least,
    }
