"""An aggregated API on the local cluster: the API server authenticates, then asks us by a loopback Service."""

import asyncio
import base64
import json
import ssl
from pathlib import Path

import pytest
from aiohttp import web

from devcluster.pki import Authority
from support.cluster import LiveCluster

pytestmark = pytest.mark.cluster
_GROUP = "query.devcluster.test"


async def _discovery(_: web.Request) -> web.Response:
    resource = {
        "name": "things",
        "singularName": "thing",
        "namespaced": True,
        "kind": "Thing",
        "verbs": ["get", "list"],
    }
    body = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": f"{_GROUP}/v1", "resources": [resource]}
    return web.json_response(body)


async def _things(request: web.Request) -> web.Response:
    transport = request.transport
    assert transport
    subject = dict(pair[0] for pair in transport.get_extra_info("peercert")["subject"])
    seen = {"user": request.headers["X-Remote-User"], "proxy": subject["commonName"], "query": dict(request.query)}
    return web.json_response(seen)


def _front_proxy_authority(cluster: LiveCluster, folder: Path) -> Path:
    """Published by the API server for exactly this purpose."""
    found = cluster.api.get("/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication")
    path = folder / "front-proxy-ca.crt"
    path.write_text(found["data"]["requestheader-client-ca-file"])
    return path


@pytest.fixture
async def served(local_cluster: LiveCluster, namespace: str, tmp_path: Path):
    authority = Authority(tmp_path, "serving-ca")
    identity = authority.server("serving", (f"query.{namespace}.svc",))
    context = ssl.create_default_context(
        ssl.Purpose.CLIENT_AUTH, cafile=_front_proxy_authority(local_cluster, tmp_path)
    )
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(identity.certificate, identity.key)
    app = web.Application()
    app.router.add_get(f"/apis/{_GROUP}/v1", _discovery)
    app.router.add_get(f"/apis/{_GROUP}/v1/namespaces/{{namespace}}/things", _things)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    await asyncio.to_thread(_register, local_cluster, namespace, port, authority.certificate)
    yield local_cluster
    await asyncio.to_thread(local_cluster.api.delete, f"/apis/apiregistration.k8s.io/v1/apiservices/v1.{_GROUP}")
    await runner.cleanup()


def _register(cluster: LiveCluster, namespace: str, port: int, authority: Path) -> None:
    meta = {"name": "query", "namespace": namespace}
    spec = {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": port}]}
    service = {"name": "query", "namespace": namespace, "port": port}
    bundle = base64.b64encode(authority.read_bytes()).decode()
    levels = {"group": _GROUP, "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 10}
    cluster.apply(
        {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec},
        {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": f"v1.{_GROUP}"},
            "spec": {**levels, "service": service, "caBundle": bundle},
        },
    )

    def is_available(it: dict) -> bool:
        return any(c["type"] == "Available" and c["status"] == "True" for c in it["status"].get("conditions") or ())

    cluster.until(f"/apis/apiregistration.k8s.io/v1/apiservices/v1.{_GROUP}", is_available)


async def test_kubectl_reaches_it_and_the_front_proxy_says_who_asks(served, namespace):
    path = f"/apis/{_GROUP}/v1/namespaces/{namespace}/things?window=7d"
    answer = json.loads(await asyncio.to_thread(served.kubectl, "get", "--raw", path))
    assert answer == {"user": "devcluster-admin", "proxy": "front-proxy-client", "query": {"window": "7d"}}


async def test_who_has_no_right_is_refused_before_it_is_asked(served, namespace):
    config = await asyncio.to_thread(served.service_account_kubeconfig, namespace, "default")
    path = f"/apis/{_GROUP}/v1/namespaces/{namespace}/things"
    answer = await asyncio.to_thread(served.kubectl_fails, "--kubeconfig", str(config), "get", "--raw", path)
    assert "forbidden" in answer
    assert f"system:serviceaccount:{namespace}:default" in answer
