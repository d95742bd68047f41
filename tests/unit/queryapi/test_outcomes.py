"""Outcomes by the query API: they are on the disk before the answer, and what makes no sense is refused whole."""

import asyncio
import json

import aiohttp
import pytest

from aicost.adapters.ledger.beside.table import TableBeside
from aicost.adapters.ledger.outcomes.store import DeltaOutcomes
from aicost.adapters.ledger.outcomes.table import OUTCOMES
from aicost.adapters.ledger.place import LedgerPlace
from aicost.domain.exact.windows import MINUTE_MS, to_rfc3339
from aicost.domain.serving.outcomes.posted import MOST_ITEMS, MOST_REASONS, Statement
from aicost.entrypoints.queryapi.outcomes.pacing import Pace
from aicost.entrypoints.queryapi.outcomes.taking import MOST_BYTES
from aicost.entrypoints.queryapi.outcomes.together import MOST_WAITING, Together
from aicost.entrypoints.queryapi.statuses import Refusal
from aicost.ports.errors import LedgerUnavailable
from support.ledger_rows import CLUSTER, hour
from support.queryapi import USER, send

ROOT = "/apis/query.aicost.dev/v1alpha1"
HERE = f"{ROOT}/namespaces/search/outcomes"
AT = to_rfc3339(hour(99).start_ms)
WINDOW = f"{hour(99)}"
TABLE = {**USER, "Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}


def stated(request="r1", **changes):
    return {"id": request, "at": AT, "workload": "chat", "outcome": "success", **changes}


def failed(request, reason="thumbs-down", **changes):
    return stated(request, outcome="failure", reason=reason, **changes)


async def post(served, body, path=HERE, headers=USER, identity=None):
    context = served.client_context(identity or served.proxy)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
        return await send(session, served.port, path, headers, body)


def kept(served):
    sums = DeltaOutcomes(LedgerPlace(str(served.folder / "ledger"))).sums(CLUSTER, [hour(99)])
    return {(one.namespace, one.workload or one.model, one.reason): one.requests for one in sums}


async def test_what_was_posted_is_on_the_disk_when_it_is_answered(served):
    answer = await post(served, [stated("a"), failed("b"), failed("c", "hallucination", tokens=12)])
    assert (answer.status, answer.body["kind"], answer.body["posted"]) == (201, "OutcomesPosted", 3)
    assert kept(served) == {
        ("search", "chat", ""): 1, ("search", "chat", "thumbs-down"): 1, ("search", "chat", "hallucination"): 1,
    }  # fmt: skip


async def test_a_list_of_kubernetes_is_read_as_well(served):
    body = {"apiVersion": "query.aicost.dev/v1alpha1", "kind": "OutcomeList", "metadata": {}, "items": [stated()]}
    assert (await post(served, body)).status == 201


async def test_the_same_post_again_changes_nothing_and_a_correction_counts(served):
    for _ in range(3):
        assert (await post(served, [stated("a")])).status == 201
    assert (await post(served, [failed("a")])).status == 201
    assert kept(served) == {("search", "chat", "thumbs-down"): 1}


async def test_kubectl_shows_what_was_stated(served):
    await post(served, [stated("a"), failed("b", tokens=5), failed("c"), failed("d", model="qwen3", workload=None)])
    table = (await served.get(f"{HERE}?window={WINDOW}", headers=TABLE)).body
    assert [one["name"] for one in table["columnDefinitions"]][:4] == ["WORKLOAD", "MODEL", "OUTCOME", "REASON"]
    assert [row["cells"][:6] for row in table["rows"]] == [
        ["chat", "-", "failure", "thumbs-down", "2", "66.7%"],
        ["-", "qwen3", "failure", "thumbs-down", "1", "100.0%"],
        ["chat", "-", "success", "-", "1", "33.3%"],
    ]
    listed = (await served.get(f"{HERE}?window={WINDOW}&limit=1")).body
    assert (listed["kind"], listed["metadata"]["remainingItemCount"]) == ("OutcomeList", 2)
    assert (listed["items"][0]["tokens"], listed["items"][0]["requestsWithTokens"]) == (5, 1)
    report = (await served.get(f"{ROOT}/outcomes?window={WINDOW}&format=report")).body
    assert (report["requests"], report["rows"][0]["namespace"]) == (4, "search")


async def test_for_whom_they_were_is_kept_apart_where_it_is_asked(served):
    await post(served, [failed("a", team="Search"), stated("b", team="search"), stated("c")])
    items = (await served.get(f"{HERE}?window={WINDOW}&by=team")).body["items"]
    assert [(one.get("for"), one["outcome"], one["share"]) for one in items] == [
        (None, "success", "100.0%"),
        ("search", "success", "50.0%"),
        ("search", "failure", "50.0%"),
    ]
    wrong = await served.get(f"{HERE}?window={WINDOW}&by=pod")
    assert (wrong.status, "use team, feature, customer" in wrong.body["message"]) == (400, True)


async def test_a_namespace_sees_its_own_and_no_other(served):
    await post(served, [stated()])
    await post(served, [failed("x")], path=f"{ROOT}/namespaces/shop/outcomes")
    mine = (await served.get(f"{ROOT}/namespaces/shop/outcomes?window={WINDOW}")).body
    assert [one["reason"] for one in mine["items"]] == ["thumbs-down"]
    assert {one["metadata"]["namespace"] for one in mine["items"]} == {"shop"}


async def test_one_item_that_makes_no_sense_refuses_all_of_them(served):
    answer = await post(served, [stated("a"), stated("b", outcome="fine")])
    assert (answer.status, answer.body["reason"]) == (400, "BadRequest")
    assert answer.body["message"] == "items[1].outcome: 'fine': write success or failure"
    assert kept(served) == {}


async def test_a_namespace_in_an_item_does_not_reach_another_one(served):
    answer = await post(served, [stated(namespace="shop")])
    assert answer.status == 400
    assert answer.body["message"].startswith("items[0].namespace: 'shop': it is sent to namespace search")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "the body is no JSON"),
        (b"[" * 100_000, "the body is no JSON"),
        (b'[{"tokens": NaN}]', "NaN is no number of JSON"),
        (b'[{"id": "a", "id": "b"}]', "'id' stands twice in one object"),
        (b"[" + b"9" * 5_000 + b"]", "the body is no JSON"),
        (b"\xff\xfe", "the body is no JSON"),
        (b"[]", "items: there is no statement"),
        (b"{}", "the body is no list of statements"),
        (b'{"items": 7}', "items: there is no statement"),
        (b'{"kind": "Pod", "items": []}', "the body is no list of statements"),
        (b"3", "items: there is no statement"),
        (json.dumps([stated()] * (MOST_ITEMS + 1)).encode(), "5,001 statements are too many at once"),
    ],
)
async def test_a_body_that_is_none_is_named(served, body, said):
    answer = await post(served, body, headers={**USER, "Content-Type": "application/json"})
    assert answer.status == 400
    assert said in answer.body["message"]
    assert kept(served) == {}


