"""`why`: a budget's gate explained from its status, from the picture down to the command that stops it."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from aicost.domain.budgets.plans import BudgetPlan, BudgetRef
from aicost.domain.enforcement.values import IN_FORCE, ActionPhase
from aicost.entrypoints.cli.output.budget.actions_table import actions_table, in_phase
from aicost.entrypoints.cli.output.budget.bar import picture
from aicost.entrypoints.cli.output.budget.figures import Money, money_of, rung_amount, rung_figures
from aicost.entrypoints.cli.output.budget.hints import on_budget
from aicost.entrypoints.cli.output.budget.reading import Body, at, items, plan_of, ref_of, text
from aicost.entrypoints.cli.output.budget.telling import facts, title
from aicost.entrypoints.cli.output.budget.why.gate import (
    contested_facts,
    doing_facts,
    gate_facts,
    next_facts,
    request_facts,
)
from aicost.entrypoints.cli.output.budget.why.money import Shown, money_facts, period_words
from aicost.entrypoints.cli.output.budget.why.tables import messages_table, rungs_table
from aicost.entrypoints.cli.output.facts import wrapped
from aicost.entrypoints.cli.terminal import Style, Terminal

_SHOWN_PHASES = (*sorted(IN_FORCE), ActionPhase.NOTICED, ActionPhase.CONTESTED, ActionPhase.FAILED)
"""Phases of steps that a person may want to do something about."""


class Explained(NamedTuple):
    """What is explained.

    Attributes:
        actions: its BudgetActions, as far as they may be read.
        requests: the BudgetOverrides about it, as far as they may be read.
    """

    budget: Body
    actions: Sequence[Body]
    requests: Sequence[Body]
    now_ms: int
    program: str


def why_document(asked: Explained) -> str:
    """The parts as they stand in the objects, for programs."""
    ref, spec = ref_of(asked.budget), at(asked.budget, "spec") or {}
    document = {
        "kind": ref.kind,
        "namespace": ref.namespace or None,
        "name": ref.name,
        "spec": spec,
        "status": at(asked.budget, "status") or None,
        "actions": [{**_head(one), "spec": one.get("spec"), "status": one.get("status")} for one in asked.actions],
        "overrides": [{**_head(one), "spec": one.get("spec"), "status": one.get("status")} for one in asked.requests],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _head(body: Body) -> dict[str, str]:
    return {"namespace": text(body, "metadata", "namespace"), "name": text(body, "metadata", "name")}


def why_screen(asked: Explained, terminal: Terminal) -> str:
    """The whole screen."""
    ref, plan, amounts = ref_of(asked.budget), plan_of(asked.budget), money_of(asked.budget)
    if amounts is None:
        return "\n".join([*title(str(ref), terminal), "", *_never(asked, plan, terminal)])
    currency = text(asked.budget, "status", "currency") or text(asked.budget, "spec", "currency")
    shown = Shown(asked.budget, amounts, currency, asked.now_ms)
    lines = [*title(f"{ref} · {currency}", terminal), terminal.paint(period_words(shown), Style.DIM), ""]
    lines += _ladder(asked, plan, amounts, currency, terminal)
    lines += ["", *facts(gate_facts(asked.budget, plan, asked.now_ms), terminal)]
    lines += facts(money_facts(shown), terminal)
    lines += _doings(asked, terminal)
    return "\n".join([*lines, "", *_next(asked, ref, terminal)])


def _never(asked: Explained, plan: BudgetPlan | None, terminal: Terminal) -> list[str]:
    """What there is to say of a budget without figures."""
    limit = f"{text(asked.budget, 'spec', 'limit')} {text(asked.budget, 'spec', 'currency')}".strip()
    lines = wrapped(f"Nothing was computed of it yet. Its limit is {limit or 'not known'}.", terminal)
    lines += ["", *facts(gate_facts(asked.budget, plan, asked.now_ms), terminal)]
    return [*lines, *facts(request_facts(asked.budget, asked.requests, asked.program, asked.now_ms), terminal)]


def _ladder(asked: Explained, plan: BudgetPlan | None, amounts: Money, currency: str, terminal: Terminal) -> list[str]:
    """The picture, and the rungs that stand in it."""
    if plan is None:
        return [*picture(amounts, (), currency, terminal), "", "The spec cannot be read here, so no rung is shown."]
    rungs = rung_figures(asked.budget, plan, asked.actions)
    places = [rung_amount(one.rung, amounts.limit) for one in rungs]
    drawn = picture(amounts, places, currency, terminal)
    return [*drawn, "", *rungs_table(rungs, plan, amounts, asked.now_ms, terminal)] if rungs else drawn


def _doings(asked: Explained, terminal: Terminal) -> list[str]:
    """What it does and has said."""
    doings = facts(doing_facts(asked.budget, asked.now_ms), terminal)
    steps = in_phase(asked.actions, *_SHOWN_PHASES)
    lines = ["", *doings] if doings else []
    if steps:
        lines += ["", terminal.paint("Steps", Style.HEAD), *actions_table(steps, asked.now_ms, terminal)]
    contested = facts(contested_facts(asked.budget), terminal)
    lines += ["", *contested] if contested else []
    messages = messages_table(asked.budget, asked.now_ms, terminal)
    return [*lines, *(["", terminal.paint("Messages", Style.HEAD), *messages] if messages else [])]


def _next(asked: Explained, ref: BudgetRef, terminal: Terminal) -> list[str]:
    told = list(request_facts(asked.budget, asked.requests, asked.program, asked.now_ms))
    told += next_facts(asked.budget, ref, asked.program, asked.now_ms)
    unseen = [one for one in items(asked.budget, "status", "told") if not text(one, "acknowledgedBy")]
    if unseen:
        told.append(("To say seen", on_budget(asked.program, "ack", ref, text(unseen[0], "id")), Style.PLAIN))
    return facts(told, terminal)
