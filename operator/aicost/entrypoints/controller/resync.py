"""A list of our own resources now and then: kopf tells of no deletion that happened while its watch was interrupted."""

import asyncio
import logging

import msgspec

from aicost.adapters.kube.client import KubeClient
from aicost.entrypoints.controller.publish.publisher import resource_of
from aicost.entrypoints.controller.registry import Body, Registry
from aicost.entrypoints.controller.resources import GROUP, PLURALS, VERSION
from aicost.ports.errors import AicostError
from aicost.telemetry.logs import line

RESYNC_SECONDS = 120
_log = logging.getLogger("aicost.resources")


class Resync:
    """Makes the registry what the API server has."""

    def __init__(self, client: KubeClient, registry: Registry) -> None:
        self._client, self._registry = client, registry

    async def run(self) -> None:
        """List all kinds, now and every two minutes."""
        while True:
            for kind in PLURALS:
                try:
                    self._registry.replace(kind, await self._list(kind))
                except AicostError as error:
                    line(_log, logging.WARNING, "own resources not listed", kind=kind, error=str(error))
            await asyncio.sleep(RESYNC_SECONDS)

    async def _list(self, kind: str) -> list[Body]:
        """All objects of a kind. A list leaves out the kind of its items."""
        bodies: list[Body] = []
        async for page in self._client.pages(resource_of(kind)):
            items = [msgspec.json.decode(bytes(raw), type=dict) for raw in page.items or ()]
            bodies += [{"apiVersion": f"{GROUP}/{VERSION}", "kind": kind, **item} for item in items]
        return bodies
