"""Watches of the fake API server."""

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from aiohttp import web

from support.fake_api.store import Collection, Gone, Object

if TYPE_CHECKING:
    from support.fake_api.server import FakeApi


async def serve(api: "FakeApi", request: web.Request, collection: Collection, namespace: str) -> web.StreamResponse:
    streamed = request.query.get("sendInitialEvents") == "true"
    if streamed and not api.faults.streamed_lists:
        message = "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled"
        body = {"kind": "Status", "code": 422, "reason": "Invalid", "message": message}
        return web.json_response(body, status=422)
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    writer = _Writer(api, request, response)
    with suppress(ConnectionError, _Cut):
        await _tell(api, request, collection, namespace, writer)
    return response


class _Cut(Exception):
    """The connection was cut on purpose."""


class _Writer:
    """Writes lines, and stumbles where the faults say so."""

    def __init__(self, api: "FakeApi", request: web.Request, response: web.StreamResponse) -> None:
        self._api, self._request, self._response = api, request, response
        self._cut = api.faults.cut_after.pop(0) if api.faults.cut_after else None
        self._error = api.faults.error_after.pop(0) if api.faults.error_after else None
        self._lines = 0

    async def send(self, kind: str, obj: Object) -> None:
        line = json.dumps({"type": kind, "object": obj}).encode() + b"\n"
        await self._stumble(line)
        for _ in range(2 if self._api.faults.twice else 1):
            await self._response.write(line)
        self._lines += 1
        if self._error is not None and self._lines >= self._error[0]:
            await self.fail(self._error[1], "told to fail")

    async def fail(self, code: int, message: str) -> None:
        body: dict[str, Any] = {"kind": "Status", "code": code, "reason": "Expired", "message": message}
        await self._response.write(json.dumps({"type": "ERROR", "object": body}).encode() + b"\n")
        raise _Cut

    async def _stumble(self, line: bytes) -> None:
        await self._api.faults.hole.wait()
        if self._cut is None or self._lines < self._cut:
            return
        await self._response.write(line[: len(line) // 2])
        assert self._request.transport is not None
        self._request.transport.abort()
        raise _Cut


async def _tell(api: "FakeApi", request: web.Request, collection: Collection, namespace: str, writer: _Writer) -> None:
    if api.faults.end_at_once:
        api.faults.end_at_once -= 1
        return
    version = await _initial(api, request, collection, namespace, writer)
    if version is None:
        version = int(request.query["resourceVersion"])
    told = version
    while True:
        changed = api.changed
        try:
            events = api.store.since(collection, version)
        except Gone as error:
            await writer.fail(410, str(error))
            return
        for event in events:
            version = event.version
            if namespace in {"", event.object["metadata"].get("namespace", "")}:
                await writer.send(event.kind, event.object)
        if api.bookmark > max(told, version):
            told = version = api.bookmark
            await writer.send("BOOKMARK", _bookmark(collection, version))
        await _until(changed)


async def _initial(
    api: "FakeApi", request: web.Request, collection: Collection, namespace: str, writer: _Writer
) -> int | None:
    if request.query.get("sendInitialEvents") != "true":
        return None
    version = api.store.version
    for obj in api.store.all(collection, namespace):
        await writer.send("ADDED", obj)
    bookmark = _bookmark(collection, version)
    bookmark["metadata"]["annotations"] = {"k8s.io/initial-events-end": "true"}
    await writer.send("BOOKMARK", bookmark)
    return version


def _bookmark(collection: Collection, version: int) -> Object:
    metadata: Object = {"resourceVersion": str(version)}
    return {"kind": collection.kind, "apiVersion": collection.api_version, "metadata": metadata}


async def _until(changed: asyncio.Event) -> None:
    await changed.wait()
