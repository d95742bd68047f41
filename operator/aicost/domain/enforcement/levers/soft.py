"""Levers that stop nothing: notes on objects, and a later place in the queue."""

import re
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from aicost.domain.budgets.gates import Destruction
from aicost.domain.enforcement.levers.lever import Ask, Lever, text_at
from aicost.domain.enforcement.values import Json, LeverName
from aicost.domain.enforcement.writing.pointers import annotation, is_there, read
from aicost.domain.enforcement.writing.records import held
from aicost.domain.inventory.quantities import parse_quantity

NOTE = "aicost.dev/budget"
"""Annotation of a workload in the scope of a budget that has something to say: what, and what comes next."""
BOOST = "kueue.x-k8s.io/priority-boost"
BOOST_BY = 100
"""How much less urgent work of a budget is that is nearly spent."""
_LEAST_BOOST = -(2**31)
_NUMBER = re.compile(r"[+-]?[0-9]{1,10}")
_MILLI = Fraction(1, 1000)
_NOTE_AT, _BOOST_AT, _WEIGHT_AT = annotation(NOTE), annotation(BOOST), "/spec/fairSharing/weight"


def _note(obj: Json, ask: Ask) -> Iterable[tuple[str, Any]]:
    """Another budget's note stays: the object has room for one."""
    there = text_at(obj, _NOTE_AT)
    return [] if there and there != ask.note else [(_NOTE_AT, ask.note)]


def _boost(obj: Json, _: Ask) -> Iterable[tuple[str, Any]]:
    """Once: a second budget, or a second try, lowers it no further. What is no number is somebody's mistake to see."""
    there = text_at(obj, _BOOST_AT)
    if held(obj, _BOOST_AT) or (there and not _NUMBER.fullmatch(there)):
        return []
    return [(_BOOST_AT, str(max(int(there or "0") - BOOST_BY, _LEAST_BOOST)))]


def _halve(obj: Json, _: Ask) -> Iterable[tuple[str, Any]]:
    """Half of its share, once; a queue that names none has a weight of 1. It never gets 0, which would starve it."""
    found = read(obj, _WEIGHT_AT)
    try:
        milli = parse_quantity(str(found) if is_there(found) and found is not None else "1", _MILLI)
    except ValueError:
        return []
    return [] if held(obj, _WEIGHT_AT) or milli < 2 else [(_WEIGHT_AT, f"{milli // 2}m")]


def annotate(group: str, kind: str, plural: str) -> Lever:
    """A note on an object of a kind: never on its pod template, which would restart its pods."""
    what = f"annotation {NOTE}"
    return Lever(LeverName.ANNOTATE, group, kind, plural, Destruction.INFORM, _note, what=what)


DEPRIORITIZE = (
    Lever(
        LeverName.LOWER_PRIORITY,
        "kueue.x-k8s.io",
        "Workload",
        "workloads",
        Destruction.INFORM,
        _boost,
        trap="Needs Kueue 0.17 with the gate PriorityBoost; without it the annotation says nothing. Written once, "
        "however many budgets ask.",
        what=f"annotation {BOOST}: {BOOST_BY} less",
    ),
    Lever(
        LeverName.LOWER_WEIGHT,
        "kueue.x-k8s.io",
        "LocalQueue",
        "localqueues",
        Destruction.INFORM,
        _halve,
        trap="Everybody in the queue waits longer: only for a budget of the whole namespace. It says something only "
        "where Kueue shares fairly at admission.",
        what="spec.fairSharing.weight: half of it",
    ),
)
