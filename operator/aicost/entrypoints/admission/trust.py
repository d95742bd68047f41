"""The webhook's own certificate: kept in a Secret that all replicas share, and trusted before it is shown.

The chart renders neither the Secret nor the authority in the webhook configurations, so that tools which compare the
cluster with what they rendered leave both alone.
"""

import base64
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.wire.errors import Conflict, NotFound
from aicost.adapters.kube.wire.resources import MUTATING_WEBHOOKS, SECRETS, VALIDATING_WEBHOOKS, Resource
from aicost.adapters.serving.certificates import Keyring, kept_or_renewed
from aicost.telemetry.logs import line

FIELD_MANAGER = "aicost-admission"
_KEYS = {"ca.crt": "authority", "ca.key": "authority_key", "tls.crt": "certificate", "tls.key": "key"}
_ATTEMPTS = 5
_log = logging.getLogger("aicost.admission")


class _Client(msgspec.Struct, rename="camel"):
    ca_bundle: str = ""


class _Webhook(msgspec.Struct, rename="camel"):
    name: str
    client_config: _Client = msgspec.field(default_factory=_Client)


class _Metadata(msgspec.Struct, rename="camel"):
    uid: str
    resource_version: str = ""


class _Configuration(msgspec.Struct):
    metadata: _Metadata
    webhooks: list[_Webhook] = []


class _Secret(msgspec.Struct):
    metadata: _Metadata
    data: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where what belongs together is kept.

    Attributes:
        configuration: name of both webhook configurations.
        names: DNS names under which the API server asks us.
    """

    namespace: str
    secret: str
    configuration: str
    names: tuple[str, ...]


@dataclass(slots=True)
class Trust:
    """Keeps the certificate.

    Attributes:
        missing: webhook configurations that are not there: nobody is asked by their rules.
    """

    client: KubeClient
    place: Place
    now_ms: Callable[[], int]
    missing: tuple[str, ...] = field(default=())

    async def look(self) -> Keyring:
        """The certificate to show from now on: made or renewed where that is due, and trusted by the API server.

        Raises:
            AicostError: the Secret or a configuration cannot be read or written.
        """
        found = {resource: await self._configuration(resource) for resource in (VALIDATING_WEBHOOKS, MUTATING_WEBHOOKS)}
        self.missing = tuple(resource.kind for resource, one in found.items() if one is None)
        keyring = await self._keyring(found[VALIDATING_WEBHOOKS])
        for resource, configuration in found.items():
            if configuration is not None:
                await self._have_trusted(resource, configuration, keyring.authority)
        return keyring

    async def _configuration(self, resource: Resource) -> _Configuration | None:
        """A configuration; None where somebody took it away, which is the way out in need: it is not made anew."""
        try:
            raw = await self.client.get(resource, self.place.configuration)
        except NotFound:
            return None
        return msgspec.json.decode(raw, type=_Configuration)

    async def _keyring(self, owner: _Configuration | None) -> Keyring:
        """What the Secret holds, renewed where that is due. The other replica may do the same: the first one counts."""
        for _ in range(_ATTEMPTS):
            secret = await self._secret()
            before = _read(secret.data or {}) if secret else None
            keyring = kept_or_renewed(before, self.place.names, self.now_ms())
            if keyring == before:
                return keyring
            try:
                await self._write(secret, keyring, owner)
            except (Conflict, NotFound):
                continue
            line(_log, logging.INFO, "made a certificate", names=list(self.place.names))
            return keyring
        raise Conflict(f"secret {self.place.namespace}/{self.place.secret} changes each time that it is written")

    async def _secret(self) -> _Secret | None:
        try:
            raw = await self.client.get(SECRETS, self.place.secret, self.place.namespace)
        except NotFound:
            return None
        return msgspec.json.decode(raw, type=_Secret)

    async def _write(self, secret: _Secret | None, keyring: Keyring, owner: _Configuration | None) -> None:
        """Write the Secret if it is still the one that was read. It goes with the release: with the configuration."""
        metadata: dict[str, Any] = {"name": self.place.secret, "namespace": self.place.namespace}
        if owner is not None:
            metadata["ownerReferences"] = [_owner(self.place.configuration, owner.metadata.uid)]
        data = {key: base64.b64encode(getattr(keyring, name)).decode() for key, name in _KEYS.items()}
        body = {"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": metadata, "data": data}
        if secret is None:
            await self.client.create(SECRETS, body, self.place.namespace)
            return
        metadata["resourceVersion"] = secret.metadata.resource_version
        await self.client.replace(SECRETS, self.place.secret, body, self.place.namespace)

    async def _have_trusted(self, resource: Resource, configuration: _Configuration, authority: bytes) -> None:
        """Write the authority into the webhooks that do not trust it yet; everything else in them is the chart's."""
        bundle = base64.b64encode(authority).decode()
        if all(one.client_config.ca_bundle == bundle for one in configuration.webhooks):
            return
        webhooks = [{"name": one.name, "clientConfig": {"caBundle": bundle}} for one in configuration.webhooks]
        body = {
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "metadata": {"name": self.place.configuration, "uid": configuration.metadata.uid},
            "webhooks": webhooks,
        }
        await self.client.apply(resource, self.place.configuration, body, field_manager=FIELD_MANAGER)
        line(_log, logging.INFO, "the API server was told to trust our certificate", configuration=resource.kind)


def _owner(name: str, uid: str) -> dict[str, str]:
    kind = VALIDATING_WEBHOOKS
    return {"apiVersion": kind.api_version, "kind": kind.kind, "name": name, "uid": uid}


def _read(data: Mapping[str, str]) -> Keyring | None:
    """What somebody may have damaged is as good as absent."""
    try:
        parts = {name: base64.b64decode(data[key], validate=True) for key, name in _KEYS.items()}
    except (KeyError, ValueError):
        return None
    return Keyring(**parts)
