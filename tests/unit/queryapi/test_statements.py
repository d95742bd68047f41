"""Statements over the query API: open books for who may see all, closed books for a namespace and a team."""

import pytest

from aicost.domain.ledger.rows import Bucket
from aicost.domain.statements.document import check_document
from aicost.entrypoints.cli.sources.query.statements import write_statement
from aicost.entrypoints.queryapi.scopes import Scope
from aicost.entrypoints.queryapi.statements.parameters import read_statement
from aicost.usecases.build_statement import StatementRequest
from support.ledger_rows import HOUR_0, make_holder, make_posting, make_row

ROOT = "/apis/query.aicost.dev/v1alpha1"
WINDOW = f"window={HOUR_0}"
TABLE = {"X-Remote-User": "a", "Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
FOREIGN = ("team-b", "search", "stray", "7000", "elsewhere")


@pytest.fixture(autouse=True)
def _filled(served):
    served.ledger.post(
        make_posting(
            make_row(3_000, holder=make_holder("team-a", "chat-0", team="vision")),
            make_row(40, holder=make_holder("shared", "eval-0", team="vision")),
            make_row(5_000, holder=make_holder("team-b", "search-0", team="search")),
            make_row(6_000, holder=make_holder("team-a", "stray-0")),
            make_row(7_000, bucket=Bucket.UNALLOCATED),
        )
    )
    foreign = make_row(90_000, cluster="elsewhere", holder=make_holder("team-a", "chat-0", team="vision"))
    served.ledger.post(make_posting(foreign, cluster="elsewhere"))


async def document(served, path):
    answer = await served.get(f"{ROOT}/{path}&format=report")
    assert answer.status == 200, answer.body
    return check_document(answer.body)


async def test_who_may_see_all_gets_open_books(served):
    whole = await document(served, f"statements?{WINDOW}&per=team")
    (part,) = whole["parts"]
    assert part["reconciliation"]["ledger_nanos"] == 21_040
    assert {one["payer"]["team"]: one["total_nanos"] for one in part["accounts"]} == {
        "vision": 3_040, "search": 5_000, "untagged": 6_000,
    }  # fmt: skip
    assert "elsewhere" not in str(whole)


@pytest.mark.parametrize(
    ("path", "owed"),
    [("namespaces/team-a/statements", 9_000), ("teams/vision/statements", 3_040)],
)
@pytest.mark.parametrize(
    "trick", ["", "&payer=namespace=team-b", "&per=node", "&payer=cluster=elsewhere", "&by=cluster,team,pod"]
)
async def test_a_namespace_and_a_team_get_their_own_account_with_closed_books(served, path, owed, trick):
    if trick == "&payer=namespace=team-b" and path.startswith("teams"):
        owed = 0
    found = await document(served, f"{path}?{WINDOW}{trick}")
    (part,) = found["parts"]
    owed = 0 if "elsewhere" in trick else owed
    assert (part["total_nanos"] or 0) == owed
    assert part["reconciliation"] is None
    said = str({key: value for key, value in found.items() if key not in {"payer", "number"}})
    for foreign in ("search-0", "21040", "7000"):
        assert foreign not in said
    if not trick:
        assert "team-b" not in said


@pytest.mark.parametrize("path", ["namespaces/team-a/statements", "teams/vision/statements"])
@pytest.mark.parametrize("rule", ["cost", "even", "gpu-hours"])
async def test_a_share_of_what_nobody_held_takes_the_right_to_see_the_whole(served, path, rule):
    answer = await served.get(f"{ROOT}/{path}?{WINDOW}&shared={rule}")
    assert answer.status == 400
    assert "takes the right to see all namespaces" in answer.body["message"]
    assert "7000" not in str(answer.body)


async def test_shared_costs_are_spread_for_who_may_see_all(served):
    found = await document(served, f"statements?{WINDOW}&payer=team=vision&shared=cost")
    (account,) = found["parts"][0]["accounts"]
    assert account["shared_nanos"] == 1_516  # 7000 x 3040/14040, by largest remainder


async def test_kubectl_gets_tables(served):
    mine = (await served.get(f"{ROOT}/teams/vision/statements?{WINDOW}&by=namespace", headers=TABLE)).body
    assert [column["name"] for column in mine["columnDefinitions"]] == ["NAMESPACE", "COST", "GPU-HOURS"]
    assert [row["cells"][0] for row in mine["rows"]] == ["team-a", "shared", "total"]
    whole = (await served.get(f"{ROOT}/statements?{WINDOW}&per=team", headers=TABLE)).body
    assert {row["cells"][0] for row in whole["rows"]} == {"vision", "search", "untagged", "total"}
    assert {len(row["cells"]) for row in whole["rows"]} == {3}


async def test_a_list_has_an_account_each_in_integers(served):
    body = (await served.get(f"{ROOT}/namespaces/team-a/statements?{WINDOW}")).body
    (item,) = body["items"]
    assert (item["totalNanos"], item["payer"], item["metadata"]["namespace"]) == (
        9_000, {"namespace": "team-a"}, "team-a",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("payer=team", "payer:"),
        ("payer=team=a,b", "a statement is of one payer"),
        ("shared=theirs", "is no rule"),
        ("shared=fixed&shares=half", "is not JSON"),
        ("shared=fixed&shares=[1]", "is no object"),
        ("since=yesterday", "is no version and no moment"),
        ("per=tema", "did you mean"),
        ("namespace=team-b", "is no parameter"),
        ("window=soon", "not understood"),
        ("limit=few", "limit"),
    ],
)
async def test_a_bad_request_names_its_parameter_and_the_fix(served, asked, said):
    answer = await served.get(f"{ROOT}/statements?{'' if 'window' in asked else WINDOW + '&'}{asked}")
    assert answer.status == 400
    assert said in answer.body["message"]


def test_what_the_command_line_writes_is_what_the_server_reads():
    request = StatementRequest(
        window="2026-10", payer={"team": "vision", "model": "m,1".replace(",", "-")}, per="team", by=("team", "model"),
        time_zone="Europe/Berlin", shared="fixed", shared_buckets=("unallocated",), shares={"vision": "40%"}, limit=7,
    )  # fmt: skip
    assert read_statement(write_statement(request, None), Scope("")) == request
