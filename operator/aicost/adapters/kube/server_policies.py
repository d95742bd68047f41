"""Policies that the API server judges by itself: kept as they should be, and nothing else of their kinds touched."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from aicost.adapters.kube.client import KubeClient, decode
from aicost.adapters.kube.wire.errors import NotFound
from aicost.adapters.kube.wire.resources import Resource
from aicost.ports.errors import NotPermitted

GROUP = "admissionregistration.k8s.io"
DIGEST = "aicost.dev/digest"
"""Annotation by which a policy is told that was made before us: what it was made of."""
Object = Mapping[str, Any]
_KINDS = (
    ("ValidatingAdmissionPolicy", "validatingadmissionpolicies"),
    ("ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings"),
    ("MutatingAdmissionPolicy", "mutatingadmissionpolicies"),
    ("MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings"),
)
_ROLES = Resource("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", namespaced=False)
RESOURCES = {kind: Resource(GROUP, "v1", plural, kind, namespaced=False) for kind, plural in _KINDS}
"""Kind -> resource. A server has them all from 1.36 on, the first two from 1.30 on."""


class _Metadata(msgspec.Struct):
    name: str
    generation: int = 0
    annotations: dict[str, str] | None = None


class _Kept(msgspec.Struct):
    metadata: _Metadata


@dataclass(frozen=True, slots=True)
class Changes:
    """What was done: names of objects, as `Kind/name`."""

    applied: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(slots=True)
class ServerPolicies:
    """Keeps the objects that carry our labels.

    Attributes:
        client: an open client.
        labels: labels that each of the objects has, and no other.
        field_manager: our name as owner of the fields.
        anchor: name of a ClusterRole that the objects belong to, so that they go with the release; empty for none.
    """

    client: KubeClient
    labels: Mapping[str, str]
    field_manager: str
    anchor: str = ""
    _generations: dict[tuple[str, str], int] = field(default_factory=dict)

    async def kinds(self) -> frozenset[str]:
        """The kinds that the server has.

        Raises:
            AicostError: it did not say.
        """
        served = {one.kind for one in await self.client.resources(f"{GROUP}/v1")}
        return frozenset(served & RESOURCES.keys())

    async def keep(self, wanted: Iterable[Object], kinds: Iterable[str]) -> Changes:
        """Make the objects that are there those that are wanted. What is as it should be is not written.

        Args:
            wanted: objects, policies before their bindings.
            kinds: kinds that the server has.

        Raises:
            AicostError: one was refused or could not be written; those before it are in place.
        """
        owners = await self._owners()
        objects = {(one["kind"], one["metadata"]["name"]): _owned(one, owners) for one in wanted}
        found = {(kind, one.name): one for kind in kinds for one in await self._list(RESOURCES[kind])}
        applied = [key for key, body in objects.items() if not self._is_kept(key, body, found.get(key))]
        for key in applied:
            await self._apply(key, objects[key])
        removed = sorted(found.keys() - objects.keys(), reverse=True)  # bindings before their policies
        for kind, name in removed:
            await self.client.delete(RESOURCES[kind], name)
        return Changes(_names(applied), _names(removed))

    async def _owners(self) -> list[Object]:
        """The reference to the anchor. Where there is none, as outside of a release, the objects belong to nobody."""
        try:
            uid = (await self.client.metadata(_ROLES, self.anchor)).uid if self.anchor else ""
        except (NotFound, NotPermitted):
            return []
        reference = {"apiVersion": _ROLES.api_version, "kind": _ROLES.kind, "name": self.anchor, "uid": uid}
        return [reference] if uid else []

    def _is_kept(self, key: tuple[str, str], body: Object, found: _Metadata | None) -> bool:
        """Whether an object is as we would write it, and nobody else has written it since we looked."""
        if found is None or (found.annotations or {}).get(DIGEST) != body["metadata"]["annotations"][DIGEST]:
            return False
        return self._generations.get(key) == found.generation

    async def _apply(self, key: tuple[str, str], body: Object) -> None:
        kind, name = key
        made = await self.client.apply(RESOURCES[kind], name, body, field_manager=self.field_manager)
        self._generations[key] = decode(made, _Kept, f"apply {kind} {name}").metadata.generation

    async def _list(self, resource: Resource) -> list[_Metadata]:
        selector = {"labelSelector": ",".join(f"{key}={value}" for key, value in self.labels.items())}
        found: list[_Metadata] = []
        async for page in self.client.pages(resource, selectors=selector):
            found += [decode(item, _Kept, f"list {resource}").metadata for item in page.items or ()]
        return found


def _owned(body: Object, owners: list[Object]) -> Object:
    """The object with its owner, and with what it was made of."""
    digest = hashlib.sha256(msgspec.json.encode([body, owners], order="deterministic")).hexdigest()[:16]
    more = {"annotations": {DIGEST: digest}, **({"ownerReferences": owners} if owners else {})}
    return {**body, "metadata": {**body["metadata"], **more}}


def _names(keys: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    return tuple("/".join(key) for key in keys)
