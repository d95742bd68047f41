"""The controller process: watch, scrape, lead, compute, publish; ends cleanly when asked, at once when it must."""

import asyncio
import contextlib
import json
import logging
import os
import signal

from aiohttp import web

from aicost.adapters.clock import now_ms
from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.config import ClusterConfig
from aicost.adapters.kube.config_maps import ConfigMaps
from aicost.adapters.kube.events import EventPoster
from aicost.adapters.kube.lease import Leadership
from aicost.adapters.kube.seen.values import SeenPod
from aicost.adapters.kube.server_policies import ServerPolicies
from aicost.adapters.kube.watching.trainers import TrainersWatch
from aicost.adapters.kube.wire.resources import NAMESPACES
from aicost.adapters.serving.health import health_app, serve
from aicost.bootstrap import build, open_audits, open_price_feed, open_stores, open_trusts
from aicost.crd.vap.generate import LABELS
from aicost.domain.attribution.resolvers.table import may_hold
from aicost.domain.exact.windows import MINUTE_MS, SECOND_MS
from aicost.entrypoints.controller.accounts.fetching import Fetcher, ask_provider
from aicost.entrypoints.controller.accounts.keys import SecretKeys
from aicost.entrypoints.controller.accounts.rounds import AccountRounds
from aicost.entrypoints.controller.attempts import Attempts
from aicost.entrypoints.controller.budgets.rounds import BudgetRounds
from aicost.entrypoints.controller.budgets.wiring import budget_rounds
from aicost.entrypoints.controller.dump import dump_state
from aicost.entrypoints.controller.labels.audit import LabelAuditor
from aicost.entrypoints.controller.labels.enforcement import FIELD_MANAGER, LabelEnforcement
from aicost.entrypoints.controller.labels.listing import ObjectLists
from aicost.entrypoints.controller.labels.webhook import WebhookProbe
from aicost.entrypoints.controller.lists import Lists
from aicost.entrypoints.controller.pool import Pool
from aicost.entrypoints.controller.prices.published import PublishedBooks
from aicost.entrypoints.controller.publish.publisher import Publisher
from aicost.entrypoints.controller.publish.writer import AnswerWriter
from aicost.entrypoints.controller.publish.writing import FIELD_MANAGER as PUBLISHER
from aicost.entrypoints.controller.publish.writing import StatusPublisher
from aicost.entrypoints.controller.registry import Registry
from aicost.entrypoints.controller.resources import Following
from aicost.entrypoints.controller.resync import Resync
from aicost.entrypoints.controller.rounds import Rounds
from aicost.entrypoints.controller.sources import ScrapeLoop, SourceFinder
from aicost.entrypoints.controller.starter import keep_starter_book
from aicost.entrypoints.controller.state import State
from aicost.entrypoints.controller.telemetry.exporters import ClusterExporters
from aicost.entrypoints.controller.telemetry.judging import TelemetryJudge
from aicost.entrypoints.controller.training.rounds import TrainingRounds
from aicost.entrypoints.controller.units.counting import UnitRounds
from aicost.entrypoints.controller.units.scraping import EngineLoop
from aicost.entrypoints.controller.watching import ClusterWatch, bare_pod_namespaces
from aicost.entrypoints.process import server
from aicost.settings import Settings
from aicost.telemetry.logs import line
from aicost.telemetry.metrics import Metrics

STALE_WATCH_MS = 10 * MINUTE_MS
"""A watch that heard nothing for this long makes the process unhealthy: a restart lists anew."""
DRAIN_SECONDS = 5.0
"""Time for work in threads to end before the Lease is given back; less than the Lease holds without a renewal."""
FIRST_SEARCH_SECONDS = 30.0
"""Time for the first search for telemetry before costs are published without any."""
_log = logging.getLogger("aicost.controller")


