"""ResourceClaims and ResourceSlices are followed where they are served, in the best version, once they may be."""

import asyncio
from contextlib import asynccontextmanager, suppress

import msgspec
import pytest

from aicost.adapters.kube.auth.credentials import Credential, FixedCredentials
from aicost.adapters.kube.auth.settings import ClusterConfig
from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.informer import Changed, Gone, Seen
from aicost.adapters.kube.seen.decode import decode_claim, decode_slice
from aicost.adapters.kube.seen.values import SeenClaim
from aicost.adapters.kube.watching import claims
from aicost.adapters.kube.watching.claims import ClaimsWatch, dra_resources
from support import dra
from support.fake_api.server import CLAIMS, SLICES, FakeApi
from support.fake_api.session import Clock, open_client, until
from support.http_server import serving

GPU = "GPU-aaaaaaaa-1111-2222-3333-444444444444"


@pytest.fixture
async def api():
    async with FakeApi() as one:
        yield one


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """What is looked at again each minute is looked at again at once."""
    monkeypatch.setattr(claims, "RETRY_SECONDS", 0.02)


def allocated(api, name="c", device="gpu-0"):
    status = dra.allocated(dra.result("n", device)) if device else {}
    created = {"creationTimestamp": "2026-11-20T10:00:00Z"}
    api.put(CLAIMS, name, "team", metadata=created, spec={}, status=status)


@asynccontextmanager
async def watching(api, known=None):
    notices, told = [], []
    async with open_client(api) as client:
        watch = ClaimsWatch(client, Clock(), known or {}, {})
        task = asyncio.create_task(watch.run(notices.append, notices.append, told.append))
        try:
            await until(lambda: task.done() or watch.synced.is_set())
            yield watch, notices, told
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def test_what_is_there_comes_and_goes(api):
    allocated(api)
    body = dra.resource_slice("n", dra.gpu(0, GPU))
    api.put(SLICES, "s", metadata={"creationTimestamp": "2026-11-20T10:00:00Z"}, spec=body["spec"])
    async with watching(api) as (watch, notices, told):
        assert {type(one.object).__name__ for one in notices} == {"SeenClaim", "SeenSlice"}
        assert {one.resource for one in watch.stats} == {
            "resourceclaims.resource.k8s.io",
            "resourceslices.resource.k8s.io",
        }
        allocated(api, device="")
        await until(lambda: len(notices) == 3)
        assert notices[2].object.facts.devices == ()
        api.remove(CLAIMS, "c", "team")
        await until(lambda: isinstance(notices[-1], Gone))
        assert told == []


async def test_a_claim_that_went_while_we_were_away_is_told_as_gone(api):
    body = dra.claim("team", "old", {}) | {"status": dra.allocated(dra.result("n", "gpu-0"))}
    metadata = {"uid": "uid-old", "creationTimestamp": "2026-11-20T10:00:00Z", **body["metadata"]}
    seen = decode_claim(msgspec.json.encode({**body, "metadata": metadata}))
    assert isinstance(seen, SeenClaim)
    async with watching(api, {"uid-old": Seen(seen, 1)}) as (_, notices, _told):
        await until(lambda: notices)
        assert (type(notices[0]), notices[0].uid) == (Gone, "uid-old")


async def test_where_they_may_not_be_read_others_go_on_and_it_is_said_once(api):
    api.faults.forbid = {("list", "resourceslices")}
    allocated(api)
    async with watching(api) as (watch, notices, told):
        await until(lambda: len(api.asked("GET", "resourceslices")) > 3)
        (problem,) = told
        assert 'resources ["resourceslices"]' in problem
        assert (notices, watch.stats) == ([], ())
        api.faults.forbid = set()
        await until(lambda: any(isinstance(one, Changed) for one in notices))


@asynccontextmanager
async def serving_versions(*versions):
    def respond(request):
        if request.path.partition("?")[0] != "/apis/resource.k8s.io" or not versions:
            request.answer_json({"code": 404}, 404)
            return
        found = [{"groupVersion": f"resource.k8s.io/{one}", "version": one} for one in versions]
        request.answer_json({"name": "resource.k8s.io", "versions": found})

    with serving(respond) as server:
        config = ClusterConfig(server=server.url, credentials=FixedCredentials(Credential(None)), origin="a test")
        async with KubeClient(config) as client:
            yield client


@pytest.mark.parametrize(
    ("served", "taken"),
    [
        (("v1", "v1beta2", "v1beta1"), "v1"),
        (("v1beta1", "v1beta2"), "v1beta2"),
        (("v1beta1",), "v1beta1"),
        (("v1alpha3",), None),
        ((), None),
    ],
)
async def test_the_best_version_that_is_served_is_read(served, taken):
    async with serving_versions(*served) as client:
        found = await dra_resources(client)
    assert (found and found[0].api_version) == (taken and f"resource.k8s.io/{taken}")


async def test_a_cluster_that_serves_none_is_no_problem_and_others_do_not_wait():
    async with serving_versions() as client:
        watch, told = ClaimsWatch(client, Clock(), {}, {}), []
        task = asyncio.create_task(watch.run(told.append, told.append, told.append))
        await until(watch.synced.is_set)
        await asyncio.sleep(0.1)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    assert told == []


def test_a_slice_of_no_node_is_read_and_leads_to_nothing():
    body = dra.resource_slice("n", dra.gpu(0, GPU))
    del body["spec"]["nodeName"]
    metadata = {"uid": "u", "creationTimestamp": "2026-11-20T10:00:00Z", **body["metadata"]}
    found = decode_slice(msgspec.json.encode({**body, "metadata": metadata}))
    assert found.facts.node == ""
