"""When a step is undone: who still wants it, what may come back now, and how much of it at once."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from aicost.domain.budgets.evaluation import Evaluation
from aicost.domain.budgets.gates import Gate, at_least, hardest
from aicost.domain.budgets.plans import RestorePolicy
from aicost.domain.enforcement.values import Action, ActionPhase
from aicost.domain.enforcement.victims.candidates import speaks, target_of
from aicost.domain.exact.windows import MINUTE_MS


class Standing(StrEnum):
    """Whether a step is still wanted.

    `wanted`: it is done, or stays done. `kept`: nobody wants it any more, and it waits for a person or an approval.
    `released`: it is undone.
    """

    WANTED = "wanted"
    KEPT = "kept"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a step, and why."""

    standing: Standing
    why: str


@dataclass(frozen=True, slots=True)
class Reign:
    """What a budget wants of its steps now.

    Attributes:
        evaluation: None where the budget is there and cannot be evaluated: then everything stays as it is.
        gate: the gate whose work is done: that of the budget or of one above it, whichever is harder.
        restore_ms: a person said that what was stopped before comes back; 0 for never.
    """

    evaluation: Evaluation | None
    gate: Gate | None = None
    restore_ms: int = 0


GONE = "the budget is gone"


def fate(action: Action, reign: Reign | None, gone: str = GONE) -> Fate:
    """What becomes of a step.

    Args:
        action: the step.
        reign: what its budget wants; None where that is gone.
        gone: what is said then.
    """
    if reign is None:
        return Fate(Standing.RELEASED, gone)
    one = reign.evaluation
    if one is None:
        return Fate(Standing.WANTED, "the budget cannot be evaluated now")
    if why := _dismissed(action, one, reign):
        return Fate(Standing.RELEASED, why)
    if _is_asked_for(action, one, reign):
        return Fate(Standing.WANTED, f"gate {action.gate}")
    return _by_policy(action, one)


def _dismissed(action: Action, one: Evaluation, reign: Reign) -> str:
    """Why a step is undone whatever the gate says; empty where it is not."""
    if not one.acts:
        return "the glass is broken" if one.weighed.glass else f"the mode is {one.plan.mode}"
    asked = action.applied_ms is not None and reign.restore_ms > action.applied_ms
    return "a person asked for it" if asked else ""


def _is_asked_for(action: Action, one: Evaluation, reign: Reign) -> bool:
    """Whether the gate, or the redline, that a step was taken for still asks for it."""
    if action.redline:
        return _is_beyond(action, one)
    pending = one.memory.gate.pending
    announced = action.phase is ActionPhase.NOTICED and pending is not None
    gate = hardest(reign.gate, pending.gate) if announced and pending else reign.gate
    return at_least(gate, action.gate)


def _is_beyond(action: Action, one: Evaluation) -> bool:
    """Whether the workload of a step is beyond its redline; once its pods are gone, whether anything is."""
    crossed = [each for each in one.memory.redlines if each.name == action.redline and each.crossed_ms is not None]
    pods = [pod for pod in one.found.committed if target_of(pod.record.facts)[0].uid == action.workload.uid]
    return any(speaks(each.subject, pods) for each in crossed) if pods else bool(crossed)


def _by_policy(action: Action, one: Evaluation) -> Fate:
    """What was stopped comes back as its budget says; everything else as soon as it is not needed."""
    if action.applied_ms is None or not action.stops:
        return Fate(Standing.RELEASED, "it is not needed any more")
    raised = one.memory.gate.raised_ms
    approved = raised is not None and raised > action.applied_ms
    match action.restore:
        case RestorePolicy.ON_ROLLOVER:
            return Fate(Standing.RELEASED, "the gate is closed")
        case RestorePolicy.ON_APPROVAL:
            waits = Fate(Standing.KEPT, "it comes back when more is approved")
            return Fate(Standing.RELEASED, "more is approved") if approved else waits
        case RestorePolicy.MANUAL:
            return Fate(Standing.KEPT, "it comes back when a person says so")


def stands_still(one: Evaluation) -> bool:
    """Whether nothing is begun now: the figures cannot be trusted, or a person has paused the budget."""
    return one.last.is_blind or one.plan.paused


def may_act(action: Action, reign: Reign | None, now_ms: int) -> bool:
    """Whether an announced step may be taken: its time has come, and its gate is open, or its redline still crossed.

    Nothing is done on figures that cannot be trusted; what is announced waits.
    """
    one = reign.evaluation if reign else None
    if reign is None or one is None or not one.acts or stands_still(one) or now_ms < action.action_at_ms:
        return False
    if action.redline:
        return _is_asked_for(action, one, reign)
    return at_least(reign.gate, action.gate)


def heirs(action: Action, reigns: Iterable[Reign], wants: Callable[[Evaluation], bool]) -> list[Evaluation]:
    """Other budgets that would take a step at once that its own budget lets go of: it stays for them.

    Args:
        action: the step.
        reigns: what all budgets want.
        wants: whether the workload of the step is in the scope of a budget.
    """
    found = [
        reign.evaluation
        for reign in reigns
        if reign.evaluation is not None
        and reign.evaluation.plan.ref.uid != action.budget.uid
        and reign.evaluation.acts
        and at_least(reign.gate, action.gate)
    ]
    return sorted((one for one in found if wants(one)), key=lambda one: str(one.plan.ref))


def restorable(
    released: Sequence[Action], restored: Iterable[Action], gpus_per_minute: int, now_ms: int
) -> list[Action]:
    """Steps of one budget that are undone now: the last one taken first, and no more GPUs in a minute than it allows.

    One may always come back, however large it is.

    Args:
        released: steps that are to be undone.
        restored: steps that were undone lately.
        gpus_per_minute: see `Safety`.
        now_ms: the present moment.
    """
    recent = [one for one in restored if one.ended_ms is not None and now_ms - one.ended_ms < MINUTE_MS]
    used = sum(one.estimate.gpu_milli for one in recent)
    most = gpus_per_minute * 1000
    chosen: list[Action] = []
    for one in sorted(released, key=lambda one: (-(one.applied_ms or 0), str(one.workload), -one.order, one.name)):
        milli = one.estimate.gpu_milli
        if milli and used and used + milli > most:
            continue
        chosen.append(one)
        used += milli
    return chosen
