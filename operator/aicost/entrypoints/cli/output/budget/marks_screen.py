"""What came of a mark on a budget, as it stands on the screen."""

from collections.abc import Iterator, Sequence

from aicost.domain.budgets.plans import BudgetRef
from aicost.domain.enforcement.values import ActionPhase
from aicost.domain.exact.windows import MINUTE_MS
from aicost.entrypoints.cli.output.budget.actions_table import actions_table, gpus, gpus_of, in_phase
from aicost.entrypoints.cli.output.budget.ages import length
from aicost.entrypoints.cli.output.budget.hints import on_budget
from aicost.entrypoints.cli.output.budget.reading import Body, condition, plan_of, text
from aicost.entrypoints.cli.output.budget.telling import facts
from aicost.entrypoints.cli.output.facts import Fact
from aicost.entrypoints.cli.terminal import Style, Terminal


def acknowledged_screen(
    ref: BudgetRef, ids: Sequence[str], before: Sequence[tuple[str, str]], by: str, terminal: Terminal
) -> str:
    """Which messages are acknowledged now, and which were before."""
    told: list[Fact] = [("Seen", f"message {one} of {ref}, by {by}", Style.PLAIN) for one in ids]
    told += [("Seen before", f"message {one} of {ref}, by {who or 'somebody'}", Style.DIM) for one, who in before]
    told.append(("Next", "what was seen is not escalated", Style.PLAIN))
    return "\n".join(facts(told, terminal))


def prices_screen(budget: Body, ref: BudgetRef, at: str, terminal: Terminal) -> str:
    """Which prices are taken for right now."""
    held = condition(budget, "EnforcementHeld")
    quarantined = text(held, "reason") == "PriceQuarantined" and text(held, "status") == "True"
    what = text(held, "message") if quarantined else "no price was set aside"
    told: list[Fact] = [
        ("Accepted", f"all prices of {ref} up to {at}", Style.PLAIN),
        ("Was held by", what, Style.PLAIN if quarantined else Style.DIM),
        ("Next", "the budget goes on by these prices within a minute", Style.PLAIN),
    ]
    return "\n".join(facts(told, terminal))


def restore_screen(
    budget: Body, ref: BudgetRef, actions: Sequence[Body], now_ms: int, program: str, terminal: Terminal
) -> str:
    """What comes back, and how fast."""
    back = in_phase(actions, ActionPhase.APPLIED)
    lines = facts(_coming(budget, ref, back, program), terminal)
    if not back:
        return "\n".join(lines)
    return "\n".join([*lines, "", *actions_table(back, now_ms, terminal)])


def _coming(budget: Body, ref: BudgetRef, back: Sequence[Body], program: str) -> Iterator[Fact]:
    if not back:
        yield "Comes back", f"nothing: no step of {ref} is in force, as far as you may see", Style.PLAIN
        return
    count = "1 step is" if len(back) == 1 else f"{len(back)} steps are"
    yield "Comes back", f"{count} undone, the last one first, {gpus(gpus_of(back))} in all", Style.PLAIN
    plan = plan_of(budget)
    if plan is not None:
        most = plan.safety.restore_gpus_per_minute
        minutes = -(-gpus_of(back) // (1000 * most))
        yield "How fast", f"at most {most} GPUs a minute: about {length(max(1, minutes) * MINUTE_MS)}", Style.PLAIN
    yield "Only what", "still is as the budget left it; the BudgetAction says what did not come back", Style.PLAIN
    yield "The gate", "stays as it is: while it is open, the budget may announce its steps again", Style.WARN
    yield "To follow", on_budget(program, "why", ref), Style.PLAIN
