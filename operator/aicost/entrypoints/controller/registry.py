"""Our own resources as last seen: what kopf tells, kept by identity, read level by level."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Body = Mapping[str, Any]


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
    """All our objects. Written by the event loop alone; readers take a snapshot.

    A watch may miss a deletion, so the registry is replaced by a list now and then: see `replace`.
    """

    def __init__(self) -> None:
        self._bodies: dict[Key, Body] = {}
        self.changed = asyncio.Event()
        """Set when a spec appeared, changed or went: reports should be computed now, not at the next round."""

    def put(self, body: Body) -> None:
        """An object is there. A change of its status alone is none of ours: we wrote it."""
        key = Key.of(body)
        before = self._bodies.get(key)
        self._bodies[key] = body
        if before is None or _generation(before) != _generation(body):
            self.changed.set()

    def drop(self, body: Body) -> None:
        """An object is gone."""
        if self._bodies.pop(Key.of(body), None) is not None:
            self.changed.set()

    def replace(self, kind: str, bodies: list[Body]) -> None:
        """Make the objects of one kind exactly those of a list: what a watch missed is gone."""
        there = {Key.of(body) for body in bodies}
        for key in [key for key in self._bodies if key.kind == kind and key not in there]:
            del self._bodies[key]
            self.changed.set()
        for body in bodies:
            self.put(body)

    def of_kind(self, kind: str) -> list[Body]:
        """A snapshot of the objects of one kind, in order of their names."""
        return [self._bodies[key] for key in sorted(self._bodies) if key.kind == kind]

    def __iter__(self) -> Iterator[Key]:
        return iter(sorted(self._bodies))


def _generation(body: Body) -> tuple[object, object]:
    metadata = body["metadata"]
    return metadata.get("uid"), metadata.get("generation")
