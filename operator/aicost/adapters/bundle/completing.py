"""What a hand-written object may leave out, filled in by rule: an identity, a creation, a binding."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from aicost.adapters.bundle.objects import Body, Change, ObjectEvent
from aicost.domain.exact.windows import from_rfc3339, to_rfc3339

Name = tuple[str, str, str]
"""Kind, namespace and name: what an object without a uid is told by, while it is there."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """An event in its place in time.

    Attributes:
        known_from_ms: from when it is believed. An object is taken to have been, since its creation, as it was first
            shown; later events are believed from when they were seen.
        first: nothing was shown of the object before.
    """

    event: ObjectEvent
    uid: str
    known_from_ms: int
    first: bool


@dataclass(slots=True)
class _Seen:
    """What was shown of one object so far."""

    bound: bool = False


@dataclass(slots=True)
class _Memory:
    """What was shown so far of all objects."""

    generations: dict[Name, int] = field(default_factory=dict)
    seen: dict[str, _Seen] = field(default_factory=dict)

    def complete(self, event: ObjectEvent) -> Sighting:
        """Fill in what is missing, in place."""
        metadata = event.body["metadata"]
        uid = self._identify(event, metadata)
        known = self.seen.get(uid)
        if not metadata.get("creationTimestamp"):
            metadata["creationTimestamp"] = to_rfc3339(event.at_ms)
        if event.kind == "Pod" and not event.group:
            known_before = known is not None
            known = self.seen.setdefault(uid, _Seen())
            _bind(event, known, shown_before=known_before)
            return Sighting(event, uid, _known_from(event, first=not known_before), not known_before)
        self.seen.setdefault(uid, _Seen())
        return Sighting(event, uid, _known_from(event, first=known is None), known is None)

    def _identify(self, event: ObjectEvent, metadata: dict[str, Any]) -> str:
        """The object's uid; one of its own for each life of a name, where the object has none."""
        name: Name = event.kind, str(metadata.get("namespace") or ""), str(metadata["name"])
        generation = self.generations.setdefault(name, 0)
        if event.change is Change.DELETED:
            self.generations[name] = generation + 1
        if not metadata.get("uid"):
            metadata["uid"] = uid_of(name, generation)
        for owner in metadata.get("ownerReferences") or ():
            _complete_owner(owner, name[1])
        return f"{event.group}/{event.kind}/{metadata['uid']}"


def in_order(events: Iterable[ObjectEvent]) -> Iterator[Sighting]:
    """The events by the moment from which they are believed, completed."""
    memory = _Memory()
    sightings = [memory.complete(event) for event in sorted(events, key=lambda event: event.at_ms)]
    yield from sorted(sightings, key=lambda one: one.known_from_ms)


def uid_of(name: Name, generation: int = 0) -> str:
    """The uid of an object that has none."""
    text = "/".join(part for part in name if part)
    return f"{text}#{generation}" if generation else text


def _complete_owner(owner: Any, namespace: str) -> None:
    """A reference without a uid means the object of that name."""
    if isinstance(owner, dict) and owner.get("kind") and owner.get("name"):
        owner.setdefault("apiVersion", "")
        if not owner.get("uid"):
            owner["uid"] = uid_of((str(owner["kind"]), namespace, str(owner["name"])))


def _bind(event: ObjectEvent, seen: _Seen, *, shown_before: bool) -> None:
    """A pod that is shown on a node after it was shown on none was bound when that was seen, unless it says when."""
    body = event.body
    spec = body.get("spec")
    if seen.bound or not isinstance(spec, dict) or not spec.get("nodeName"):
        return
    seen.bound = True
    if shown_before and not _says_bound(body):
        status = body["status"] if isinstance(body.get("status"), dict) else {}
        given = status.get("conditions")
        told = {"type": "PodScheduled", "status": "True", "lastTransitionTime": to_rfc3339(event.at_ms)}
        body["status"] = {**status, "conditions": [*(given if isinstance(given, list) else ()), told]}


def _says_bound(body: Body) -> bool:
    status = body.get("status")
    conditions = status.get("conditions") if isinstance(status, dict) else None
    return isinstance(conditions, list) and any(
        isinstance(one, dict) and one.get("type") == "PodScheduled" and one.get("status") == "True"
        for one in conditions
    )


def _known_from(event: ObjectEvent, *, first: bool) -> int:
    if not first:
        return event.at_ms
    try:
        created_ms = from_rfc3339(str(event.body["metadata"]["creationTimestamp"]))
    except (ValueError, OverflowError):  # whoever reads the object says what is wrong with it
        return event.at_ms
    return min(event.at_ms, created_ms)
