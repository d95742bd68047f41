"""Files a request for more: who asks is whom the API server sees, and the budget says what the request is."""

from collections.abc import Mapping
from typing import Any

from aicost.crd.convert.parsing import SpecProblem, parse
from aicost.crd.fields.text import moment_ms
from aicost.crd.models.budget.override import BudgetOverrideSpec
from aicost.domain.budgets.overrides.values import Purpose
from aicost.domain.exact.windows import to_rfc3339
from aicost.entrypoints.cli.commands.budget.wanted import Wanted
from aicost.entrypoints.cli.output.budget.classes import predict
from aicost.entrypoints.cli.output.budget.reading import Body
from aicost.entrypoints.cli.output.budget.request_screen import Asked
from aicost.entrypoints.cli.sources.budgets import OVERRIDES, Desk, right_on
from aicost.ports.errors import InvalidRequest

BREAK_GLASS_VERB = "breakglass"
"""Verb on a budget that breaking the glass takes."""
_OPTIONS = {
    "amount": "--amount",
    "percent": "--percent",
    "validUntil": "--until",
    "reason": "--reason",
    "ticket": "--ticket",
    "budgetRef.name": "BUDGET",
}


async def look(desk: Desk, wanted: Wanted) -> tuple[Body | None, str]:
    """Check what is wanted, and read the budget.

    Raises:
        InvalidRequest: it makes no sense; the message names option, value and fix.
    """
    check(_spec(wanted, desk.asker.name), desk.asker.now_ms)
    return await desk.readable(wanted.budget)


async def file_request(desk: Desk, wanted: Wanted, *, dry_run: bool) -> Asked:
    """Ask for more.

    Raises:
        InvalidRequest: it makes no sense; the message names option, value and fix.
        NotPermitted: the API server refuses it.
    """
    budget, gap = await look(desk, wanted)
    right = right_on(BREAK_GLASS_VERB, wanted.budget) if wanted.purpose is Purpose.BREAK_GLASS else None
    body = await desk.file(_body(wanted, desk.asker.name), right, dry_run=dry_run)
    prediction = predict(body, budget, desk.asker.now_ms)
    decision = right_on(prediction.verb, wanted.budget)
    may_decide = await desk.may(decision)
    return Asked(body, budget, prediction, decision, may_decide, kept=not dry_run, gaps=(gap,) if gap else ())


def check(spec: Mapping[str, Any], now_ms: int) -> None:
    """Refuse what the API server would refuse anyway, in the words of the command line.

    Raises:
        InvalidRequest: something is wrong with an option.
    """
    problems = parse(BudgetOverrideSpec, spec).problems
    if problems:
        raise InvalidRequest("; ".join(map(_told, problems)))
    until = spec.get("validUntil")
    if until and moment_ms(until) <= now_ms:
        raise InvalidRequest(f"--until {until!r} has passed: name a moment after {to_rfc3339(now_ms)}")


def _told(problem: SpecProblem) -> str:
    return f"{_OPTIONS.get(problem.field, problem.field)} {problem.value}: {problem.fix}"


def _body(wanted: Wanted, asker: str) -> Body:
    return {
        "apiVersion": OVERRIDES.api_version,
        "kind": OVERRIDES.kind,
        "metadata": {"generateName": f"{wanted.budget.name[:240]}-", "namespace": wanted.namespace},
        "spec": _spec(wanted, asker),
    }


def _spec(wanted: Wanted, asker: str) -> dict[str, Any]:
    spec = {
        "budgetRef": {"kind": wanted.budget.kind, "name": wanted.budget.name},
        "purpose": wanted.purpose.value,
        "amount": wanted.amount or None,
        "percent": wanted.percent,
        "validUntil": wanted.until or None,
        "reason": wanted.reason,
        "ticket": wanted.ticket or None,
        "requestedBy": asker,
    }
    return {name: value for name, value in spec.items() if value is not None}
