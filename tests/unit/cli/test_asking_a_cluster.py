"""`aicost report` through an API server: where it asks, what it sends, and what it makes of each answer."""

import json

import pytest

from aicost.crd.allocations.document import report_document
from aicost.domain.reporting.question import Question
from aicost.usecases.answer_question import answer
from support.fakes.ledger import MemoryLedger
from support.http_server import serving
from support.ledger_rows import HOUR_0, hour, make_holder, make_posting, make_row

ROOT = "/apis/query.aicost.dev/v1alpha1"
HTML = "<html><body>502 Bad Gateway</body></html>"


def document(*rows) -> str:
    ledger = MemoryLedger()
    if rows:
        ledger.post(make_posting(*rows))
    return json.dumps(report_document(answer(ledger, Question(str(HOUR_0)), hour(2).start_ms), hour(2).start_ms))


@pytest.fixture
def ask(on_a_server):
    """Run a report against an API server that gives one answer; the result and what the server was asked."""

    def call(body: str, status: int, *arguments: str):
        return on_a_server(body, status, "report", *arguments)

    return call


def refusal(code: int, reason: str, message: str) -> str:
    return json.dumps({"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message})


def test_it_asks_for_the_namespace_of_the_context_unless_another_one_is_named(ask):
    for arguments, path in (
        ((), f"{ROOT}/namespaces/mine/allocations"),
        (("-n", "theirs"), f"{ROOT}/namespaces/theirs/allocations"),
        (("-A",), f"{ROOT}/allocations"),
    ):
        _, requests = ask(document(), 200, *arguments)
        assert [request.path for request in requests] == [path]
        assert requests[0].headers["Authorization"] == "Bearer secret"


def test_everything_that_was_asked_reaches_the_server(ask):
    options = ("--window", "7d", "--by", "team,model", "--filter", "stage=pilot,production", "--idle", "even")
    _, requests = ask(document(), 200, "-A", *options, "--top", "5", "--sort", "name", "--reverse", "--compare")
    assert requests[0].query == {
        "window": "7d",
        "by": "team,model",
        "filter": "stage=pilot,production",
        "idle": "even",
        "compare": "true",
        "timeZone": "UTC",
        "sort": "name",
        "reverse": "true",
        "limit": "5",
        "format": "report",
    }


def test_the_answer_is_printed_as_if_it_came_from_a_ledger(ask):
    result, _ = ask(document(make_row(2_490_000_000, holder=make_holder("mine", "chat-0"))), 200)
    assert result.code == 0
    assert "$2.49" in result.out


def test_an_empty_namespace_is_told_how_to_see_the_others(ask):
    result, _ = ask(document(), 200)
    assert "The ledger holds nothing" in result.out
    assert result.err == "Nothing in namespace mine. For all namespaces: -A\n"
    named, _ = ask(document(), 200, "-n", "mine")
    assert named.err == ""


def test_a_question_that_makes_no_sense_is_never_sent(ask):
    result, requests = ask(document(), 200, "--window", "soon")
    assert (result.code, requests) == (2, [])


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (refusal(403, "Forbidden", "allocations is forbidden"), 403, "For one namespace: -n NAMESPACE"),
        (refusal(401, "Unauthorized", "Unauthorized"), 401, "Renew the token"),
        (refusal(404, "NotFound", "not found"), 404, "install the chart with queryApi.enabled=true"),
        (refusal(500, "InternalError", "boom"), 500, "boom"),
        (HTML, 502, "502 Bad Gateway"),
        (HTML, 200, "answer is not JSON"),
        ('{"kind": "AllocationList"}', 200, "use an aicost of the server's version"),
        ("[]", 200, "use an aicost of the server's version"),
    ],
)
def test_each_other_answer_is_one_line_with_a_way_on(ask, body, status, said):
    result, _ = ask(body, status, "-A")
    assert (result.code, result.out) == (1, "")
    assert result.err.count("\n") == 1
    assert said in result.err
    assert "secret" not in result.err


def test_all_rows_are_asked_for_in_pages_and_put_together(run, tmp_path, monkeypatch):
    monkeypatch.delenv("KUBECONFIG", raising=False)
    rows = [make_row(1_000_000_000 * at, holder=make_holder("mine", f"p-{at}")) for at in (1, 2, 3)]
    pages = [json.loads(document(row)) for row in rows]
    for at, page in enumerate(pages[:-1]):
        page["continue"] = f"t{at}"
    gone = json.dumps({"kind": "Status", "code": 410, "reason": "Expired", "message": "expired"})
    answers = iter([(pages[0], 200), (gone, 410), *((page, 200) for page in pages)])

    def answer(request):
        body, status = next(answers)
        request.answer(body if isinstance(body, str) else json.dumps(body), status)

    with serving(answer) as served:
        config = tmp_path / "kubeconfig"
        config.write_text(
            f"current-context: c\nclusters: [{{name: k, cluster: {{server: '{served.url}'}}}}]\n"
            "users: [{name: u, user: {token: secret}}]\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
        )
        said = run("report", "--kubeconfig", str(config), "-n", "mine", "--by", "pod", "-o", "json")
    assert said.code == 0, said.err
    (report,) = json.loads(said.out)["reports"]
    assert [row["cost_nanos"] for row in report["rows"]] == [1_000_000_000, 2_000_000_000, 3_000_000_000]
    assert [request.query.get("continue") for request in served.requests] == [None, "t0", None, "t0", "t1"]
    assert {request.query["chunk"] for request in served.requests} == {"5000"}
