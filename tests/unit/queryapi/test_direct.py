"""Without an APIService: users prove who they are by token or certificate, and the API server says what they may."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from aicost.adapters.kube.auth.credentials import Credential, FixedCredentials
from aicost.adapters.kube.auth.settings import ClusterConfig
from aicost.adapters.kube.client import KubeClient
from aicost.domain.exact.windows import to_rfc3339
from aicost.entrypoints.queryapi.desk import Desk
from aicost.entrypoints.queryapi.proof.attributes import Attributes, attributes_of
from aicost.entrypoints.queryapi.proof.crowd import EACH
from aicost.entrypoints.queryapi.proof.direct import DirectGate, Users
from aicost.entrypoints.queryapi.proof.reviews import KEPT_MS, Reviews
from aicost.entrypoints.queryapi.tls import LiveTls
from devcluster.pki import Authority
from support.ledger_rows import CLUSTER, HOUR_0, hour, make_holder, make_posting, make_row
from support.queryapi import Served, ask, send

ROOT = "/apis/query.aicost.dev/v1alpha1"
MINE = f"{ROOT}/namespaces/team-a/allocations?window={HOUR_0}"
ANNA = {"Authorization": "Bearer annas-token"}


@dataclass
class ApiServer:
    """The reviews of an API server: who has which token, and who may what."""

    tokens: dict[str, dict[str, Any]] = field(default_factory=lambda: {"annas-token": {"username": "anna"}})
    rights: set[tuple[str, str, str]] = field(default_factory=lambda: {("anna", "team-a", "allocations")})
    token_reviews: list[str] = field(default_factory=list)
    access_reviews: list[dict[str, Any]] = field(default_factory=list)
    away: bool = False

    async def token(self, request: web.Request) -> web.Response:
        if self.away:
            return web.json_response({"kind": "Status", "message": "etcd is away", "code": 503}, status=503)
        token = (await request.json())["spec"]["token"]
        self.token_reviews.append(token)
        user = self.tokens.get(token)
        return web.json_response({"status": {"authenticated": True, "user": user} if user else {}}, status=201)

    async def access(self, request: web.Request) -> web.Response:
        spec = (await request.json())["spec"]
        self.access_reviews.append(spec)
        asked = spec["resourceAttributes"]
        wanted = (spec["user"], asked.get("namespace", asked.get("name", "")), asked["resource"])
        return web.json_response({"status": {"allowed": wanted in self.rights}}, status=201)


@dataclass
class Direct(Served):
    """A query API that users reach by themselves."""

    api: ApiServer = field(default_factory=ApiServer)
    clock_ms: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.users = Authority(self.folder / "users", "cluster-ca")
        self.direct = LiveTls(self.certificates, Users(self.users.certificate.read_text()))


@pytest.fixture
async def direct(tmp_path: Path) -> AsyncIterator[Direct]:
    made = await asyncio.to_thread(Direct, tmp_path, desk=Desk(4, 32))
    app = web.Application()
    app.router.add_post("/apis/authentication.k8s.io/v1/tokenreviews", made.api.token)
    app.router.add_post("/apis/authorization.k8s.io/v1/subjectaccessreviews", made.api.access)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    config = ClusterConfig(f"http://127.0.0.1:{runner.addresses[0][1]}", FixedCredentials(Credential("ours")))

    async def no_wait(_: float) -> None: ...

    async with KubeClient(config, sleep=no_wait) as client:
        made.gate = DirectGate(made.direct, Reviews(client, lambda: made.clock_ms))
        async with made.running():
            made.ledger.post(make_posting(make_row(3_000, holder=make_holder("team-a", "chat-0", team="vision"))))
            yield made
    await runner.cleanup()


async def get(direct: Direct, path: str, headers: dict[str, str], identity: Any = None):
    context = direct.client_context(identity)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
        return await ask(session, direct.port, path, headers)


async def test_a_token_of_somebody_who_may_is_answered(direct):
    answer = await get(direct, MINE, ANNA)
    assert (answer.status, answer.body["totals"][0]["costNanos"]) == (200, 3_000)
    (spec,) = direct.api.access_reviews
    assert spec["resourceAttributes"] == {
        "group": "query.aicost.dev", "version": "v1alpha1", "verb": "list", "resource": "allocations",
        "namespace": "team-a",
    }  # fmt: skip


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer nobodys"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic YW5uYTphbm5h"},
        {"Authorization": "annas-token"},
        {"Authorization": f"Bearer {'x' * 20_000}"},
    ],
)
async def test_who_proves_nothing_gets_nothing(direct, headers):
    for path in (MINE, ROOT, "/readyz", f"{ROOT}/nothing"):
        assert (await get(direct, path, headers)).status in {400, 401}
    assert direct.api.access_reviews == []


@pytest.mark.parametrize(
    "forged",
    [
        {"X-Remote-User": "system:admin"},
        {"x-remote-group": "system:masters"},
        {"X-Remote-Extra-Scopes": "all"},
        {"Impersonate-User": "system:admin"},
        {"impersonate-group": "system:masters"},
    ],
)
async def test_nobody_speaks_for_another_even_with_a_good_token(direct, forged):
    answer = await get(direct, MINE, {**ANNA, **forged})
    assert answer.status == 400
    assert "nobody speaks for another" in answer.body["message"]
    assert direct.api.access_reviews == []


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (f"{ROOT}/namespaces/team-b/allocations", 'in the namespace "team-b"'),
        (f"{ROOT}/namespaces/no-such-namespace/allocations", 'in the namespace "no-such-namespace"'),
        (f"{ROOT}/allocations", "at the cluster scope"),
        (f"{ROOT}/teams/vision/allocations", "at the cluster scope"),
        (f"{ROOT}/namespaces/team-a/inventories", 'in the namespace "team-a"'),
    ],
)
async def test_what_one_may_not_is_refused_in_the_same_words_whether_or_not_it_is_there(direct, path, place):
    answer = await get(direct, f"{path}?window={HOUR_0}", ANNA)
    assert (answer.status, answer.body["reason"]) == (403, "Forbidden")
    assert 'User "anna" cannot' in answer.body["message"]
    assert place in answer.body["message"]


async def test_a_team_is_asked_about_by_its_name(direct):
    direct.api.rights.add(("anna", "vision", "teams"))
    answer = await get(direct, f"{ROOT}/teams/vision/allocations?window={HOUR_0}", ANNA)
    assert answer.status == 200
    attributes = direct.api.access_reviews[-1]["resourceAttributes"]
    assert (attributes["verb"], attributes["subresource"], attributes["name"]) == ("get", "allocations", "vision")
    assert "namespace" not in attributes


@pytest.mark.parametrize(
    "path",
    [
        "namespaces/team-a/../team-b/allocations",
        "namespaces/team-a%2F..%2Fteam-b/allocations",
        "namespaces/team-a/%2e%2e/team-b/allocations",
        "namespaces/team-b%2fallocations",
        "namespaces//allocations",
        "/allocations",
        "namespaces/team-a/teams/vision/allocations",
        "teams",
        "namespaces",
    ],
)
async def test_a_path_that_can_be_read_in_two_ways_is_served_in_none(direct, path):
    direct.api.rights |= {("anna", "", "allocations"), ("anna", "team-a/../team-b", "allocations")}
    answer = await get(direct, f"{ROOT}/{path}", ANNA)
    assert answer.status in {403, 404}


async def test_a_certificate_of_a_user_is_as_good_as_a_token(direct):
    direct.api.rights.add(("bob", "team-a", "allocations"))
    bob = direct.users.client("bob", "bob", organisation="testers")
    assert (await get(direct, MINE, {}, bob)).status == 200
    spec = direct.api.access_reviews[-1]
    assert (spec["user"], spec["groups"]) == ("bob", ["testers", "system:authenticated"])
    assert direct.api.token_reviews == []


async def test_a_certificate_of_another_authority_is_refused(direct, tmp_path):
    forged = Authority(tmp_path / "forged", "cluster-ca").client("bob", "bob")
    with pytest.raises((aiohttp.ClientError, ssl.SSLError, ConnectionError)):
        await get(direct, MINE, ANNA, forged)


async def test_the_front_proxys_certificate_is_nobodys_here(direct):
    with pytest.raises((aiohttp.ClientError, ssl.SSLError, ConnectionError)):
        await get(direct, MINE, {}, direct.proxy)


async def test_answers_of_reviews_are_kept_for_a_while_and_no_longer(direct):
    for _ in range(3):
        assert (await get(direct, MINE, ANNA)).status == 200
    assert (len(direct.api.token_reviews), len(direct.api.access_reviews)) == (1, 1)
    direct.api.tokens.clear()
    direct.clock_ms += KEPT_MS
    assert (await get(direct, MINE, ANNA)).status == 401


async def test_a_right_that_is_taken_away_ends(direct):
    assert (await get(direct, MINE, ANNA)).status == 200
    direct.api.rights.clear()
    direct.clock_ms += KEPT_MS
    assert (await get(direct, MINE, ANNA)).status == 403


async def test_while_the_api_server_is_away_nobody_new_is_let_in(direct):
    direct.api.away = True
    answer = await get(direct, MINE, ANNA)
    assert answer.status == 503
    assert answer.headers["Retry-After"]


async def test_discovery_takes_a_user_and_no_right(direct):
    assert (await get(direct, ROOT, ANNA)).status == 200
    assert direct.api.access_reviews == []


async def test_no_user_takes_all_the_room(direct):
    go = asyncio.Event()

    async def slow():
        await go.wait()
        return CLUSTER

    direct.cluster = slow
    direct.api.tokens["bobs"] = {"username": "bob"}
    direct.api.rights.add(("bob", "team-a", "allocations"))
    waiting = [asyncio.create_task(get(direct, MINE, ANNA)) for _ in range(EACH)]
    for _ in range(500):
        one_more = asyncio.create_task(get(direct, MINE, ANNA))
        done, _ = await asyncio.wait({one_more}, timeout=0.02)
        if done:
            break
        waiting.append(one_more)
    assert one_more.result().status == 429
    assert "questions of yours" in one_more.result().body["message"]
    other = asyncio.create_task(get(direct, MINE, {"Authorization": "Bearer bobs"}))
    go.set()
    assert (await other).status == 200
    assert [(await one).status for one in waiting].count(200) == EACH


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        (f"{ROOT}/allocations", Attributes("list", "allocations")),
        (f"{ROOT}/namespaces/a/inventories", Attributes("list", "inventories", namespace="a")),
        (f"{ROOT}/teams/v/allocations", Attributes("get", "teams", "allocations", name="v")),
        (f"{ROOT}/teams/v", Attributes("get", "teams", name="v")),
        (f"{ROOT}/teams", None),
        (f"{ROOT}/namespaces/a", None),
        (f"{ROOT}/namespaces/a/allocations/x", None),
        (f"{ROOT}/namespaces/../allocations", None),
        (f"{ROOT}//allocations", None),
        (ROOT, None),
        ("/apis/other/v1/allocations", None),
    ],
)
def test_a_path_means_to_us_what_it_means_to_the_api_server(path, meant):
    assert attributes_of(path) == meant


async def post(direct: Direct, namespace: str, headers: dict[str, str], identity: Any = None):
    stated = [{"id": "r1", "at": to_rfc3339(hour(99).start_ms), "workload": "chat", "outcome": "success"}]
    context = direct.client_context(identity)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
        return await send(session, direct.port, f"{ROOT}/namespaces/{namespace}/outcomes", headers, stated)


async def test_to_post_takes_the_right_to_create_outcomes_in_the_namespace(direct):
    assert (await post(direct, "team-a", ANNA)).status == 403
    direct.api.rights.add(("anna", "team-a", "outcomes"))
    direct.clock_ms += KEPT_MS
    assert (await post(direct, "team-a", ANNA)).status == 201
    assert direct.api.access_reviews[-1]["resourceAttributes"] == {
        "group": "query.aicost.dev", "version": "v1alpha1", "verb": "create", "resource": "outcomes",
        "namespace": "team-a",
    }  # fmt: skip
    refused = await post(direct, "team-b", ANNA)
    assert refused.status == 403
    assert 'User "anna" cannot create resource "outcomes"' in refused.body["message"]


async def test_who_posts_for_another_or_as_nobody_is_refused_before_any_right_is_asked(direct):
    direct.api.rights.add(("anna", "team-a", "outcomes"))
    assert (await post(direct, "team-a", {**ANNA, "X-Remote-User": "root"})).status == 400
    assert (await post(direct, "team-a", {"X-Remote-User": "anna"})).status == 400
    assert (await post(direct, "team-a", {})).status == 401
    assert direct.api.access_reviews == []


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_what_changes_something_is_never_authorised_as_a_look(method):
    assert attributes_of(f"{ROOT}/outcomes", method) is None
    assert attributes_of(f"{ROOT}/teams/v/allocations", method) is None
    within = attributes_of(f"{ROOT}/namespaces/a/outcomes", method)
    assert within == (Attributes("create", "outcomes", namespace="a") if method == "POST" else None)
