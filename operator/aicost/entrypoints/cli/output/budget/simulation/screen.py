"""A simulation on the screen: the picture, the moves, whom they are about, what it comes to, and its limits."""

from collections.abc import Iterator

from aicost.crd.status.texts import money, share
from aicost.domain.budgets.gates import Gate, at_least
from aicost.domain.budgets.simulation.days import zone_of
from aicost.domain.exact.windows import describe_length
from aicost.entrypoints.cli.output.budget.simulation.simulated import Simulated
from aicost.entrypoints.cli.output.budget.simulation.tables import stops_table, turns_table
from aicost.entrypoints.cli.output.budget.simulation.texts import clock
from aicost.entrypoints.cli.output.budget.simulation.timeline import timeline
from aicost.entrypoints.cli.output.budget.simulation.told import cautions, limits, mode_words, totals
from aicost.entrypoints.cli.output.budget.telling import command, facts, title
from aicost.entrypoints.cli.output.facts import Fact, wrapped
from aicost.entrypoints.cli.terminal import Style, Terminal


def simulation_screen(done: Simulated, program: str, terminal: Terminal) -> str:
    """The whole screen.

    Args:
        done: what is shown.
        program: how this program was called, for commands to copy.
        terminal: what is drawn to.
    """
    found = done.found
    lines = [*_head(done, terminal), "", *timeline(found, terminal), ""]
    if found.turns:
        lines += [*turns_table(found, terminal), ""]
    else:
        lines += [*wrapped("No rung would have been reached.", terminal), ""]
    if found.stops:
        lines += [terminal.paint("Stopped, in this order", Style.HEAD), *stops_table(found, terminal), ""]
    lines += [*facts(totals(found), terminal), *facts(cautions(found), terminal), *facts(limits(found), terminal)]
    return "\n".join([*lines, *facts(_next(done, program), terminal)])


def _head(done: Simulated, terminal: Terminal) -> Iterator[str]:
    """What was simulated, against what, and as whom."""
    found, plan = done.found, done.found.plan
    limit = money(plan.limit_nanos(found.periods[-1].term.period.start_ms), plan.currency)
    yield from title(f"{plan.ref} · {limit} · simulated", terminal)
    told = [_time(done), mode_words(found, done.own), *_tried(done)]
    yield from (terminal.paint(line, Style.DIM) for text in told for line in wrapped(text, terminal))


def _time(done: Simulated) -> str:
    plan, span, asked = done.found.plan, done.found.span, done.asked
    text = f"{clock(span.start_ms, plan)} → {clock(span.end_ms, plan)} {zone_of(plan.rule)}"
    part = "" if span == asked else f", {share(span.length_ms, asked.length_ms)} of the window: more is not recorded"
    return f"{text} ({describe_length(span.length_ms)}{part}), as recorded by {done.source}"


def _tried(done: Simulated) -> Iterator[str]:
    """What was tried on the budget."""
    plan, own = done.found.plan, done.own
    parts = []
    if plan.limits != own.limits:
        before = money(own.limit_nanos(done.found.span.start_ms), own.currency)
        parts.append(f"a limit of {money(plan.limits[-1][1], plan.currency)} in place of {before}")
    if plan.max_gate is not own.max_gate:
        parts.append(f"maxGate {plan.max_gate} in place of {own.max_gate}")
    if plan.safety.enough_labels != own.safety.enough_labels:
        parts.append("labels on enough of the cost")
    if own.paused:
        parts.append("going on, though the budget is paused")
    if parts:
        yield f"Tried: {'; '.join(parts)}."


def _next(done: Simulated, program: str) -> Iterator[Fact]:
    """What one might try next."""
    found, plan = done.found, done.found.plan
    words = (program, "budget simulate", *done.again)
    if found.acts and not at_least(plan.max_gate, Gate.SUSPEND):
        yield "To try more", command(*words, "--max-gate Suspend"), Style.PLAIN
    if found.stops:
        yield "To compare", command(*words, "--mode Observe"), Style.PLAIN