async def test_too_much_and_the_wrong_kind_are_refused_before_they_are_read(served):
    large = await post(served, b" " * (MOST_BYTES + 1), headers={**USER, "Content-Type": "application/json"})
    assert (large.status, "post it in parts" in large.body["message"]) == (413, True)
    form = await post(served, b"a=b", headers={**USER, "Content-Type": "application/x-www-form-urlencoded"})
    assert (form.status, "post application/json" in form.body["message"]) == (415, True)


async def test_nothing_is_posted_but_by_the_front_proxy_and_with_a_user(served):
    assert (await post(served, [stated()], headers={})).status == 401
    stranger = served.proxy_authority.client("stranger", "somebody-else")
    assert (await post(served, [stated()], identity=stranger)).status == 401
    assert kept(served) == {}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{ROOT}/outcomes", 405),
        (f"{ROOT}/teams/vision/outcomes", 404),
        (f"{ROOT}/namespaces/search/allocations", 405),
        (f"{ROOT}/namespaces/Search/outcomes", 404),
        (f"{ROOT}/namespaces/search/outcomes/x", 404),
        (f"{ROOT}/namespaces/search%2Foutcomes", 404),
        (f"{HERE}?dryRun=All", 400),
    ],
)
async def test_there_is_one_place_to_post_to(served, path, status):
    assert (await post(served, [stated()], path=path)).status == status


