"""Writes objects of ours, and lets the registry know at once what the API server made of them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aicost.adapters.kube.client import KubeClient, decode
from aicost.entrypoints.controller.publish.writing import FIELD_MANAGER
from aicost.entrypoints.controller.registry import Body, Key, Registry
from aicost.entrypoints.controller.resources import GROUP, VERSION, resource_of

IN_FLIGHT = 16


@dataclass(slots=True)
class Writes:
    """Creates, states and deletes objects of ours.

    All methods raise `AicostError`: `Conflict` where an object is there already, `NotFound` where it, or its namespace,
    is gone, `NotPermitted` with the rule to grant.

    Attributes:
        client: an open client.
        registry: our objects.
        slots: how many calls may be under way.
    """

    client: KubeClient
    registry: Registry
    slots: asyncio.Semaphore

    async def create(self, kind: str, metadata: Mapping[str, Any], spec: Mapping[str, Any]) -> Body:
        """Create an object."""
        body = {"apiVersion": f"{GROUP}/{VERSION}", "kind": kind, "metadata": metadata, "spec": spec}
        async with self.slots:
            answer = await self.client.create(resource_of(kind), body, metadata.get("namespace"))
        return self._known(kind, answer)

    async def state(self, body: Body, status: Mapping[str, Any]) -> Body:
        """Write a status: all of it that is ours. An object of another uid is left alone (`Rejected`)."""
        key = Key.of(body)
        identity = {"name": key.name, "namespace": key.namespace, "uid": body["metadata"].get("uid")}
        whole = {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": key.kind,
            "metadata": {name: value for name, value in identity.items() if value},
            "status": status,
        }
        async with self.slots:
            answer = await self.client.apply(
                resource_of(key.kind),
                key.name,
                whole,
                key.namespace or None,
                field_manager=FIELD_MANAGER,
                subresource="status",
            )
        return self._known(key.kind, answer)

    async def delete(self, body: Body) -> None:
        """Delete an object, unless another one has taken its name."""
        key = Key.of(body)
        place, uid = (key.name, key.namespace or None), str(body["metadata"]["uid"])
        async with self.slots:
            await self.client.delete(resource_of(key.kind), *place, uid=uid)
        self.registry.drop(body)

    def _known(self, kind: str, answer: bytes) -> Body:
        body: dict[str, Any] = decode(answer, dict[str, Any], f"write a {kind}")
        found = {**body, "kind": kind}
        self.registry.put(found)
        return found
