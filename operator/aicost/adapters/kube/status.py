"""Writes the status of our objects, and nothing else of them, and only when it says something new."""

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.wire.resources import Resource
from aicost.domain.exact.windows import MINUTE_MS


@dataclass(frozen=True, slots=True)
class Target:
    """The object whose status is written.

    Attributes:
        uid: where given, an object of that name with another uid is left alone (`Rejected`: a uid is immutable).
    """

    resource: Resource
    name: str
    namespace: str | None = None
    uid: str | None = None


@dataclass(frozen=True, slots=True)
class _Written:
    digest: bytes
    at_ms: int


@dataclass(slots=True)
class StatusWriter:
    """Server-side apply on the status subresource, so spec and metadata stay as GitOps or a person left them.

    Attributes:
        field_manager: our name as owner of the fields; one per concern.
        refresh_ms: an unchanged status is written again after this, so that its timestamps do not look abandoned.
        writes, skipped: how often it wrote, and how often there was nothing new.
    """

    client: KubeClient
    field_manager: str
    now_ms: Callable[[], int]
    refresh_ms: int = 10 * MINUTE_MS
    writes: int = 0
    skipped: int = 0
    _written: dict[Target, _Written] = field(default_factory=dict)

    async def write(self, target: Target, status: Mapping[str, Any], volatile: Collection[str] = ()) -> bool:
        """Write the status; False if it says nothing new.

        Args:
            target: whose.
            status: all of it that is ours; a field that is left out is removed if it was ours before.
            volatile: names of fields, at any depth, whose change alone is no reason to write, such as `observedAt`.

        Raises:
            NotFound: the object is gone. It is never created.
            Rejected: the object of that name is another one, or the schema of its kind has no such status.
        """
        now, digest = self.now_ms(), _digest(status, frozenset(volatile))
        last = self._written.get(target)
        if last is not None and last.digest == digest and 0 <= now - last.at_ms < self.refresh_ms:
            self.skipped += 1
            return False
        await self._apply(target, status)
        self._written[target] = _Written(digest, now)
        self.writes += 1
        return True

    def forget(self, target: Target) -> None:
        """The object is gone, or its status was changed by others: the next write is made in any case."""
        self._written.pop(target, None)

    async def _apply(self, target: Target, status: Mapping[str, Any]) -> None:
        identity = {"name": target.name, "namespace": target.namespace, "uid": target.uid}
        body = {
            "apiVersion": target.resource.api_version,
            "kind": target.resource.kind,
            "metadata": {key: value for key, value in identity.items() if value},
            "status": status,
        }
        await self.client.apply(
            target.resource,
            target.name,
            body,
            target.namespace,
            field_manager=self.field_manager,
            subresource="status",
        )


def _digest(status: Mapping[str, Any], volatile: frozenset[str]) -> bytes:
    return hashlib.sha256(msgspec.json.encode(_without(status, volatile), order="deterministic")).digest()


def _without(value: Any, names: frozenset[str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _without(inner, names) for key, inner in value.items() if key not in names}
    if isinstance(value, list | tuple):
        return [_without(inner, names) for inner in value]
    return value
