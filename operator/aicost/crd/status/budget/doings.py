"""What a budget does now, and whom it would stop, as its status says it."""

from collections.abc import Iterable, Mapping, Sequence

from aicost.crd.models.budget.doings import Contested, Enforced, Simulated, Victim
from aicost.crd.status.budget.texts import rate
from aicost.crd.status.texts import gpu_hours
from aicost.domain.enforcement.fights import hint
from aicost.domain.enforcement.release import Fate, Standing
from aicost.domain.enforcement.values import IN_FORCE, Action, ActionPhase
from aicost.domain.enforcement.victims.candidates import Candidate
from aicost.domain.enforcement.victims.selection import Selection, Spared

MOST_SHOWN = 10
_HOLDS = frozenset({ActionPhase.APPLYING, ActionPhase.APPLIED})


def enforced(
    actions: Sequence[Action],
    fates: Mapping[str, Fate],
    left_out: Iterable[tuple[Candidate, Spared]],
    currency: str,
) -> Enforced:
    """What is done now for a budget.

    Args:
        actions: its steps, those that are over included as long as their records are there.
        fates: name of a step -> what becomes of it.
        left_out: workloads that would be stopped if they could be, and why they are not.
        currency: of the budget.
    """
    active = [one for one in actions if one.phase in IN_FORCE]
    stopped = [one for one in actions if one.stops and one.phase in _HOLDS]
    lost = [one.lost_ms for one in actions if one.lost_ms is not None]
    saved = sum(one.estimate.save_nanos for one in stopped)
    return Enforced(
        active=len(active),
        noticed=sum(one.phase is ActionPhase.NOTICED for one in actions),
        restore_pending=sum(is_coming_back(one, fates) for one in active),
        gpu_milli_stopped=sum(one.estimate.gpu_milli for one in stopped),
        saved_per_hour=rate(saved, currency) if saved else None,
        gpu_hours_lost=gpu_hours(sum(lost)) if lost else None,
        contested=[_contested(one) for one in actions if one.phase is ActionPhase.CONTESTED][:MOST_SHOWN] or None,
        left_out=_left_out(left_out)[:MOST_SHOWN] or None,
    )


def is_coming_back(one: Action, fates: Mapping[str, Fate]) -> bool:
    """Whether a step is to be undone, and is not yet."""
    fate = fates.get(one.name)
    return one.phase in IN_FORCE and fate is not None and fate.standing is not Standing.WANTED


def _contested(one: Action) -> Contested:
    by = one.reverts[-1].by if one.reverts else ""
    return Contested(ref=str(one.target), by=by or None, hint=hint(by, one.target, one.changes)[:2048])


def _left_out(found: Iterable[tuple[Candidate, Spared]]) -> list[str]:
    return [f"{one.target}: {reason}"[:1024] for one, reason in found if reason is not Spared.HANDLED]


def simulated(selection: Selection, currency: str) -> Simulated:
    """Whom a budget would stop if its limit were reached now."""
    return Simulated(
        victims=[
            Victim(
                ref=str(one.candidate.target),
                gpu_milli=one.gpu_milli,
                save_per_hour=rate(one.save_nanos, currency),
                gpu_hours_at_stake=None if one.candidate.stake_ms is None else gpu_hours(one.candidate.stake_ms),
                why=one.why,
            )
            for one in selection.victims[:MOST_SHOWN]
        ]
        or None,
        workloads=len(selection.victims),
        gpu_milli=sum(one.gpu_milli for one in selection.victims),
        saves_per_hour=rate(selection.saves_nanos, currency),
        spared=len(selection.spared),
    )
