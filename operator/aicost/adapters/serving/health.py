"""/metrics, /healthz and /readyz."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from aicost.telemetry.metrics import Metrics

Check = Callable[[], str]
"""Gives what is wrong, or an empty string."""


def health_app(metrics: Metrics, alive: Check, ready: Check) -> web.Application:
    """The application behind the metrics port."""

    async def show_metrics(_: web.Request) -> web.Response:
        return web.Response(body=metrics.exposition(), headers={"Content-Type": "text/plain; version=0.0.4"})

    app = web.Application()
    app.router.add_get("/metrics", show_metrics)
    app.router.add_get("/healthz", _answer(alive))
    app.router.add_get("/readyz", _answer(ready))
    return app


def _answer(check: Check) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(_: web.Request) -> web.Response:
        problem = check()
        return web.Response(text=f"{problem or 'ok'}\n", status=503 if problem else 200)

    return answer


async def serve(app: web.Application, host: str, port: int) -> web.AppRunner:
    """Start serving; the caller cleans the runner up."""
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, host or None, port).start()
    return runner
