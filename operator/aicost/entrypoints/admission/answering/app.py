"""The routes of the webhook."""

import time
from collections.abc import Callable
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler

from aicost.entrypoints.admission.answering.judge import Judge
from aicost.entrypoints.admission.answering.review import Answer, Question, read_review, write_review
from aicost.ports.errors import InvalidRequest
from aicost.telemetry.metrics import Metrics

MAX_BODY = 8 * 1024 * 1024
"""The API server takes objects of 3 MiB, and a question holds the new one and the old one. With less room here,
somebody could pad an object until nobody judges it."""


def webhook_app(judge: Judge, metrics: Metrics) -> web.Application:
    """The application that the API server asks."""
    app = web.Application(client_max_size=MAX_BODY)
    for path, ask in (("/validate", judge.validate), ("/mutate", judge.mutate), ("/probe", judge.probe)):
        app.router.add_post(path, _handler(ask, metrics, path.removeprefix("/")))
    app.router.add_get("/healthz", _alive)
    app.router.add_get("/readyz", _ready(judge))
    return app


def _handler(ask: Callable[[Question], Answer], metrics: Metrics, webhook: str) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        began = time.perf_counter()
        try:
            question = read_review(await request.read())
            answer = ask(question)
        except InvalidRequest as problem:
            metrics.count("aicost_admission_errors_total", reason="bad-request")
            return web.Response(text=f"{problem}\n", status=HTTPStatus.BAD_REQUEST)
        content = write_review(question.uid, answer)
        metrics.observe("aicost_admission_duration_seconds", time.perf_counter() - began, webhook=webhook)
        return web.Response(body=content, content_type="application/json")

    return handle


async def _alive(_: web.Request) -> web.Response:
    return web.Response(text="ok\n")


def _ready(judge: Judge) -> Handler:
    async def ready(_: web.Request) -> web.Response:
        if judge.snapshot is None:
            return web.Response(text="not all is known yet\n", status=HTTPStatus.SERVICE_UNAVAILABLE)
        return web.Response(text=f"revision {judge.snapshot.policy.revision}\n")

    return ready
