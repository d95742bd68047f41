"""Runs of training on the screen."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from aicost.crd.status.texts import counted, gpu_hours, money
from aicost.domain.exact.windows import to_rfc3339
from aicost.domain.training.dividing import Part
from aicost.domain.training.terms import Measure
from aicost.entrypoints.cli.output.facts import Fact, fact_lines
from aicost.entrypoints.cli.output.table import Column, Line, draw
from aicost.entrypoints.cli.output.training.document import per
from aicost.entrypoints.cli.output.units.amounts import ABSENT, percent, price, whole
from aicost.entrypoints.cli.terminal import Style, Terminal
from aicost.usecases.economics.training.questions import RunLine, TrainingReport

_SHOWN = 5
_COLUMNS = (
    Column("NAMESPACE", shrinks=True),
    Column("RUN", shrinks=True),
    Column("STATE", drop=2),
    Column("COST", right=True),
    Column("LOST", right=True),
    Column("GOODPUT", right=True),
    Column("RESTARTS", right=True, drop=4),
    Column("STEPS", right=True, drop=2),
    Column("PER STEP", right=True),
    Column("PER EPOCH", right=True, drop=3),
    Column("SAMPLES/M", right=True, drop=4),
    Column("TOKENS/M", right=True, drop=1),
    Column("PER POINT", right=True, drop=3),
    Column("DONE", right=True, drop=1),
    Column("TO COMPLETE", right=True),
    Column("BY", drop=2),
)
"""/M: for a million. A column that no run has a value for is left out."""
_ALWAYS = frozenset({"NAMESPACE", "RUN", "STATE", "COST", "LOST", "GOODPUT", "BY"})
_PARTS = (
    Column("NAMESPACE", shrinks=True),
    Column("RUN", shrinks=True),
    Column("USEFUL", right=True),
    Column("LOST STEPS", right=True),
    Column("RESTARTS", right=True),
    Column("FAILED", right=True),
    Column("START", right=True),
    Column("AFTER", right=True),
    Column("NOT TOLD", right=True),
)


def training_screen(report: TrainingReport, terminal: Terminal) -> str:
    """What runs cost by what they achieved, where their money went, and what one should know."""
    span = report.rests_on or report.span
    title = terminal.paint("Runs of training", Style.HEAD)
    lines = [title, f"{to_rfc3339(span.start_ms)} to {to_rfc3339(span.end_ms)}", ""]
    if report.rests_on is None:
        return "\n".join([*lines, "The ledger holds no whole window of this time."])
    if report.lines:
        lines += [*_table(report.lines, terminal), "", terminal.paint("Where the money went", Style.HEAD), ""]
        lines += [*draw(_PARTS, [[Line(_parts(line)) for line in report.lines]], terminal).lines, ""]
    else:
        lines += ["No pod that cost something belongs to a run of training.", ""]
    return "\n".join([*lines, *fact_lines(_facts(report), terminal)]).rstrip("\n")


def _table(runs: Sequence[RunLine], terminal: Terminal) -> Sequence[str]:
    cells = [_cells(line) for line in runs]
    kept = [
        place
        for place, column in enumerate(_COLUMNS)
        if column.title in _ALWAYS or any(row[place] != ABSENT for row in cells)
    ]
    columns = [_COLUMNS[place] for place in kept]
    return draw(columns, [[Line(tuple(row[place] for place in kept)) for row in cells]], terminal).lines


def _cells(line: RunLine) -> tuple[str, ...]:
    costs, currency = line.costs, line.costs.currency
    told = costs.basis is not None or costs.lost_nanos
    quality = costs.quality.per_point if costs.quality else None
    return (
        line.namespace,
        line.run,
        costs.outcome.value,
        money(costs.cost_nanos, currency),
        money(costs.lost_nanos, currency) if told else ABSENT,
        percent(costs.goodput),
        ABSENT if costs.restarts is None else f"{costs.restarts:,}",
        _count(costs.did.get(Measure.STEPS)),
        price(per(line, Measure.STEPS), currency),
        price(per(line, Measure.EPOCHS), currency),
        price(per(line, Measure.SAMPLES), currency),
        price(per(line, Measure.TOKENS), currency),
        price(quality, currency),
        percent(costs.completion.progress),
        price(costs.completion.nanos, currency) if costs.completion.nanos is None else _to_come(line),
        f"{costs.basis or 'pods'} ({costs.confidence})" if costs.confidence else ABSENT,
    )


def _to_come(line: RunLine) -> str:
    nanos = line.costs.completion.nanos
    return ABSENT if nanos is None else money(whole(nanos), line.costs.currency)


def _count(amount: Fraction | None) -> str:
    return ABSENT if amount is None else f"{whole(amount):,}"


def _parts(line: RunLine) -> tuple[str, ...]:
    parts, currency = line.costs.parts, line.costs.currency
    return (
        line.namespace,
        line.run,
        *(money(parts[part], currency) if parts[part] else ABSENT for part in _ORDER),
    )


_ORDER = (Part.USEFUL, Part.LOST_STEPS, Part.RESTARTS, Part.FAILED, Part.START, Part.AFTER, Part.UNTOLD)


def _facts(report: TrainingReport) -> Iterator[Fact]:
    length_ms = report.rests_on.length_ms if report.rests_on else 0
    if report.covered_ms < length_ms:
        yield "Gaps", "hours between are missing in the ledger: their work counts, their cost does not", Style.WARN
    for line in report.lines:
        name = f"{line.namespace}/{line.run}"
        if line.unpriced_ms:
            yield "Unpriced", f"{name}: {gpu_hours(line.unpriced_ms)} GPU-hours have no price", Style.WARN
        if line.costs.at_most:
            text = f"{name} failed, and nothing tells what was saved: name a gauge in spec.training.checkpoint"
            yield "At most", text, Style.WARN
    for gap, names in _gaps(report.lines).items():
        yield "Not told", f"{_several(names)}: {gap}", Style.WARN
    if report.others:
        named = ", ".join(report.others[:_SHOWN])
        more = counted(len(report.others), "other run")
        yield "Not training", f"{more}; label those that train aicost.dev/workload-type=training: {named}", Style.PLAIN
    for note in report.notes:
        yield "Note", note, Style.WARN


def _gaps(lines: Sequence[RunLine]) -> dict[str, list[str]]:
    """What is missing, and of which runs."""
    found: dict[str, list[str]] = {}
    for line in lines:
        for gap in line.gaps:
            found.setdefault(gap, []).append(f"{line.namespace}/{line.run}")
    return found


def _several(names: Sequence[str]) -> str:
    """The first of some names, and how many there are beside them."""
    more = f" and {counted(len(names) - _SHOWN, 'more run')}" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
