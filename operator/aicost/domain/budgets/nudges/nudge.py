"""Hints long before anything is stopped. A nudge tells; it opens no gate and touches nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from aicost.domain.budgets.nudges.normal import Silence
from aicost.domain.budgets.nudges.seen import Contributor, Seen
from aicost.domain.budgets.nudges.state import NudgeState, calm, unknown, unusual
from aicost.domain.budgets.nudges.texts import sentence, top
from aicost.domain.budgets.nudges.watching import Change, changes
from aicost.domain.budgets.plans import BudgetPlan, Nudge


@dataclass(frozen=True, slots=True)
class NudgeFinding:
    """Something that left its own normal, or was out of it until lately.

    Attributes:
        change: the figures now; None where it is calm, or nothing is known.
        contributors: who rose the most, the largest first.
        is_due: people are to be told now. It is so at one evaluation while the finding lasts.
        silence: why nothing could be said now; None where something could.
        state: what to remember: `previous` of the next evaluation. Its message is what to say.
    """

    nudge: Nudge
    change: Change | None
    contributors: tuple[Contributor, ...]
    is_due: bool
    silence: Silence | None
    state: NudgeState


def nudges(plan: BudgetPlan, seen: Seen, previous: Sequence[NudgeState], now_ms: int) -> tuple[NudgeFinding, ...]:
    """Say what of a budget's scope is out of its own normal.

    1. Each nudge of the plan looks at what it watches. 2. What rose above both of its floors is found, told once while
    it lasts, and not again within a day. 3. After six hours in a row within its normal it is over. A level that stays
    becomes the new normal within two weeks, so that no finding lasts for ever. Nothing but the committed rates of GPU
    models changes within an hour, so once an hour is often enough.

    Args:
        plan: the budget; its nudges and its currency count.
        seen: the figures.
        previous: the states of the findings of the evaluation before.
        now_ms: the present moment.

    Returns:
        What lasts, and what was over in the last day; in the order of the plan.
    """
    return tuple(found for nudge in plan.nudges for found in _of_one(nudge, plan.currency, seen, previous, now_ms))


def _of_one(
    nudge: Nudge, currency: str, seen: Seen, previous: Sequence[NudgeState], now_ms: int
) -> Iterator[NudgeFinding]:
    """The findings of one nudge: one at most, but for GPU models, which are one each."""
    old = {state.subject: state for state in previous if (state.name, state.on) == (nudge.name, nudge.on)}
    found = changes(nudge, seen, now_ms)
    silence = found if isinstance(found, Silence) else None
    new = {} if isinstance(found, Silence) else {change.subject: change for change in found}
    for subject in sorted(old.keys() | new.keys()):
        if subject in new:
            yield _found(nudge, currency, seen, new[subject], old.get(subject), now_ms)
        elif state := (unknown if silence else calm)(old[subject], now_ms):
            yield NudgeFinding(nudge, None, (), is_due=False, silence=silence, state=state)


def _found(
    nudge: Nudge, currency: str, seen: Seen, change: Change, old: NudgeState | None, now_ms: int
) -> NudgeFinding:
    """What is out of its normal. Its message stays as it was told, so that a status does not change each hour."""
    contributors = top(seen.contributors.get(nudge.on, ()), nudge.on, change)
    text = sentence(nudge.on, change, contributors, currency)
    state = unusual(old, NudgeState(nudge.name, nudge.on, change.subject, now_ms, message=text), now_ms)
    if due := state.is_due(now_ms):
        state = replace(state, told_ms=now_ms, message=text)
    return NudgeFinding(nudge, change, contributors, due, None, state)
