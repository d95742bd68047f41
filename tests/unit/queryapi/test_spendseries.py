"""Cost over time behind the API server: whose it is, in which form, and how much of it."""

import pytest

from aicost.domain.budgets.simulation.columns import read_columns
from aicost.domain.budgets.simulation.history import KEYS
from aicost.domain.exact.windows import Window
from aicost.domain.ledger.rows import Bucket
from aicost.entrypoints.queryapi.series import listing
from aicost.usecases.budgets import simulate as reading
from support.ledger_rows import HOUR_0, hour, make_holder, make_posting, make_row

ROOT = "/apis/query.aicost.dev/v1alpha1"
MINE = f"{ROOT}/namespaces/team-a/spendseries"
ALL = f"{ROOT}/spendseries"
SPAN = Window(HOUR_0.start_ms, hour(3).end_ms)
WINDOW = f"window={SPAN}"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


@pytest.fixture(autouse=True)
def _filled(served):
    """Three hours and a hole: chat runs in all of them, search in the last one."""
    chat, search = make_holder("team-a", "chat-0", team="vision"), make_holder("team-b", "search-0", team="search")
    for offset in (0, 1, 3):
        rows = [make_row(1_000 + offset, window=hour(offset), holder=chat)]
        rows += [make_row(5_000, window=hour(offset), holder=search)] if offset == 3 else []
        rows += [make_row(700, window=hour(offset), bucket=Bucket.UNALLOCATED)]
        served.ledger.post(make_posting(*rows, window=hour(offset)))
    foreign = make_row(90_000, cluster="elsewhere", holder=chat)
    served.ledger.post(make_posting(foreign, cluster="elsewhere"))


async def report(served, path):
    answer = await served.get(f"{path}{'&' if '?' in path else '?'}format=report")
    assert answer.status == 200, answer.body
    return answer.body


async def test_a_group_has_its_cost_window_by_window(served):
    answer = await served.get(f"{MINE}?{WINDOW}")
    assert answer.body["kind"] == "SpendSeriesList"
    (item,) = answer.body["items"]
    assert item["keys"] == {"controller": "Deployment/chat", "namespace": "team-a"}
    assert (item["costNanos"], item["windows"], item["held"], item["currency"]) == (3_004, 3, True, "USD")
    assert list(item["costByWindow"].values()) == [1_000, 1_001, 1_003]
    assert item["gpuMilliseconds"] == 3 * 600_000
    assert item["metadata"] == {"name": "deployment-chat-team-a", "namespace": "team-a"}


async def test_the_whole_cluster_is_this_cluster_with_what_nobody_held(served):
    answer = await served.get(f"{ALL}?{WINDOW}")
    costs = {(item["keys"]["controller"], item["held"]): item["costNanos"] for item in answer.body["items"]}
    assert costs == {("Deployment/search", True): 5_000, ("Deployment/chat", True): 3_004, ("", False): 2_100}


@pytest.mark.parametrize(
    "trick",
    [
        "",
        "filter=namespace=team-b",
        "filter=namespace=team-a,team-b&by=namespace,cluster",
        "filter=cluster=elsewhere",
        "filter=team=search&by=team",
        "by=node,pod",
        "format=report&by=namespace",
        "format=report&filter=namespace=team-b",
    ],
)
async def test_whatever_is_asked_a_namespace_shows_its_own_series_alone(served, trick):
    answer = await served.get(f"{MINE}?{WINDOW}&{trick}")
    assert answer.status == 200
    for stranger in ("team-b", "search", "elsewhere", "5000", "90000"):
        assert stranger not in str(answer.body).replace("{'team': ['search']", "")


async def test_the_document_in_columns_is_what_the_ledger_has(served):
    body = await report(served, f"{ALL}?{WINDOW}&by={','.join(KEYS)}")
    assert (body["apiVersion"], body["kind"]) == ("query.aicost.dev/v1alpha1", "SpendSeriesReport")
    record = read_columns(body)
    assert record.covered == SPAN
    assert record.starts_ms.tolist() == [hour(offset).start_ms for offset in (0, 1, 3)]
    assert int(record.cost.sum()) == 3_004 + 5_000 + 2_100
    chat = [values[1] for values in record.groups.values].index("Deployment/chat")
    assert record.cost[record.group_of == chat].tolist() == [1_000, 1_001, 1_003]


async def test_a_filter_keeps_others_out_and_its_key_is_told_apart(served):
    body = await report(served, f"{ALL}?{WINDOW}&by=controller&filter=team=search")
    assert body["group_by"] == ["controller", "team"]
    assert [group["values"] for group in body["groups"]] == [["Deployment/search", "search"]]
    assert body["entries"]["cost_nanos"] == [5_000]


