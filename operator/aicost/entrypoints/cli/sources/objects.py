"""Objects of a cluster, read with the user's own rights. What may not be read is told and left out."""

import asyncio
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.config import ClusterConfig
from aicost.adapters.kube.seen.decode import decode_node
from aicost.adapters.kube.seen.values import BadObject
from aicost.adapters.kube.wire.errors import NotFound
from aicost.adapters.kube.wire.resources import NODES, Resource
from aicost.crd.kinds import CLUSTER, KINDS
from aicost.crd.schema.definition import GROUP, VERSION
from aicost.domain.inventory.nodes import NodeFacts
from aicost.entrypoints.cli.sources.bodies import Body
from aicost.ports.errors import NotPermitted


@dataclass(frozen=True, slots=True)
class Wish:
    """What to read: one object where it is named, else a list.

    Attributes:
        namespace: where; None for everywhere.
    """

    resource: Resource
    namespace: str | None = None
    name: str = ""


@dataclass(slots=True)
class Gathered:
    """What was read.

    Attributes:
        bodies: objects, each with its kind, which lists leave out; nodes are not among them.
        nodes: nodes as the domain knows them.
        gaps: what could not be read and what follows from it, for people.
        refusals: what the API server did not permit.
        refused: what they are about.
    """

    bodies: list[Body] = field(default_factory=list)
    nodes: list[NodeFacts] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    refusals: list[NotPermitted] = field(default_factory=list)
    refused: set[Resource] = field(default_factory=set)


def own_resource(kind: str) -> Resource:
    """The resource of one of our kinds."""
    (known,) = (one for one in KINDS if one.kind == kind)
    return Resource(GROUP, VERSION, known.plural, kind, namespaced=known.scope != CLUSTER)


def gather(config: ClusterConfig, wishes: Sequence[Wish]) -> Gathered:
    """Read what is wished. An object that is not there is no gap; a kind that the cluster does not know is one.

    Raises:
        ClusterUnavailable: the API server does not answer.
        NotPermitted: nothing at all may be read: the credentials are no good here.
    """
    found = asyncio.run(_gather(config, wishes))
    if wishes and len(found.refusals) == len(wishes):
        raise found.refusals[0]
    return found


async def _gather(config: ClusterConfig, wishes: Iterable[Wish]) -> Gathered:
    found = Gathered()
    async with KubeClient(config) as client:
        for wish in wishes:
            try:
                await (_get if wish.name else _list)(client, wish, found)
            except NotFound:
                if not wish.name:
                    found.gaps.append(f"the cluster does not know {wish.resource}")
            except NotPermitted as refused:
                found.refusals.append(refused)
                found.refused.add(wish.resource)
                found.gaps.append(f"{wish.resource} are not taken into account: {refused}")
    return found


async def _get(client: KubeClient, wish: Wish, found: Gathered) -> None:
    found.bodies.append(json.loads(await client.get(wish.resource, wish.name, wish.namespace)))


async def _list(client: KubeClient, wish: Wish, found: Gathered) -> None:
    async for page in client.pages(wish.resource, wish.namespace):
        for raw in page.items or ():
            if wish.resource == NODES:
                _take_node(bytes(raw), found)
            else:
                found.bodies.append({"kind": wish.resource.kind, **json.loads(bytes(raw))})


def _take_node(raw: bytes, found: Gathered) -> None:
    seen = decode_node(raw)
    if isinstance(seen, BadObject):
        found.gaps.append(f"passed over {seen}")
    else:
        found.nodes.append(seen.facts)
