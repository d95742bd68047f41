"""Messages about steps on workloads: what will be done, was done, was undone, and what somebody else undoes."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from aicost.domain.budgets.evaluation import Evaluation
from aicost.domain.budgets.messages.runbooks import page_of
from aicost.domain.budgets.messages.values import Topic, Urgency
from aicost.domain.budgets.messages.words import ask_for_more, moment, money
from aicost.domain.budgets.messages.writer import Telling, Writer
from aicost.domain.enforcement.fights import hint
from aicost.domain.enforcement.values import Action, ActionPhase
from aicost.domain.exact.windows import HOUR_MS

_SHOWN = 8


def steps_told(one: Evaluation, moved: Sequence[Action], runbook_base: str = "") -> tuple[Telling, ...]:
    """What is to be told of steps that have just come to another phase; steps that stop nothing are told by Events.

    Args:
        one: the budget.
        moved: its steps, as they are now.
        runbook_base: put before the path of a runbook.
    """
    writer = Writer(one, runbook_base)
    stops = [action for action in moved if action.stops]
    found = [*_planned(writer, stops), *_applied(writer, stops), *_reverted(writer, stops), *_contested(writer, moved)]
    return tuple(telling for telling in found if not one.memory.has_said(telling.what))


def _planned(writer: Writer, moved: Iterable[Action]) -> Iterator[Telling]:
    """One message for all that is to be done at one moment."""
    by_moment: defaultdict[int, list[Action]] = defaultdict(list)
    for action in moved:
        if action.phase is ActionPhase.NOTICED:
            by_moment[action.action_at_ms].append(action)
    for at_ms, actions in sorted(by_moment.items()):
        yield _plan(writer, at_ms, actions)


def _plan(writer: Writer, at_ms: int, actions: Sequence[Action]) -> Telling:
    one, gate = writer.one, actions[0].gate
    return writer.message(
        f"planned-{gate}-{at_ms}",
        Topic.PLANNED,
        Urgency.CRITICAL,
        f"{one.plan.ref}: {_count(actions)} will be stopped at {moment(at_ms)}",
        f"{_listed(actions)}. That saves {_saves(one, actions)} per hour; {_stake(actions)}.",
        page_of(gate),
        next=f"At {moment(at_ms)} it is looked again, and done if it is still needed.",
        stop=ask_for_more(one.plan, one.spend),
        data={"actionAt": moment(at_ms), "workloads": len(_workloads(actions))},
    )


def _applied(writer: Writer, moved: Iterable[Action]) -> Iterator[Telling]:
    done = [action for action in moved if action.phase is ActionPhase.APPLIED and action.estimate.save_nanos]
    if done:
        one, gate = writer.one, done[0].gate
        yield writer.message(
            f"applied-{gate}-{max(action.applied_ms or 0 for action in done)}",
            Topic.APPLIED,
            Urgency.CRITICAL,
            f"{one.plan.ref}: {_count(done)} stopped",
            f"{_listed(done)}. That saves {_saves(one, done)} per hour; {_lost(done)}.",
            page_of(gate),
            stop=ask_for_more(one.plan, one.spend),
            data={"workloads": len(_workloads(done))},
        )


def _reverted(writer: Writer, moved: Iterable[Action]) -> Iterator[Telling]:
    back = [action for action in moved if action.phase is ActionPhase.REVERTED]
    if back:
        one, left = writer.one, [action for action in back if action.not_restored]
        rest = f" Not everything came back: {_left(left)}." if left else ""
        yield writer.message(
            f"reverted-{max(action.ended_ms or 0 for action in back)}",
            Topic.REVERTED,
            Urgency.WARNING if left else Urgency.INFO,
            f"{one.plan.ref}: {_count(back)} set back to what it was",
            f"{_listed(back)}.{rest}",
            page_of(ActionPhase.REVERTED),
            data={"workloads": len(_workloads(back)), "notRestored": len(left)},
        )


def _contested(writer: Writer, moved: Iterable[Action]) -> Iterator[Telling]:
    for action in moved:
        if action.phase is ActionPhase.CONTESTED:
            by = action.reverts[-1].by if action.reverts else ""
            yield writer.message(
                f"contested-{action.name}"[:128],
                Topic.CONTESTED,
                Urgency.WARNING,
                f"{writer.one.plan.ref}: {by or 'somebody else'} keeps undoing what is done to {action.target}",
                f"{action.message}\n{hint(by, action.target, action.changes)}",
                page_of(ActionPhase.CONTESTED),
                next="Nothing more is done to it until the budget lets go.",
                data={"workload": str(action.target), "by": by},
            )


def _workloads(actions: Iterable[Action]) -> list[str]:
    return list(dict.fromkeys(str(action.workload) for action in actions))


def _count(actions: Sequence[Action]) -> str:
    count = len(_workloads(actions))
    return "1 workload" if count == 1 else f"{count} workloads"


def _listed(actions: Sequence[Action]) -> str:
    names = _workloads(actions)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"


def _saves(one: Evaluation, actions: Iterable[Action]) -> str:
    return money(sum(action.estimate.save_nanos for action in actions), one.plan)


def _stake(actions: Iterable[Action]) -> str:
    known = [action.estimate.stake_ms for action in actions if action.estimate.stake_ms is not None]
    return f"{sum(known) / HOUR_MS:.2f} GPU-hours of work are at stake" if known else "no work is lost"


def _lost(actions: Iterable[Action]) -> str:
    known = [action.lost_ms for action in actions if action.lost_ms is not None]
    return f"{sum(known) / HOUR_MS:.2f} GPU-hours of work were lost" if known else "no work was lost"


def _left(actions: Sequence[Action]) -> str:
    return "; ".join(f"{action.target} ({', '.join(action.not_restored)})" for action in actions[:_SHOWN])
