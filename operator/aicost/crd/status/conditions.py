"""Conditions as a status carries them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aicost.crd.fields.conditions import ConditionStatus
from aicost.crd.reasons import ConditionType
from aicost.domain.exact.windows import to_rfc3339

_LONGEST = 32_768


@dataclass(frozen=True, slots=True)
class Statement:
    """A condition as it is found now.

    Attributes:
        reason: one word of `aicost.crd.reasons`.
        message: for people: what was found and how to put it right.
    """

    type: ConditionType
    status: ConditionStatus
    reason: str
    message: str


def conditions(
    found: Iterable[Statement], before: Sequence[Mapping[str, Any]], generation: int, now_ms: int
) -> list[dict[str, Any]]:
    """The conditions of a status, in order of their types.

    Args:
        found: what holds now. A type that is not among them is no longer stated.
        before: the conditions that the object carries; a status that did not change keeps its transition time.
        generation: generation of the spec that was looked at.
        now_ms: the present, in milliseconds since the epoch.
    """
    since = {(str(old["type"]), str(old["status"])): str(old["lastTransitionTime"]) for old in before}
    now = to_rfc3339(now_ms - now_ms % 1000)
    return [
        {
            "type": statement.type.value,
            "status": statement.status.value,
            "reason": str(statement.reason),
            "message": _cut(statement.message),
            "lastTransitionTime": since.get((statement.type.value, statement.status.value), now),
            "observedGeneration": generation,
        }
        for statement in sorted(found, key=lambda statement: statement.type.value)
    ]


def _cut(message: str) -> str:
    return message if len(message) <= _LONGEST else f"{message[: _LONGEST - 3]}..."
