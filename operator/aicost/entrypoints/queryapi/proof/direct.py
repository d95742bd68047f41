"""Who may ask where no API server stands between: users with their own token or certificate, authorised by RBAC."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from aiohttp import web

from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.wire.resources import CONFIG_MAPS
from aicost.entrypoints.queryapi.frontproxy import PLACE, loaded
from aicost.entrypoints.queryapi.proof.attributes import attributes_of
from aicost.entrypoints.queryapi.proof.gate import Caller, about_money, certificate_of
from aicost.entrypoints.queryapi.proof.reviews import Reviews
from aicost.entrypoints.queryapi.statuses import Refusal
from aicost.entrypoints.queryapi.tls import LiveTls

AUTHENTICATED = "system:authenticated"
_LONGEST_TOKEN = 16_384
_SPOKEN_FOR = ("Impersonate-", "X-Remote-")


@dataclass(frozen=True, slots=True)
class Users:
    """Whose certificates are believed: those of the cluster's users.

    Attributes:
        authority: certificates, in PEM, one of which signs theirs; empty where the cluster publishes none.
    """

    authority: str = field(repr=False)
    required: bool = False
    """Whoever has no certificate shows a token."""


async def fetch_users(client: KubeClient) -> Users:
    """Ask the API server whose certificates it believes itself.

    Raises:
        AicostError: it does not answer, does not let us read, or says what cannot be used.
    """
    namespace, name = PLACE
    data: Mapping[str, str] = json.loads(await client.get(CONFIG_MAPS, name, namespace)).get("data") or {}
    authority = data.get("client-ca-file", "")
    return Users(loaded(authority, "client-ca-file") if authority else "")


@dataclass(frozen=True, slots=True)
class DirectGate:
    """Believe a user's own certificate or token, and ask the API server what they may. No header names anybody."""

    tls: LiveTls[Users]
    reviews: Reviews

    async def admit(self, request: web.Request) -> Caller | None:
        """Who asks, if they may."""
        # 1. Nobody speaks for another here: the API server alone knows who may.
        spoken = next((name for name in request.headers if name.title().startswith(_SPOKEN_FOR)), "")
        if spoken:
            raise Refusal(HTTPStatus.BAD_REQUEST, f"{spoken[:60]}: nobody speaks for another here: leave it out")
        # 2. Who it is: by certificate, else by token.
        caller = _of_certificate(certificate_of(request)) or await self._of_token(request)
        if caller is None:
            message = "show a certificate or a bearer token of a user of the cluster, as kubectl does"
            raise Refusal(HTTPStatus.UNAUTHORIZED, message)
        # 3. Whether they may: the very question that the API server would ask.
        if about_money(request):
            await self._authorise(caller, request)
        return caller

    async def _of_token(self, request: web.Request) -> Caller | None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        token = token.strip()
        if scheme.casefold() != "bearer" or not token or len(token) > _LONGEST_TOKEN:
            return None
        return await self.reviews.caller(token)

    async def _authorise(self, caller: Caller, request: web.Request) -> None:
        asked = attributes_of(request.path, request.method)
        if asked is None:
            raise Refusal(HTTPStatus.NOT_FOUND, f"there is nothing at {request.raw_path[:200]}")
        if not await self.reviews.allowed(caller, asked):
            raise Refusal(HTTPStatus.FORBIDDEN, asked.refused(caller.user))


def _of_certificate(certificate: Mapping[str, Any] | None) -> Caller | None:
    """The user of a verified certificate: its common name, its organisations for groups, as the API server reads it."""
    named = list(_subject(certificate or {}))
    user = next((value for key, value in named if key == "commonName"), "")
    groups = tuple(value for key, value in named if key == "organizationName")
    return Caller(user, groups=(*groups, AUTHENTICATED)) if user else None


def _subject(certificate: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for part in certificate.get("subject", ()):
        yield from part
