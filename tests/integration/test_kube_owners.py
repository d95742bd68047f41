"""Owner chains are found for any kind, with few reads, and end quietly where they must."""

import asyncio

import pytest

from aicost.adapters.kube.owners import ChainEnd, OwnerResolver
from aicost.adapters.kube.wire.objects import OwnerReference
from aicost.ports.errors import ClusterUnavailable
from support.fake_api.server import DEPLOYMENTS, NODES, REPLICASETS, FakeApi
from support.fake_api.session import Clock, open_client


@pytest.fixture
async def api():
    async with FakeApi() as server:
        yield server


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def resolver(api, clock):
    async with open_client(api) as client:
        yield OwnerResolver(client, clock)


def reference(stored: dict, *, controller: bool = True) -> dict:
    return {
        "apiVersion": stored["apiVersion"], "kind": stored["kind"], "name": stored["metadata"]["name"],
        "uid": stored["metadata"]["uid"], "controller": controller,
    }  # fmt: skip


def owner_of(stored: dict) -> OwnerReference:
    return OwnerReference(
        stored["apiVersion"], stored["kind"], stored["metadata"]["name"], stored["metadata"]["uid"], controller=True
    )


@pytest.fixture
def replicaset(api):
    deployment = api.put(DEPLOYMENTS, "web", "team-a", metadata={"labels": {"aicost.dev/team": "search"}})
    metadata = {"labels": {"pod-template-hash": "abc"}, "ownerReferences": [reference(deployment)]}
    return api.put(REPLICASETS, "web-abc", "team-a", metadata=metadata)


async def test_the_chain_goes_from_the_nearest_owner_to_the_top_with_labels(resolver, replicaset):
    chain = await resolver.chain("team-a", owner_of(replicaset))
    assert [(link.kind, link.name) for link in chain] == [("ReplicaSet", "web-abc"), ("Deployment", "web")]
    assert chain[1].labels == {"aicost.dev/team": "search"}
    assert chain[1].api_version == "apps/v1"
    assert resolver.ends == {ChainEnd.TOP: 1}


async def test_only_metadata_is_asked_for(api, resolver, replicaset):
    await resolver.chain("team-a", owner_of(replicaset))
    assert "as=PartialObjectMetadata" in api.asked("GET", "replicasets/web-abc")[0].headers["Accept"]


async def test_a_bare_pod_has_no_owners(resolver):
    assert await resolver.chain("team-a", None) == ()


async def test_many_pods_of_one_owner_cost_one_read(api, resolver, replicaset):
    await asyncio.gather(*(resolver.chain("team-a", owner_of(replicaset)) for _ in range(200)))
    assert len(api.asked("GET", "replicasets/web-abc")) == 1
    assert len(api.requests) == 3  # kinds of apps/v1, the ReplicaSet, the Deployment


async def test_owners_are_read_again_after_five_minutes(api, resolver, replicaset, clock):
    await resolver.chain("team-a", owner_of(replicaset))
    clock.forward(299)
    await resolver.chain("team-a", owner_of(replicaset))
    assert resolver.lookups == 2
    clock.forward(1)
    await resolver.chain("team-a", owner_of(replicaset))
    assert resolver.lookups == 4


async def test_an_owner_that_is_gone_ends_the_chain_and_is_not_asked_for_again_soon(api, resolver, replicaset, clock):
    api.remove(REPLICASETS, "web-abc", "team-a")
    chains = [await resolver.chain("team-a", owner_of(replicaset)) for _ in range(3)]
    assert [(link.name, link.labels) for link in chains[0]] == [("web-abc", {})]
    assert resolver.lookups == 1
    assert resolver.ends == {ChainEnd.ABSENT: 3}


async def test_an_owner_recreated_under_its_name_is_another_one(api, resolver, replicaset):
    api.remove(REPLICASETS, "web-abc", "team-a")
    api.put(REPLICASETS, "web-abc", "team-a", metadata={"labels": {"aicost.dev/team": "impostor"}})
    chain = await resolver.chain("team-a", owner_of(replicaset))
    assert chain[0].labels == {}


async def test_a_missing_permission_ends_the_chain_and_is_remembered_with_its_remedy(api, resolver, replicaset):
    api.faults.forbid = {("get", "deployments")}
    chain = await resolver.chain("team-a", owner_of(replicaset))
    assert [link.kind for link in chain] == ["ReplicaSet", "Deployment"]
    assert resolver.ends == {ChainEnd.FORBIDDEN: 1}
    assert 'resources ["deployments"], verbs ["get"]' in resolver.forbidden["deployments.apps"]


async def test_a_kind_that_is_not_served_ends_the_chain_and_is_found_when_its_crd_comes(resolver):
    owner = OwnerReference("ray.io/v1", "RayCluster", "ray", "uid-ray", controller=True)
    chain = await resolver.chain("team-a", owner)
    assert [(link.api_version, link.kind, link.uid) for link in chain] == [("ray.io/v1", "RayCluster", "uid-ray")]
    assert resolver.ends == {ChainEnd.UNKNOWN_KIND: 1}


async def test_an_owner_without_a_namespace_is_found(api, resolver):
    node = api.put(NODES, "gpu-1", metadata={"labels": {"zone": "a"}})
    chain = await resolver.chain("kube-system", owner_of(node))
    assert [(link.kind, link.labels) for link in chain] == [("Node", {"zone": "a"})]


async def test_only_the_controller_is_followed(api, resolver):
    other = api.put(DEPLOYMENTS, "other", "team-a")
    metadata = {"ownerReferences": [reference(other, controller=False)]}
    chain = await resolver.chain("team-a", owner_of(api.put(REPLICASETS, "rs", "team-a", metadata=metadata)))
    assert [link.name for link in chain] == ["rs"]


async def test_a_circle_of_owners_ends_after_eight_links(api, resolver):
    a = api.put(REPLICASETS, "a", "team-a", metadata={"uid": "uid-a"})
    b = api.put(REPLICASETS, "b", "team-a", metadata={"ownerReferences": [reference(a)]})
    api.put(REPLICASETS, "a", "team-a", metadata={"ownerReferences": [reference(b)]})
    chain = await resolver.chain("team-a", owner_of(b))
    assert len(chain) == 8
    assert resolver.ends == {ChainEnd.TOO_DEEP: 1}


async def test_an_api_server_that_does_not_answer_is_no_end_of_the_chain(api, resolver, replicaset):
    api.faults.refuse = [500]
    with pytest.raises(ClusterUnavailable):
        await resolver.chain("team-a", owner_of(replicaset))
    assert len(await resolver.chain("team-a", owner_of(replicaset))) == 2
