"""The few requests that a kubelet sends, over aiohttp."""

import ssl
from collections.abc import AsyncIterator
from typing import Any, Self

import aiohttp
import msgspec

from devcluster.api import ApiError, Object
from devcluster.kubelet.config import KubeletConfig

__all__ = ["KubeletClient"]

_STRATEGIC = {"Content-Type": "application/strategic-merge-patch+json"}
_PAGE = 500
_WATCH_SECONDS = 290


class KubeletClient:
    """An asynchronous client of the API server. Use it as a context manager."""

    def __init__(self, config: KubeletConfig) -> None:
        self._context = ssl.create_default_context(cafile=str(config.authority))
        self._context.load_cert_chain(str(config.identity.certificate), str(config.identity.key))
        self._server = config.server
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(ssl=self._context, limit=32)
        self._session = aiohttp.ClientSession(self._server, connector=connector, read_bufsize=1 << 20)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._session
        await self._session.close()

    async def request(
        self, method: str, path: str, body: Object | None = None, headers: dict[str, str] | None = None
    ) -> Any:
        """Send one request; the decoded answer. Raises :class:`ApiError` on a refusal."""
        assert self._session
        content = None if body is None else msgspec.json.encode(body)
        sent = {"Content-Type": "application/json", **(headers or {})}
        async with self._session.request(method, path, data=content, headers=sent) as answer:
            data = await answer.read()
            if answer.status >= 400:
                raise ApiError(answer.status, data.decode(errors="replace")[:500])
            return msgspec.json.decode(data)

    async def get(self, path: str) -> Any:
        """Read one object."""
        return await self.request("GET", path)

    async def list(self, path: str, selector: str) -> tuple[list[Object], str]:
        """All objects of a collection, page by page, and the resource version to watch from."""
        items: list[Object] = []
        token = ""
        while True:
            page = await self.get(f"{path}?limit={_PAGE}&fieldSelector={selector}&continue={token}")
            items.extend(page["items"])
            token = page["metadata"].get("continue", "")
            if not token:
                return items, page["metadata"]["resourceVersion"]

    async def watch(self, path: str, selector: str, version: str) -> AsyncIterator[tuple[str, Object]]:
        """Events after a resource version until the server ends the watch."""
        assert self._session
        query = f"watch=1&allowWatchBookmarks=true&timeoutSeconds={_WATCH_SECONDS}"
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=_WATCH_SECONDS + 30)
        address = f"{path}?{query}&fieldSelector={selector}&resourceVersion={version}"
        async with self._session.get(address, timeout=timeout) as answer:
            if answer.status >= 400:
                raise ApiError(answer.status, await answer.text())
            buffer = b""
            async for chunk in answer.content.iter_any():
                *lines, buffer = (buffer + chunk).split(b"\n")
                for line in lines:
                    event = msgspec.json.decode(line)
                    yield event["type"], event["object"]

    async def patch_status(self, path: str, uid: str, status: Object) -> Object:
        """Merge into the status of an object, only if it is still the one with this UID."""
        body = {"metadata": {"uid": uid}, "status": status}
        return await self.request("PATCH", f"{path}/status", body, _STRATEGIC)

    async def delete(self, path: str, uid: str) -> None:
        """Delete for good, only if it is still the object with this UID."""
        body = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "gracePeriodSeconds": 0,
            "preconditions": {"uid": uid},
        }
        await self.request("DELETE", path, body)
