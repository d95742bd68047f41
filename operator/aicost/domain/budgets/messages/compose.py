"""What an evaluation has to tell: each thing once, whoever evaluates and however often."""

from collections.abc import Iterator

from aicost.domain.budgets.deciding.decide import GateDecision, Move, Why
from aicost.domain.budgets.deciding.figures import Blindness, figure_of
from aicost.domain.budgets.evaluation import Evaluation
from aicost.domain.budgets.gates import Gate, at_least, rank
from aicost.domain.budgets.messages.requests import requests
from aicost.domain.budgets.messages.runbooks import page_of
from aicost.domain.budgets.messages.values import Topic, Urgency
from aicost.domain.budgets.messages.words import (
    GATE_DOES,
    ask_for_more,
    blind,
    command,
    moment,
    money,
    percent,
    spent,
    threshold,
)
from aicost.domain.budgets.messages.writer import Telling, Writer
from aicost.domain.budgets.plans import Rung
from aicost.domain.budgets.redlines import RedlineFinding, RedlineMove
from aicost.domain.exact.amounts import format_decimal
from aicost.domain.exact.windows import MINUTE_MS

HELD_MS = 5 * MINUTE_MS
"""For so long figures must be of no use before anybody is told: a restart, or a price that was just added, is over by
then."""


def tellings(one: Evaluation, runbook_base: str = "") -> tuple[Telling, ...]:
    """All that this evaluation has to tell and that was not told yet.

    Args:
        one: what was found.
        runbook_base: put before the path of a runbook.
    """
    writer = Writer(one, runbook_base)
    parts = (_thresholds, _gates, _held, _hints, _redlines, requests, _growth)
    found = (telling for part in parts for telling in part(writer))
    return tuple(telling for telling in found if not one.memory.has_said(telling.what))


def _thresholds(writer: Writer) -> Iterator[Telling]:
    """Rungs that were crossed."""
    for decision in writer.one.decisions:
        for rung in decision.crossed:
            yield _crossed(writer, rung)


def _crossed(writer: Writer, rung: Rung) -> Telling:
    one = writer.one
    acts = one.acts and at_least(one.last.gate, rung.gate) and rank(rung.gate) > rank(Gate.NOTIFY)
    effect = f" From now on {GATE_DOES[rung.gate]}." if acts else ""
    title = f"{one.plan.ref}: {threshold(one.plan, rung)}"
    urgency = _urgency(rung.gate, over=one.spend.is_exhausted)
    return writer.message(
        f"rung-{rung.name}@{one.spend.limit_nanos}",
        Topic.THRESHOLD,
        urgency,
        title,
        f"{spent(one.plan, one.spend)} is spent; {threshold(one.plan, rung)} is reached.{effect}",
        page_of(rung.gate if acts else rung.basis),
        stop=ask_for_more(one.plan, one.spend),
        data={"rung": rung.name, "rungGate": str(rung.gate), "figure": figure_of(rung, one.spend) or 0},
    )


def _gates(writer: Writer) -> Iterator[Telling]:
    """Gates that opened later than their rung was crossed, closed, or were withdrawn, where they act."""
    for decision in writer.one.decisions:
        if writer.one.acts and _is_news(decision):
            yield _moved(writer, decision)


def _moved(writer: Writer, decision: GateDecision) -> Telling:
    one, name = writer.one, str(decision.gate or "none")
    if decision.move is Move.OPENED and decision.gate:
        title, body = f"{one.plan.ref}: gate {name} is open", f"From now on {GATE_DOES[decision.gate]}."
    elif decision.move is Move.WITHDRAWN:
        title, body = f"{one.plan.ref}: the announced step is withdrawn", "It is not needed any more."
    else:
        title, body = f"{one.plan.ref}: gate {decision.before} is closed", _closed(decision)
    return writer.message(
        f"gate-{decision.move.lower()}-{name}-{one.now_ms}",
        Topic.GATE,
        _urgency(decision.gate, over=False),
        title,
        f"{spent(one.plan, one.spend)} is spent. {body}",
        page_of(decision.gate or decision.before or Gate.NOTIFY),
        data={"before": str(decision.before or ""), "reason": str(decision.reason)},
    )


def _held(writer: Writer) -> Iterator[Telling]:
    """Figures that cannot be acted on, where somebody counts on the gate."""
    one, reason = writer.one, writer.one.last.reason
    lasts = one.now_ms - one.memory.held[1] >= HELD_MS
    if not (one.tells and lasts) or not isinstance(reason, Blindness) or reason is Blindness.NO_DATA:
        return
    stop = command("accept-prices", one.plan.ref) if reason is Blindness.PRICE_JUMP else ""
    yield writer.message(
        f"held-{reason}",
        Topic.HELD,
        Urgency.WARNING,
        f"{one.plan.ref}: nothing moves, {blind(reason, one.spend.data, one.now_ms)}",
        "Nothing is opened and nothing is closed until the figures can be trusted; what is in force stays so.",
        page_of(reason),
        stop=stop,
        data={"reason": str(reason)},
    )


