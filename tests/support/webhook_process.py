"""A webhook in a process of its own: ours with policies, or one that does nothing. Prints its port and its authority.

`python -m support.webhook_process ours|nothing FOLDER`
"""

import asyncio
import base64
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import msgspec
from aiohttp import web

from aicost.domain.policy.policies import Mode
from support.admission.policies import COST_CENTER, TEAM, WORLD, policy
from support.served_webhook import ServedWebhook


class _Request(msgspec.Struct):
    uid: str


class _Review(msgspec.Struct):
    request: _Request


async def _let_in(request: web.Request) -> web.Response:
    """Look at nothing but what an answer has to carry."""
    uid = msgspec.json.decode(await request.read(), type=_Review).request.uid
    response = {"uid": uid, "allowed": True}
    said = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}
    return web.Response(body=msgspec.json.encode(said), content_type="application/json")


@contextlib.asynccontextmanager
async def _ours(folder: Path) -> AsyncIterator[tuple[int, bytes]]:
    async with ServedWebhook(folder) as webhook:
        webhook.know(replace(WORLD, policies=(policy(TEAM, COST_CENTER, mode=Mode.DENY),)))
        yield webhook.port, webhook.keyring.authority


@contextlib.asynccontextmanager
async def _nothing(folder: Path) -> AsyncIterator[tuple[int, bytes]]:
    made = ServedWebhook(folder)
    await made.certificate.look()
    app = web.Application(client_max_size=8 * 1024 * 1024)
    app.router.add_post("/{path}", _let_in)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=made.certificate.context).start()
    yield runner.addresses[0][1], made.keyring.authority
    await runner.cleanup()


async def _main(which: str, folder: Path) -> None:
    async with (_ours if which == "ours" else _nothing)(folder) as (port, authority):
        sys.stdout.write(json.dumps({"port": port, "authority": base64.b64encode(authority).decode()}) + "\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)  # until whoever started us lets go


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], Path(sys.argv[2])))
