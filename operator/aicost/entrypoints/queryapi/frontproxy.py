"""Who may speak for users: the API server's front proxy, as the cluster publishes it."""

import json
import re
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.wire.resources import Resource
from aicost.ports.errors import InvalidAnswer

CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
PLACE = ("kube-system", "extension-apiserver-authentication")
"""Where the API server says how it proves who it is."""

_AUTHORITY = "requestheader-client-ca-file"
_BLOCK = re.compile(r"-----BEGINCERTIFICATE-----(.*?)-----ENDCERTIFICATE-----")


@dataclass(frozen=True, slots=True)
class FrontProxy:
    """What a request must come with to be believed.

    Attributes:
        authority: certificates, in PEM, one of which signs the front proxy's.
        allowed_names: common names that it may have; empty allows any.
        user_headers: headers that carry the user's name.
        required: nobody is met without a certificate.
    """

    authority: str = field(repr=False)
    allowed_names: frozenset[str] = frozenset()
    user_headers: tuple[str, ...] = ("X-Remote-User",)
    required: bool = True

    def accepts(self, certificate: Mapping[str, Any] | None) -> bool:
        """Whether a verified certificate is the front proxy's."""
        if not certificate:
            return False
        return not self.allowed_names or not self.allowed_names.isdisjoint(_common_names(certificate))

    def user(self, headers: Mapping[str, str]) -> str:
        """The user on whose behalf the request comes, empty for none."""
        return next((headers[name] for name in self.user_headers if headers.get(name)), "")


def read_front_proxy(data: Mapping[str, str]) -> FrontProxy:
    """What the data of the ConfigMap say.

    Raises:
        InvalidAnswer: they name no authority, or what they say cannot be read.
    """
    authority = loaded(data.get(_AUTHORITY, ""), _AUTHORITY)
    names = _names(data, "requestheader-allowed-names")
    if not names and _shared(authority, data.get("client-ca-file", "")):
        raise InvalidAnswer(
            f"configmap {'/'.join(PLACE)}: {_AUTHORITY} and client-ca-file have an authority in common and "
            "requestheader-allowed-names is empty, so that any user could speak for any other: start the API server "
            "with an authority of the front proxy's own, or with --requestheader-allowed-names"
        )
    headers = _names(data, "requestheader-username-headers")
    return FrontProxy(authority, frozenset(names), tuple(headers) or ("X-Remote-User",))


def loaded(authority: str, key: str) -> str:
    """Certificates in PEM, once it is known that they can be used.

    Raises:
        InvalidAnswer: they cannot.
    """
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(cadata=authority)
    except (ssl.SSLError, ValueError) as problem:
        raise InvalidAnswer(
            f"configmap {'/'.join(PLACE)} has no usable {key}: start the API server with --{key} ({problem})"
        ) from problem
    return authority


def _shared(one: str, other: str) -> bool:
    """Whether two bundles have a certificate in common."""
    first, second = (set(_BLOCK.findall("".join(text.split()))) for text in (one, other))
    return not first.isdisjoint(second)


async def fetch_front_proxy(client: KubeClient) -> FrontProxy:
    """Ask the API server.

    Raises:
        AicostError: it does not answer, does not let us read, or says what cannot be used.
    """
    namespace, name = PLACE
    found = json.loads(await client.get(CONFIG_MAPS, name, namespace))
    return read_front_proxy(found.get("data") or {})


def _names(data: Mapping[str, str], key: str) -> list[str]:
    """A JSON list of texts; nothing is an empty one."""
    try:
        names = json.loads(data.get(key) or "[]")
    except ValueError as problem:
        raise InvalidAnswer(f"{key} of configmap {'/'.join(PLACE)} is not JSON: {problem}") from problem
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InvalidAnswer(f"{key} of configmap {'/'.join(PLACE)} is no list of names")
    return names


def _common_names(certificate: Mapping[str, Any]) -> Iterable[str]:
    for part in certificate.get("subject", ()):
        for key, value in part:
            if key == "commonName":
                yield value
