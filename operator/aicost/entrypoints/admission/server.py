"""The life of the webhook: know everything, show a trusted certificate, serve, follow changes, end cleanly."""

import asyncio
import contextlib
import logging
import os
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from aicost.adapters.clock import now_ms
from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.events import EventPoster
from aicost.adapters.kube.status import StatusWriter
from aicost.adapters.kube.wire.resources import Resource
from aicost.adapters.serving.health import health_app, serve
from aicost.domain.policy.policies import Engine
from aicost.entrypoints.admission.answering.app import webhook_app
from aicost.entrypoints.admission.answering.judge import Judge
from aicost.entrypoints.admission.answering.telling import Telling
from aicost.entrypoints.admission.certificate import Certificate
from aicost.entrypoints.admission.knowledge.snapshot import Rules, Seen, make_snapshot
from aicost.entrypoints.admission.knowledge.watching import PolicyWatch
from aicost.entrypoints.admission.trust import FIELD_MANAGER, Place, Trust
from aicost.ports.errors import AicostError
from aicost.settings import AdmissionSettings, Settings
from aicost.telemetry.logs import line
from aicost.telemetry.metrics import Metrics

GRACE_SECONDS = 10.0
"""How long questions in flight may take to end; the API server waits less for an answer."""
_QUEUE_VERSIONS = ("kueue.x-k8s.io/v1beta2", "kueue.x-k8s.io/v1beta1")
_log = logging.getLogger("aicost.admission")


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between looks at the certificate, between attempts to begin, between measurements, and of goodbye.

    Attributes:
        goodbye: how long we go on serving after we were told to stop: whoever sends us questions learns of it in its
            own time.
    """

    certificate: float = 30.0
    retry: float = 2.0
    measure: float = 5.0
    goodbye: float = 3.0


class Webhook:
    """One process of the webhook, from start to end. It keeps nothing: another one takes its place at any time."""

    def __init__(self, settings: Settings, client: KubeClient, pace: Pace | None = None) -> None:
        self._settings, self._client, self._pace = settings, client, pace or Pace()
        self._admission = settings.admission
        self.metrics = Metrics()
        name = os.environ.get("POD_NAME") or os.uname().nodename
        poster, writer = EventPoster(client, (FIELD_MANAGER, name), now_ms), StatusWriter(client, FIELD_MANAGER, now_ms)
        self._telling = Telling(poster, writer, self.metrics)
        self.judge = Judge(self.metrics, now_ms, self._telling.tell)
        self._certificate = _certificate(self._admission, client, self.metrics)
        self._watch: PolicyWatch | None = None
        self.addresses: list[tuple[str, int]] = []

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set.

        Raises:
            OSError: a port is taken.
            ExceptionGroup: a watch ended by a bug: the process should end, so that it is started anew.
        """
        server = self._settings.server
        pages = await serve(
            health_app(self.metrics, lambda: "", self._ready), server.host, self._admission.metrics_port
        )
        work = asyncio.create_task(self._work(), name="work")
        stopped = asyncio.create_task(stop.wait(), name="stop")
        try:
            await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
            await asyncio.sleep(self._pace.goodbye)
        finally:
            for task in (stopped, work):
                task.cancel()
            await asyncio.gather(work, stopped, return_exceptions=True)
            await pages.cleanup()
            line(_log, logging.INFO, "stopped")

    async def _work(self) -> None:
        rules = Rules(
            controllers=self._admission.controllers,
            system_namespaces=self._admission.system_namespaces,
            engine=Engine(self._admission.engine),
        )
        queues = await self._ask_for_queues()
        watch = self._watch = PolicyWatch(
            self._client, now_ms, queues=queues, changed=lambda seen: self._know(seen, rules)
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(watch.run(), name="watch")
            tasks.create_task(self._telling.run(), name="tell")
            tasks.create_task(self._measure(watch), name="measure")
            while not await self._certificate.try_to_look():  # noqa: ASYNC110 -- nobody would set an event
                await asyncio.sleep(self._pace.retry)
            tasks.create_task(self._certificate.follow(self._pace.certificate), name="certificate")
            await self._serve()

    async def _serve(self) -> None:
        """Answer until cancelled."""
        app = webhook_app(self.judge, self.metrics)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=GRACE_SECONDS)
        await runner.setup()
        try:
            host, port = self._settings.server.host or None, self._admission.port
            await web.TCPSite(runner, host, port, ssl_context=self._certificate.context).start()
            self.addresses = [(one[0], one[1]) for one in runner.addresses]
            line(_log, logging.INFO, "serving", addresses=[f"{host}:{port}" for host, port in self.addresses])
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()

    async def _ask_for_queues(self) -> Resource | None:
        """How the API server serves Kueue's queues, None where it has none; asked until it answers."""
        while True:
            with contextlib.suppress(AicostError):
                return await self._queues()
            line(_log, logging.WARNING, "the API server does not say what it has, trying again")
            await asyncio.sleep(self._pace.retry)

    async def _queues(self) -> Resource | None:
        for api_version in _QUEUE_VERSIONS:
            for resource in await self._client.resources(api_version):
                if resource.kind == "LocalQueue":
                    return resource
        return None

    def _know(self, seen: Seen, rules: Rules) -> None:
        """Swap what is known, as a whole. What cannot be put together leaves us with what we had."""
        before = self.judge.snapshot
        try:
            made = make_snapshot(seen, rules, now_ms())
        except Exception:  # noqa: BLE001 -- old knowledge is better than none
            _log.exception("a bug: what was seen last could not be taken up")
            self.metrics.count("aicost_admission_errors_total", reason="snapshot")
            return
        self.judge.snapshot = made
        self.metrics.show("aicost_admission_policies", len(made.policy.policies))
        if before is None or before.policy.revision != made.policy.revision:
            names = [policy.name for policy in made.policy.policies]
            line(_log, logging.INFO, "policies taken up", revision=made.policy.revision, policies=names)

    async def _measure(self, watch: PolicyWatch) -> None:
        while True:
            age_ms = watch.age_ms()
            if age_ms is not None:
                self.metrics.show("aicost_admission_snapshot_age_seconds", age_ms / 1_000)
            await asyncio.sleep(self._pace.measure)

    def _ready(self) -> str:
        """Ready once all is known and somebody can ask."""
        if self.judge.snapshot is None:
            silent = (
                [one.resource for one in self._watch.stats if not one.synced] if self._watch else ["the API server"]
            )
            return f"not all is known yet: {', '.join(silent)}"
        return "" if self.addresses else "no certificate to show yet"


def _certificate(settings: AdmissionSettings, client: KubeClient, metrics: Metrics) -> Certificate:
    """Somebody's certificate where a folder is named, else our own."""
    if settings.certificate_dir:
        return Certificate(metrics, folder=Path(settings.certificate_dir))
    namespace = settings.namespace or os.environ.get("POD_NAMESPACE") or "default"
    host = f"{settings.service}.{namespace}.svc"
    place = Place(namespace, settings.secret, settings.configuration, (host, f"{host}.cluster.local"))
    return Certificate(metrics, Trust(client, place, now_ms))
