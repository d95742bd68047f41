"""What a request asks, and the forms of the answer."""

import asyncio
import threading

import pytest

from aicost.crd.allocations.reading import read_reports
from aicost.domain.ledger.rows import Bucket
from aicost.entrypoints.queryapi.desk import Desk
from aicost.ports.errors import ClusterUnavailable, LedgerUnavailable
from support.fakes.ledger import MemoryLedger
from support.ledger_rows import HOUR_0, make_holder, make_posting, make_row

ROOT = "/apis/query.aicost.dev/v1alpha1"
MINE = f"{ROOT}/namespaces/team-a/allocations"
ALL = f"{ROOT}/allocations"
WINDOW = f"window={HOUR_0}"
TABLE = (
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"
)


def fill(ledger: MemoryLedger) -> None:
    ledger.post(
        make_posting(
            make_row(3_000, holder=make_holder("team-a", "chat-0", team="vision")),
            make_row(5_000, holder=make_holder("team-b", "search-0", team="search")),
            make_row(700, bucket=Bucket.UNALLOCATED),
        )
    )
    foreign = make_row(90_000, cluster="elsewhere", holder=make_holder("team-a", "chat-0"))
    ledger.post(make_posting(foreign, cluster="elsewhere"))


@pytest.fixture(autouse=True)
def _filled(served):
    fill(served.ledger)


def totals(answer) -> list[int]:
    return [total["costNanos"] for total in answer.body["totals"]]


async def test_a_namespace_is_reported_by_controller_unless_keys_are_named(served):
    answer = await served.get(f"{MINE}?{WINDOW}")
    assert answer.status == 200
    assert (answer.body["kind"], totals(answer)) == ("AllocationList", [3_000])
    assert [item["keys"] for item in answer.body["items"]] == [{"controller": "Deployment/chat"}]
    assert answer.body["items"][0]["metadata"] == {"name": "deployment-chat", "namespace": "team-a"}


@pytest.mark.parametrize(
    "trick",
    [
        "filter=namespace=team-b",
        "filter=namespace=team-a,team-b&by=namespace,cluster",
        "idle=even&by=node",
        "filter=cluster=elsewhere",
        "filter=team=search&by=team",
    ],
)
async def test_whatever_is_asked_a_namespace_shows_its_own_rows_alone(served, trick):
    answer = await served.get(f"{MINE}?{WINDOW}&{trick}")
    assert answer.status == 200
    assert answer.body["totals"][0].get("costNanos") in {3_000, None}
    assert "team-b" not in str(answer.body)
    assert "elsewhere" not in str(answer.body)
    assert answer.body["idle"][0].get("costNanos") in {0, None}


async def test_the_whole_cluster_is_this_cluster_alone(served):
    answer = await served.get(f"{ALL}?{WINDOW}")
    assert totals(answer) == [8_700]
    assert answer.body["idle"][0]["costNanos"] == 700
    assert {item["metadata"]["namespace"] for item in answer.body["items"]} == {"team-a", "team-b"}


async def test_kubectl_gets_a_table_whose_cells_fit_its_columns(served):
    table = (await served.get(f"{ALL}?{WINDOW}&limit=500", headers={"X-Remote-User": "a", "Accept": TABLE})).body
    assert (table["kind"], table["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    names = [column["name"] for column in table["columnDefinitions"]]
    assert names[:3] == ["CONTROLLER", "COST", "SHARE"]  # kubectl adds the namespace of each object itself
    assert {len(row["cells"]) for row in table["rows"]} == {len(names)}
    assert [row["cells"][0] for row in table["rows"]] == [
        "Deployment/search",
        "Deployment/chat",
        "idle: unallocated",
        "total",
    ]
    assert table["rows"][0]["object"]["metadata"]["namespace"] == "team-b"


async def test_the_command_line_gets_the_report_document(served):
    body = (await served.get(f"{MINE}?{WINDOW}&by=team&format=report")).body
    (report,) = read_reports(body)
    assert [(line.keys, line.cost_nanos) for line in report.lines] == [(("vision",), 3_000)]


async def test_rows_beyond_the_top_are_one_row_and_the_total_stays(served):
    for name in ("a", "b", "c"):
        served.ledger.post(
            make_posting(
                make_row(10, window=HOUR_0, holder=make_holder("team-c", f"{name}-0"), cluster=name), cluster=name
            )
        )
    limited = await served.get(f"{ALL}?{WINDOW}&top=1&by=namespace,pod")
    assert totals(limited) == [8_700]
    assert len(limited.body["items"]) == 2


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (f"{MINE}?window=soon", "window: 'soon' is not understood"),
        (f"{MINE}?window=2999-01", "lies in the future"),
        (f"{MINE}?by=tema", "did you mean 'team'"),
        (f"{MINE}?filter=team", "write key=value"),
        (f"{MINE}?idle=mine", "is no idle policy"),
        (f"{MINE}?sort=colour", "sort: 'colour' is no order"),
        (f"{MINE}?limit=many", "limit"),
        (f"{MINE}?windw=7d", "'windw' is no parameter: use window"),
        (f"{MINE}?format=yaml", "'yaml' is no format"),
        (f"{MINE}?labelSelector=team%3Dvision", "use filter=KEY=VALUE"),
        (f"{MINE}?by=label:{'x' * 3000}", "3006 characters are too many"),
    ],
)
async def test_a_bad_request_is_a_status_that_names_the_fix(served, path, said):
    answer = await served.get(path)
    assert answer.status == 400
    assert (answer.body["kind"], answer.body["reason"], answer.body["code"]) == ("Status", "BadRequest", 400)
    assert said in answer.body["message"]


