"""The life of the query API: find whom to believe, serve, follow changes, end cleanly."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from aicost.adapters.clock import now_ms
from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.wire.resources import NAMESPACES
from aicost.bootstrap import (
    customer_ids,
    ledger_options,
    open_audits,
    open_counts,
    open_inputs,
    open_ledger,
    open_outcomes,
    open_trusts,
)
from aicost.entrypoints.queryapi.allocations import Counter
from aicost.entrypoints.queryapi.app import Counters, query_app
from aicost.entrypoints.queryapi.desk import Desk
from aicost.entrypoints.queryapi.frontproxy import FrontProxy, fetch_front_proxy
from aicost.entrypoints.queryapi.idle.counter import IdleCounter
from aicost.entrypoints.queryapi.labels import LabelCounter
from aicost.entrypoints.queryapi.offers.counter import OfferCounter
from aicost.entrypoints.queryapi.offers.market import LiveMarket
from aicost.entrypoints.queryapi.outcomes.counter import OutcomeCounter
from aicost.entrypoints.queryapi.proof.direct import DirectGate, fetch_users
from aicost.entrypoints.queryapi.proof.gate import FrontGate, Gate
from aicost.entrypoints.queryapi.proof.reviews import Reviews
from aicost.entrypoints.queryapi.receipts.counter import ReceiptCounter
from aicost.entrypoints.queryapi.receipts.ledger import ExplainedLedger
from aicost.entrypoints.queryapi.telemetry.counter import TelemetryCounter
from aicost.entrypoints.queryapi.tls import AnyTls, Believed, LiveTls
from aicost.entrypoints.queryapi.units.counter import UnitCounter
from aicost.ports.errors import AicostError
from aicost.ports.ledger import LedgerReader
from aicost.settings import Settings
from aicost.telemetry.logs import line
from aicost.usecases.economics.spend.with_accounts import with_accounts
from aicost.usecases.gpus.assess_idle import AssessIdle

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
    believed = _FETCH[settings.server.query_callers]
    first = await _first(believed, client, stop, pace.retry)
    if first is None:
        return
    tls: AnyTls = LiveTls(Path(settings.server.certificate_dir), first)
    gate: Gate = FrontGate(tls) if isinstance(first, FrontProxy) else DirectGate(tls, Reviews(client, now_ms))
    desk = Desk()
    ledger = open_ledger(settings.ledger.url, ledger_options(settings.ledger))
    cluster = ClusterKey(client, settings.cluster.id)
    counted = with_accounts if settings.ledger.count_accounts else _alone
    counter = Counter(ledger, cluster, desk, now_ms, counted=counted)
    labels = LabelCounter(ledger, open_audits(settings), cluster, desk, now_ms)
    slow = Desk(workers=1, waiting=8)
    receipts = ReceiptCounter(lambda: ExplainedLedger.of(ledger), cluster, slow, now_ms)
    offers = OfferCounter(LiveMarket(client, now_ms), desk, now_ms)
    telemetry = TelemetryCounter(open_trusts(settings), cluster, desk, now_ms)
    idle = IdleCounter(lambda of: AssessIdle(of, ledger.snapshot(), open_inputs(ledger)), cluster, slow, now_ms)
    units = UnitCounter(ledger, open_counts(ledger), cluster, desk, now_ms, open_outcomes(ledger))
    customer = customer_ids(key).id_of if (key := settings.privacy.customer_key_file) else str
    outcomes = OutcomeCounter(open_outcomes(ledger), cluster, desk, now_ms, customer)
    app = query_app(Counters(counter, labels, receipts, offers, telemetry, idle, units, outcomes), gate)
    # Whoever goes away while they wait takes their question along.
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=GRACE_SECONDS, handler_cancellation=True)
    await runner.setup()
    followers = [
        asyncio.create_task(_follow("certificate", pace.certificate, lambda: asyncio.to_thread(tls.reload))),
        asyncio.create_task(_follow("clients' authority", pace.authority, lambda: _trust_anew(believed, client, tls))),
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
        slow.close()
        outcomes.close()


def _alone(reader: LedgerReader, _: str) -> LedgerReader:
    """The cluster without any account."""
    return reader


_FETCH: Mapping[str, Callable[[KubeClient], Awaitable[Believed]]] = {
    "front-proxy": fetch_front_proxy,
    "users": fetch_users,
}


async def _first(
    fetch: Callable[[KubeClient], Awaitable[Believed]], client: KubeClient, stop: asyncio.Event, retry_s: float
) -> Believed | None:
    """Whom to believe; nobody is served before that is known. None where we are told to stop first."""
    while not stop.is_set():
        try:
            return await fetch(client)
        except AicostError as problem:
            line(_log, logging.WARNING, "cannot read whom to believe, trying again", error=str(problem))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(retry_s):
                await stop.wait()
    return None


async def _trust_anew(fetch: Callable[[KubeClient], Awaitable[Believed]], client: KubeClient, tls: AnyTls) -> bool:
    return tls.trust(await fetch(client))


async def _follow(what: str, seconds: float, look: Callable[[], Awaitable[bool]]) -> None:
    """Look again and again; what cannot be read or used leaves everything as it is."""
    while True:
        await asyncio.sleep(seconds)
        try:
            if await look():
                line(_log, logging.INFO, f"the {what} changed: new connections use it")
        except AicostError as problem:
            line(_log, logging.WARNING, f"the {what} cannot be used, the old one stays", error=str(problem))
