"""The client says what it needs, waits when asked, and tells failures in words that name the fix."""

import asyncio
import json

import pytest

from aicost.adapters.kube.auth.credentials import Credential, TokenFile
from aicost.adapters.kube.auth.settings import ClusterConfig
from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.wire.errors import Conflict, Expired, NotFound, Rejected, ServerFault
from aicost.adapters.kube.wire.resources import LEASES, NAMESPACES, NODES, PODS, Resource
from aicost.ports.errors import ClusterUnavailable, InvalidAnswer, NotPermitted
from support.fake_api import server
from support.fake_api.server import FakeApi
from support.fake_api.session import HASTY, Sleeper, open_client


@pytest.fixture
async def api():
    async with FakeApi() as fake:
        yield fake


@pytest.fixture
def sleeper():
    return Sleeper()


@pytest.fixture
async def client(api, sleeper):
    async with open_client(api, sleeper) as opened:
        yield opened


async def names(pages) -> list[str]:
    return [json.loads(bytes(raw))["metadata"]["name"] async for page in pages for raw in page.items or ()]


async def test_pages_go_on_until_the_last(api, client):
    for number in range(7):
        api.put(server.PODS, f"p{number}", "team-a")
    assert await names(client.pages(PODS, limit=3)) == [f"p{number}" for number in range(7)]
    assert [seen.params.get("limit") for seen in api.requests] == ["3", "3", "3"]


async def test_an_empty_collection_is_an_empty_list(client):
    assert await names(client.pages(PODS, "team-a")) == []


async def test_selectors_go_along_to_each_page(api, client):
    for number in range(2):
        api.put(server.PODS, f"p{number}", "team-a")
    await names(client.pages(PODS, selectors={"fieldSelector": "spec.nodeName!="}, limit=1))
    assert {seen.params["fieldSelector"] for seen in api.requests} == {"spec.nodeName!="}


async def test_an_expired_page_is_told_as_such(api, client):
    for number in range(2):
        api.put(server.PODS, f"p{number}", "team-a")
    api.faults.expire_pages = 1
    with pytest.raises(Expired):
        await names(client.pages(PODS, limit=1))


async def test_metadata_alone_is_asked_for_and_read(api, client):
    api.put(server.PODS, "a", "team-a", metadata={"labels": {"x": "y"}}, spec={"secret": True})
    metadata = await client.metadata(PODS, "a", "team-a")
    assert (metadata.name, metadata.labels, metadata.controller) == ("a", {"x": "y"}, None)


async def test_create_replace_and_delete(api, client):
    created = json.loads(await client.create(PODS, {"metadata": {"name": "a"}}, "team-a"))
    with pytest.raises(Conflict):
        await client.create(PODS, {"metadata": {"name": "a"}}, "team-a")
    body = {"metadata": {"name": "a", "namespace": "team-a", "resourceVersion": "1"}}
    with pytest.raises(Conflict):
        await client.replace(PODS, "a", body, "team-a")
    with pytest.raises(Conflict):
        await client.delete(PODS, "a", "team-a", uid="another")
    assert await client.delete(PODS, "a", "team-a", uid=created["metadata"]["uid"])
    assert not await client.delete(PODS, "a", "team-a")


async def test_patches_name_their_manager_and_kind(api, client):
    api.put(server.NAMESPACES, "team-a")
    await client.apply(NAMESPACES, "team-a", {"metadata": {"name": "team-a"}}, field_manager="aicost", force=False)
    await client.merge_patch(NAMESPACES, "team-a", {"status": {}}, field_manager="aicost", subresource="status")
    applied, merged = api.asked("PATCH")
    assert applied.params == {"fieldManager": "aicost", "force": "false"}
    assert applied.headers["Content-Type"] == "application/apply-patch+yaml"
    assert merged.path == "/api/v1/namespaces/team-a/status"
    assert merged.headers["Content-Type"] == "application/merge-patch+json"


async def test_discovery(client):
    version = await client.version()
    assert (version.git_version, version.at_least(1, 34), version.at_least(1, 37)) == ("v1.36.3-fake", True, False)
    assert "apps/v1" in await client.group_versions()
    assert Resource("apps", "v1", "deployments", "Deployment") in await client.resources("apps/v1")
    assert NODES in await client.resources("v1")
    assert await client.resources("ray.io/v1") == ()
    assert json.loads(await client.raw("/version"))["major"] == "1"


