"""The queues that work is submitted to, with their labels: those of Kueue, Volcano and KAI, where they are there."""

from collections.abc import Iterable

from aicost.adapters.kube.client import KubeClient, decode
from aicost.adapters.kube.wire.objects import PartialObject
from aicost.adapters.kube.wire.resources import Resource
from aicost.domain.inventory.cluster import QueueFacts

KINDS = (
    ("kueue.x-k8s.io", "LocalQueue"),
    ("scheduling.volcano.sh", "Queue"),
    ("scheduling.run.ai", "Queue"),
)
"""API group and kind of each queue that pods name."""


async def read_queues(client: KubeClient) -> tuple[QueueFacts, ...]:
    """All queues that are there now. A scheduler that is not installed has none.

    Raises:
        NotPermitted: a kind of queue is served and may not be listed.
        ClusterUnavailable, InvalidAnswer: they are not known now; ask again later.
    """
    served = await client.group_versions()
    found: list[QueueFacts] = []
    for group, kind in KINDS:
        for resource in await _resources(client, served, group, kind):
            found += await _list(client, resource)
    return tuple(found)


async def _resources(client: KubeClient, served: Iterable[str], group: str, kind: str) -> list[Resource]:
    """The resource of a kind in the newest version that is served; none where it is not."""
    versions = sorted(version for version in served if version.partition("/")[0] == group)
    return [
        resource for version in versions[-1:] for resource in await client.resources(version) if resource.kind == kind
    ]


async def _list(client: KubeClient, resource: Resource) -> list[QueueFacts]:
    metadata = [
        decode(raw, PartialObject, f"list {resource}").metadata
        async for page in client.pages(resource)
        for raw in page.items or ()
    ]
    return [QueueFacts(resource.kind, one.namespace, one.name, one.labels or {}) for one in metadata]
