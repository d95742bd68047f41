"""Does and undoes steps on objects of any kind, and decides nothing."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.hands.kinds import UNKNOWN_LIFE_MS, Kinds
from aicost.adapters.kube.hands.objects import Objects, ref_of
from aicost.adapters.kube.wire.errors import Conflict, NotFound
from aicost.adapters.kube.wire.resources import SCALE, ServedKind
from aicost.domain.enforcement.levers.table import stopper
from aicost.domain.enforcement.values import Change, Json, ObjectRef
from aicost.domain.enforcement.writing.changes import Undoing, holds, same
from aicost.domain.enforcement.writing.pointers import read
from aicost.domain.enforcement.writing.records import Record
from aicost.domain.enforcement.writing.steps import (
    all_changes,
    doing,
    rescaling,
    scale_changes,
    scaling_back,
    taking_back,
)

FIELD_MANAGER = "aicost-enforcer"
"""Who we are in `managedFields`. People name it where they tell their tools to leave our fields alone."""
TRIES = 5
"""Attempts on an object that somebody else writes at the same time."""
GONE = "it is not there any more"
_Result = TypeVar("_Result")


class Hands:
    """Reads and writes objects that budgets act on.

    All methods raise `NotPermitted` with the rule to grant, `ClusterUnavailable`, `InvalidAnswer`, or a `Refused` of
    `wire.errors`: `Rejected` where the object does not accept what is written.
    """

    def __init__(self, client: KubeClient, now_ms: Callable[[], int], field_manager: str = FIELD_MANAGER) -> None:
        self._kinds = Kinds(client, now_ms)
        self._objects = Objects(client, field_manager)

    async def read(self, ref: ObjectRef) -> Json | None:
        """An object in the newest version that the server has of its kind.

        Where no lever knows its kind and it has a `/scale`, that stands beside its fields under `scale`.

        Returns:
            None where it is gone, where another one took its name, and where its kind is not served.
        """
        scale = stopper(ref.group, ref.kind) is None
        kind = await self._kinds.find(ref.group, ref.kind)
        found = await self._objects.get(kind, ref, scale=scale) if kind else None
        if found is None:  # it may be the version that went, and not the object
            newer = await self._kinds.find(ref.group, ref.kind, UNKNOWN_LIFE_MS)
            found = await self._objects.get(newer, ref, scale=scale) if newer and newer != kind else None
        return found

    async def write(self, obj: Json, changes: Sequence[Change], record: Record) -> Json:
        """Make all changes and leave the record, in one request; what lies below `/scale` is written after it.

        Args:
            obj: the object as it was read.
            changes: what to write.
            record: what the object will remember of it.

        Returns:
            The object as it is then.

        Raises:
            Conflict: somebody wrote it meanwhile. Nothing was written, or all but what lies below `/scale`: the record
                is there then, and the step may be done again or undone.
        """
        kind, ref, below = await self._kind_of(obj), ref_of(obj), scale_changes(changes)
        try:
            operations = doing(obj, changes, record)
        except LookupError as problem:
            raise Conflict(f"{ref} is not as it was planned for: {problem}") from problem
        written = await self._objects.patch(kind, ref, operations) if operations else obj
        if not below:
            return written
        await self._rescale(kind, ref, below)
        return await self._objects.get(kind, ref, scale=True) or written

    async def undo(self, obj: Json, action: str, changes: Sequence[Change]) -> Undoing:
        """Put back what still is as a step left it, below `/scale` first, and remove its record.

        Args:
            obj: the object; it is read again where somebody wrote it meanwhile.
            action: name of the step.
            changes: what it wrote; what only the object remembers of it is undone too.

        Returns:
            What was done last, and what was left as it is and why.

        Raises:
            Conflict: somebody writes it all the time. It may be undone again.
            Rejected: what stood there before does not go with what is there now, as the message says. Nothing of the
                object was put back; it may be undone again when that has changed.
        """
        try:
            done = await self._undo_as_it_is(await self._kind_of(obj), obj, action, changes)
        except NotFound:
            done = None
        return done or Undoing((), (GONE,))

    async def annotate(self, obj: Json, annotations: Mapping[str, str | None]) -> Json:
        """Set annotations and remove those that are None, whatever else the object says by now.

        Args:
            obj: an object or a pod; its apiVersion, kind and metadata are enough.
            annotations: by name.

        Raises:
            NotFound: it is gone.
            Rejected: another object took its name, or it does not accept them.
        """
        return await self._objects.annotate(await self._kind_of(obj), ref_of(obj), annotations)

    async def _undo_as_it_is(
        self, kind: ServedKind, obj: Json, action: str, changes: Sequence[Change]
    ) -> Undoing | None:
        """Undo on the object as it was given, or as it is by now; None where it went."""
        scale = bool(scale_changes(all_changes(obj, action, changes)))

        async def again() -> Json | None:
            return await self._objects.get(kind, ref_of(obj), scale=scale)

        there = obj if not scale or SCALE in obj else await again()
        return await _persist(there, lambda one: self._undo(kind, one, action, changes), again)

    async def _undo(self, kind: ServedKind, obj: Json, action: str, changes: Sequence[Change]) -> Undoing | None:
        every = all_changes(obj, action, changes)
        ref, scaled = ref_of(obj), scaling_back(obj, action, every)
        there: Json | None = obj
        if scaled.operations:
            await self._objects.patch(kind, ref, scaled.operations, SCALE)
            there = await self._objects.get(kind, ref, scale=False)
        if there is None:
            return None
        plan = taking_back(there, action, every)
        if plan.operations:
            await self._objects.patch(kind, ref, plan.operations)
        return replace(plan, left=(*scaled.left, *plan.left))

    async def _rescale(self, kind: ServedKind, ref: ObjectRef, below: Sequence[Change]) -> None:
        """Scale, as long as the number is the one that was read: the object itself may change as often as it likes."""
        for attempt in range(TRIES):
            scale: Json = await self._objects.scale(kind, ref) or {}
            if holds(scale, below):
                return
            if not all(same(read(scale, one.pointer), one.before) for one in below):
                raise Conflict(f"{ref} was scaled by somebody else since it was read")
            try:
                await self._objects.patch(kind, ref, rescaling(scale, below), SCALE)
            except Conflict:
                if attempt == TRIES - 1:
                    raise
            else:
                return

    async def _kind_of(self, obj: Json) -> ServedKind:
        """The kind of an object, in the version that it was read in."""
        ref = ref_of(obj)
        kind = await self._kinds.find(ref.group, ref.kind)
        if kind is None:
            raise NotFound(f"{ref}: the API server does not know kind {ref.kind} of group {ref.group!r} any more")
        return replace(kind, resource=replace(kind.resource, version=ref.api_version.rpartition("/")[2]))


async def _persist(
    obj: Json | None,
    attempt: Callable[[Json], Awaitable[_Result]],
    again: Callable[[], Awaitable[Json | None]],
) -> _Result | None:
    """Try with the object as it is, and where somebody wrote it meanwhile, with what it is then; None where it went."""
    for _ in range(TRIES - 1):
        if obj is None:
            return None
        try:
            return await attempt(obj)
        except Conflict:
            obj = await again()
    return None if obj is None else await attempt(obj)
