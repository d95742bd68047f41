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
_WHOLE = frozenset({"Budget", "ClusterBudget", "BudgetOverride", "BudgetAction", "BudgetGate", "ProviderAccount"})
"""Kinds whose status is what the next controller goes on from, and whose annotations people talk to us by."""
_MORE_METADATA = ("annotations", "resourceVersion", "deletionTimestamp")
_BUDGETS = frozenset({"Budget", "ClusterBudget", "BudgetOverride"})
_OURS = frozenset({"BudgetAction", "BudgetGate"})
"""Kinds that we alone write."""


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
        self.budgets_changed = asyncio.Event()
        """The same for budgets and requests: they should be evaluated now."""

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
            self._tell(key.kind)

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
            self._tell(kind)
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
        if before is not None and _is_older(body, before):
            return
        self._bodies[key.kind][key] = trimmed(body)
        if before is None or _said(before) != _said(body):
            self._tell(key.kind)

    def _tell(self, kind: str) -> None:
        """A spec appeared, changed or went."""
        if kind in _BUDGETS:
            self.budgets_changed.set()
        elif kind not in _OURS:
            self.changed.set()


def trimmed(body: Body) -> Body:
    """An object without the rows of its status and the history of its fields: a thousand reports take megabytes."""
    if body["kind"] in _WHOLE:
        return _without_history(body)
    names = (*_METADATA, "labels") if body["kind"] == "PriceBook" else _METADATA
    metadata = {name: body["metadata"][name] for name in names if name in body["metadata"]}
    status = {"conditions": (body.get("status") or {}).get("conditions") or []}
    return {"kind": body["kind"], "metadata": metadata, "spec": body.get("spec") or {}, "status": status}


def _without_history(body: Body) -> Body:
    names = (*_METADATA, *_MORE_METADATA)
    metadata = {name: body["metadata"][name] for name in names if name in body["metadata"]}
    status = {"conditions": [], **(body.get("status") or {})}
    return {"kind": body["kind"], "metadata": metadata, "spec": body.get("spec") or {}, "status": status}


def _said(body: Body) -> tuple[object, ...]:
    """What people say in an object: its spec, and of budgets the annotations."""
    metadata = body["metadata"]
    notes = metadata.get("annotations") if body["kind"] in _BUDGETS else None
    return metadata.get("uid"), metadata.get("generation"), notes


def _is_older(body: Body, known: Body) -> bool:
    """Whether what came is an earlier version of the same object: answers to our writes overtake the watch."""
    new, old = body["metadata"], known["metadata"]
    if new.get("uid") != old.get("uid"):
        return False
    versions = [str(one.get("resourceVersion", "")) for one in (new, old)]
    return all(map(str.isdecimal, versions)) and int(versions[0]) < int(versions[1])


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
