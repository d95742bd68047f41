"""Label coverage and the inventory behind the API server."""

import pytest

from aicost.crd.coverage.document import check_document
from support.coverage import audit, denied, seen
from support.ledger_rows import CLUSTER, HOUR_0, make_holder, make_posting, make_row

ROOT = "/apis/query.aicost.dev/v1alpha1"
SINCE = f"since={HOUR_0}"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


@pytest.fixture(autouse=True)
def _filled(served):
    served.ledger.post(
        make_posting(
            make_row(3_000, holder=make_holder("team-a", "chat-0", team="vision", cost_center="cc-1")),
            make_row(5_000, holder=make_holder("team-b", "search-0", team="search")),
        )
    )
    foreign = make_row(90_000, cluster="elsewhere", holder=make_holder("team-a", "chat-0"))
    served.ledger.post(make_posting(foreign, cluster="elsewhere"))
    bad = denied(seen("search", "team-b", lacks=("cost-center",)))
    served.audits.put(audit(seen("chat", "team-a"), bad), CLUSTER)


async def report(served, path):
    answer = await served.get(f"{path}{'&' if '?' in path else '?'}{SINCE}&format=report")
    assert answer.status == 200, answer.body
    return answer.body


async def test_coverage_of_the_cluster_is_that_of_this_cluster(served):
    (found,) = (await report(served, f"{ROOT}/labelcoverages"))["reports"]
    assert found["total"]["cost_nanos"] == 8_000
    assert (found["total"]["by_cost"], found["total"]["by_objects"]) == ("37.5%", "50.0%")
    assert found["would_deny"] == {"today": 1, "in_mode_deny": 1, "objects": 2, "by_problem": {"missing-label": 1}}
    assert found["audited_at"] is not None


@pytest.mark.parametrize("resource", ["labelcoverages", "inventories"])
@pytest.mark.parametrize("trick", ["", "?limit=10000", "?format=report", "?since=30d"])
async def test_a_namespace_shows_nothing_of_another_one(served, resource, trick):
    joint = "&" if trick else "?"
    asked = "" if "since" in trick else f"{joint}{SINCE}"
    answer = await served.get(f"{ROOT}/namespaces/team-a/{resource}{trick}{asked}")
    assert answer.status == 200
    text = str(answer.body)
    assert "team-b" not in text
    assert "search" not in text
    assert "elsewhere" not in text


async def test_kubectl_gets_tables_whose_cells_fit_their_columns(served):
    for resource, first in (("labelcoverages", "KEY"), ("inventories", "OBJECT")):
        headers = {"X-Remote-User": "a", "Accept": TABLE}
        table = (await served.get(f"{ROOT}/{resource}?{SINCE}&limit=500", headers=headers)).body
        names = [column["name"] for column in table["columnDefinitions"]]
        assert (table["kind"], names[0]) == ("Table", first)
        assert {len(row["cells"]) for row in table["rows"]} == {len(names)}
        assert {row["object"]["metadata"]["namespace"] for row in table["rows"]} == {"team-a", "team-b"}


async def test_a_table_that_is_cut_says_how_many_more_there_are(served):
    headers = {"X-Remote-User": "a", "Accept": TABLE}
    table = (await served.get(f"{ROOT}/inventories?{SINCE}&limit=1", headers=headers)).body
    assert table["metadata"]["remainingItemCount"] == 1
    assert table["rows"][-1]["cells"][0] == "(1 more: aicost inventory --rows 2)"


async def test_items_are_objects_with_names(served):
    coverage = (await served.get(f"{ROOT}/labelcoverages?{SINCE}")).body
    assert coverage["kind"] == "LabelCoverageList"
    rows = {(item["metadata"]["namespace"], item["key"]): item.get("coverage") for item in coverage["items"]}
    assert rows == {
        ("team-a", "all"): "100.0%", ("team-a", "team"): "100.0%", ("team-a", "cost-center"): "100.0%",
        ("team-b", "all"): "0.0%", ("team-b", "team"): "100.0%", ("team-b", "cost-center"): "0.0%",
    }  # fmt: skip
    inventory = (await served.get(f"{ROOT}/namespaces/team-b/inventories?{SINCE}")).body
    (item,) = inventory["items"]
    assert item["metadata"] == {"name": "deployment-search", "namespace": "team-b"}
    assert (item["owner"], item["costNanos"], item["gpus"]) == ("search", 5_000, "1")
    assert "monthlyCost" not in item, "less than a day of cost is known"


async def test_before_the_first_audit_the_objects_are_those_of_the_ledger(served):
    (served.folder / "label-audit.json").unlink()
    (found,) = (await report(served, f"{ROOT}/labelcoverages"))["reports"]
    assert (found["audited_at"], found["would_deny"], found["required_keys"]) == (None, None, ["team"])
    assert "the controller has not looked at them yet" in " ".join(found["not_assessed"])
    rows = (await report(served, f"{ROOT}/inventories"))["rows"]
    assert [(row["object"], row["there"]) for row in rows] == [("Deployment/search", None), ("Deployment/chat", None)]


async def test_the_command_line_knows_its_documents(served):
    check_document(await report(served, f"{ROOT}/labelcoverages"), "LabelCoverageReport")
    check_document(await report(served, f"{ROOT}/inventories"), "InventoryReport")
    with pytest.raises(ValueError, match="not a InventoryReport"):
        check_document({"kind": "Status"}, "InventoryReport")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("since=soon", "since: 'soon' is not understood"),
        ("since=7d&since=8d", "name it once"),
        ("limit=many", "limit"),
        ("by=team", "'by' is no parameter: use since, limit, format"),
        ("labelSelector=a%3Db", "use jq on the answer"),
        ("format=yaml", "'yaml' is no format"),
    ],
)
async def test_a_bad_request_is_a_status_that_names_the_fix(served, query, said):
    for resource in ("labelcoverages", "inventories"):
        answer = await served.get(f"{ROOT}/{resource}?{query}")
        assert (answer.status, answer.body["kind"]) == (400, "Status")
        assert said in answer.body["message"]


async def test_they_cannot_be_watched_and_nothing_hides_behind_a_path(served):
    assert (await served.get(f"{ROOT}/inventories?watch=true")).status == 405
    assert (await served.get(f"{ROOT}/namespaces/team-a/../team-b/inventories?{SINCE}")).status == 404
    assert (await served.get(f"{ROOT}/inventories/chat")).status == 404


async def test_discovery_tells_of_all_resources(served):
    listed = (await served.get(ROOT)).body["resources"]
    assert {(one["name"], one["shortNames"][0]) for one in listed if one["namespaced"]} == {
        ("allocations", "alloc"), ("labelcoverages", "lcov"), ("inventories", "inv"), ("spendseries", "series"),
        ("statements", "stmt"), ("receipts", "rcpt"),
        ("unitcosts", "units"),
        ("outcomes", "outcome"), ("offers", "offer"), ("idles", "idle"),
    }  # fmt: skip
    document = (await served.get(f"/openapi/v3{ROOT}")).body
    assert len(document["paths"]) == 2 * 10 + 4 + 1  # of the cluster, of a namespace; of a team; of nodes
    assert len(document["components"]["schemas"]) == 11
