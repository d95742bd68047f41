"""Writes statuses by server-side apply, not too often, and tells people by an Event what turned bad."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from aicost.adapters.clock import now_ms
from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.events import EventPoster, Happening, Regarding, Severity
from aicost.adapters.kube.status import StatusWriter, Target
from aicost.crd.fields.conditions import ConditionStatus
from aicost.crd.reasons import Reason
from aicost.crd.status.conditions import Statement, conditions
from aicost.domain.exact.windows import MINUTE_MS, SECOND_MS
from aicost.entrypoints.controller.publish.answering import Unanswered
from aicost.entrypoints.controller.publish.saying import Answer
from aicost.entrypoints.controller.registry import Body, Key
from aicost.entrypoints.controller.resources import GROUP, VERSION, resource_of

FIELD_MANAGER = "aicost-controller"
FAILURES_MANAGER = "aicost-controller-failures"
"""Owns the one condition that says that nothing could be computed, so that the figures of before stay."""
VOLATILE = ("updatedAt", "asOf", "lastTransitionTime", "window", "covered", "previousWindow", "period")
"""Fields that move with time alone: their change is no reason to write. A new spec has a new `observedGeneration`."""
SHORTEST_GAP_MS = 30 * SECOND_MS
"""Figures of the open window change in each round: an object is not written more often, unless its spec or the status
or reason of a condition changed."""
_BY_DESIGN = {
    "Enforcing",
    "Overlapping",
    "Conflicting",
    "EnforcementHeld",
    "ActuatorContested",
    "RestorePending",
    "ReviewDue",
    "Effective",
}
"""Conditions of which False is no bad news."""
_MILD_REASONS = {Reason.AUDIT_ONLY, Reason.SUSPENDED}
"""Reasons for which False is what was asked for."""
_Said = tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class _Last:
    """What was written last: the generation of the spec, what the conditions said, the mark, and when."""

    generation: object
    said: _Said
    mark: object
    at_ms: int


class StatusPublisher:
    """Writes the status of one object after the other.

    Args:
        client: an open client.
        identity: this process, for Events.
        refresh_ms: time between regular rounds. An object is written at most once in three quarters of it, so that a
            regular round writes all of them and figures beside each other agree.
    """

    def __init__(self, client: KubeClient, identity: str, refresh_ms: int = MINUTE_MS) -> None:
        self._gap_ms = min(SHORTEST_GAP_MS, refresh_ms * 3 // 4)
        self._writer = StatusWriter(client, FIELD_MANAGER, now_ms)
        self._failures = StatusWriter(client, FAILURES_MANAGER, now_ms)
        self._events = EventPoster(client, (FIELD_MANAGER, identity), now_ms)
        self._last: dict[Target, _Last] = {}

    async def write(self, answer: Answer) -> bool:
        """Write a status if it says something new and it is time, or its mark changed; True if it was written.

        Raises:
            AicostError: it was not written; NotFound and Rejected: the object is gone, or another one.
        """
        target, now, said = target_of(answer.body), now_ms(), _said(answer.statements)
        last = self._last.get(target)
        generation = answer.body["metadata"].get("generation")
        same = last is not None and (last.generation, last.said, last.mark) == (generation, said, answer.mark)
        if last and same and 0 <= now - last.at_ms < self._gap_ms:
            return False
        if not await self._writer.write(target, answer.status, VOLATILE):
            return False
        self._failures.forget(target)
        self._last[target] = _Last(generation, said, answer.mark, now)
        before = {kind: status for kind, status, _ in last.said} if last else stated(answer.body)
        await self._tell(answer.body, newly_false(answer.statements, before))
        return True

    async def write_failure(self, failure: Unanswered) -> bool:
        """Write the condition that says why there is no answer; everything else stays as it is.

        Raises:
            AicostError: as in `write`.
        """
        body, target = failure.body, target_of(failure.body)
        generation = body["metadata"].get("generation", 0)
        found = conditions([failure.statement], body["status"]["conditions"], generation, now_ms())
        self._writer.forget(target)
        self._last.pop(target, None)
        if not await self._failures.write(target, {"conditions": found}, VOLATILE):
            return False
        await self._tell(body, newly_false([failure.statement], stated(body)))
        return True

    def forget(self, target: Target) -> None:
        """The object went, or came anew."""
        self._writer.forget(target)
        self._failures.forget(target)
        self._last.pop(target, None)

    def forget_others(self, there: Collection[Target]) -> None:
        """Objects that are no longer there take no memory."""
        for target in self._last.keys() - there:
            self.forget(target)

    async def _tell(self, body: Body, statements: Iterable[Statement]) -> None:
        key = Key.of(body)
        regarding = Regarding(f"{GROUP}/{VERSION}", key.kind, key.name, key.namespace, str(body["metadata"]["uid"]))
        for one in statements:
            await self._events.post(Happening(regarding, str(one.reason), one.message, Severity.WARNING))


def target_of(body: Body) -> Target:
    """The object whose status is written, as the writer wants it."""
    key = Key.of(body)
    return Target(resource_of(key.kind), key.name, key.namespace or None, str(body["metadata"]["uid"]))


def newly_false(statements: Iterable[Statement], before: Mapping[str, str]) -> list[Statement]:
    """Statements that say False and did not before, but for those that are False by design.

    Args:
        statements: what holds now.
        before: condition type -> status.
    """
    return [
        one
        for one in statements
        if one.status is ConditionStatus.FALSE
        and before.get(one.type.value) != ConditionStatus.FALSE.value
        and one.type.value not in _BY_DESIGN
        and one.reason not in _MILD_REASONS
    ]


def stated(body: Body) -> dict[str, str]:
    """Condition type -> status, as the object carries them."""
    return {str(one["type"]): str(one["status"]) for one in (body.get("status") or {}).get("conditions") or ()}


def _said(statements: Iterable[Statement]) -> _Said:
    return tuple((one.type.value, one.status.value, str(one.reason)) for one in statements)
