"""Owner chains from the objects of a bundle, as a cluster would have told them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from aicost.adapters.kube.wire.objects import ObjectMeta, OwnerReference
from aicost.domain.inventory.pods import OwnerFacts

MAX_DEPTH = 8
_Key = tuple[str, str, str]


@dataclass(slots=True)
class OwnersSeen:
    """The metadata of every object, by kind, namespace and name, as last seen and as first seen.

    Attributes:
        used: kinds that owned a pod.
    """

    used: set[str] = field(default_factory=set)
    _now: dict[_Key, ObjectMeta] = field(default_factory=dict)
    _first: dict[_Key, ObjectMeta] = field(default_factory=dict)

    def expect(self, body: Mapping[str, Any]) -> None:
        """An object will be seen: an owner of which nothing is known yet is taken to be as it will be first seen."""
        metadata = _metadata(body)
        if metadata is not None:
            self._first.setdefault(_key(body, metadata), metadata)

    def seen(self, body: Mapping[str, Any]) -> None:
        """An object is there; one that went goes on to be known, for what it owned."""
        metadata = _metadata(body)
        if metadata is not None:
            self._now[_key(body, metadata)] = metadata

    def chain(self, namespace: str, owner: OwnerReference | None) -> tuple[OwnerFacts, ...]:
        """The owner chain, nearest first. A link that is not in the bundle is without labels, and is the last one."""
        found: list[OwnerFacts] = []
        while owner is not None and len(found) < MAX_DEPTH:
            metadata = self._find(namespace, owner)
            labels = (metadata.labels or {}) if metadata is not None else {}
            found.append(OwnerFacts(owner.api_version, owner.kind, owner.name, owner.uid, labels))
            self.used.add(owner.kind)
            owner = metadata.controller if metadata is not None else None
        return tuple(found)

    def _find(self, namespace: str, owner: OwnerReference) -> ObjectMeta | None:
        for place in (namespace, ""):
            for known in (self._now, self._first):
                metadata = known.get((owner.kind, place, owner.name))
                if metadata is not None and metadata.uid == owner.uid:
                    return metadata
        return None


def _metadata(body: Mapping[str, Any]) -> ObjectMeta | None:
    try:
        return msgspec.convert(body["metadata"], ObjectMeta)
    except msgspec.ValidationError:  # an object that nobody reads may be anything
        return None


def _key(body: Mapping[str, Any], metadata: ObjectMeta) -> _Key:
    return str(body["kind"]), metadata.namespace, metadata.name
