"""The query API on a loopback port, and the front proxy that asks it."""

import contextlib
import functools
import io
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import aiohttp
from aiohttp import web
from yarl import URL

from aicost.adapters.audits import AuditFile
from aicost.adapters.ledger.outcomes.store import DeltaOutcomes
from aicost.adapters.ledger.place import LedgerPlace
from aicost.adapters.trusts import TrustFile
from aicost.domain.estimates.values import Market
from aicost.entrypoints.queryapi.allocations import Counter
from aicost.entrypoints.queryapi.app import Counters, query_app
from aicost.entrypoints.queryapi.desk import Desk
from aicost.entrypoints.queryapi.frontproxy import FrontProxy
from aicost.entrypoints.queryapi.idle.counter import IdleCounter
from aicost.entrypoints.queryapi.labels import LabelCounter
from aicost.entrypoints.queryapi.offers.counter import OfferCounter
from aicost.entrypoints.queryapi.outcomes.counter import OutcomeCounter
from aicost.entrypoints.queryapi.proof.gate import FrontGate, Gate
from aicost.entrypoints.queryapi.receipts.counter import Explaining, ReceiptCounter
from aicost.entrypoints.queryapi.telemetry.counter import TelemetryCounter
from aicost.entrypoints.queryapi.tls import LiveTls
from aicost.entrypoints.queryapi.units.counter import UnitCounter
from aicost.usecases.gpus.assess_idle import AssessIdle
from devcluster.pki import Authority, Identity
from support.fakes.counts import MemoryCounts
from support.fakes.ledger import MemoryLedger
from support.ledger_rows import CLUSTER, hour

USER = {"X-Remote-User": "alice"}
NAMES = ("localhost",)


def install(folder: Path, identity: Identity) -> None:
    """Put a certificate where the server looks for it."""
    (folder / "tls.crt").write_bytes(identity.certificate.read_bytes())
    (folder / "tls.key").write_bytes(identity.key.read_bytes())


@dataclass
class Answer:
    status: int
    body: Any
    headers: dict[str, str]


@dataclass
class Served:
    """A query API that runs, and all its certificates."""

    folder: Path
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    desk: Desk = field(default_factory=lambda: Desk(2, 2, 10.0))
    cluster: Callable[[], Any] | None = None
    gate: Gate | None = None
    on_offer: Market = field(default_factory=Market)
    explained: Callable[[], Explaining] | None = None
    assessed: Callable[[str], AssessIdle] | None = None
    customer: Callable[[str], str] = str
    counts: MemoryCounts = field(default_factory=MemoryCounts)
    counter: Counter = field(init=False)
    port: int = 0

    def __post_init__(self) -> None:
        self.proxy_authority = Authority(self.folder / "proxy", "front-proxy-ca")
        self.authority = Authority(self.folder / "serving", "serving-ca")
        self.proxy = self.proxy_authority.client("proxy", "front-proxy-client")
        self.audits = AuditFile(self.folder)
        self.trusts = TrustFile(self.folder)
        self.certificates = self.folder / "tls"
        self.certificates.mkdir()
        install(self.certificates, self.authority.server("one", NAMES))
        front = FrontProxy(self.proxy_authority.certificate.read_text(), frozenset({"front-proxy-client"}))
        self.tls = LiveTls(self.certificates, front)

    async def key(self) -> str:
        return CLUSTER if self.cluster is None else await self.cluster()

    async def market(self) -> Market:
        return self.on_offer

    def explaining(self) -> Explaining:
        assert self.explained is not None
        return self.explained()

    def assessing(self, cluster: str) -> AssessIdle:
        assert self.assessed is not None
        return self.assessed(cluster)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Served"]:
        self.counter = Counter(self.ledger, self.key, self.desk, lambda: hour(100).start_ms)
        labels = LabelCounter(self.ledger, self.audits, self.key, self.desk, lambda: hour(100).start_ms)
        gate = self.gate or FrontGate(self.tls)
        receipts = ReceiptCounter(self.explaining, self.key, self.desk, lambda: hour(100).start_ms)
        offers = OfferCounter(self.market, self.desk, lambda: hour(100).start_ms)
        telemetry = TelemetryCounter(self.trusts, self.key, self.desk, lambda: hour(100).start_ms)
        idle = IdleCounter(self.assessing, self.key, self.desk, lambda: hour(100).start_ms)
        store = DeltaOutcomes(LedgerPlace(str(self.folder / "ledger")))
        units = UnitCounter(self.ledger, self.counts, self.key, self.desk, lambda: hour(100).start_ms, store)
        outcomes = OutcomeCounter(store, self.key, self.desk, lambda: hour(100).start_ms, self.customer)
        app = query_app(Counters(self.counter, labels, receipts, offers, telemetry, idle, units, outcomes), gate)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=gate.tls.context).start()
        self.port = runner.addresses[0][1]
        try:
            yield self
        finally:
            await runner.cleanup()
            self.desk.close()
            outcomes.close()

    def client_context(self, identity: Identity | None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.authority.certificate))
        if identity is not None:
            context.load_cert_chain(identity.certificate, identity.key)
        return context

    async def get(self, path: str, identity: Identity | None = None, headers: dict[str, str] | None = None) -> Answer:
        """Ask as the front proxy does, unless told otherwise."""
        context = self.client_context(identity or self.proxy)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
            return await ask(session, self.port, path, USER if headers is None else headers)


async def send(session: aiohttp.ClientSession, port: int, path: str, headers: dict[str, str], body: Any) -> Answer:
    url = URL(f"https://127.0.0.1:{port}{path}", encoded=True)
    given = {"data": io.BytesIO(body)} if isinstance(body, bytes) else {"json": body}
    async with session.post(url, headers=headers, **given) as response:
        return Answer(response.status, await response.json(), dict(response.headers))


async def ask(session: aiohttp.ClientSession, port: int, path: str, headers: dict[str, str]) -> Answer:
    url = URL(f"https://127.0.0.1:{port}{path}", encoded=True)
    async with session.get(url, headers=headers) as response:
        text = await response.text()
        body = await response.json() if response.content_type == "application/json" else text
        return Answer(response.status, body, dict(response.headers))


@functools.cache
def routes() -> web.Application:
    """The routes as the server has them, with nothing behind them."""
    nothing: Any = Mock()
    return query_app(Counters(*[nothing] * 8), nothing)
