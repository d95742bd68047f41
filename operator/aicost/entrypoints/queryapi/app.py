"""The routes, and what stands before each of them: proof of who asks, and failures in Kubernetes' words."""

import logging
import ssl
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from aicost.crd.allocations.parameters import GROUP
from aicost.crd.coverage.resources import Served
from aicost.entrypoints.queryapi import discovery
from aicost.entrypoints.queryapi.allocations import Counter
from aicost.entrypoints.queryapi.labels import LabelCounter
from aicost.entrypoints.queryapi.statuses import Refusal, code_of, status_response
from aicost.entrypoints.queryapi.tls import LiveTls
from aicost.ports.errors import AicostError
from aicost.telemetry.logs import line

MAX_BODY = 4_096
_NAMESPACE = "{namespace:[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?}"
_log = logging.getLogger("aicost.query")


def query_app(counter: Counter, labels: LabelCounter, tls: LiveTls) -> web.Application:
    """The application behind the aggregated API."""
    app = web.Application(middlewares=[_failures, _proof(tls)], client_max_size=MAX_BODY)
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
    _route(app, discovery.ALLOCATIONS, counter.across, counter.within)
    for served in discovery.LABELS:
        _route(app, served, labels.across(served), labels.within(served))
    return app


def _route(app: web.Application, served: Served, across: Handler, within: Handler) -> None:
    app.router.add_get(discovery.everywhere(served.plural), across)
    app.router.add_get(discovery.in_a_namespace(served.plural).replace("{namespace}", _NAMESPACE), within)


def _document(make: Callable[[], dict[str, Any]]) -> Handler:
    async def serve(_: web.Request) -> web.Response:
        return web.json_response(make())

    return serve


async def _ok(_: web.Request) -> web.Response:
    return web.Response(text="ok")


def _proof(tls: LiveTls) -> Middleware:
    """Believe nobody but the front proxy, whatever headers a request carries."""

    @web.middleware
    async def proof(request: web.Request, handler: Handler) -> web.StreamResponse:
        transport = request.transport
        certificate = transport.get_extra_info("peercert") if transport else None
        connection: ssl.SSLObject | None = transport.get_extra_info("ssl_object") if transport else None
        if not tls.front.accepts(certificate):
            message = "the client certificate is not the front proxy's: ask through the API server"
            raise Refusal(HTTPStatus.UNAUTHORIZED, message)
        about_money = request.path.startswith(f"{discovery.ROOT}/")
        if about_money and not tls.front.user(request.headers):
            raise Refusal(HTTPStatus.UNAUTHORIZED, f"no user is named in {', '.join(tls.front.user_headers)}")
        response = await handler(request)
        if not tls.is_current(connection):
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
