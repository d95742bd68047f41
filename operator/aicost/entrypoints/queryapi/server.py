"""The life of the query API: find whom to believe, serve, follow changes, end cleanly."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from aicost.adapters.clock import now_ms
from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.wire.resources import NAMESPACES
from aicost.bootstrap import open_audits, open_ledger
from aicost.entrypoints.queryapi.allocations import Counter
from aicost.entrypoints.queryapi.app import query_app
from aicost.entrypoints.queryapi.desk import Desk
from aicost.entrypoints.queryapi.frontproxy import FrontProxy, fetch_front_proxy
from aicost.entrypoints.queryapi.labels import LabelCounter
from aicost.entrypoints.queryapi.tls import LiveTls
from aicost.ports.errors import AicostError
from aicost.settings import Settings
from aicost.telemetry.logs import line

GRACE_SECONDS = 20.0
"""How long requests in flight may take to end."""
_log = logging.getLogger("aicost.query")


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between looks at the certificate, at the front proxy's authority, and between attempts to reach it."""

    certificate: float = 10.0
    authority: float = 60.0
    retry: float = 2.0


@dataclass(slots=True)
class ClusterKey:
    """The key of this cluster in the ledger: the setting, else the UID of the namespace kube-system."""

    client: KubeClient
    configured: str
    _known: str = field(default="", init=False)

    async def __call__(self) -> str:
        """The key, asked for once."""
        if not self._known:
            self._known = self.configured or (await self.client.metadata(NAMESPACES, "kube-system")).uid
        return self._known


async def serve(settings: Settings, client: KubeClient, stop: asyncio.Event, pace: Pace | None = None) -> None:
    """Serve until `stop` is set.

    Raises:
        InvalidRequest: there is no certificate to serve with.
        OSError: the port is taken.
    """
    pace = pace or Pace()
    front = await _first_front_proxy(client, stop, pace.retry)
    if front is None:
        return
    tls = LiveTls(Path(settings.server.certificate_dir), front)
    desk = Desk()
    ledger = open_ledger(settings.ledger.url, dict(settings.ledger.storage_options))
    cluster = ClusterKey(client, settings.cluster.id)
    counter = Counter(ledger, cluster, desk, now_ms)
    labels = LabelCounter(ledger, open_audits(settings), cluster, desk, now_ms)
    runner = web.AppRunner(query_app(counter, labels, tls), access_log=None, shutdown_timeout=GRACE_SECONDS)
    await runner.setup()
    followers = [
        asyncio.create_task(_follow("certificate", pace.certificate, lambda: asyncio.to_thread(tls.reload))),
        asyncio.create_task(_follow("front proxy", pace.authority, lambda: _trust_anew(client, tls))),
    ]
    try:
        site = web.TCPSite(runner, settings.server.host or None, settings.server.query_port, ssl_context=tls.context)
        await site.start()
        line(_log, logging.INFO, "serving", addresses=[f"{one[0]}:{one[1]}" for one in runner.addresses])
        await stop.wait()
        line(_log, logging.INFO, "stopping")
    finally:
        for follower in followers:
            follower.cancel()
        await asyncio.gather(*followers, return_exceptions=True)
        await runner.cleanup()
        desk.close()


async def _first_front_proxy(client: KubeClient, stop: asyncio.Event, retry_s: float) -> FrontProxy | None:
    """Whom to believe; nobody is served before that is known. None where we are told to stop first."""
    while not stop.is_set():
        try:
            return await fetch_front_proxy(client)
        except AicostError as problem:
            line(_log, logging.WARNING, "cannot read whom to believe, trying again", error=str(problem))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(retry_s):
                await stop.wait()
    return None


async def _trust_anew(client: KubeClient, tls: LiveTls) -> bool:
    return tls.trust(await fetch_front_proxy(client))


async def _follow(what: str, seconds: float, look: Callable[[], Awaitable[bool]]) -> None:
    """Look again and again; what cannot be read or used leaves everything as it is."""
    while True:
        await asyncio.sleep(seconds)
        try:
            if await look():
                line(_log, logging.INFO, f"the {what} changed: new connections use it")
        except AicostError as problem:
            line(_log, logging.WARNING, f"the {what} cannot be used, the old one stays", error=str(problem))