async def test_reasons_of_a_namespace_have_a_bound_over_all_posts(served):
    first = [failed(f"r{n}", f"kind-{n}") for n in range(MOST_REASONS)]
    assert (await post(served, first)).status == 201
    answer = await post(served, [failed("x", "kind-0"), failed("y", "one-more")])
    assert answer.status == 400
    assert "items[1].reason: 'one-more': namespace search has 100 reasons already" in answer.body["message"]
    other = await post(served, [failed("y", "one-more")], path=f"{ROOT}/namespaces/shop/outcomes")
    assert other.status == 201


async def test_customers_are_kept_as_the_settings_want_them(served):
    served.customer = lambda name: f"c-{len(name)}"
    async with served.running():
        await post(served, [stated(customer="Acme Corp")])
    found = TableBeside(OUTCOMES, LedgerPlace(str(served.folder / "ledger"))).open().to_pyarrow_table()
    assert found.column("customer").to_pylist() == ["c-9"]


async def test_discovery_tells_that_outcomes_are_posted(served):
    listed = {one["name"]: one["verbs"] for one in (await served.get(ROOT)).body["resources"]}
    assert listed["outcomes"] == ["list", "create"]
    assert listed["allocations"] == ["list"]
    paths = (await served.get(f"/openapi/v3{ROOT}")).body["paths"]
    assert "post" in paths[f"{ROOT}/namespaces/{{namespace}}/outcomes"]
    assert "post" not in paths[f"{ROOT}/outcomes"]


def statement(request="r"):
    return Statement("search", request, 0, success=True, workload="chat")


async def test_what_comes_at_once_is_one_commit_and_each_is_answered_after_it():
    commits, go = [], asyncio.Event()

    async def write(statements):
        await go.wait()
        commits.append(len(statements))

    together = Together(write, pause_s=0)
    first = asyncio.create_task(together.keep([statement()]))
    await asyncio.sleep(0)
    others = [asyncio.create_task(together.keep([statement(), statement()])) for _ in range(20)]
    await asyncio.sleep(0)
    assert not first.done()
    go.set()
    await asyncio.gather(first, *others)
    assert commits == [1, 40]


async def test_all_who_wait_for_a_commit_that_fails_are_told_and_the_next_goes_on():
    fails = [True]

    async def write(_):
        if fails.pop():
            raise LedgerUnavailable("disk full")

    together = Together(write, pause_s=0)
    told = await asyncio.gather(*(together.keep([statement()]) for _ in range(2)), return_exceptions=True)
    assert [str(one) for one in told] == ["disk full", "disk full"]
    fails.append(False)
    await together.keep([statement()])


async def test_somebody_who_goes_away_takes_no_other_statement_along():
    kept, go = [], asyncio.Event()

    async def write(statements):
        await go.wait()
        kept.extend(one.id for one in statements)

    together = Together(write, pause_s=0)
    gone = asyncio.create_task(together.keep([statement("gone")]))
    stays = asyncio.create_task(together.keep([statement("stays")]))
    await asyncio.sleep(0)
    gone.cancel()
    go.set()
    await stays
    assert kept == ["gone", "stays"]


async def test_more_than_can_wait_is_refused():
    together = Together(lambda _: asyncio.Event().wait(), pause_s=0)
    waiting = asyncio.create_task(together.keep([statement()] * MOST_WAITING))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    full = asyncio.create_task(together.keep([statement()] * MOST_WAITING))
    await asyncio.sleep(0)
    with pytest.raises(Refusal, match="wait to be kept already"):
        await together.keep([statement()])
    for one in (waiting, full):
        one.cancel()


def test_a_namespace_that_posts_too_fast_waits_and_another_does_not():
    pace = Pace(posts=2, statements=100)
    pace.take("search", 60, 0)
    with pytest.raises(Refusal, match="namespace search: 2 posts and 100 statements a minute") as refused:
        pace.take("search", 60, 0)
    assert refused.value.code == 429
    pace.take("search", 40, 0)
    with pytest.raises(Refusal):
        pace.take("search", 1, 0)
    pace.take("shop", 100, 0)
    pace.take("search", 50, MINUTE_MS // 2)
    pace.take("search", 1, 0 + MINUTE_MS)


def test_a_clock_that_goes_back_gives_nothing_away():
    pace = Pace(posts=1, statements=10)
    pace.take("search", 10, MINUTE_MS)
    for now_ms in (0, MINUTE_MS):
        with pytest.raises(Refusal):
            pace.take("search", 1, now_ms)
