"""HTTP to the API server: authentication, timeouts, patience with an overloaded server, translated failures."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from ssl import SSLContext
from types import TracebackType
from typing import Self

import aiohttp

from aicost.adapters.kube.auth.credentials import ClientCertificate, Credential
from aicost.adapters.kube.auth.settings import ClusterConfig
from aicost.adapters.kube.auth.tls import context
from aicost.adapters.kube.wire.calls import Call
from aicost.adapters.kube.wire.errors import read_status, translate
from aicost.ports.errors import ClusterUnavailable

MAX_ATTEMPTS = 5
"""Attempts of one call that the server asks to repeat later (Retry-After)."""
MAX_WAIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds without progress after which a call has failed.

    Attributes:
        connect: to connect and finish the TLS handshake.
        read: between two pieces of an answer.
        silence: between two pieces of a watch; the server sends a bookmark each minute.
    """

    connect: float = 5.0
    read: float = 30.0
    silence: float = 70.0


@dataclass(slots=True)
class Transport:
    """Sends calls; use it as an async context manager."""

    config: ClusterConfig
    timeouts: Timeouts = Timeouts()
    user_agent: str = "aicost"
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _session: aiohttp.ClientSession | None = None
    _contexts: dict[ClientCertificate | None, SSLContext] = field(default_factory=dict, repr=False)

    async def __aenter__(self) -> Self:
        # identity: compressing lists costs the API server and us more than the cluster's network does
        headers = {"User-Agent": self.user_agent, "Accept-Encoding": "identity"}
        self._session = aiohttp.ClientSession(headers=headers, trust_env=False)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def send(self, call: Call) -> bytes:
        """The body of a successful answer.

        Raises:
            NotPermitted: 401 or 403.
            ClusterUnavailable: no answer, or 429 and 5xx after all attempts.
            Refused: any other refusal.
        """
        with self._translated(call):
            async with await self._obtain(call, self.timeouts.read) as response:
                return await response.read()

    @asynccontextmanager
    async def stream(self, call: Call) -> AsyncIterator[AsyncIterator[bytes]]:
        """The lines of an answer as they come. The iterator ends when the server ends the stream.

        Raises:
            ClusterUnavailable: also where the stream broke, was cut within a line, or fell silent.
        """
        with self._translated(call):
            response = await self._obtain(call, self.timeouts.silence)
        async with response:
            yield self._lines(call, response.content)

    async def _lines(self, call: Call, content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
        tail = b""
        while chunk := await self._chunk(call, content):
            *lines, tail = (tail + chunk).split(b"\n")
            for line in lines:
                yield line
            await asyncio.sleep(0)  # a full buffer never suspends: let others run between chunks
        if tail.strip():
            raise ClusterUnavailable(f"the stream of {self._server} to {call} ended inside a line")

    async def _chunk(self, call: Call, content: aiohttp.StreamReader) -> bytes:
        with self._translated(call):
            return await content.readany()

    @contextmanager
    def _translated(self, call: Call) -> Iterator[None]:
        """Around the network alone, never around what a consumer does with a line."""
        try:
            yield
        except aiohttp.ClientConnectorCertificateError as error:
            raise ClusterUnavailable(self._distrust(error)) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ClusterUnavailable(f"{self._server} did not {call}: {_describe(error)}") from error

    async def _obtain(self, call: Call, silence: float) -> aiohttp.ClientResponse:
        """A successful response, after the waits that the server asked for and one renewal of credentials."""
        renewed = False
        for attempt in range(1, MAX_ATTEMPTS + 1):
            response = await self._request(call, silence)
            if response.status < HTTPStatus.MULTIPLE_CHOICES:
                return response
            async with response:
                status = read_status(response.status, await response.read())
            wait = _wait_asked(response)
            if status.code == HTTPStatus.UNAUTHORIZED and not renewed:
                renewed = True
                self.config.credentials.forget()
            elif wait is not None and attempt < MAX_ATTEMPTS:
                await self.sleep(wait)
            else:
                raise translate(call, status)
        raise ClusterUnavailable(f"{self._server} did not {call} in {MAX_ATTEMPTS} attempts")

    async def _request(self, call: Call, silence: float) -> aiohttp.ClientResponse:
        if self._session is None:
            raise RuntimeError("the client is closed: use it as an async context manager")
        credential = await self.config.credentials.current()
        return await self._session.request(
            call.method,
            self.config.server + call.path,
            params=call.params,
            data=call.body,
            headers=_headers(call, credential),
            ssl=self._context(credential.certificate),
            server_hostname=self.config.trust.server_name,
            timeout=aiohttp.ClientTimeout(
                total=None, connect=None, sock_connect=self.timeouts.connect, sock_read=silence
            ),
            allow_redirects=False,
        )

    def _context(self, certificate: ClientCertificate | None) -> SSLContext | bool:
        if not self.config.server.startswith("https://"):
            return True
        if certificate not in self._contexts:
            self._contexts.clear()
            self._contexts[certificate] = context(self.config.trust, certificate)
        return self._contexts[certificate]

    @property
    def _server(self) -> str:
        return f"the API server at {self.config.server}"

    def _distrust(self, error: aiohttp.ClientConnectorCertificateError) -> str:
        reason = getattr(error.certificate_error, "verify_message", "") or str(error.certificate_error)
        return f"{self._server} shows a certificate that {self.config.trust.origin} does not vouch for: {reason}"


def _headers(call: Call, credential: Credential) -> dict[str, str]:
    headers = {"Accept": call.accept}
    if call.body is not None:
        headers["Content-Type"] = call.content_type
    if credential.token is not None:
        headers["Authorization"] = f"Bearer {credential.token}"
    return headers


def _wait_asked(response: aiohttp.ClientResponse) -> float | None:
    """Seconds that an overloaded server asked us to wait; a second where a 429 names none."""
    overloaded = response.status == HTTPStatus.TOO_MANY_REQUESTS
    asked = response.headers.get("Retry-After", "1" if overloaded else "")
    if not (overloaded or response.status >= HTTPStatus.INTERNAL_SERVER_ERROR) or not asked.isdecimal():
        return None
    return min(float(asked), MAX_WAIT_S)


def _describe(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer in time {error}".rstrip()
    return f"{type(error).__name__} {error}".rstrip()
