"""Follow a collection of the API server: list, watch, and list again when the watch has fallen behind."""

import asyncio
import logging
from collections.abc import Callable

import aiohttp

from devcluster.api import ApiError, Object
from devcluster.kubelet.client import KubeletClient

__all__ = ["follow"]

_log = logging.getLogger(__name__)
_RETRY_SECONDS = 0.5
_GONE = 410

Changed = Callable[[Object], None]


class _Follower:
    """The state of one follow: what is known, and up to which version."""

    def __init__(self, client: KubeletClient, path: str, selector: str, changed: Changed, gone: Changed) -> None:
        self._client, self._path, self._selector = client, path, selector
        self._changed, self._gone = changed, gone
        self._known: dict[str, Object] = {}
        self._version = ""

    async def relist(self) -> None:
        """List, and tell the difference to what was known: what is missing now was deleted unseen."""
        items, self._version = await self._client.list(self._path, self._selector)
        current = {item["metadata"]["uid"]: item for item in items}
        for uid in self._known.keys() - current.keys():
            self._gone(self._known[uid])
        self._known = current
        for item in items:
            self._changed(item)

    async def watch(self) -> None:
        """Tell events until the server ends the watch."""
        async for kind, item in self._client.watch(self._path, self._selector, self._version):
            if kind == "ERROR":
                raise ApiError(item.get("code", _GONE), item.get("message", ""))
            self._version = item["metadata"]["resourceVersion"]
            self._tell(kind, item)

    def _tell(self, kind: str, item: Object) -> None:
        uid = item["metadata"].get("uid")
        if kind == "DELETED":
            self._known.pop(uid, None)
            self._gone(item)
        elif kind != "BOOKMARK":
            self._known[uid] = item
            self._changed(item)


async def follow(client: KubeletClient, path: str, selector: str, changed: Changed, gone: Changed) -> None:
    """Call ``changed`` and ``gone`` for every object of a collection, for ever."""
    follower = _Follower(client, path, selector, changed, gone)
    listed = False
    while True:
        try:
            if not listed:
                await follower.relist()
                listed = True
            await follower.watch()
        except (ApiError, aiohttp.ClientError, TimeoutError) as problem:
            listed = False
            _log.warning("watch of %s: %s; listing again", path, problem)
            await asyncio.sleep(_RETRY_SECONDS)
