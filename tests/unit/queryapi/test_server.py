"""The life of the query API against an API server that comes late and changes its mind."""

import asyncio
import contextlib
import os
import signal
import socket
import ssl
import sys

import aiohttp
import pytest
from aiohttp import web

from aicost.adapters.kube.auth.credentials import Credential, FixedCredentials
from aicost.adapters.kube.auth.settings import ClusterConfig
from aicost.adapters.kube.client import KubeClient
from aicost.entrypoints.queryapi.server import Pace, serve
from aicost.settings import Settings
from devcluster.pki import Authority

ROOT = "/apis/query.aicost.dev/v1alpha1"
CONFIG_MAP = "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication"


class Cluster:
    """The two answers of an API server that the query API needs; None is a 503."""

    def __init__(self) -> None:
        self.front_proxy: dict[str, str] | None = None
        self.asked = asyncio.Event()

    async def config_map(self, _: web.Request) -> web.Response:
        self.asked.set()
        if self.front_proxy is None:
            return web.json_response({"kind": "Status", "message": "not yet", "code": 503}, status=503)
        return web.json_response({"kind": "ConfigMap", "data": self.front_proxy})

    async def namespace(self, _: web.Request) -> web.Response:
        return web.json_response({"kind": "Namespace", "metadata": {"name": "kube-system", "uid": "cluster-uid"}})


@pytest.fixture
async def cluster():
    made = Cluster()
    app = web.Application()
    app.router.add_get(CONFIG_MAP, made.config_map)
    app.router.add_get("/api/v1/namespaces/kube-system", made.namespace)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def install(folder, identity):
    folder.mkdir(exist_ok=True)
    (folder / "tls.crt").write_bytes(identity.certificate.read_bytes())
    (folder / "tls.key").write_bytes(identity.key.read_bytes())


async def status_of(port, serving, identity) -> int | None:
    """The status that an asker gets; None where the handshake fails or nobody listens."""
    context = ssl.create_default_context(cafile=str(serving.certificate))
    context.load_cert_chain(identity.certificate, identity.key)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
        try:
            url = f"https://127.0.0.1:{port}{ROOT}/namespaces/a/allocations?window=1h"
            async with session.get(url, headers={"X-Remote-User": "a"}) as response:
                return response.status
        except (aiohttp.ClientError, ssl.SSLError, ConnectionError):
            return None


async def until(holds) -> None:
    async with asyncio.timeout(20):
        while not await holds():  # noqa: ASYNC110 -- another process's or task's state has no event
            await asyncio.sleep(0.02)


async def test_it_waits_for_the_front_proxys_authority_follows_its_rotation_and_ends_cleanly(cluster, tmp_path):
    serving, old, new = (Authority(tmp_path / name, name) for name in ("serving", "old", "new"))
    install(tmp_path / "tls", serving.server("server", ("localhost",)))
    port = free_port()
    server = {"host": "127.0.0.1", "queryPort": port, "certificateDir": str(tmp_path / "tls")}
    settings = Settings.model_validate({"ledger": {"url": str(tmp_path / "ledger")}, "server": server})
    config = ClusterConfig(cluster.url, FixedCredentials(Credential("token")))
    stop = asyncio.Event()
    before, after = old.client("proxy", "proxy"), new.client("proxy", "proxy")
    async with KubeClient(config) as client:
        life = asyncio.create_task(serve(settings, client, stop, Pace(0.05, 0.05, 0.05)))
        await cluster.asked.wait()
        assert await status_of(port, serving, before) is None  # nobody is served before it is known whom to believe
        cluster.front_proxy = {"requestheader-client-ca-file": old.certificate.read_text()}

        async def old_is_served():
            return await status_of(port, serving, before) == 200

        async def new_is_served():
            return await status_of(port, serving, after) == 200

        await until(old_is_served)
        cluster.front_proxy = None  # an API server that is away changes nothing
        assert await status_of(port, serving, before) == 200
        cluster.front_proxy = {"requestheader-client-ca-file": new.certificate.read_text()}
        await until(new_is_served)
        assert await status_of(port, serving, before) is None
        stop.set()
        async with asyncio.timeout(10):
            await life
    assert await status_of(port, serving, after) is None


async def test_it_ends_when_told_so_while_it_waits(cluster, tmp_path):
    stop = asyncio.Event()
    async with KubeClient(ClusterConfig(cluster.url, FixedCredentials(Credential("token")))) as client:
        life = asyncio.create_task(serve(Settings(), client, stop, Pace(retry=30)))
        await cluster.asked.wait()
        stop.set()
        async with asyncio.timeout(10):
            await life


async def test_the_process_ends_with_0_on_sigterm_and_with_1_without_a_certificate(cluster, tmp_path):
    cluster.front_proxy = {"requestheader-client-ca-file": Authority(tmp_path, "old").certificate.read_text()}
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(
        f"current-context: c\nclusters: [{{name: k, cluster: {{server: '{cluster.url}'}}}}]\n"
        "users: [{name: u, user: {token: t}}]\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
    )
    install(tmp_path / "tls", Authority(tmp_path, "ca").server("server", ("localhost",)))
    for folder, code, said in (("tls", 0, b"stopping"), ("nowhere", 1, b"server.certificateDir")):
        settings = tmp_path / "settings.yaml"
        settings.write_text(
            "logFormat: text\n"
            f"server: {{host: 127.0.0.1, queryPort: {free_port()}, certificateDir: {tmp_path / folder}}}"
        )
        command = [sys.executable, "-m", "aicost", "query", "--config", str(settings), "--kubeconfig", str(kubeconfig)]
        process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
        assert process.stderr is not None
        first = await process.stderr.readline()
        if code == 0:
            assert b"serving" in first
            os.kill(process.pid, signal.SIGTERM)
        rest = await process.stderr.read()
        assert await process.wait() == code
        assert said in first + rest
        with contextlib.suppress(ProcessLookupError):
            process.kill()