async def test_kubectl_gets_a_table_with_a_picture_of_the_time(served):
    headers = {"X-Remote-User": "a", "Accept": TABLE}
    table = (await served.get(f"{ALL}?{WINDOW}&limit=500", headers=headers)).body
    names = [column["name"] for column in table["columnDefinitions"]]
    assert names == ["CONTROLLER", "COST", "GPU-HOURS", "WINDOWS", "TREND"]
    assert {len(row["cells"]) for row in table["rows"]} == {len(names)}
    search, chat, nobody = (row["cells"] for row in table["rows"])
    assert (search[0], chat[0], nobody[0]) == ("Deployment/search", "Deployment/chat", "(nobody)")
    assert search[-1] == "···█"
    assert chat[-1] == "██·█"


async def test_a_table_that_is_cut_says_how_many_more_there_are(served):
    headers = {"X-Remote-User": "a", "Accept": TABLE}
    table = (await served.get(f"{ALL}?{WINDOW}&limit=1", headers=headers)).body
    assert table["metadata"]["remainingItemCount"] == 2
    assert table["rows"][-1]["cells"][0].startswith("(2 more")
    assert {len(row["cells"]) for row in table["rows"]} == {len(table["columnDefinitions"])}


async def test_too_much_is_refused_with_what_would_be_less(served, monkeypatch):
    monkeypatch.setattr(reading, "MOST_ENTRIES", 3)
    answer = await served.get(f"{ALL}?{WINDOW}&format=report")
    assert (answer.status, answer.body["reason"]) == (400, "BadRequest")
    assert "more than 3 groups times windows have a cost" in answer.body["message"]
    assert "ask for a shorter time, by fewer keys, or filter" in answer.body["message"]
    assert (await served.get(f"{MINE}?{WINDOW}&format=report")).status == 200, "the own namespace is not too much"


async def test_a_list_of_objects_takes_less_and_says_what_takes_more(served, monkeypatch):
    monkeypatch.setattr(listing, "MOST_LISTED", 2)
    answer = await served.get(f"{ALL}?{WINDOW}")
    assert answer.status == 400
    assert "or with format=report" in answer.body["message"]
    assert (await served.get(f"{ALL}?{WINDOW}&format=report")).status == 200
    assert (await served.get(f"{ALL}?{WINDOW}&limit=1")).status == 200


async def test_a_time_of_which_nothing_is_known_is_empty_and_says_so(served):
    body = await report(served, f"{MINE}?window=2020-01")
    assert (body["covered"], body["groups"], body["entries"]["cost_nanos"]) == (None, [], [])
    headers = {"X-Remote-User": "a", "Accept": TABLE}
    assert (await served.get(f"{MINE}?window=2020-01", headers=headers)).body["rows"] == []


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("window=soon", "window: 'soon' is not understood"),
        ("window=2999-01", "lies in the future"),
        ("window=2020-01/2026-01", "'2020-01', which is no moment"),
        ("window=2020-01-01/2026-01-01", "is longer than 400 days"),
        ("by=tema", "did you mean 'team'"),
        ("filter=team", "write key=value"),
        ("filter=tema=x", "did you mean 'team'"),
        ("limit=many", "limit"),
        ("idle=even", "'idle' is no parameter: use window, by, filter, timeZone, limit, format"),
        ("format=yaml", "'yaml' is no format"),
        ("labelSelector=a%3Db", "use filter=KEY=VALUE"),
        ("timeZone=Mars", "is no time zone"),
    ],
)
async def test_a_bad_request_is_a_status_that_names_the_fix(served, query, said):
    answer = await served.get(f"{ALL}?{query}")
    assert (answer.status, answer.body["kind"]) == (400, "Status")
    assert said in answer.body["message"]


async def test_it_cannot_be_watched_and_nothing_hides_behind_a_path(served):
    assert (await served.get(f"{ALL}?watch=true")).status == 405
    assert (await served.get(f"{ROOT}/namespaces/team-a/../team-b/spendseries?{WINDOW}")).status == 404
    assert (await served.get(f"{ALL}/chat")).status == 404


async def test_discovery_tells_of_it_and_explains_its_bound(served):
    listed = {one["name"]: one for one in (await served.get(ROOT)).body["resources"]}
    assert listed["spendseries"]["verbs"] == ["list"]
    assert listed["spendseries"]["shortNames"] == ["series"]
    document = (await served.get(f"/openapi/v3{ROOT}")).body
    schema = document["components"]["schemas"]["dev.aicost.query.v1alpha1.SpendSeries"]
    assert "at most 100,000 groups times windows" in schema["description"]
    assert schema["properties"]["costByWindow"]["additionalProperties"] == {"type": "integer", "format": "int64"}