async def test_what_cannot_be_done_says_so(served):
    watched = await served.get(f"{MINE}?watch=true")
    assert (watched.status, watched.body["reason"]) == (405, "MethodNotAllowed")
    refused = await served.get(f"{MINE}?{WINDOW}", headers={"X-Remote-User": "a", "Accept": "application/yaml"})
    assert (refused.status, refused.body["reason"]) == (406, "NotAcceptable")
    one = await served.get(f"{MINE}/chat")
    assert (one.status, one.body["reason"]) == (404, "NotFound")


@pytest.mark.parametrize(
    "path",
    [
        f"{ROOT}/namespaces/team-a%2F..%2Fteam-b/allocations",
        f"{ROOT}/namespaces/team-a/../team-b/allocations",
        f"{ROOT}/namespaces/team-a/%2e%2e/team-b/allocations",
        f"{ROOT}/namespaces/team%2Db/allocations",
        f"{ROOT}/namespaces//allocations",
        f"{ROOT}/namespaces/TEAM/allocations",
        f"{ROOT}//allocations",
    ],
)
async def test_a_path_that_can_be_read_in_two_ways_is_served_in_none(served, path):
    answer = await served.get(f"{path}?{WINDOW}")
    assert answer.status == 404
    assert answer.body["kind"] == "Status"


class Broken(MemoryLedger):
    def snapshot(self):
        raise LedgerUnavailable("the ledger at /x could not be read: no space left. To fix: free space")


async def test_a_ledger_that_cannot_be_read_is_a_503_to_be_tried_again(served):
    object.__setattr__(served.counter, "ledger", Broken())
    answer = await served.get(f"{MINE}?{WINDOW}")
    assert (answer.status, answer.body["reason"]) == (503, "ServiceUnavailable")
    assert "To fix: free space" in answer.body["message"]
    assert answer.headers["Retry-After"] == str(answer.body["details"]["retryAfterSeconds"])


async def test_discovery_answers_without_a_ledger(served):
    object.__setattr__(served.counter, "ledger", Broken())
    for path in ("/apis", "/apis/query.aicost.dev", ROOT, "/openapi/v2", "/openapi/v3", f"/openapi/v3{ROOT}"):
        assert (await served.get(path)).status == 200
    assert (await served.get("/readyz")).body == "ok"


async def test_a_cluster_that_is_not_known_yet_is_a_503_to_be_tried_again(served):
    async def unknown():
        raise ClusterUnavailable("the API server at https://x did not answer")

    served.cluster = unknown
    answer = await served.get(f"{MINE}?{WINDOW}")
    assert (answer.status, answer.body["reason"]) == (503, "ServiceUnavailable")


class Bug(MemoryLedger):
    def snapshot(self):
        raise ZeroDivisionError("secret detail")


async def test_a_bug_ends_one_answer_and_shows_nothing_of_itself(served, caplog):
    object.__setattr__(served.counter, "ledger", Bug())
    answer = await served.get(f"{MINE}?{WINDOW}")
    assert (answer.status, answer.body["reason"]) == (500, "InternalError")
    assert "secret" not in str(answer.body)
    assert "secret detail" in caplog.text


class Slow(MemoryLedger):
    def __init__(self):
        super().__init__()
        self.begun, self.go = threading.Semaphore(0), threading.Event()

    def snapshot(self):
        self.begun.release()
        assert self.go.wait(30)
        return MemoryLedger()


async def test_too_many_questions_at_once_are_turned_away_and_the_rest_is_answered(served):
    slow = Slow()
    object.__setattr__(served.counter, "ledger", slow)
    room = [asyncio.create_task(served.get(f"{MINE}?{WINDOW}")) for _ in range(4)]
    for _ in range(2):  # both threads are at it; the other two wait
        assert await asyncio.to_thread(slow.begun.acquire, timeout=30)
    while served.desk._taken < 4:  # noqa: ASYNC110 -- the desk has no event to wait for
        await asyncio.sleep(0.01)
    turned_away = await served.get(f"{MINE}?{WINDOW}")
    assert (turned_away.status, turned_away.body["reason"]) == (429, "TooManyRequests")
    assert (await served.get(ROOT)).status == 200  # discovery is never kept waiting
    slow.go.set()
    assert [(await one).status for one in room] == [200] * 4
    assert (await served.get(f"{MINE}?{WINDOW}")).status == 200


async def test_an_answer_that_takes_too_long_is_given_up_on(served):
    slow = Slow()
    object.__setattr__(served.counter, "ledger", slow)
    object.__setattr__(served.counter, "desk", Desk(1, 0, 0.05))
    answer = await served.get(f"{MINE}?{WINDOW}")
    assert (answer.status, answer.body["reason"]) == (504, "Timeout")
    assert "ask for a shorter window" in answer.body["message"]
    assert (await served.get(f"{MINE}?{WINDOW}")).status == 429  # the thread is still at it
    slow.go.set()


async def test_kubectl_names_parameters_by_a_field_selector(served):
    asked = await served.get(f"{MINE}?limit=500&fieldSelector=window%3D{HOUR_0},by%3Dteam")
    assert [item["keys"] for item in asked.body["items"]] == [{"team": "vision"}]
    twice = await served.get(f"{MINE}?fieldSelector=window%3D%3D{HOUR_0}")
    assert totals(twice) == [3_000]


@pytest.mark.parametrize(
    "selector", ["metadata.namespace=team-b", "namespace=team-b", "window!=7d", "window", "format=report", "by=", "=x"]
)
async def test_a_field_selector_names_parameters_and_nothing_else(served, selector):
    answer = await served.get(f"{MINE}?{WINDOW}&fieldSelector={selector.replace('=', '%3D')}")
    assert answer.status == 400
    assert answer.body["message"].startswith("fieldSelector: ")
