"""A request for more as it stands on the screen: what it is, why, who decides, and what happens next."""

from collections.abc import Iterator
from typing import NamedTuple

from aicost.domain.budgets.overrides.values import Purpose
from aicost.domain.budgets.overrides.weigh import OPEN_END_MS, UNDECIDED_MS
from aicost.domain.budgets.plans import BudgetRef
from aicost.domain.exact.windows import HOUR_MS, describe_length, to_rfc3339
from aicost.entrypoints.cli.output.budget.classes import Prediction, asked_words, class_words, who_words
from aicost.entrypoints.cli.output.budget.hints import on_budget, on_request
from aicost.entrypoints.cli.output.budget.reading import Body, at, name_of, plan_of, text
from aicost.entrypoints.cli.output.budget.telling import command, facts, title
from aicost.entrypoints.cli.output.facts import Fact
from aicost.entrypoints.cli.sources.budgets import Right
from aicost.entrypoints.cli.terminal import Style, Terminal


class Asked(NamedTuple):
    """What is shown of a request.

    Attributes:
        budget: the budget, None where it may not be read.
        right: what a decision takes.
        may_decide: whether who asks has it.
        kept: whether the API server kept it; it keeps nothing of a dry run.
        gaps: what could not be read.
    """

    body: Body
    budget: Body | None
    one: Prediction
    right: Right
    may_decide: bool
    kept: bool
    gaps: tuple[str, ...] = ()


def request_screen(asked: Asked, program: str, terminal: Terminal) -> str:
    """The request that was filed, or would be."""
    override = asked.one.override
    name = f"BudgetOverride {override.namespace}/{name_of(asked.body)}"
    head = f"{name} was created" if asked.kept else "The API server would take this request; nothing was kept"
    told = _broken(asked, program) if override.purpose is Purpose.BREAK_GLASS else _filed(asked, program)
    return "\n".join([*title(head, terminal), "", *facts(told, terminal)])


def _filed(asked: Asked, program: str) -> Iterator[Fact]:
    one, override = asked.one, asked.one.override
    yield "Asks for", f"{asked_words(one)}, of {one.budget}, {until_words(asked)}", Style.PLAIN
    yield from _asker(asked)
    yield "Class", class_words(one), Style.PLAIN
    if override.purpose is Purpose.STOP_PRODUCTION and one.plan and not one.plan.safety.victims.allow_production:
        yield "Not enough", "the budget must also say enforcement.victims.allowProduction: true", Style.WARN
    yield "Decides", who_words(one), Style.PLAIN
    if not asked.kept:
        return
    approve = on_request(program, "approve", override.namespace, override.name)
    yours = f"you may: {approve}" if asked.may_decide and one.allows_own else f"they run: {approve}"
    yield "To approve", yours, Style.PLAIN
    yield "Who may", command(asked.right.check), Style.PLAIN
    soon = f"nothing changes before it is approved; undecided, it ends after {describe_length(UNDECIDED_MS)}"
    yield "Next", soon, Style.PLAIN
    follow = command("kubectl get budgetoverride", override.name, "-n", override.namespace)
    yield "To follow", follow, Style.PLAIN


def _asker(asked: Asked) -> Iterator[Fact]:
    yield "By", f"{asked.one.override.requested_by}, as the API server sees you", Style.PLAIN
    ticket = text(asked.body, "spec", "ticket")
    yield "Because", asked.one.override.reason + (f" ({ticket})" if ticket else ""), Style.PLAIN


def until_words(asked: Asked) -> str:
    """Until when a request would hold."""
    override, plan = asked.one.override, asked.one.plan
    longest = plan.approvals.max_duration_ms if plan else None
    within = f", for {describe_length(longest)} at most" if longest else ""
    if override.until_ms is not None:
        return f"until {to_rfc3339(override.until_ms)}{within}"
    period = at(asked.budget, "status", "period")
    end = text(period, "end")
    if period is not None and not end:
        return f"for {describe_length(min(OPEN_END_MS, longest or OPEN_END_MS))}, as its period has no end"
    return f"until the end of the period{f', {end}' if end else ''}{within}"


def break_glass_warning(budget: Body | None, ref: BudgetRef) -> list[str]:
    """What breaking the glass does, before it is done."""
    gate, mode = text(budget, "status", "gate"), text(budget, "spec", "mode")
    pending = text(budget, "status", "pending", "gate")
    now = f"{gate} is open" if gate else "none is open now"
    coming = f", {pending} is announced" if pending else ""
    idle = f" Its mode is {mode}, so it acts on nothing anyway." if mode in {"Observe", "Advise"} else ""
    return [
        f"This lifts all gates of {ref} ({now}{coming}): nothing is refused and nothing more is stopped.{idle}",
        f"It holds for {_hours(budget)}. What is spent meanwhile counts all the same.",
        "It stands in the audit log under your name, and somebody else reviews it, with the verb approve-major.",
    ]


def _hours(budget: Body | None) -> str:
    plan = plan_of(budget)
    if plan is None:
        return "as long as the budget's approvals.breakGlassHours say"
    return f"{plan.approvals.break_glass_ms // HOUR_MS} hours"


def _broken(asked: Asked, program: str) -> Iterator[Fact]:
    one, override = asked.one, asked.one.override
    yield "Lifts", f"all gates of {one.budget}, for {_hours(asked.budget)}", Style.WARN
    yield from _asker(asked)
    if asked.kept:
        follow = on_budget(program, "why", one.budget)
        yield "Next", f"the gates are lifted within a minute: {follow}", Style.PLAIN
        review = on_request(program, "review", override.namespace, override.name, "--comment '...'")
        yield "Review", f"due when it ends, by somebody else with the verb approve-major: {review}", Style.PLAIN
