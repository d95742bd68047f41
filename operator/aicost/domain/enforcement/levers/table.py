"""All levers, and which one is for which object."""

from collections.abc import Mapping

from aicost.domain.budgets.gates import Gate
from aicost.domain.enforcement.levers import batch, scaling, serving, soft
from aicost.domain.enforcement.levers.lever import Lever
from aicost.domain.enforcement.levers.quota import CLAMP_QUOTA
from aicost.domain.enforcement.values import LeverName

STOP: tuple[Lever, ...] = (*batch.STOP, *serving.STOP)
"""Levers that stop a workload, one per kind of object."""
FREEZE, SCHEDULES, DEPRIORITIZE = scaling.FREEZE, batch.SCHEDULES, soft.DEPRIORITIZE
NOTED = tuple(soft.annotate(one.group, one.kind, one.plural) for one in STOP if one.kind != "Workload")
"""Levers that write a note: on whatever can be stopped."""
LEVERS: tuple[Lever, ...] = (
    *NOTED,
    *DEPRIORITIZE,
    *FREEZE,
    *SCHEDULES,
    CLAMP_QUOTA,
    scaling.PAUSE_AUTOSCALER,
    scaling.LOWER_AUTOSCALER,
    *STOP,
)
"""Every lever with a kind of its own."""

_STOP: Mapping[tuple[str, str], Lever] = {(one.group, one.kind): one for one in STOP}
_NOTED: Mapping[tuple[str, str], Lever] = {(one.group, one.kind): one for one in NOTED}
_BY_NAME: Mapping[tuple[LeverName, str, str], Lever] = {(one.name, one.group, one.kind): one for one in LEVERS}


def stopper(group: str, kind: str) -> Lever | None:
    """The lever that stops objects of a kind, None for kinds that are in no table."""
    return _STOP.get((group, kind))


def noted(group: str, kind: str) -> Lever | None:
    """The lever that writes a note on objects of a kind, None for kinds that are in no table."""
    return _NOTED.get((group, kind))


def lever(name: LeverName, group: str, kind: str) -> Lever | None:
    """A lever by its name and the kind that it is for; a kind of no table is scaled."""
    known = _BY_NAME.get((name, group, kind))
    return known or (serving.ANY_SCALE if name is LeverName.SCALE else None)


def gate_of(one: Lever) -> Gate:
    """The gate that asks for a lever."""
    groups = (
        (NOTED, Gate.ANNOTATE),
        (DEPRIORITIZE, Gate.DEPRIORITIZE),
        (FREEZE, Gate.FREEZE_GROWTH),
        ((*SCHEDULES, CLAMP_QUOTA), Gate.DENY_NEW),
    )
    return next((gate for levers, gate in groups if one in levers), Gate.SUSPEND)
