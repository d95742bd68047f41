"""Who asks, and may they: what a request passes before anything is read for it."""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol

from aiohttp import web

from aicost.entrypoints.queryapi import discovery
from aicost.entrypoints.queryapi.frontproxy import FrontProxy
from aicost.entrypoints.queryapi.statuses import Refusal
from aicost.entrypoints.queryapi.tls import AnyTls, LiveTls


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who proved who they are.

    Attributes:
        extra: what the authenticator knows beside, such as scopes, for the authoriser.
    """

    user: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: tuple[tuple[str, tuple[str, ...]], ...] = field(default=(), repr=False)


class Gate(Protocol):
    """What stands before the routes."""

    @property
    def tls(self) -> AnyTls:
        """How connections are met."""

    async def admit(self, request: web.Request) -> Caller | None:
        """Who asks; None for a question about no money, from somebody who need not be named.

        Raises:
            Refusal: 401 where it is not proven who asks, 403 where they may not.
            ClusterUnavailable: the API server cannot be asked.
        """


def about_money(request: web.Request) -> bool:
    """Whether the path is below our version. Discovery and probes tell nothing of anybody."""
    return request.path.startswith(f"{discovery.ROOT}/")


def certificate_of(request: web.Request) -> dict[str, object] | None:
    """The client's certificate, verified by the handshake; None where none was shown."""
    transport = request.transport
    return transport.get_extra_info("peercert") if transport else None


@dataclass(frozen=True, slots=True)
class FrontGate:
    """Believe nobody but the front proxy, whatever headers a request carries. It has authorised what it forwards."""

    tls: LiveTls[FrontProxy]

    async def admit(self, request: web.Request) -> Caller | None:
        """The user whom the front proxy names. What a user sent by those names it has taken away."""
        front = self.tls.trusted
        if not front.accepts(certificate_of(request)):
            message = "the client certificate is not the front proxy's: ask through the API server"
            raise Refusal(HTTPStatus.UNAUTHORIZED, message)
        user = front.user(request.headers)
        if not user and about_money(request):
            raise Refusal(HTTPStatus.UNAUTHORIZED, f"no user is named in {', '.join(front.user_headers)}")
        return Caller(user) if user else None
