"""A list of our own resources now and then: kopf tells of no deletion that happened while its watch was interrupted."""

import asyncio
from collections.abc import Collection

import msgspec

from aicost.adapters.kube.client import KubeClient
from aicost.entrypoints.controller.attempts import Attempts
from aicost.entrypoints.controller.registry import Body, Registry
from aicost.entrypoints.controller.resources import GROUP, PLURALS, VERSION, resource_of

RESYNC_SECONDS = 120.0
RETRY_SECONDS = 5.0


class Resync:
    """Makes the registry what the API server has.

    Args:
        client: an open client.
        registry: our objects.
        attempts: does the steps.
        kinds: what is listed.

    Attributes:
        synced: set once all kinds were listed. Until then nobody should judge what is missing.
    """

    def __init__(
        self, client: KubeClient, registry: Registry, attempts: Attempts, kinds: Collection[str] = PLURALS
    ) -> None:
        self._client, self._registry, self._attempts, self._kinds = client, registry, attempts, kinds
        self.synced = asyncio.Event()

    async def run(self) -> None:
        """List all kinds, now and every two minutes; sooner where it failed."""
        while True:
            done = await self._attempts.attempt("list-own-resources", self._list_all)
            if done:
                self.synced.set()
            await asyncio.sleep(RESYNC_SECONDS if done else RETRY_SECONDS)

    async def _list_all(self) -> None:
        for kind in self._kinds:
            since = self._registry.moment
            self._registry.replace(kind, await self._list(kind), since)

    async def _list(self, kind: str) -> list[Body]:
        """All objects of a kind. A list leaves out the kind of its items."""
        bodies: list[Body] = []
        async for page in self._client.pages(resource_of(kind)):
            items = [msgspec.json.decode(bytes(raw), type=dict) for raw in page.items or ()]
            bodies += [{"apiVersion": f"{GROUP}/{VERSION}", "kind": kind, **item} for item in items]
        return bodies
