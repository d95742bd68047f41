"""A thin client of the API server: the calls that this product makes, and no more."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec

from aicost.adapters.kube.auth.settings import ClusterConfig
from aicost.adapters.kube.wire.calls import APPLY, JSON, JSON_PATCH, MERGE, METADATA_ONLY, Call
from aicost.adapters.kube.wire.errors import NotFound
from aicost.adapters.kube.wire.objects import (
    ApiGroup,
    ApiGroupList,
    ApiResource,
    ApiResourceList,
    ObjectMeta,
    Page,
    PartialObject,
    ServerVersion,
)
from aicost.adapters.kube.wire.resources import Resource, ServedKind
from aicost.adapters.kube.wire.transport import Timeouts, Transport
from aicost.ports.errors import InvalidAnswer

PAGE_SIZE = 500

Shape = TypeVar("Shape")


class KubeClient:
    """Speaks with one API server; use it as an async context manager.

    All calls raise `NotPermitted`, `ClusterUnavailable`, `InvalidAnswer`, or a `Refused` of `wire.errors`.
    Bodies go out as plain mappings and come back as bytes for the caller to decode into the shape that it needs.
    """

    def __init__(
        self,
        config: ClusterConfig,
        *,
        timeouts: Timeouts | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.config = config
        self._transport = Transport(config, timeouts or Timeouts(), sleep=sleep)

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.__aexit__(kind, error, trace)

    async def get(
        self, resource: Resource, name: str, namespace: str | None = None, *, subresource: str | None = None
    ) -> bytes:
        """One object as JSON, or a subresource of it such as `scale`."""
        call = Call.on(resource, "get", "GET", namespace=namespace, name=name, subresource=subresource)
        return await self._transport.send(call)

    async def metadata(self, resource: Resource, name: str, namespace: str | None = None) -> ObjectMeta:
        """The metadata of one object of any kind; its spec and status are never sent."""
        call = Call.on(resource, "get", "GET", namespace=namespace, name=name, accept=METADATA_ONLY)
        return decode(await self._transport.send(call), PartialObject, str(call)).metadata

    async def pages(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        selectors: Mapping[str, str] | None = None,
        limit: int = PAGE_SIZE,
    ) -> AsyncIterator[Page]:
        """All objects, page by page, all of one moment. A limit of 0 asks for one page of everything.

        Args:
            resource: what to list.
            namespace: where; None for everywhere.
            selectors: `labelSelector` and `fieldSelector`.
            limit: objects on a page.

        Raises:
            Expired: the list took longer than the server remembers its moment; begin again.
        """
        params = {**(selectors or {}), **({"limit": str(limit)} if limit else {})}
        while True:
            call = Call.on(resource, "list", "GET", namespace=namespace, params=params)
            page = decode(await self._transport.send(call), Page, str(call))
            yield page
            if not page.metadata.token:
                return
            params = {**params, "continue": page.metadata.token}

    def watch(
        self, resource: Resource, params: Mapping[str, str], namespace: str | None = None
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The lines of a watch, each an event as JSON. The iterator ends when the server ends the watch."""
        asked = {"watch": "true", "allowWatchBookmarks": "true", **params}
        return self._transport.stream(Call.on(resource, "watch", "GET", namespace=namespace, params=asked))

    async def create(
        self, resource: Resource, body: Mapping[str, Any], namespace: str | None = None, *, dry_run: bool = False
    ) -> bytes:
        """Create an object; a dry run goes through everything and keeps nothing."""
        params = {"dryRun": "All"} if dry_run else {}
        encoded = msgspec.json.encode(body)
        call = Call.on(resource, "create", "POST", namespace=namespace, params=params, body=encoded)
        return await self._transport.send(call)

    async def replace(
        self, resource: Resource, name: str, body: Mapping[str, Any], namespace: str | None = None
    ) -> bytes:
        """Replace an object; with `metadata.resourceVersion` only if it is still that version."""
        encoded = msgspec.json.encode(body)
        return await self._transport.send(
            Call.on(resource, "update", "PUT", namespace=namespace, name=name, body=encoded)
        )

    async def apply(
        self,
        resource: Resource,
        name: str,
        body: Mapping[str, Any],
        namespace: str | None = None,
        *,
        field_manager: str,
        force: bool = True,
        subresource: str | None = None,
    ) -> bytes:
        """Server-side apply: the body holds exactly the fields that this manager owns.

        Raises:
            Conflict: another manager owns a field and force is off.
            Rejected: the body's uid is another object's, or the schema does not know what it holds.
        """
        params = {"fieldManager": field_manager, "force": "true" if force else "false"}
        return await self._patch(APPLY, resource, name, body, namespace, subresource, params)

    async def merge_patch(
        self,
        resource: Resource,
        name: str,
        body: Mapping[str, Any],
        namespace: str | None = None,
        *,
        field_manager: str,
        subresource: str | None = None,
    ) -> bytes:
        """JSON merge patch: named fields change, null removes."""
        return await self._patch(MERGE, resource, name, body, namespace, subresource, {"fieldManager": field_manager})

    async def json_patch(
        self,
        resource: Resource,
        name: str,
        operations: Sequence[Mapping[str, Any]],
        namespace: str | None = None,
        *,
        field_manager: str,
        subresource: str | None = None,
    ) -> bytes:
        """JSON patch (RFC 6902): all operations are done, or none.

        Raises:
            Conflict: an operation writes `/metadata/resourceVersion`, and the object is of another version by now.
            Rejected: an operation has no place in the object, or what comes out is not valid.
        """
        params = {"fieldManager": field_manager}
        return await self._patch(JSON_PATCH, resource, name, operations, namespace, subresource, params)

    async def delete(
        self, resource: Resource, name: str, namespace: str | None = None, *, uid: str | None = None
    ) -> bool:
        """Delete an object; with a uid only that one. False if it was gone already.

        Raises:
            Conflict: an object of that name is there, but with another uid.
        """
        body = None if uid is None else msgspec.json.encode({"preconditions": {"uid": uid}})
        call = Call.on(resource, "delete", "DELETE", namespace=namespace, name=name, body=body, content_type=JSON)
        try:
            await self._transport.send(call)
        except NotFound:
            return False
        return True

    async def raw(self, path: str, params: Mapping[str, str] | None = None) -> bytes:
        """Read any path."""
        return await self._transport.send(Call.raw(path, params))

    async def version(self) -> ServerVersion:
        """Version of the server."""
        return decode(await self.raw("/version"), ServerVersion, "read the version")

    async def group_versions(self) -> frozenset[str]:
        """All served group versions but the core one: `apps/v1`, `resource.k8s.io/v1`."""
        groups = decode(await self.raw("/apis"), ApiGroupList, "read the API groups").groups
        return frozenset(version.group_version for group in groups for version in group.versions)

    async def resources(self, api_version: str) -> tuple[Resource, ...]:
        """The resources of one group version, without subresources; none where it is not served."""
        return tuple(kind.resource for kind in await self.served(api_version))

    async def served(self, api_version: str) -> tuple[ServedKind, ...]:
        """The resources of one group version with the names of their subresources; none where it is not served."""
        group, _, version = api_version.rpartition("/")
        try:
            answer = await self.raw(f"/apis/{group}/{version}" if group else f"/api/{version}")
        except NotFound:
            return ()
        items = decode(answer, ApiResourceList, f"read the resources of {api_version}").resources
        below = _subresources(items)
        return tuple(
            ServedKind(Resource(group, version, item.name, item.kind, item.namespaced), below[item.name])
            for item in items
            if "/" not in item.name
        )

    async def versions(self, group: str) -> tuple[str, ...]:
        """The served versions of a group, as `group/version`, in the server's order: the newest stable one first."""
        if not group:
            return ("v1",)
        try:
            answer = await self.raw(f"/apis/{group}")
        except NotFound:
            return ()
        found = decode(answer, ApiGroup, f"read the versions of {group}")
        return tuple(version.group_version for version in found.versions)

    async def _patch(
        self,
        content_type: str,
        resource: Resource,
        name: str,
        body: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        namespace: str | None,
        subresource: str | None,
        params: Mapping[str, str],
    ) -> bytes:
        call = Call.on(
            resource,
            "patch",
            "PATCH",
            namespace=namespace,
            name=name,
            subresource=subresource,
            params=params,
            body=msgspec.json.encode(body),
            content_type=content_type,
        )
        return await self._transport.send(call)


def _subresources(items: Sequence[ApiResource]) -> Mapping[str, frozenset[str]]:
    """Resource -> names of its subresources."""
    found: defaultdict[str, frozenset[str]] = defaultdict(frozenset)
    for name, _, below in (item.name.partition("/") for item in items):
        found[name] |= {below} if below else set()
    return found


def decode(body: bytes | msgspec.Raw, shape: type[Shape], what: str) -> Shape:
    """Decode an answer into the shape that it should have.

    Raises:
        InvalidAnswer: it has another one.
    """
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.MsgspecError as error:
        raise InvalidAnswer(f"the API server's answer to {what} is not what it should be: {error}") from error