def _hints(writer: Writer) -> Iterator[Telling]:
    """Nudges that are due."""
    for found in writer.one.nudges:
        state = found.state
        if found.is_due:
            yield writer.message(
                f"nudge-{state.name}-{state.subject}-{state.since_ms}"[:128],
                Topic.NUDGE,
                Urgency.INFO,
                f"{writer.one.plan.ref}: {state.message}",
                f"{state.message} Nothing is done about it; this is a hint.",
                page_of(Topic.NUDGE),
                next="Nobody acts; if nobody acknowledges it, FinOps hears of it once.",
                stop=command("ack", writer.one.plan.ref),
                data={"nudge": state.name, "watch": str(state.on)},
            )


def _redlines(writer: Writer) -> Iterator[Telling]:
    """Experiments that crossed a redline."""
    for found in writer.one.redlines:
        if found.move is RedlineMove.ANNOUNCED:
            yield _redline(writer, found)


def _redline(writer: Writer, found: RedlineFinding) -> Telling:
    line, state, one = found.redline, found.state, writer.one
    side = f"above {_bound(line.above)}" if line.above is not None else f"below {_bound(line.below)}"
    due = f"It is stopped at {moment(state.due_ms or one.now_ms)}, if it is still so then."
    return writer.message(
        f"redline-{state.name}-{state.subject}-{state.crossed_ms}"[:128],
        Topic.REDLINE,
        Urgency.CRITICAL,
        f"{state.subject} crossed redline {state.name}: {line.metric} is {state.value}, {side}",
        f"{line.metric} of {state.subject} is {state.value}, {side}, in {line.evaluations} evaluations in a row.",
        page_of(Gate.FAST_FAIL),
        next=due if one.acts else f"Nothing: the budget is in mode {one.plan.mode}.",
        stop=ask_for_more(one.plan, one.spend),
        data={"redline": state.name, "workload": str(state.subject)},
    )


def _growth(writer: Writer) -> Iterator[Telling]:
    """A limit that has grown, and work that is ready for its next stage."""
    one = writer.one
    grown = one.memory.grown
    if one.rolled and grown.limit_nanos and grown.limit_nanos != one.before.grown.limit_nanos:
        text = f"{grown.message} It is {money(grown.limit_nanos, one.plan)} now."
        yield writer.message(
            f"grown-{grown.limit_nanos}", Topic.GROWN, Urgency.INFO, f"{one.plan.ref}: the limit has grown", text,
            page_of(Topic.PROMOTION), next="",
        )  # fmt: skip
    if one.ready and one.ready.is_ready:
        yield writer.message(
            f"promotion-{one.ready.to}", Topic.PROMOTION, Urgency.INFO,
            f"{one.plan.ref}: ready for stage {one.ready.to}", one.ready.why, page_of(Topic.PROMOTION),
            next=f"Somebody with the verb grow sets spec.stage to {one.ready.to}.",
        )  # fmt: skip


def _bound(value: int | None) -> str:
    return format_decimal(value or 0)


def _urgency(gate: Gate | None, *, over: bool) -> Urgency:
    if over or at_least(gate, Gate.DENY_NEW):
        return Urgency.CRITICAL
    return Urgency.WARNING if at_least(gate, Gate.FREEZE_GROWTH) else Urgency.INFO


def _is_news(decision: GateDecision) -> bool:
    """Whether a move is worth a word beside the thresholds: not a step on the way that its own rung just told of."""
    felt = at_least(decision.gate, Gate.FREEZE_GROWTH) or at_least(decision.before, Gate.FREEZE_GROWTH)
    match decision.move:
        case Move.OPENED:
            told = decision.rung is not None and decision.state.of(decision.rung.name).told_ms
            return felt and told != decision.state.evaluated_ms
        case Move.CLOSED:
            return felt
        case Move.WITHDRAWN:
            return True
        case _:
            return False


def _closed(decision: GateDecision) -> str:
    words = {
        Why.ROLLOVER: "A new period has begun",
        Why.MORE_ALLOWED: "More is allowed now",
        Why.MODE_CHANGED: "The mode was changed",
        Why.MAX_GATE_LOWERED: "maxGate was lowered",
        Why.BELOW_EXIT: f"Spend is below {_exit(decision)}",
    }
    why = next((text for reason, text in words.items() if reason is decision.reason), str(decision.reason))
    left = f"; {decision.gate} stays open" if decision.gate else ""
    return f"{why}{left}. What was changed comes back, a few GPUs at a time."


def _exit(decision: GateDecision) -> str:
    rung = decision.rung
    return percent(rung.exit) if rung else "what keeps it open"
