"""What the fake API server keeps: objects with versions, and the history that watches are served from."""

import copy
import itertools
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]


class Gone(Exception):
    """A version that the history no longer reaches back to."""


@dataclass(frozen=True)
class Event:
    version: int
    kind: str
    collection: str
    object: Object


@dataclass(frozen=True)
class Collection:
    """`namespaced` objects are keyed by namespace and name."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version


class Store:
    def __init__(self) -> None:
        self.version = 100
        self.compacted = 100
        self.objects: dict[tuple[str, str, str], Object] = {}
        self.history: list[Event] = []
        self._uids = itertools.count(1)

    def put(self, collection: Collection, obj: Object) -> Object:
        """Create or update; uid and creation are kept, the version is new."""
        key = self._key(collection, obj)
        old = self.objects.get(key)
        stored = copy.deepcopy(obj)
        metadata = stored.setdefault("metadata", {})
        metadata["uid"] = old["metadata"]["uid"] if old else metadata.get("uid") or f"uid-{next(self._uids)}"
        metadata.setdefault("creationTimestamp", "2026-11-20T10:00:00Z")
        stored |= {"apiVersion": collection.api_version, "kind": collection.kind}
        return self._record(collection, key, stored, "MODIFIED" if old else "ADDED")

    def remove(self, collection: Collection, name: str, namespace: str = "") -> Object:
        key = (collection.plural, namespace, name)
        return self._record(collection, key, copy.deepcopy(self.objects[key]), "DELETED")

    def remove_silently(self, collection: Collection, name: str, namespace: str = "") -> None:
        """Delete, and forget the history: whoever watched from before has to list again."""
        self.remove(collection, name, namespace)
        self.compact()

    def compact(self) -> None:
        self.version += 1
        self.compacted = self.version
        self.history.clear()

    def all(self, collection: Collection, namespace: str = "") -> list[Object]:
        return [
            obj
            for (plural, where, _), obj in sorted(self.objects.items())
            if plural == collection.plural and namespace in {"", where}
        ]

    def since(self, collection: Collection, version: int) -> list[Event]:
        if version < self.compacted:
            raise Gone(f"too old resource version: {version} ({self.compacted})")
        return [e for e in self.history if e.version > version and e.collection == collection.plural]

    def _record(self, collection: Collection, key: tuple[str, str, str], obj: Object, kind: str) -> Object:
        self.version += 1
        obj["metadata"]["resourceVersion"] = str(self.version)
        self.objects[key] = obj
        if kind == "DELETED":
            del self.objects[key]
        self.history.append(Event(self.version, kind, collection.plural, copy.deepcopy(obj)))
        return obj

    @staticmethod
    def _key(collection: Collection, obj: Object) -> tuple[str, str, str]:
        return collection.plural, obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
