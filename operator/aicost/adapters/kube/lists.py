"""Whole lists of objects, page by page."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec

from aicost.adapters.kube.client import PAGE_SIZE, KubeClient
from aicost.adapters.kube.wire.errors import Expired, NotFound
from aicost.adapters.kube.wire.resources import Resource

Body = dict[str, Any]


async def pages_of(
    client: KubeClient, resource: Resource, namespace: str | None = None, *, limit: int = PAGE_SIZE
) -> AsyncIterator[list[Body]]:
    """All objects of a kind, page by page; begun anew, once, where it took longer than the server remembers.

    A kind that is not served any more has none.

    Args:
        client: an open client.
        resource: the kind.
        namespace: where; None for everywhere.
        limit: objects on a page: a page is in memory at once.

    Raises:
        AicostError: the list was not read.
    """
    for last_try in (False, True):
        try:
            async for page in client.pages(resource, namespace, limit=limit):
                yield [_body(resource, raw) for raw in page.items or ()]
        except Expired:
            if last_try:
                raise
        except NotFound:
            return
        else:
            return


def _body(resource: Resource, raw: msgspec.Raw) -> Body:
    """An object; a list leaves out the kind of its items.

    Who wrote which field is the half of many objects, and nobody asks for it here.
    """
    body: Body = msgspec.json.decode(bytes(raw), type=dict)
    if isinstance(body.get("metadata"), dict):
        body["metadata"].pop("managedFields", None)
    return {**body, "apiVersion": resource.api_version, "kind": resource.kind}
