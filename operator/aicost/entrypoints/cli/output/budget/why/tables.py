"""The tables of `why`: each rung with its figure, and the messages that were sent."""

from collections.abc import Sequence

from aicost.crd.status.texts import money, share
from aicost.domain.budgets.gates import Basis, rank
from aicost.domain.budgets.pace import INFINITE
from aicost.domain.budgets.plans import PPM, BudgetPlan, Rung
from aicost.domain.exact.apportion import divide
from aicost.domain.exact.windows import HOUR_MS
from aicost.entrypoints.cli.output.budget.ages import ABSENT, age, length
from aicost.entrypoints.cli.output.budget.bar import mark
from aicost.entrypoints.cli.output.budget.figures import Money, RungFigure
from aicost.entrypoints.cli.output.budget.reading import Body, at, items, moment, text, texts
from aicost.entrypoints.cli.output.table import Column, Line, draw
from aicost.entrypoints.cli.terminal import Style, Terminal

_RUNGS = (
    Column("#"),
    Column("RUNG", shrinks=True),
    Column("GATE"),
    Column("LOOKS AT", drop=2),
    Column("NOW", right=True),
    Column("OPENS AT", right=True),
    Column("CLOSES BELOW", right=True, drop=1),
    Column("HOW FAR", shrinks=True),
)
_MESSAGES = (
    Column("ID", shrinks=True),
    Column("AGE", right=True),
    Column("SAID", shrinks=True),
    Column("SENT TO", shrinks=True, drop=1),
    Column("SEEN BY", shrinks=True),
)
_LOOKS_AT = {
    Basis.ACTUAL: "spend",
    Basis.FORECAST: "forecast",
    Basis.BURN_RATE: "burn rate",
    Basis.COMMITTED_RATE: "committed rate",
    Basis.UNIT_COST: "unit cost",
}


def rungs_table(
    rungs: Sequence[RungFigure], plan: BudgetPlan, amounts: Money, now_ms: int, terminal: Terminal
) -> list[str]:
    """Each rung: what it looks at, where that is, where it opens and closes, and how far away that is."""
    lines = [
        Line(_rung(index, one, plan, amounts, now_ms), Style.WARN if _is_reached(one) else Style.PLAIN)
        for index, one in enumerate(rungs)
    ]
    return list(draw(_RUNGS, [lines], terminal).lines)


def _rung(index: int, one: RungFigure, plan: BudgetPlan, amounts: Money, now_ms: int) -> tuple[str, ...]:
    rung = one.rung
    return (
        mark(index),
        rung.name,
        rung.gate.value,
        _LOOKS_AT[rung.basis],
        ABSENT if one.now is None else figure(rung, one.now, plan.currency),
        figure(rung, rung.at, plan.currency),
        figure(rung, rung.exit, plan.currency),
        _how_far(one, plan, amounts, now_ms) + ("; beyond maxGate" if rank(rung.gate) > rank(plan.max_gate) else ""),
    )


def figure(rung: Rung, value: int, currency: str) -> str:
    """A figure of a rung, in its unit."""
    if rung.basis is Basis.COMMITTED_RATE:
        return f"{money(value, currency)}/h"
    if rung.basis is Basis.BURN_RATE:
        hundredths = divide(value * 100, PPM)
        return "inf" if value >= INFINITE else f"{hundredths // 100}.{hundredths % 100:02d}"
    return share(value, PPM) or ABSENT


def _is_reached(one: RungFigure) -> bool:
    return at(one.status, "reached") is True


def _how_far(one: RungFigure, plan: BudgetPlan, amounts: Money, now_ms: int) -> str:
    rung = one.rung
    if _is_reached(one):
        return f"reached {age(moment(one.status, 'since'), now_ms)} ago"
    if one.now is None:
        early = "not judged: it is early in the period, or the last hour cost too little"
        return early if rung.basis is Basis.BURN_RATE else "not known"
    if one.now >= rung.at:
        return f"reached; {rung.evaluations} evaluations must agree"
    gap = rung.at - one.now
    if rung.basis in {Basis.COMMITTED_RATE, Basis.BURN_RATE}:
        return f"{figure(rung, gap, plan.currency)} away"
    points = f"{divide(gap * 1000, PPM) // 10}.{divide(gap * 1000, PPM) % 10} points"
    if rung.basis is Basis.UNIT_COST:
        return f"{points} away"
    missing = divide(amounts.limit * gap, PPM)
    soon = f", in {length(missing * HOUR_MS // amounts.rate)}" if rung.basis is Basis.ACTUAL and amounts.rate else ""
    return f"{points}, {money(missing, plan.currency)} away{soon}"


def messages_table(budget: Body, now_ms: int, terminal: Terminal) -> list[str]:
    """What was said of the budget, and who has seen it."""
    told = items(budget, "status", "told")
    lines = [Line(_message(one, now_ms), Style.DIM if text(one, "acknowledgedBy") else Style.PLAIN) for one in told]
    return list(draw(_MESSAGES, [lines], terminal).lines) if lines else []


def _message(one: Body, now_ms: int) -> tuple[str, ...]:
    sent = ", ".join(texts(one, "sent")) or "nobody yet"
    seen = text(one, "acknowledgedBy") or ("nobody; escalated" if at(one, "escalatedAt") else "nobody")
    return text(one, "id"), age(moment(one, "at"), now_ms), text(one, "summary"), sent, seen