@pytest.mark.parametrize(
    ("resource", "namespace", "message"),
    [
        (
            PODS,
            None,
            r'not permitted to list pods in all namespaces \(403\): User "somebody" cannot.*by a ClusterRole ',
        ),
        (
            PODS,
            "a",
            r"list pods in namespace 'a' .*by a Role in that namespace or ClusterRole rule: apiGroups \[\"\"\]",
        ),
        (
            NODES,
            None,
            r"list nodes \(403\).*ClusterRole rule: apiGroups \[\"\"\], resources \[\"nodes\"\], verbs \[\"list\"\]",
        ),
        (LEASES, "a", r"apiGroups \[\"coordination.k8s.io\"\], resources \[\"leases\"\], verbs \[\"list\"\]"),
    ],
)
async def test_a_missing_permission_names_verb_resource_and_how_to_grant_it(api, client, resource, namespace, message):
    api.faults.forbid = {("list", resource.plural)}
    with pytest.raises(NotPermitted, match=message):
        await names(client.pages(resource, namespace))


async def test_a_refused_token_is_read_again_once(api, tmp_path):
    token = tmp_path / "token"
    token.write_text("old")
    api.token = "new"
    config = ClusterConfig(api.url, TokenFile(token))
    async with KubeClient(config) as client:
        with pytest.raises(NotPermitted, match=r"does not accept our credentials \(401\)"):
            await client.version()
        assert len(api.requests) == 2
        token.write_text("new")
        await client.version()
    assert len(api.requests) == 4


async def test_a_rotated_token_is_not_noticed_by_the_caller(api, tmp_path):
    token = tmp_path / "token"
    token.write_text("old")
    api.token = "old"
    async with KubeClient(ClusterConfig(api.url, TokenFile(token))) as client:
        await client.version()
        token.write_text("new")
        api.token = "new"
        await client.version()


async def test_an_error_never_shows_the_token(api):
    api.token = "right"
    async with open_client(api, token="wrong-secret") as client:
        with pytest.raises(NotPermitted) as caught:
            await client.version()
    assert "wrong-secret" not in str(caught.value)
    assert "wrong-secret" not in repr(client.config)
    assert "wrong-secret" not in repr(Credential("wrong-secret"))


async def test_retry_after_is_honoured_and_bounded(api, client, sleeper):
    api.faults.refuse, api.faults.retry_after = [429], "3600"
    await client.version()
    assert sleeper.asked == [30.0]


async def test_a_server_that_stays_overloaded_is_given_up(api, client, sleeper):
    api.faults.refuse = [429] * 9
    with pytest.raises(ServerFault, match=r"cannot get /version just now \(429\)"):
        await client.version()
    assert len(sleeper.asked) == 4


@pytest.mark.parametrize(
    ("code", "error"),
    [(302, Rejected), (404, NotFound), (409, Conflict), (410, Expired), (422, Rejected), (500, ServerFault)],
)
async def test_each_refusal_has_its_error(api, client, code, error):
    api.faults.refuse = [code]
    with pytest.raises(error, match=str(code)):
        await client.get(PODS, "a", "team-a")


@pytest.mark.parametrize("body", [b"<html>proxy</html>", b"", b'{"metadata": ', b'{"major": 1}', b"[]"])
async def test_an_answer_that_is_something_else_is_named(api, client, body):
    api.faults.garbage = [body]
    with pytest.raises(InvalidAnswer, match="answer to read the version is not what it should be"):
        await client.version()


async def test_a_server_that_does_not_answer_is_given_up(api):
    async with open_client(api, timeouts=HASTY) as client:
        api.faults.hole.clear()
        with pytest.raises(ClusterUnavailable, match="did not get nodes 'gpu-1': no answer in time"):
            await client.get(NODES, "gpu-1")


async def test_nobody_listening_is_told_with_the_address(api):
    async with FakeApi() as other:
        url = other.url
    api.url = url
    async with open_client(api) as client:
        with pytest.raises(ClusterUnavailable, match=f"API server at {url} did not get /version"):
            await client.version()


async def test_a_closed_client_says_so(api):
    client = open_client(api)
    with pytest.raises(RuntimeError, match="closed"):
        await client.version()


async def test_a_failure_of_the_consumer_of_a_watch_is_not_taken_for_one_of_the_network(api, client):
    api.put(server.PODS, "a", "team-a")

    async def consume():
        async with client.watch(PODS, {"resourceVersion": "100"}) as lines:
            async for _ in lines:
                raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        await consume()


async def test_calls_run_at_the_same_time(api, client):
    await asyncio.gather(*(client.version() for _ in range(20)))
    assert len(api.requests) == 20


def test_an_object_of_a_namespace_cannot_be_asked_for_without_it():
    with pytest.raises(ValueError, match="Pod 'a' lives in a namespace"):
        PODS.path(name="a")


def test_names_in_paths_are_quoted():
    assert NODES.path(name="a/../b?x") == "/api/v1/nodes/a%2F..%2Fb%3Fx"
