"""Serves each running exporter pod at its own address, port 9400."""

import asyncio
import logging
from collections.abc import Callable, Mapping

from aiohttp import web

from fleet.clocks import Clock
from fleet.exporter.text import Exporter
from fleet.live.facts import PORT

_log = logging.getLogger(__name__)


class Exporters:
    """The servers of all exporter pods.

    Args:
        exporter_of: the exporter of a pod by UID; None when there is nothing to show.
        clock: the time of a scrape.
        port: where they listen.
    """

    def __init__(self, exporter_of: Callable[[str], Exporter | None], clock: Clock, port: int = PORT) -> None:
        self._exporter_of, self._clock, self._port = exporter_of, clock, port
        self._running: dict[str, tuple[str, web.AppRunner]] = {}

    async def reconcile(self, wanted: Mapping[str, str]) -> None:
        """Serve exactly these pods: UID to address."""
        for uid, (ip, runner) in list(self._running.items()):
            if wanted.get(uid) != ip:
                await runner.cleanup()
                del self._running[uid]
        for uid in wanted.keys() - self._running.keys():
            await self._start(uid, wanted[uid])

    async def close(self) -> None:
        """Stop all of them."""
        await self.reconcile({})

    async def _start(self, uid: str, ip: str) -> None:
        application = web.Application()
        application.router.add_get("/metrics", lambda request: self._answer(request, uid))
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, ip, self._port).start()
        except OSError as error:
            await runner.cleanup()
            _log.warning("exporter at %s:%s cannot listen: %s", ip, self._port, error)
            return
        self._running[uid] = (ip, runner)
        _log.info("exporter at http://%s:%s/metrics", ip, self._port)

    async def _answer(self, request: web.Request, uid: str) -> web.StreamResponse:
        exporter = self._exporter_of(uid)
        if exporter is None:
            return web.Response(status=500, text="this node has no GPU that is simulated\n")
        answer = exporter.answer(self._clock())
        if answer.status == 0 and request.transport is not None:
            request.transport.abort()
        await asyncio.sleep(answer.delay_ms / 1000)
        headers = {"Content-Type": answer.content_type}
        return web.Response(status=answer.status or 503, body=answer.body, headers=headers)
