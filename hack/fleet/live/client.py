"""The two requests that live mode sends to the API server: list and watch, with the credentials of a kubeconfig."""

import asyncio
import base64
import json
import logging
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import aiohttp
import yaml

from fleet.kubernetes import Object

PAGE = 500
WATCH_SECONDS = 290
RETRY_SECONDS = 1

_log = logging.getLogger(__name__)


class Access(NamedTuple):
    """Where the API server is and who we are to it."""

    server: str
    tls: ssl.SSLContext
    headers: dict[str, str]


class ListAgainError(Exception):
    """The watch cannot go on from where it is."""


def access(kubeconfig: Path) -> Access:
    """The current context of a kubeconfig: client certificate or bearer token.

    Raises:
        ValueError: the file has no such context, cluster or user.
    """
    config = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
    context = _named(config, "contexts", config["current-context"])["context"]
    cluster = _named(config, "clusters", context["cluster"])["cluster"]
    user = _named(config, "users", context["user"])["user"]
    tls = ssl.create_default_context(cadata=_material(cluster, "certificate-authority", kubeconfig))
    certificate, key = (_material(user, name, kubeconfig) for name in ("client-certificate", "client-key"))
    if certificate and key:
        _load_identity(tls, certificate, key)
    headers = {"Authorization": f"Bearer {user['token']}"} if "token" in user else {}
    return Access(cluster["server"], tls, headers)


def _named(config: Object, section: str, name: str) -> Object:
    for item in config[section]:
        if item["name"] == name:
            return dict(item)
    raise ValueError(f"kubeconfig: {section} has no entry {name!r}")


def _material(item: Object, name: str, kubeconfig: Path) -> str | None:
    """A certificate or key, from the file itself or from beside it."""
    if f"{name}-data" in item:
        return base64.b64decode(item[f"{name}-data"]).decode()
    return (kubeconfig.parent / item[name]).read_text(encoding="utf-8") if name in item else None


def _load_identity(tls: ssl.SSLContext, certificate: str, key: str) -> None:
    """Python reads certificates from files only; this one exists for a moment, for us alone."""
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(f"{certificate}\n{key}")
        file.flush()
        tls.load_cert_chain(file.name)


class Follower:
    """Follows one collection for ever: list, watch, and list again when the watch breaks.

    Args:
        connection: the API server.
        path: the collection, such as `/api/v1/pods`.
        listed: told all objects after each list.
        changed: told the type (ADDED, MODIFIED, DELETED) and the object of each event.
    """

    def __init__(
        self,
        connection: "Connection",
        path: str,
        listed: Callable[[list[Object]], None],
        changed: Callable[[str, Object], None],
    ) -> None:
        self._connection, self._path, self._listed, self._changed = connection, path, listed, changed

    async def run(self) -> None:
        """Follow until cancelled."""
        version = ""
        while True:
            try:
                if not version:
                    items, version = await self._connection.list(self._path)
                    self._listed(items)
                async for kind, item in self._connection.watch(self._path, version):
                    version = item["metadata"]["resourceVersion"]
                    if kind != "BOOKMARK":
                        self._changed(kind, item)
            except (aiohttp.ClientError, ListAgainError, TimeoutError) as error:
                _log.warning("%s: %s; listing again", self._path, error)
                version = ""
                await asyncio.sleep(RETRY_SECONDS)


class Connection:
    """A connection to the API server. Use it as an async context manager."""

    def __init__(self, to: Access) -> None:
        self._to = to
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(ssl=self._to.tls)
        headers = self._to.headers
        self._session = aiohttp.ClientSession(self._to.server, connector=connector, headers=headers)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._session is not None
        await self._session.close()

    async def list(self, path: str) -> tuple[list[Object], str]:
        """All objects of a collection and the version to watch from."""
        items: list[Object] = []
        token = ""
        while True:
            async with self._get(path, limit=PAGE, **{"continue": token}) as answer:
                page = await answer.json()
            items += page["items"]
            token = page["metadata"].get("continue", "")
            if not token:
                return items, page["metadata"]["resourceVersion"]

    async def watch(self, path: str, version: str) -> AsyncIterator[tuple[str, Object]]:
        """Events after a version, until the server ends the watch.

        Raises:
            ListAgainError: the server no longer knows that version.
        """
        options = {"watch": "1", "allowWatchBookmarks": "true", "resourceVersion": version}
        async with self._get(path, timeoutSeconds=WATCH_SECONDS, **options) as answer:
            rest = b""
            async for chunk in answer.content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        raise ListAgainError(event["object"].get("message", "watch error"))
                    yield event["type"], event["object"]

    def _get(self, path: str, **params: Any) -> Any:
        assert self._session is not None
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=WATCH_SECONDS + 30)
        return self._session.get(path, params=params, timeout=timeout, raise_for_status=True)
