"""Startup, readiness and liveness probes: ``httpGet``, ``tcpSocket`` and ``exec``."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

__all__ = ["Prober", "Settings", "port_number"]

Execute = Callable[[list[str]], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Settings:
    """When a probe runs and what its results mean; times are seconds."""

    delay: float
    period: float
    timeout: float
    successes: int
    failures: int

    @classmethod
    def read(cls, probe: Mapping[str, Any]) -> "Settings":
        """Read a probe with the defaults of the API."""
        return cls(
            delay=probe.get("initialDelaySeconds", 0),
            period=probe.get("periodSeconds", 10),
            timeout=probe.get("timeoutSeconds", 1),
            successes=probe.get("successThreshold", 1),
            failures=probe.get("failureThreshold", 3),
        )


def port_number(port: int | str, container: Mapping[str, Any]) -> int:
    """A port by number, or by the name that the container gives it."""
    if isinstance(port, int):
        return port
    named = {entry.get("name"): entry["containerPort"] for entry in container.get("ports") or ()}
    return named.get(port) or int(port)


class Prober:
    """Asks one container; an answer is None when it is well, else a message that says what is wrong."""

    def __init__(self, container: Mapping[str, Any], address: str, execute: Execute) -> None:
        self._container, self._address, self._execute = container, address, execute

    async def ask(self, probe: Mapping[str, Any]) -> str | None:
        """Probe once."""
        timeout = Settings.read(probe).timeout
        try:
            async with asyncio.timeout(timeout):
                return await self._ask(probe)
        except TimeoutError:
            return f"no answer within {timeout} s"
        except (OSError, aiohttp.ClientError, ValueError) as problem:
            return str(problem) or repr(problem)

    async def _ask(self, probe: Mapping[str, Any]) -> str | None:
        if "httpGet" in probe:
            return await self._http(probe["httpGet"])
        if "tcpSocket" in probe:
            return await self._tcp(probe["tcpSocket"])
        if "exec" in probe:
            code = await self._execute(probe["exec"]["command"])
            return None if code == 0 else f"command ended with {code}"
        return "the local kubelet knows httpGet, tcpSocket and exec probes only"

    async def _http(self, action: Mapping[str, Any]) -> str | None:
        host = action.get("host") or self._address
        port = port_number(action["port"], self._container)
        url = f"{action.get('scheme', 'HTTP').lower()}://{host}:{port}/{action.get('path', '/').lstrip('/')}"
        headers = {entry["name"]: entry["value"] for entry in action.get("httpHeaders") or ()}
        async with (
            aiohttp.ClientSession() as session,
            session.get(url, headers={"User-Agent": "kube-probe/devcluster", **headers}, ssl=False) as answer,
        ):
            return None if 200 <= answer.status < 400 else f"HTTP probe failed with statuscode: {answer.status}"

    async def _tcp(self, action: Mapping[str, Any]) -> str | None:
        host = action.get("host") or self._address
        _, writer = await asyncio.open_connection(host, port_number(action["port"], self._container))
        writer.close()
        return None

    async def watch(self, probe: Mapping[str, Any], tell: Callable[[str | None], None]) -> None:
        """Probe for ever; tell None when it turns well and a message when it has failed often enough."""
        settings = Settings.read(probe)
        await asyncio.sleep(settings.delay)
        well = failed = 0
        while True:
            problem = await self.ask(probe)
            well, failed = (well + 1, 0) if problem is None else (0, failed + 1)
            if well >= settings.successes or failed >= settings.failures:
                tell(problem)
            await asyncio.sleep(settings.period)
