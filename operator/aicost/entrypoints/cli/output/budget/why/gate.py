"""What a budget does, what holds it back, what comes next and how to stop it: the facts of `why` about its gate."""

from collections.abc import Iterator, Sequence

from aicost.domain.budgets.overrides.values import Phase
from aicost.domain.budgets.plans import BudgetPlan, BudgetRef
from aicost.entrypoints.cli.output.budget.ages import when
from aicost.entrypoints.cli.output.budget.classes import asked_words, predict
from aicost.entrypoints.cli.output.budget.hints import observe, on_budget, on_request
from aicost.entrypoints.cli.output.budget.reading import (
    Body,
    at,
    condition,
    items,
    moment,
    name_of,
    text,
    texts,
    whole,
)
from aicost.entrypoints.cli.output.budget.why.reasons import meaning
from aicost.entrypoints.cli.output.facts import Fact
from aicost.entrypoints.cli.terminal import Style


def gate_facts(budget: Body, plan: BudgetPlan | None, now_ms: int) -> Iterator[Fact]:
    """The gate, why it is there, and what holds it back."""
    status = at(budget, "status")
    gate = text(status, "gate")
    yield "Gate", _gate(status, gate, now_ms), Style.HEAD if gate else Style.PLAIN
    reason = text(status, "reason")
    if reason:
        yield "Because", meaning(reason), Style.PLAIN
    mode = text(budget, "spec", "mode") or "Observe"
    most = f", {plan.max_gate} at most" if plan else ""
    yield "Mode", f"{mode}{most}{_paused(plan)}", Style.PLAIN
    yield from _stated(budget)


def _gate(status: Body, gate: str, now_ms: int) -> str:
    if not gate:
        return "none is open"
    since = moment(status, "gateSince")
    opened = f", since {text(status, 'gateSince')} ({when(since, now_ms)})" if since is not None else ""
    rung = text(status, "decidedFor")
    acts = text(status, "decidedMode")
    would = "" if acts in {"", "Enforce"} else f", which it would open: it decides in mode {acts}"
    return f"{gate}{opened}{f', by rung {rung}' if rung else ''}{would}"


def _paused(plan: BudgetPlan | None) -> str:
    return "; paused" if plan is not None and plan.paused else ""


def _stated(budget: Body) -> Iterator[Fact]:
    """What the conditions say of acting and of being held back."""
    held, enforcing, ready = (condition(budget, name) for name in ("EnforcementHeld", "Enforcing", "Ready"))
    if text(held, "status") == "True":
        yield "Held back", _condition(held), Style.WARN
    if enforcing:
        yield "Acts", f"{'yes' if text(enforcing, 'status') == 'True' else 'no'}: {_condition(enforcing)}", Style.PLAIN
    for name in ("ActuatorContested", "RestorePending", "ReviewDue"):
        found = condition(budget, name)
        if text(found, "status") == "True":
            yield "Note", _condition(found), Style.WARN
    if text(ready, "status") == "False":
        yield "Not ready", _condition(ready), Style.WARN


def _condition(found: Body) -> str:
    return text(found, "message") or text(found, "reason")


def doing_facts(budget: Body, now_ms: int) -> Iterator[Fact]:
    """Redlines, nudges, and what is left alone."""
    status = at(budget, "status")
    for line in items(status, "redlines"):
        yield "Redline", _redline(line, now_ms), Style.WARN if at(line, "crossedAt") else Style.PLAIN
    for nudge in items(status, "nudges"):
        back = f"; back to normal since {text(nudge, 'until')}" if text(nudge, "until") else ""
        since = f" (since {text(nudge, 'since')}{back})"
        yield "Nudge", f"{text(nudge, 'name')}: {text(nudge, 'message')}{since}", Style.DIM if back else Style.PLAIN
    for text_of in texts(status, "enforcement", "leftOut"):
        yield "Left alone", text_of, Style.PLAIN
    yield from _simulated(at(status, "simulateAt100"))
    for name in ("growth", "promotion"):
        said = text(status, name, "message") or text(status, name)
        if said:
            yield name.capitalize(), said, Style.PLAIN


