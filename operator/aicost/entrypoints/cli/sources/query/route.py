"""The way to the query API: through the API server, or, where that does not serve it, straight to its port.

`AICOST_SERVER` (or `aicost --server`) says which: empty for the API server, a URL, or `port-forward`.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from aicost.adapters.kube.auth.tls import Trust
from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.config import ClusterConfig
from aicost.adapters.kube.wire.errors import NotFound
from aicost.adapters.kube.wire.resources import CONFIG_MAPS
from aicost.entrypoints.cli.sources.query.forward import Tunnel
from aicost.ports.errors import InvalidAnswer, InvalidRequest

SERVER, SERVER_CA = "AICOST_SERVER", "AICOST_SERVER_CA"
PORT_FORWARD = "port-forward"
DEFAULT_SERVICE = "aicost-system/aicost-query"
_PORT_KEY, _CA_KEY = "port", "ca.crt"


@dataclass(frozen=True, slots=True)
class Cluster(ClusterConfig):
    """The API server, and the way to the query API.

    Attributes:
        kubeconfig, context: as the user named them, for kubectl.
        route: what `AICOST_SERVER` says.
        route_ca: file with the authority of that server's certificate.
    """

    kubeconfig: Path | None = None
    context: str | None = None
    route: str = ""
    route_ca: str = ""

    @classmethod
    def of(
        cls, config: ClusterConfig, kubeconfig: Path | None, context: str | None, environment: Mapping[str, str]
    ) -> Self:
        """A cluster that was found, with the way that the environment names."""
        known = {one.name: getattr(config, one.name) for one in fields(ClusterConfig)}
        route, ca = environment.get(SERVER, "").strip(), environment.get(SERVER_CA, "").strip()
        return cls(**known, kubeconfig=kubeconfig, context=context, route=route.rstrip("/"), route_ca=ca)


@asynccontextmanager
async def reached(config: ClusterConfig) -> AsyncIterator[ClusterConfig]:
    """Where the query API answers, while the context is open.

    Raises:
        InvalidRequest: the route makes no sense, or kubectl is missing.
        NotPermitted, ClusterUnavailable: the port cannot be forwarded.
    """
    if not isinstance(config, Cluster) or not config.route:
        yield config
    elif config.route == PORT_FORWARD or config.route.startswith(f"{PORT_FORWARD}:"):
        async with _forwarded(config) as direct:
            yield direct
    else:
        yield _direct(config)


def _direct(config: Cluster) -> ClusterConfig:
    parts = urlsplit(config.route)
    if parts.scheme != "https" or not parts.hostname or parts.path or parts.query:
        raise InvalidRequest(
            f"{SERVER}: {config.route!r} is no way to the query API: write https://HOST:PORT (credentials are sent "
            f"there, so nothing but TLS will do), {PORT_FORWARD}, or {PORT_FORWARD}:NAMESPACE/SERVICE"
        )
    return replace(config, server=config.route, trust=_trust(config.route_ca, None), origin=SERVER)


def _trust(file: str, server_name: str | None) -> Trust:
    if not file:
        return Trust(server_name=server_name)
    try:
        return Trust(Path(file).read_bytes(), f"{SERVER_CA} ({file})", server_name=server_name)
    except OSError as problem:
        raise InvalidRequest(f"{SERVER_CA}: {file!r} cannot be read ({problem.strerror}): name a PEM file") from problem


@asynccontextmanager
async def _forwarded(config: Cluster) -> AsyncIterator[ClusterConfig]:
    # 1. Whom to believe, and which port: the chart writes both beside the Service, for all who may forward to it.
    namespace, service = _service_of(config.route)
    told = await _client_config(config, namespace, service)
    # 2. kubectl carries the bytes; TLS goes from here to the server, so that nobody between reads the credentials.
    name = f"{service}.{namespace}.svc"
    trust = Trust(told[_CA_KEY].encode(), f"configmap {namespace}/{service}-client", server_name=name)
    tunnel = Tunnel(config.kubeconfig, config.context, namespace, service, told[_PORT_KEY])
    async with tunnel.open() as port:
        trust = _trust(config.route_ca, name) if config.route_ca else trust
        yield replace(config, server=f"https://127.0.0.1:{port}", trust=trust, origin=PORT_FORWARD)


async def _client_config(config: Cluster, namespace: str, service: str) -> Mapping[str, str]:
    name = f"{service}-client"
    try:
        async with KubeClient(config) as client:
            data = json.loads(await client.get(CONFIG_MAPS, name, namespace)).get("data") or {}
    except NotFound as missing:
        raise InvalidAnswer(
            f"{config.server} has no configmap {namespace}/{name}: install the chart with queryApi.apiService=false, "
            f"or name where it is: {SERVER}={PORT_FORWARD}:NAMESPACE/SERVICE"
        ) from missing
    if not {_CA_KEY, _PORT_KEY} <= data.keys():
        raise InvalidAnswer(f"configmap {namespace}/{name} has no {_CA_KEY} or no {_PORT_KEY}: upgrade the chart")
    return {key: str(data[key]) for key in (_CA_KEY, _PORT_KEY)}


def _service_of(route: str) -> tuple[str, str]:
    named = route.partition(":")[2] or DEFAULT_SERVICE
    namespace, slash, service = named.partition("/")
    if not (slash and namespace and service) or "/" in service:
        raise InvalidRequest(f"{SERVER}: {route!r}: write {PORT_FORWARD}:NAMESPACE/SERVICE")
    return namespace, service
