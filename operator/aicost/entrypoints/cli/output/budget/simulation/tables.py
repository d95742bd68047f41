"""The moves of a simulation, and whom they are about, in tables."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from aicost.crd.status.texts import money
from aicost.domain.budgets.deciding.decide import Move
from aicost.domain.budgets.plans import BudgetPlan
from aicost.domain.budgets.simulation.values import Simulation, Stop, Turn
from aicost.domain.budgets.simulation.workloads import Seen
from aicost.entrypoints.cli.output.budget.actions_table import gpus
from aicost.entrypoints.cli.output.budget.ages import ABSENT
from aicost.entrypoints.cli.output.budget.simulation.texts import (
    count,
    moment,
    moved,
    number,
    per_hour,
    tells,
    used,
    why,
)
from aicost.entrypoints.cli.output.table import Column, Line, draw
from aicost.entrypoints.cli.terminal import Style, Terminal

MOST_STOPS = 20
"""Workloads that a table names."""
_TURNS = (
    Column("WHEN"),
    Column("WHAT"),
    Column("RUNG", shrinks=True, drop=1),
    Column("WHY", shrinks=True),
    Column("SPENT", right=True, drop=3),
    Column("USED", right=True),
    Column("TOLD", drop=2),
    Column("NOTICED", right=True, drop=4),
    Column("STOPPED", right=True),
)
_STOPS = (
    Column("#", right=True),
    Column("WORKLOAD", shrinks=True),
    Column("STAGE"),
    Column("AIWORKLOAD", shrinks=True, drop=3),
    Column("ANNOUNCED", drop=2),
    Column("STOPPED"),
    Column("UNTIL", drop=1),
    Column("GPUS", right=True),
    Column("PER HOUR", right=True),
    Column("SAVES", right=True),
)


def turns_table(found: Simulation, terminal: Terminal) -> list[str]:
    """When what moves and why, at which spend, and who hears of it."""
    lines = [line for quiet, group in groupby(found.turns, _is_quiet) for line in _lines(quiet, list(group), found)]
    return list(draw(_TURNS, [lines], terminal).lines)


def _is_quiet(turn: Turn) -> bool:
    """Whether nothing moves but the number of workloads that are stopped."""
    return turn.decision.move is Move.STEADY and not turn.decision.crossed


def _lines(quiet: bool, turns: Sequence[Turn], found: Simulation) -> Iterator[Line]:  # noqa: FBT001 -- as grouped
    if quiet:
        yield Line(_steps(turns, found.plan))
    else:
        yield from (Line(_cells(turn, found.plan), _style(turn)) for turn in turns)


def _cells(turn: Turn, plan: BudgetPlan) -> tuple[str, ...]:
    decision = turn.decision
    told = ", ".join(one.name for one in decision.crossed)
    rung = told if decision.move is Move.STEADY or not decision.rung else decision.rung.name
    return (
        moment(turn.at_ms, plan),
        moved(turn, plan),
        rung or ABSENT,
        why(turn, plan),
        *_spend(turn, plan),
        tells(turn),
        number(turn.told),
        number(turn.stopped),
    )


def _spend(turn: Turn, plan: BudgetPlan) -> tuple[str, str]:
    spent, limit = turn.decision.spend.standing.spend.counted_nanos, turn.decision.spend.limit_nanos
    return money(spent, plan.currency), used(spent, limit)


def _steps(turns: Sequence[Turn], plan: BudgetPlan) -> tuple[str, ...]:
    """Steps one after the other in one line."""
    told, stopped = sum(one.told for one in turns), sum(one.stopped for one in turns)
    until = f"until {moment(turns[-1].at_ms, plan)}" if len(turns) > 1 else ABSENT
    return (
        moment(turns[0].at_ms, plan),
        "further steps",
        ABSENT,
        until,
        *_spend(turns[-1], plan),
        ABSENT,
        number(told),
        number(stopped),
    )


def _style(turn: Turn) -> Style:
    return Style.WARN if turn.stopped or turn.decision.move is Move.ANNOUNCED else Style.PLAIN


def stops_table(found: Simulation, terminal: Terminal) -> list[str]:
    """Whom it would have stopped, in their order, and what that saves."""
    shown, plan = found.stops[:MOST_STOPS], found.plan
    alone = len({one.seen.workload.namespace for one in found.stops}) == 1
    body = [Line(_stop(place, one, plan, alone=alone)) for place, one in enumerate(shown, start=1)]
    return list(draw(_STOPS, [body, [Line(one, Style.HEAD) for one in _totals(found)]], terminal).lines)


def _stop(place: int, one: Stop, plan: BudgetPlan, *, alone: bool) -> tuple[str, ...]:
    """One workload; without its namespace where all are of one."""
    return (
        str(place),
        one.seen.workload.controller if alone else str(one.seen.workload),
        one.seen.stage or "none",
        one.seen.workload.claim or ABSENT,
        moment(one.announced_ms, plan),
        moment(one.stopped_ms, plan),
        f"back {moment(one.until_ms, plan)}" if one.returned else "the end",
        _gpus(one.seen),
        per_hour(one.seen.rate_nanos, plan.currency),
        money(one.saved_nanos, plan.currency),
    )


def _gpus(one: Seen) -> str:
    return gpus(one.gpu_milli).split(" ")[0] if one.gpu_milli else ABSENT


def _totals(found: Simulation) -> Iterator[tuple[str, ...]]:
    """What is not named, and all together."""
    rest, currency = found.stops[MOST_STOPS:], found.plan.currency
    if rest:
        yield _sum(f"{count(len(rest))} more; -o json names all", rest, currency)
    yield _sum(f"all {len(found.stops)}" if len(found.stops) > 1 else "all", found.stops, currency)


def _sum(name: str, stops: Sequence[Stop], currency: str) -> tuple[str, ...]:
    saved = money(sum(one.saved_nanos for one in stops), currency)
    return ("", name, "", "", "", "", "", "", "", saved)