def _redline(line: Body, now_ms: int) -> str:
    of = text(line, "workload") or "the whole scope"
    due = moment(line, "dueAt")
    stop = f"; stopped {when(due, now_ms)} if it is still crossed then" if due is not None else ""
    agreed = whole(line, "agreed") or 0
    return f"{text(line, 'name')}: {of} at {text(line, 'value') or 'an unknown value'}, {agreed} in a row agree{stop}"


def _simulated(found: Body | None) -> Iterator[Fact]:
    workloads = whole(found, "workloads")
    if workloads:
        first = ", ".join(text(one, "ref") for one in items(found, "victims")[:3])
        saves = text(found, "savesPerHour")
        worth = f", {saves} per hour" if saves else ""
        yield "At 100%", f"it would stop {workloads} workloads{worth}, first {first}", Style.PLAIN


def contested_facts(budget: Body) -> Iterator[Fact]:
    """Steps that somebody else undoes, with what lets the two live together."""
    for one in items(budget, "status", "enforcement", "contested"):
        by = text(one, "by") or "somebody unknown"
        yield "Contested", f"{text(one, 'ref')}: {by} keeps undoing it, so the budget gave way", Style.WARN
        if text(one, "hint"):
            yield "To live with", text(one, "hint"), Style.PLAIN


def request_facts(budget: Body, requests: Sequence[Body], program: str, now_ms: int) -> Iterator[Fact]:
    """Overrides that hold, and requests that wait."""
    holding = texts(budget, "status", "overrides")
    if holding:
        yield "Overrides", f"in force: {', '.join(holding)}", Style.PLAIN
    for one in requests:
        phase, namespace = text(one, "status", "phase"), text(one, "metadata", "namespace")
        if phase in {"", Phase.PENDING}:
            asked = predict(one, budget, now_ms)
            approve = on_request(program, "approve", namespace, name_of(one))
            by = text(one, "spec", "requestedBy")
            yield "Asked for", f"{asked_words(asked)} by {by}, takes {asked.verb}: {approve}", Style.WARN
        elif phase == Phase.REVIEW_DUE:
            review = on_request(program, "review", namespace, name_of(one), "--comment '...'")
            yield "Review due", f"{name_of(one)} by {text(one, 'spec', 'requestedBy')}: {review}", Style.WARN


def next_facts(budget: Body, ref: BudgetRef, program: str, now_ms: int) -> Iterator[Fact]:
    """What comes next, and how to stop it."""
    status = at(budget, "status")
    pending = at(status, "pending")
    if pending:
        due = when(moment(pending, "at"), now_ms)
        asked = f", asked for by rung {text(pending, 'rung')}" if text(pending, "rung") else ""
        yield "Next", f"{text(pending, 'gate')} opens {due} ({text(pending, 'at')}){asked}, if still needed", Style.WARN
    said = text(status, "nextAction")
    if said or not pending:
        yield "Next" if not pending else "In words", said or "nothing is announced", Style.PLAIN
    if above := text(budget, "spec", "parentRef", "name"):
        yield (
            "Above it",
            f"what {above} refuses is refused too: {on_budget(program, 'why', BudgetRef(above))}",
            Style.PLAIN,
        )
    yield from _stops(ref, program, acts=text(budget, "spec", "mode") == "Enforce", open_=bool(text(status, "gate")))


def _stops(ref: BudgetRef, program: str, *, acts: bool, open_: bool) -> Iterator[Fact]:
    yield "For more", on_budget(program, "request", ref, "--amount N --reason '...'"), Style.PLAIN
    if not acts:
        return
    if open_:
        yield "Emergency", on_budget(program, "break-glass", ref, "--reason '...'"), Style.PLAIN
        yield "To undo it", on_budget(program, "restore", ref), Style.PLAIN
    yield "To stop it", observe(ref), Style.PLAIN
