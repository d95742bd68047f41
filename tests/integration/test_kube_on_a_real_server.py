"""What the fake API server was asked, the real one is asked too."""

import asyncio
import json
import secrets
from contextlib import suppress

import pytest

from aicost.adapters.clock import now_ms
from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.config import load
from aicost.adapters.kube.events import EventPoster, Happening, Outcome, Regarding, Severity
from aicost.adapters.kube.informer import Changed, Gone, Informer, Scope, Seen
from aicost.adapters.kube.lease import Leadership, LeaseTimes
from aicost.adapters.kube.owners import ChainEnd, OwnerResolver
from aicost.adapters.kube.seen.decode import decode_pod
from aicost.adapters.kube.status import StatusWriter, Target
from aicost.adapters.kube.wire.errors import Conflict, NotFound, Rejected
from aicost.adapters.kube.wire.objects import OwnerReference
from aicost.adapters.kube.wire.resources import LEASES, NAMESPACES, PODS, Resource
from aicost.ports.errors import NotPermitted
from support.fake_api.session import Diary, name_of, running, until

pytestmark = pytest.mark.cluster

CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
CRDS = Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False)
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")


@pytest.fixture
async def client(cluster):
    async with KubeClient(load({}, now_ms, kubeconfig=cluster.kubeconfig)) as opened:
        yield opened


@pytest.fixture
async def restricted(cluster, namespace):
    """A client without any permission."""
    config = load({}, now_ms, kubeconfig=cluster.service_account_kubeconfig(namespace, "default"))
    async with KubeClient(config) as opened:
        yield opened


