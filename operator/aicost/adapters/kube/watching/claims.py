"""Follows ResourceClaims and ResourceSlices, where the cluster serves dynamic resource allocation."""

import asyncio
from collections.abc import Callable, Mapping

from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.informer import Informer, InformerStats, Notice, Scope, Seen
from aicost.adapters.kube.seen.decode import decode_claim, decode_slice
from aicost.adapters.kube.seen.values import SeenClaim, SeenSlice
from aicost.adapters.kube.wire.errors import NotFound
from aicost.adapters.kube.wire.resources import DRA_GROUP, DRA_VERSIONS, Resource, resource_claims, resource_slices
from aicost.ports.errors import AicostError

RETRY_SECONDS = 60.0
"""Between two looks whether the cluster serves them by now, or lets us read them."""
SYNC_SECONDS = 30.0
"""How long a first list may take before others go on without it."""


async def dra_resources(client: KubeClient) -> tuple[Resource, Resource] | None:
    """Claims and slices in the best version that is served and that we know; None where none is.

    Raises:
        AicostError: it is not known now.
    """
    served = set(await client.versions(DRA_GROUP))
    version = next((one for one in DRA_VERSIONS if f"{DRA_GROUP}/{one}" in served), None)
    return None if version is None else (resource_claims(version), resource_slices(version))


class ClaimsWatch:
    """Two informers that run as soon as there is something to follow.

    Args:
        client: an open client.
        now_ms: the clock.
        claims, slices: what was there before a restart, by uid.

    Attributes:
        synced: set when what is there is known, or when it is known that it cannot be.
    """

    def __init__(
        self,
        client: KubeClient,
        now_ms: Callable[[], int],
        claims: Mapping[str, Seen[SeenClaim]],
        slices: Mapping[str, Seen[SeenSlice]],
    ) -> None:
        self.synced = asyncio.Event()
        self._client, self._now_ms, self._known = client, now_ms, (claims, slices)
        self._informers: tuple[Informer[SeenClaim], Informer[SeenSlice]] | None = None

    @property
    def stats(self) -> tuple[InformerStats, ...]:
        """What each informer can say of itself; none where nothing is followed."""
        return tuple(informer.stats for informer in self._informers or ())

    async def run(
        self,
        on_claim: Callable[[Notice[SeenClaim]], None],
        on_slice: Callable[[Notice[SeenSlice]], None],
        tell: Callable[[str], None],
    ) -> None:
        """Follow both until cancelled. Where they are not served, or may not be read, look again now and then.

        Args:
            on_claim: is called for each notice of a claim, in order.
            on_slice: the same for slices.
            tell: hears why they cannot be read, once for each reason; a cluster that serves none is no reason.
        """
        found = await self._found(tell)
        claims = Informer(self._client, Scope(found[0]), decode_claim, now_ms=self._now_ms, known=self._known[0])
        slices = Informer(self._client, Scope(found[1]), decode_slice, now_ms=self._now_ms, known=self._known[1])
        self._informers = claims, slices
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(claims.run(on_claim), name="watch-resourceclaims")
            tasks.create_task(slices.run(on_slice), name="watch-resourceslices")
            tasks.create_task(self._sync(claims, slices), name="sync-resourceclaims")

    async def _sync(self, claims: Informer[SeenClaim], slices: Informer[SeenSlice]) -> None:
        try:
            async with asyncio.timeout(SYNC_SECONDS):
                await claims.synced.wait()
                await slices.synced.wait()
        except TimeoutError:
            pass  # the informers go on, and say themselves what keeps them
        self.synced.set()

    async def _found(self, tell: Callable[[str], None]) -> tuple[Resource, Resource]:
        """Both resources, once they are served and may be listed."""
        told = ""
        while True:
            problem = ""
            try:
                if (found := await self._listable()) is not None:
                    return found
            except AicostError as error:
                problem = str(error)
            if problem and problem != told:
                tell(problem)
            told = problem
            self.synced.set()
            await asyncio.sleep(RETRY_SECONDS)

    async def _listable(self) -> tuple[Resource, Resource] | None:
        found = await dra_resources(self._client)
        try:
            for resource in found or ():
                async for _ in self._client.pages(resource, limit=1):
                    break
        except NotFound:
            return None
        return found
