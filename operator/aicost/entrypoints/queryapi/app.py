"""The routes, and what stands before each of them: proof of who asks, and failures in Kubernetes' words."""

import logging
import ssl
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from aicost.crd.allocations.parameters import GROUP, PLURAL
from aicost.crd.coverage.resources import Served
from aicost.crd.idle.resource import IDLES
from aicost.crd.outcomes.resource import OUTCOMES
from aicost.crd.trust.resource import NODE_TELEMETRIES
from aicost.crd.unitcosts.resource import UNIT_COSTS
from aicost.entrypoints.queryapi import discovery
from aicost.entrypoints.queryapi.allocations import Counter
from aicost.entrypoints.queryapi.idle.counter import IdleCounter
from aicost.entrypoints.queryapi.labels import LabelCounter
from aicost.entrypoints.queryapi.offers.counter import OfferCounter
from aicost.entrypoints.queryapi.offers.resource import OFFERS
from aicost.entrypoints.queryapi.outcomes.counter import OutcomeCounter
from aicost.entrypoints.queryapi.proof.crowd import Crowd
from aicost.entrypoints.queryapi.proof.gate import Gate, about_money
from aicost.entrypoints.queryapi.receipts.counter import ReceiptCounter
from aicost.entrypoints.queryapi.receipts.resource import RECEIPTS
from aicost.entrypoints.queryapi.series.counter import SeriesCounter
from aicost.entrypoints.queryapi.series.resource import SERIES
from aicost.entrypoints.queryapi.statements.counter import StatementCounter
from aicost.entrypoints.queryapi.statements.resource import STATEMENTS
from aicost.entrypoints.queryapi.statuses import Refusal, code_of, status_response
from aicost.entrypoints.queryapi.telemetry.counter import TelemetryCounter
from aicost.entrypoints.queryapi.units.counter import UnitCounter
from aicost.ports.errors import AicostError
from aicost.telemetry.logs import line

MAX_BODY = 4_096
_NAMESPACE = "{namespace:[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?}"
_TEAM = "{team:[^/]{1,63}}"
"""Any name that RBAC can hold; `team_of` judges it."""
_log = logging.getLogger("aicost.query")


@dataclass(frozen=True, slots=True)
class Counters:
    """Where questions are answered."""

    allocations: Counter
    labels: LabelCounter
    receipts: ReceiptCounter
    offers: OfferCounter
    telemetry: TelemetryCounter
    idle: IdleCounter
    units: UnitCounter
    outcomes: OutcomeCounter


def query_app(counters: Counters, gate: Gate) -> web.Application:
    """The application behind the aggregated API."""
    app = web.Application(middlewares=[_failures, _proof(gate)], client_max_size=MAX_BODY)
    documents = {
        "/apis": discovery.groups,
        f"/apis/{GROUP}": discovery.group,
        discovery.ROOT: discovery.resources,
        "/openapi/v2": discovery.openapi_v2,
        "/openapi/v3": discovery.openapi_v3_index,
        f"/openapi/v3{discovery.ROOT}": discovery.openapi_v3,
    }
    for path, document in documents.items():
        app.router.add_get(path, _document(document))
    for path in ("/healthz", "/livez", "/readyz"):
        app.router.add_get(path, _ok)
    counter, labels, receipts = counters.allocations, counters.labels, counters.receipts
    _route(app, discovery.ALLOCATIONS, counter.across, counter.within)
    for served in discovery.LABELS:
        _route(app, served, labels.across(served), labels.within(served))
    series = SeriesCounter(counter.ledger, counter.cluster, counter.desk, counter.now_ms)
    _route(app, SERIES, series.across, series.within)
    app.router.add_get(_team_path(PLURAL), counter.of_team)
    app.router.add_get(_team_path(SERIES.plural), series.of_team)
    statements = StatementCounter(counter.ledger, counter.cluster, counter.desk, counter.now_ms, counter.counted)
    _route(app, STATEMENTS, statements.across, statements.within)
    app.router.add_get(_team_path(STATEMENTS.plural), statements.of_team)
    _route(app, RECEIPTS, receipts.across, receipts.within)
    app.router.add_get(_team_path(RECEIPTS.plural), receipts.of_team)
    app.router.add_get(_team_path("").rstrip("/"), counter.team)
    _route(app, OFFERS, counters.offers.across, counters.offers.within)
    _route(app, IDLES, counters.idle.across, counters.idle.within)
    _route(app, UNIT_COSTS, counters.units.across, counters.units.within)
    _route(app, OUTCOMES, counters.outcomes.across, counters.outcomes.within)
    app.router.add_post(_in_a_namespace(OUTCOMES.plural), counters.outcomes.post)
    app.router.add_get(discovery.everywhere(NODE_TELEMETRIES.plural), counters.telemetry.across)
    return app


def _route(app: web.Application, served: Served, across: Handler, within: Handler) -> None:
    app.router.add_get(discovery.everywhere(served.plural), across)
    app.router.add_get(_in_a_namespace(served.plural), within)


def _in_a_namespace(plural: str) -> str:
    return discovery.in_a_namespace(plural).replace("{namespace}", _NAMESPACE)


def _team_path(plural: str) -> str:
    return discovery.of_a_team(plural).replace("{team}", _TEAM)


def _document(make: Callable[[], dict[str, Any]]) -> Handler:
    async def serve(_: web.Request) -> web.Response:
        return web.json_response(make())

    return serve


async def _ok(_: web.Request) -> web.Response:
    return web.Response(text="ok")


def _proof(gate: Gate) -> Middleware:
    """Let in whom the gate admits, not too many of one user at once."""
    crowd = Crowd()

    @web.middleware
    async def proof(request: web.Request, handler: Handler) -> web.StreamResponse:
        transport = request.transport
        connection: ssl.SSLObject | None = transport.get_extra_info("ssl_object") if transport else None
        caller = await gate.admit(request)
        with crowd.place(caller.user) if caller and about_money(request) else nullcontext():
            response = await handler(request)
        if not gate.tls.is_current(connection):
            response.force_close()  # the next request proves itself to what is trusted now
        return response

    return proof


@web.middleware
async def _failures(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn what went wrong into a Status."""
    try:
        return await handler(request)
    except Refusal as refusal:
        return status_response(refusal.code, str(refusal))
    except AicostError as error:
        code = code_of(error)
        if code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            line(_log, logging.WARNING, "query failed", path=request.path, error=str(error))
        return status_response(code, str(error))
    except web.HTTPException as answer:
        code = HTTPStatus(answer.status)
        return status_response(code, f"{request.method} {request.path[:200]}: {code.phrase.lower()}")
    except Exception:  # noqa: BLE001 -- a bug ends one answer, not the connection, and its text stays in our log
        _log.exception("query failed")
        return status_response(HTTPStatus.INTERNAL_SERVER_ERROR, "the query failed; the log of aicost query says why")
