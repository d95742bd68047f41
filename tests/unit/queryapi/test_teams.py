"""What one team costs in all namespaces, and nothing else: the path says the team, and no parameter widens it."""

import pytest

from aicost.crd.allocations.reading import read_reports
from aicost.domain.ledger.rows import Bucket
from support.ledger_rows import HOUR_0, make_holder, make_posting, make_row

ROOT = "/apis/query.aicost.dev/v1alpha1"
VISION = f"{ROOT}/teams/vision"
WINDOW = f"window={HOUR_0}"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


@pytest.fixture(autouse=True)
def _filled(served):
    served.ledger.post(
        make_posting(
            make_row(3_000, holder=make_holder("team-a", "chat-0", team="vision")),
            make_row(40, holder=make_holder("shared", "eval-0", team="vision")),
            make_row(5_000, holder=make_holder("team-b", "search-0", team="search")),
            make_row(6_000, holder=make_holder("team-a", "stray-0")),
            make_row(800, holder=make_holder("lab", "lab-0", team="研究")),
            make_row(700, bucket=Bucket.UNALLOCATED),
        )
    )
    foreign = make_row(90_000, cluster="elsewhere", holder=make_holder("team-a", "chat-0", team="vision"))
    served.ledger.post(make_posting(foreign, cluster="elsewhere"))


async def test_a_team_is_reported_in_all_its_namespaces(served):
    answer = await served.get(f"{VISION}/allocations?{WINDOW}")
    assert answer.status == 200
    assert {item["metadata"]["namespace"] for item in answer.body["items"]} == {"team-a", "shared"}
    assert [total["costNanos"] for total in answer.body["totals"]] == [3_040]


@pytest.mark.parametrize(
    "trick",
    [
        "filter=team=search",
        "filter=team=vision,search,untagged&by=team",
        "filter=namespace=team-b",
        "by=cluster,node&idle=weighted",
        "idle=even&by=pod",
        "filter=cluster=elsewhere",
        "filter=team=untagged&by=source:team",
        "by=label:app,team",
    ],
)
async def test_whatever_is_asked_a_team_shows_its_own_rows_alone(served, trick):
    answer = await served.get(f"{VISION}/allocations?{WINDOW}&{trick}")
    assert answer.status == 200
    assert answer.body["totals"][0].get("costNanos") in {3_040, None}
    assert answer.body["idle"][0].get("costNanos") in {0, None}
    for foreign in ("team-b", "search", "stray", "lab-0", "elsewhere"):
        assert foreign not in str(answer.body)


async def test_no_parameter_names_another_scope(served):
    for name in ("namespace", "team", "cluster"):
        answer = await served.get(f"{VISION}/allocations?{WINDOW}&{name}=search")
        assert answer.status == 400
        assert "is no parameter" in answer.body["message"]


async def test_kubectl_get_team_shows_what_it_costs_by_namespace(served):
    table = (await served.get(f"{VISION}?{WINDOW}", headers={"X-Remote-User": "a", "Accept": TABLE})).body
    assert table["columnDefinitions"][0]["name"] == "NAMESPACE"
    assert [row["cells"][0] for row in table["rows"]] == ["team-a", "shared", "total"]


async def test_the_command_line_gets_the_report_of_a_team(served):
    (report,) = read_reports((await served.get(f"{VISION}/allocations?{WINDOW}&format=report&by=team")).body)
    assert [(line.keys, line.cost_nanos) for line in report.lines] == [(("vision",), 3_040)]


async def test_a_team_in_letters_outside_ascii_has_one_spelling(served):
    answer = await served.get(f"{ROOT}/teams/%E7%A0%94%E7%A9%B6/allocations?{WINDOW}")
    assert answer.body["totals"][0]["costNanos"] == 800
    for spelling in ("%e7%a0%94%e7%a9%b6", "%E7%A0%94%E7%A9%B6%20"):
        assert (await served.get(f"{ROOT}/teams/{spelling}/allocations?{WINDOW}")).status == 404


async def test_the_series_of_a_team_are_its_own(served):
    answer = await served.get(f"{VISION}/spendseries?{WINDOW}")
    assert {item["metadata"]["namespace"] for item in answer.body["items"]} == {"team-a", "shared"}
    assert "search" not in str(answer.body)


@pytest.mark.parametrize(
    "path",
    [
        "teams/untagged/allocations",
        "teams/Vision/allocations",
        "teams//allocations",
        "teams/vision%2Fallocations",
        "teams/vision%2F..%2Fsearch/allocations",
        "teams/vision/../search/allocations",
        "teams/%2e%2e/allocations",
        "teams/vision%20/allocations",
        "teams/%76ision/allocations",
        "teams/vision,search/allocations",
        "teams/vision/inventories",
        "teams/vision/allocations/chat",
        "namespaces/team-b/teams/vision/allocations",
        f"teams/{'v' * 64}/allocations",
    ],
)
async def test_a_path_that_is_no_teams_is_served_in_no_way(served, path):
    answer = await served.get(f"{ROOT}/{path}?{WINDOW}")
    shown = answer.body.get("items", [])
    assert answer.status == 404 or shown == []
    assert "search-0" not in str(answer.body)


async def test_teams_are_never_listed(served):
    assert (await served.get(f"{ROOT}/teams")).status == 404
    found = (await served.get(ROOT)).body["resources"]
    assert {one["name"]: one["verbs"] for one in found if one["name"].startswith("teams")} == {
        "teams": ["get"],
        "teams/allocations": ["get"],
        "teams/spendseries": ["get"],
        "teams/statements": ["get"],
        "teams/receipts": ["get"],
    }


async def test_a_team_that_nobody_has_looks_as_one_that_cost_nothing(served):
    answer = await served.get(f"{ROOT}/teams/nobody/allocations?{WINDOW}")
    assert (answer.status, answer.body["items"]) == (200, [])
