"""Our own resources as last seen: what kopf tells, kept by identity, read level by level."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from aicost.crd.convert.parsing import Converted

Body = Mapping[str, Any]
Value = TypeVar("Value")
_METADATA = ("name", "namespace", "uid", "generation", "creationTimestamp")


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Identity of one of our objects. Cluster-scoped ones have no namespace."""

    kind: str
    namespace: str
    name: str

    @classmethod
    def of(cls, body: Body) -> "Key":
        """The key of an object as the API server shows it."""
        metadata = body["metadata"]
        return cls(str(body["kind"]), str(metadata.get("namespace", "")), str(metadata["name"]))

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


class Registry:
    """All our objects, without what nobody reads of them. Used by the event loop alone; threads get a snapshot.

    A watch may miss a deletion, so the registry is replaced by a list now and then: see `replace`.
    """

    def __init__(self) -> None:
        self._bodies: defaultdict[str, dict[Key, Body]] = defaultdict(dict)
        self._touched: defaultdict[str, dict[Key, int]] = defaultdict(dict)
        self._moment = 0
        self.changed = asyncio.Event()
        """Set when a spec appeared, changed or went: reports should be computed now, not at the next round."""

    @property
    def moment(self) -> int:
        """A number that grows with each event: when a list began, in the registry's own time."""
        return self._moment

    def put(self, body: Body) -> None:
        """An object is there. A change of its status alone is none of ours: we wrote it."""
        key = Key.of(body)
        self._touch(key)
        self._keep(key, body)

    def drop(self, body: Body) -> None:
        """An object is gone."""
        key = Key.of(body)
        self._touch(key)
        if self._bodies[key.kind].pop(key, None) is not None:
            self.changed.set()

    def replace(self, kind: str, bodies: list[Body], since: int) -> None:
        """Make the objects of one kind those of a list: what a watch missed is gone.

        Args:
            kind: the kind that was listed.
            bodies: the whole list.
            since: `moment` before the list was asked for; what events told since then is newer than the list.
        """
        newer = {key for key, at in self._touched.pop(kind, {}).items() if at > since}
        listed = {Key.of(body): body for body in bodies}
        for key in self._bodies[kind].keys() - listed.keys() - newer:
            del self._bodies[kind][key]
            self.changed.set()
        for key in listed.keys() - newer:
            self._keep(key, listed[key])

    def of_kind(self, kind: str) -> list[Body]:
        """A snapshot of the objects of one kind, in order of their names."""
        return [body for _, body in sorted(self._bodies[kind].items(), key=lambda item: item[0])]

    def __contains__(self, key: Key) -> bool:
        return key in self._bodies[key.kind]

    def __iter__(self) -> Iterator[Key]:
        return iter(sorted(key for bodies in self._bodies.values() for key in bodies))

    def _touch(self, key: Key) -> None:
        self._moment += 1
        self._touched[key.kind][key] = self._moment

    def _keep(self, key: Key, body: Body) -> None:
        before = self._bodies[key.kind].get(key)
        self._bodies[key.kind][key] = trimmed(body)
        if before is None or _generation(before) != _generation(body):
            self.changed.set()


def trimmed(body: Body) -> Body:
    """An object without the rows of its status and the history of its fields: a thousand reports take megabytes."""
    metadata = {name: body["metadata"][name] for name in _METADATA if name in body["metadata"]}
    status = {"conditions": (body.get("status") or {}).get("conditions") or []}
    return {"kind": body["kind"], "metadata": metadata, "spec": body.get("spec") or {}, "status": status}


def _generation(body: Body) -> tuple[object, object]:
    metadata = body["metadata"]
    return metadata.get("uid"), metadata.get("generation")


def read_each(bodies: Iterable[Body], read: Callable[[Body], Converted[Value]]) -> tuple[Value, ...]:
    """What can be read of some objects, in their order.

    One that cannot be read is left out: whoever answers it meets the same problem and tells it in a condition.
    """
    found = (_value(body, read) for body in bodies)
    return tuple(value for value in found if value is not None)


def _value(body: Body, read: Callable[[Body], Converted[Value]]) -> Value | None:
    try:
        return read(body).value
    except Exception:  # noqa: BLE001 -- one object must not stop the others
        return None
