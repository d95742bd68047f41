"""The objects that run pods, as the API server lists them: page by page, kind by kind, of what it serves."""

from collections.abc import AsyncIterator, Callable, Collection, Iterable
from dataclasses import dataclass, field

from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.lists import Body, pages_of
from aicost.adapters.kube.wire.resources import PODS, Resource
from aicost.domain.workloads.kinds import JUDGED_KINDS
from aicost.ports.errors import NotPermitted

PAGE = 200
"""Objects on a page: a page is in memory at once, with all that people wrote into it."""
PASSED_OVER = frozenset({("apps", "ReplicaSet")})
"""Kinds that are not listed: Deployments leave ten of them behind, and hardly anybody makes one by hand."""
BESIDE = (
    ("resource.k8s.io", ("v1", "v1beta2", "v1beta1"), "resourceclaims"),
    ("resource.k8s.io", ("v1", "v1beta2", "v1beta1"), "resourceclaimtemplates"),
    ("trainer.kubeflow.org", ("v1alpha1",), "trainingruntimes"),
    ("trainer.kubeflow.org", ("v1alpha1",), "clustertrainingruntimes"),
)
"""What gives a size to objects that refer to it: group, versions, plural."""
BarePods = Callable[[], Collection[str]]
"""Namespaces in which there are pods that nothing controls."""
LISTED = tuple(kind for kind in JUDGED_KINDS if (kind.group, kind.kind) not in PASSED_OVER)


@dataclass(slots=True)
class ObjectLists:
    """Lists what the server serves.

    Attributes:
        client: an open client.
        bare_pods: where pods are listed: most pods belong to something that is listed itself.
        unread: kinds that we may not list, with the reason.
    """

    client: KubeClient
    bare_pods: BarePods
    unread: list[str] = field(default_factory=list)

    async def served(self) -> list[Resource]:
        """The listed kinds that the server has, each in the newest version that we know."""
        wanted = [(kind.group, kind.versions, kind.plural) for kind in LISTED]
        return await self._found(wanted)

    async def beside(self) -> list[Body]:
        """All claims, claim templates and training runtimes. What may not be listed only leaves sizes unknown."""
        found: list[Body] = []
        for resource in await self._found(BESIDE):
            async for page in self.pages(resource):
                found += page
        return found

    async def pages(self, resource: Resource) -> AsyncIterator[list[Body]]:
        """All objects of a kind, page by page; begun anew where the list took longer than the server remembers."""
        namespaces = sorted(self.bare_pods()) if resource == PODS else [None]
        for namespace in namespaces:
            async for page in self._pages(resource, namespace):
                yield page

    async def _pages(self, resource: Resource, namespace: str | None) -> AsyncIterator[list[Body]]:
        try:
            async for page in pages_of(self.client, resource, namespace, limit=PAGE):
                yield page
        except NotPermitted as refused:
            self.unread.append(str(refused))

    async def _found(self, wanted: Iterable[tuple[str, tuple[str, ...], str]]) -> list[Resource]:
        there = await self.client.group_versions()
        known: dict[str, dict[str, Resource]] = {}
        found: list[Resource] = []
        for group, versions, plural in wanted:
            version = next((one for one in versions if not group or f"{group}/{one}" in there), None)
            if version is None:
                continue
            name = f"{group}/{version}" if group else version
            if name not in known:
                known[name] = {one.plural: one for one in await self.client.resources(name)}
            found += [known[name][plural]] if plural in known[name] else []
        return found


def kind_names(resources: Iterable[Resource]) -> list[str]:
    """The kinds that are listed."""
    return [resource.kind for resource in resources]