class Controller:
    """One process of the controller, from start to end."""

    def __init__(self, settings: Settings, config: ClusterConfig, client: KubeClient, cluster: str) -> None:
        self._settings, self._config, self._client = settings, config, client
        self._identity = os.environ.get("POD_NAME") or f"{os.uname().nodename}-{os.getpid()}"
        self._metrics, self._registry, self._state = Metrics(), Registry(), State(cluster)
        self._attempts, self._pool = Attempts(self._state, self._metrics), Pool()
        self._stores = open_stores(settings, now_ms(), cluster)
        self._leadership = self._candidate()
        self._app = build(settings, cluster, self._stores, self._metrics, self._holds)
        self._watch = ClusterWatch(client, self._stores.inventory, now_ms, self._wants_owners)
        self._finder = SourceFinder(self._app, self._watch.sighted, self._state, self._attempts)
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT. Everybody watches and scrapes; only the leader computes and writes.

        Raises:
            ExceptionGroup: a watch or the Lease ended by a bug: the process should end, so that it is started anew.
        """
        loop = asyncio.get_running_loop()
        loop.set_default_executor(self._pool)
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self._stop.set)
        loop.add_signal_handler(signal.SIGUSR2, self._dump)
        self._metrics.show("aicost_leader", 0)
        server = self._settings.server
        runner = await serve(health_app(self._metrics, self._alive, self._ready), server.host, server.metrics_port)
        line(_log, logging.INFO, "started", cluster=self._app.cluster, identity=self._identity, api=self._config.server)
        work = asyncio.create_task(self._work(), name="work")
        stop = asyncio.create_task(self._stop.wait(), name="stop")
        try:
            await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
        finally:
            exit_code = 1 if work.done() else 0
            stop.cancel()
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            await self._end(runner, exit_code)

    async def _end(self, runner: web.AppRunner, exit_code: int) -> None:
        """Let work in threads end, give the Lease back, put everything on the volume."""
        idle = await self._pool.drain(DRAIN_SECONDS)
        if self._leadership:
            await self._leadership.release()
        await runner.cleanup()
        self._stores.close()
        line(_log, logging.INFO, "stopped")
        if not idle:  # a thread waits for an answer from outside; without the Lease it can write nothing
            os._exit(exit_code)

    async def _work(self) -> None:
        """Watch and scrape from the start, engines of AIWorkloads too; lead once the Lease is ours."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch.run(), name="watch")
            tasks.create_task(self._show_watches(), name="show-watches")
            await self._watch.synced()
            tasks.create_task(self._finder.run(), name="find-telemetry")
            exporters = ClusterExporters(self._watch.sighted, self._finder.strangers)
            scrapes = ScrapeLoop(self._app, self._finder, self._state, self._attempts, heard=exporters.heard)
            tasks.create_task(scrapes.run(), name="scrape")
            engines = EngineLoop(self._app, self._watch.sighted, self._registry, self._state, self._attempts)
            tasks.create_task(engines.run(), name="scrape-engines")
            tasks.create_task(self._judge(exporters), name="judge-telemetry")
            if self._leadership:
                resync = Resync(self._client, self._registry, self._attempts, ("AIWorkload",))
                standing_by = tasks.create_task(resync.run(), name="stand-by")
                await self._leadership.acquire()
                standing_by.cancel()
                tasks.create_task(self._leadership.hold(), name="hold-lease")
            self._metrics.show("aicost_leader", 1)
            tasks.create_task(self._lead(), name="lead")

    async def _judge(self, exporters: ClusterExporters) -> None:
        """Judge the telemetry of nodes, once a source was looked for."""
        await self._finder.looked.wait()
        events = EventPoster(self._client, (PUBLISHER, self._identity), now_ms)
        kept = open_trusts(self._settings)
        await TelemetryJudge(self._app, exporters, self._state, self._attempts, kept, events, leads=self._holds).run()

    async def _lead(self) -> None:
        """What only the leader does: follow our own resources, compute, publish.

        Nothing is judged before it is known what is there: a book that was not read yet is no missing price.
        """
        await self._attempts.attempt("begin-term", self._begin_term)
        await keep_starter_book(self._client, self._settings.prices.starter_file)
        published = self._published()
        resync = Resync(self._client, self._registry, self._attempts)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(Following(self._registry, self._config, self._attempts).run(), name="kopf")
            tasks.create_task(resync.run(), name="resync")
            await resync.synced.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FIRST_SEARCH_SECONDS):
                    await self._finder.looked.wait()
            training = TrainingRounds(
                self._app, self._registry, TrainersWatch(self._client, now_ms), self._state, self._attempts
            )
            tasks.create_task(training.follow(), name="follow-trainers")
            tasks.create_task(training.run(), name="cost-training")
            tasks.create_task(UnitRounds(self._app, self._registry, self._attempts).run(), name="count-windows")
            tasks.create_task(self._lists().run(), name="lists")
            if published is not None:
                tasks.create_task(published.run(), name="read-prices")
            if self._settings.admission.enabled and self._settings.admission.engine != "vap":
                tasks.create_task(self._webhook().run(), name="try-webhook")
            tasks.create_task(self._rounds().run(), name="rounds")
            tasks.create_task(self._budgets().run(), name="budgets")
            tasks.create_task(self._auditor().run(), name="audit-labels")
            tasks.create_task(self._enforcement().run(), name="enforce-labels")
            tasks.create_task(self._accounts().run(), name="fetch-spend")

    async def _begin_term(self) -> None:
        """Tell the ledger who leads now; if it cannot be told, the first write tells it."""
        await asyncio.to_thread(self._app.fence.begin, self._app.cluster)

    def _published(self) -> PublishedBooks | None:
        """Who keeps the books that a URL publishes; None where the settings name none."""
        settings = self._settings.prices.http
        feed = open_price_feed(settings)
        if feed is None:
            return None
        place, interval_s = settings.url.partition("?")[0], settings.interval_seconds
        return PublishedBooks(
            self._client, feed, place, interval_s, self._state, self._attempts, self._metrics, now_ms=now_ms
        )

    def _lists(self) -> Lists:
        return Lists(ConfigMaps(self._client), self._registry, self._state, self._attempts)

    def _webhook(self) -> WebhookProbe:
        namespace = self._settings.admission.namespace or self._config.namespace
        return WebhookProbe(self._client, namespace, self._registry, self._state, self._metrics)

    def _enforcement(self) -> LabelEnforcement:
        anchor = f"{self._settings.admission.configuration}-controller"
        policies = ServerPolicies(self._client, LABELS, FIELD_MANAGER, anchor)
        return LabelEnforcement(self._app, self._registry, self._state, self._attempts, policies)

    def _auditor(self) -> LabelAuditor:
        audits = open_audits(self._settings)
        return LabelAuditor(self._app, self._registry, self._state, self._attempts, audits, self._object_lists)

    def _object_lists(self) -> ObjectLists:
        return ObjectLists(self._client, lambda: bare_pod_namespaces(self._watch.sighted))

    def _rounds(self) -> Rounds:
        sighted = self._watch.sighted
        publisher = Publisher(
            self._client,
            self._registry,
            self._app,
            self._state,
            StatusPublisher(self._client, self._identity, self._settings.window.refresh_seconds * SECOND_MS),
            namespaces=lambda: frozenset(sighted.namespaces),
        )
        return Rounds(
            self._app, self._registry, self._state, publisher, self._attempts, claimed=self._watch.know_owners
        )

    def _budgets(self) -> BudgetRounds:
        return budget_rounds(self._app, self._client, self._registry, self._state, self._attempts, self._identity)

    def _accounts(self) -> AccountRounds:
        secrets = SecretKeys(self._client, self._namespace())
        writer = AnswerWriter(StatusPublisher(self._client, self._identity), self._metrics)
        fetcher = Fetcher(self._app, secrets, ask_provider)
        return AccountRounds(self._app.cluster, self._registry, fetcher, writer, self._attempts, now_ms=now_ms)

    def _namespace(self) -> str:
        """The namespace that the controller itself runs in."""
        return os.environ.get("POD_NAMESPACE") or self._config.namespace

    def _candidate(self) -> Leadership | None:
        """Our candidature for the Lease; None where settings want none."""
        leader = self._settings.leader
        if not leader.enabled:
            return None
        place = (leader.namespace or self._namespace(), leader.name)
        return Leadership(self._client, place, self._identity, now_ms=now_ms, on_lost=_leave)

    def _holds(self) -> bool:
        return self._leadership is None or self._leadership.holds()

    def _wants_owners(self, pod: SeenPod) -> bool:
        """Owners matter for pods that hold devices, and where AIWorkloads may claim pods by their owner."""
        claimed = {claim.namespace for claim in self._app.claims.claims()}
        return may_hold(pod.facts) or pod.facts.namespace in claimed

    def _alive(self) -> str:
        """Healthy unless a watch has gone silent for so long that only a restart helps."""
        silent = [s.resource for s in self._watch.stats if (s.age_ms(now_ms()) or 0) > STALE_WATCH_MS]
        return f"no sign of life from the watch of {', '.join(silent)}" if silent else ""

    def _ready(self) -> str:
        """Ready once everything that is there is known, leader or not."""
        missing = [stats.resource for stats in self._watch.stats if not stats.synced]
        return f"not all is known yet: {', '.join(missing)}" if missing else ""

    def _dump(self) -> None:
        document = dump_state(self._app, self._watch, self._registry, self._state, now_ms())
        line(_log, logging.INFO, "state", state=json.dumps(document))

    async def _show_watches(self) -> None:
        """Put what the informers can say of themselves into the metrics."""
        while True:
            for stats in self._watch.stats:
                name = stats.resource
                self._metrics.show("aicost_informer_synced", float(stats.synced), resource=name)
                self._metrics.show("aicost_informer_objects", stats.objects, resource=name)
                self._metrics.show("aicost_informer_relists", stats.relists, resource=name)
                age_ms = stats.age_ms(now_ms())
                if age_ms is not None:
                    self._metrics.show("aicost_informer_last_event_age_seconds", age_ms / 1000, resource=name)
            await asyncio.sleep(5)


def _leave(reason: str) -> None:
    """Leadership is lost: work in progress cannot be called back, so the process ends here."""
    line(_log, logging.CRITICAL, "leadership lost, leaving", reason=reason)
    os._exit(1)


async def cluster_id(client: KubeClient, configured: str) -> str:
    """Key of the cluster: the setting, else the UID of the namespace kube-system."""
    return configured or (await client.metadata(NAMESPACES, "kube-system")).uid


async def run(settings: Settings, config: ClusterConfig) -> None:
    """Run the controller on a cluster."""
    async with KubeClient(config) as client:
        cluster = await cluster_id(client, settings.cluster.id)
        await Controller(settings, config, client, cluster).run()


main = server("controller", "Watch the cluster, sample GPUs, keep the ledger and the reports.", run)
