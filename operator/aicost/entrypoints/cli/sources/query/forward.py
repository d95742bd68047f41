"""`kubectl port-forward` to the query API, for as long as one answer takes."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from aicost.ports.errors import ClusterUnavailable, InvalidRequest

_PATIENCE_S = 20.0
_END_S = 5.0
_READY = re.compile(rb"Forwarding from 127\.0\.0\.1:(\d+) ->")


@dataclass(frozen=True, slots=True)
class Tunnel:
    """A port of this machine that leads to a Service.

    Attributes:
        kubeconfig, context: as the user named them; None leaves the choice to kubectl, which chooses as we do.
        port: port of the Service.
    """

    kubeconfig: Path | None
    context: str | None
    namespace: str
    service: str
    port: str

    @asynccontextmanager
    async def open(self) -> AsyncIterator[int]:
        """The port that kubectl listens on: a free one, on the loopback alone.

        Raises:
            InvalidRequest: there is no kubectl.
            ClusterUnavailable: it does not forward; its own words say why.
        """
        command = self._command()
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        try:
            yield await self._port(process)
        finally:
            await _ended(process)

    def _command(self) -> list[str]:
        kubectl = shutil.which("kubectl")
        if kubectl is None:
            raise InvalidRequest("port-forward takes kubectl, which is not in PATH: install it, or name a URL")
        chosen = [
            *(["--kubeconfig", str(self.kubeconfig)] if self.kubeconfig else []),
            *(["--context", self.context] if self.context else []),
        ]
        place = ["--namespace", self.namespace, "--address", "127.0.0.1", f"service/{self.service}"]
        return [kubectl, "port-forward", *chosen, *place, f":{self.port}"]

    async def _port(self, process: asyncio.subprocess.Process) -> int:
        """The port, once kubectl has bound it: nobody else can sit on it."""
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while line := await process.stdout.readline():
                    if found := _READY.match(line):
                        return int(found[1])
                said = (await process.stderr.read()).decode("utf-8", "replace")
        except TimeoutError as slow:
            raise ClusterUnavailable(self._failed(f"it did not begin within {_PATIENCE_S:.0f} s")) from slow
        raise ClusterUnavailable(self._failed(" ".join(said.split())[:500]))

    def _failed(self, why: str) -> str:
        return (
            f"kubectl port-forward -n {self.namespace} service/{self.service} failed: {why or 'it said nothing'}. "
            "It takes get on services, list on pods and create on pods/portforward there: the chart's Role "
            f"{self.service}-client grants them"
        )


async def _ended(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_END_S):
            await process.communicate()  # what it still says must not fill a pipe that nobody reads
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