def config_map(name: str, **data: str) -> dict:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def pod(name: str) -> dict:
    spec = {"containers": [{"name": "main", "image": "x"}], "nodeSelector": {"no": "where"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


async def create_pod(client, namespace, name):
    return json.loads(await client.create(PODS, pod(name), namespace))


async def delete_pod(client, namespace, name):
    await client.delete(PODS, name, namespace)


async def test_the_server_tells_its_version_groups_and_kinds(client):
    assert (await client.version()).at_least(1, 30)
    assert {"apps/v1", "coordination.k8s.io/v1", "events.k8s.io/v1"} <= await client.group_versions()
    assert DEPLOYMENTS in await client.resources("apps/v1")
    assert await client.resources("ray.example/v1") == ()


@pytest.mark.parametrize("streamed", [True, False], ids=["streamed-list", "paged-list"])
async def test_an_informer_follows_pods(client, namespace, streamed):
    await create_pod(client, namespace, "before")
    diary = Diary()
    informer = Informer(client, Scope(PODS, namespace), name_of, now_ms=now_ms, stream_lists=streamed)
    async with running(informer, diary):
        assert diary.changed == ["before"]
        await create_pod(client, namespace, "during")
        await until(lambda: "during" in diary.changed)
        await delete_pod(client, namespace, "during")
        await until(lambda: diary.gone, 10)
    assert [(gone.object, gone.gap) for gone in diary.gone] == [("during", None)]
    assert [n.initial for n in diary.notices if isinstance(n, Changed)][:2] == [True, False]
    assert informer.stats.error is None
    assert informer.stats.lists == {"start": 1}
    assert informer.stats.bookmarks == streamed, "the server streamed the list only where it was asked to"


@pytest.mark.parametrize("streamed", [True, False], ids=["streamed-list", "paged-list"])
async def test_what_went_while_nobody_looked_is_told_with_its_gap(client, namespace, streamed):
    stays = await create_pod(client, namespace, "stays")
    known = {stays["metadata"]["uid"]: Seen("stays", 1_000), "uid-lost": Seen("lost", 2_000)}
    diary = Diary()
    informer = Informer(client, Scope(PODS, namespace), name_of, now_ms=now_ms, known=known, stream_lists=streamed)
    async with running(informer, diary):
        pass
    (gone,) = diary.gone
    assert (gone.object, gone.gap.start_ms) == ("lost", 2_000)
    assert gone.gap.end_ms == gone.at_ms


@pytest.fixture
async def things(client):
    """A kind that is new on the server, so that its memory of changes begins now."""
    group = f"t{secrets.token_hex(3)}.example.org"
    schema = {"openAPIV3Schema": {"type": "object"}}
    spec = {
        "group": group, "scope": "Namespaced", "names": {"plural": "things", "singular": "thing", "kind": "Thing"},
        "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
    }  # fmt: skip
    await client.create(CRDS, {"metadata": {"name": f"things.{group}"}, "spec": spec})
    async with asyncio.timeout(20):
        while not await _is_served(client, group):  # noqa: ASYNC110 -- only the server knows
            await asyncio.sleep(0.05)
    yield Resource(group, "v1", "things", "Thing")
    await client.delete(CRDS, f"things.{group}")


async def _is_served(client, group):
    with suppress(NotFound):
        await client.raw(f"/apis/{group}/v1/things")
        return True
    return False


async def test_a_deletion_that_the_server_itself_forgot_is_told_with_its_gap(client, namespace, things):
    diary = Diary()
    for name in ("a", "b"):
        body = {"apiVersion": things.api_version, "kind": things.kind, "metadata": {"name": name}}
        await client.create(things, body, namespace)
    informer = Informer(client, Scope(things, namespace), name_of, now_ms=now_ms)
    async with running(informer, diary):
        heard = informer.stats.heard_ms
        informer._version = "1"  # where the watch will be resumed: long forgotten
        await _cut(informer)
        await client.delete(things, "a", namespace)
        await until(lambda: diary.gone, 15)
    (gone,) = diary.gone
    assert (gone.object, gone.gap.start_ms, gone.gap.end_ms) == ("a", heard, gone.at_ms)
    assert diary.changed == ["a", "b"]
    assert informer.stats.lists == {"start": 1, "expired": 1}


async def _cut(informer):
    """End all its connections, as a broken network would."""
    session = informer._client._transport._session
    for used in list(session.connector._acquired):
        used.transport.abort()


async def test_pages_and_their_tokens_are_those_of_the_real_server(client, namespace):
    for number in range(5):
        await client.create(CONFIG_MAPS, config_map(f"m{number}"), namespace)
    selectors = {"fieldSelector": "metadata.name!=kube-root-ca.crt"}
    sizes = [len(page.items or ()) async for page in client.pages(CONFIG_MAPS, namespace, selectors=selectors, limit=2)]
    assert sum(sizes) == 5
    assert len(sizes) >= 3


async def test_a_broken_stream_is_resumed_without_a_new_list(client, namespace):
    diary = Diary()
    informer = Informer(client, Scope(CONFIG_MAPS, namespace), name_of, now_ms=now_ms)
    async with running(informer, diary):
        await _cut(informer)
        await client.create(CONFIG_MAPS, config_map("after"), namespace)
        await until(lambda: "after" in diary.changed, 15)
    assert informer.stats.breaks >= 1
    assert informer.stats.relists == 0


async def test_the_products_own_decoder_reads_a_real_pod(client, namespace):
    told = []
    await create_pod(client, namespace, "a")
    informer = Informer(client, Scope(PODS, namespace), decode_pod, now_ms=now_ms)
    async with running(informer, told.append):
        pass
    assert {(n.object.facts.name, n.object.facts.namespace) for n in told} == {("a", namespace)}
    assert not any(isinstance(n, Gone) for n in told)


async def test_refusals_are_those_that_the_client_knows(client, namespace):
    with pytest.raises(NotFound):
        await client.get(PODS, "absent", namespace)
    created = json.loads(await client.create(CONFIG_MAPS, config_map("m"), namespace))
    with pytest.raises(Conflict):
        await client.create(CONFIG_MAPS, config_map("m"), namespace)
    with pytest.raises(Conflict):
        await client.delete(CONFIG_MAPS, "m", namespace, uid="another")
    assert await client.delete(CONFIG_MAPS, "m", namespace, uid=created["metadata"]["uid"])


async def test_a_missing_permission_is_told_with_the_rule_that_grants_it(restricted, namespace):
    with pytest.raises(NotPermitted, match=rf'system:serviceaccount:{namespace}:default.*resources \["pods"\], verbs'):
        await anext(restricted.pages(PODS))


async def test_an_informer_without_permission_says_so(restricted):
    informer = Informer(restricted, Scope(NAMESPACES), name_of, now_ms=now_ms)
    async with running(informer, print, synced=False):
        await until(lambda: informer.stats.error)
    assert 'resources ["namespaces"], verbs ["watch"]' in informer.stats.error


async def test_an_event_is_shown_by_describe(client, cluster, namespace):
    created = json.loads(await client.create(CONFIG_MAPS, config_map("m"), namespace))
    about = Regarding("v1", "Pod", "m", namespace, created["metadata"]["uid"])
    poster = EventPoster(client, ("aicost.dev/controller", "test"), now_ms)
    outcome = await poster.post(Happening(about, "PriceMissing", "no price for h100-80gb", Severity.WARNING))
    assert (outcome, poster.problem) == (Outcome.POSTED, None)
    assert "no price for h100-80gb" in cluster.kubectl("events", "-n", namespace)
    cluster_wide = Regarding("aicost.dev/v1alpha1", "PriceBook", f"book-{secrets.token_hex(3)}")
    assert await poster.post(Happening(cluster_wide, "Loaded", "x")) is Outcome.POSTED, poster.problem


async def test_a_status_leaves_spec_and_metadata_alone(client, namespace):
    manifest = {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "labels": {"from": "gitops"}},
        "spec": {
            "replicas": 0, "selector": {"matchLabels": {"a": "b"}},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "x"}]}},
        },
    }  # fmt: skip
    before = json.loads(await client.create(DEPLOYMENTS, manifest, namespace))
    writer = StatusWriter(client, "aicost-test", now_ms)
    target = Target(DEPLOYMENTS, "web", namespace, before["metadata"]["uid"])
    condition = {"type": "Costed", "status": "True", "reason": "Test", "message": "x"}
    assert await writer.write(target, {"conditions": [condition]})
    assert not await writer.write(target, {"conditions": [condition]})
    after = json.loads(await client.get(DEPLOYMENTS, "web", namespace))
    assert after["spec"] == before["spec"]
    assert after["metadata"]["labels"] == {"from": "gitops"}
    assert after["metadata"]["generation"] == before["metadata"]["generation"]
    assert "Costed" in {each["type"] for each in after["status"]["conditions"]}
    with pytest.raises(Rejected, match="uid"):
        await writer.write(Target(DEPLOYMENTS, "web", namespace, "another-uid"), {"conditions": [condition]})
    with pytest.raises(NotFound):
        await writer.write(Target(DEPLOYMENTS, "absent", namespace), {"conditions": [condition]})


