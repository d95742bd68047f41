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

Wish = tuple[Resource, str | None]
"""What to list, and in which namespace; None for everywhere."""


@dataclass(slots=True)
class Gathered:
    """What was read.

    Attributes:
        objects: by resource; each with its kind, which lists leave out.
        nodes: nodes as the domain knows them.
        gaps: what could not be read and what follows from it, for people.
    """

    objects: dict[str, list[Body]] = field(default_factory=dict)
    nodes: list[NodeFacts] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)

    def of(self, resource: Resource) -> list[Body]:
        """The objects of a resource; none where it could not be read."""
        return self.objects.get(str(resource), [])


def own_resource(kind: str) -> Resource:
    """The resource of one of our kinds."""
    (known,) = (one for one in KINDS if one.kind == kind)
    return Resource(GROUP, VERSION, known.plural, kind, namespaced=known.scope != CLUSTER)


def gather(config: ClusterConfig, wishes: Sequence[Wish]) -> Gathered:
    """List each of what is wished.

    Raises:
        ClusterUnavailable: the API server does not answer.
        NotPermitted: nothing at all may be read: the credentials are no good here.
    """
    return asyncio.run(_gather(config, wishes))


def fetch(config: ClusterConfig, resource: Resource, names: Iterable[tuple[str, str]]) -> Gathered:
    """Single objects by namespace and name; what is not there is left out."""
    return asyncio.run(_fetch(config, resource, sorted(names)))


async def _gather(config: ClusterConfig, wishes: Sequence[Wish]) -> Gathered:
    found, refusals = Gathered(), []
    async with KubeClient(config) as client:
        for resource, namespace in wishes:
            try:
                await _list(client, resource, namespace, found)
            except NotFound:
                found.gaps.append(f"the cluster does not know {resource}: nothing is known of them")
            except NotPermitted as refused:
                refusals.append(refused)
                found.gaps.append(f"{resource} may not be read, so they are not counted: {refused}")
    if refusals and len(refusals) == len(wishes):
        raise refusals[0]
    return found


async def _list(client: KubeClient, resource: Resource, namespace: str | None, found: Gathered) -> None:
    bodies = found.objects.setdefault(str(resource), [])
    async for page in client.pages(resource, namespace):
        for raw in page.items or ():
            if resource == NODES:
                _take_node(bytes(raw), found)
            else:
                bodies.append({"kind": resource.kind, "apiVersion": resource.api_version, **json.loads(bytes(raw))})


def _take_node(raw: bytes, found: Gathered) -> None:
    seen = decode_node(raw)
    if isinstance(seen, BadObject):
        found.gaps.append(f"node {seen.name} cannot be read: {seen.problem}")
    else:
        found.nodes.append(seen.facts)


async def _fetch(config: ClusterConfig, resource: Resource, names: Sequence[tuple[str, str]]) -> Gathered:
    found = Gathered({str(resource): []})
    async with KubeClient(config) as client:
        for namespace, name in names:
            try:
                raw = await client.get(resource, name, namespace)
                found.objects[str(resource)].append(json.loads(raw))
            except (NotFound, NotPermitted) as problem:
                found.gaps.append(f"{resource.kind} {namespace}/{name} is not there for you: {problem}")
    return found