async def test_the_owner_chain_of_a_deployments_pod(local_cluster, client, namespace):
    spec = {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}}}
    spec["template"]["spec"] = pod("x")["spec"]
    metadata = {"name": "web", "labels": {"aicost.dev/team": "search"}}
    manifest = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}
    await client.create(DEPLOYMENTS, manifest, namespace)
    path = f"/api/v1/namespaces/{namespace}/pods"
    listed = await asyncio.to_thread(local_cluster.until, path, lambda it: it["items"])
    owner = listed["items"][0]["metadata"]["ownerReferences"][0]
    resolver = OwnerResolver(client, now_ms)
    reference = OwnerReference(owner["apiVersion"], owner["kind"], owner["name"], owner["uid"], controller=True)
    chain = await resolver.chain(namespace, reference)
    assert [link.kind for link in chain] == ["ReplicaSet", "Deployment"]
    assert chain[1].labels == {"aicost.dev/team": "search"}
    assert resolver.ends == {ChainEnd.TOP: 1}


async def test_one_of_two_candidates_leads_and_the_other_follows_when_it_releases(client, namespace):
    lost: list[str] = []
    times = LeaseTimes(duration=3, deadline=2, retry=0.2)
    first, second = (
        Leadership(client, (namespace, "lead"), name, now_ms=now_ms, on_lost=lost.append, times=times)
        for name in ("a", "b")
    )
    await first.acquire()
    renewing = asyncio.create_task(first.hold())
    waiting = asyncio.create_task(second.acquire())
    await asyncio.sleep(1)
    assert (first.holds(), second.holds()) == (True, False)
    renewing.cancel()
    with suppress(asyncio.CancelledError):
        await renewing
    await first.release()
    async with asyncio.timeout(5):
        await waiting
    assert (first.holds(), second.holds(), lost) == (False, True, [])
    lease = json.loads(await client.get(LEASES, "lead", namespace))
    assert (lease["spec"]["holderIdentity"], lease["spec"]["leaseTransitions"]) == ("b", 1)
