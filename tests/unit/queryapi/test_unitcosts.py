"""Unit costs behind the query API: of one namespace nothing of another, and all of it as it is computed on a ledger."""

import json
from dataclasses import replace

import pytest

from aicost.adapters.documents.unit_report import read_back, written
from aicost.domain.exact.windows import Window
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.serving.counted import CountRow, Kind
from aicost.usecases.economics.cost_units import UnitQuestion, cost_counted
from support.ledger_rows import CLUSTER, HOUR_0, make_holder, make_posting, make_row

GROUP = "/apis/query.aicost.dev/v1alpha1"
TABLE = {"X-Remote-User": "a", "Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
DAY = "window=2026-11-25"
MODEL = "llama\x1b[31m"


@pytest.fixture
def counted(served):
    rows = [
        make_row(10**9, holder=make_holder(namespace, f"{name}-0"), device=name)
        for namespace, name in (("team-a", "chat"), ("team-b", "finder"))
    ]
    served.ledger.post(make_posting(*rows))
    counts = [
        CountRow(Kind.ENGINE, count, 1_000_000, part, "vllm", namespace, f"{name}-0", model=MODEL)
        for namespace, name in (("team-a", "chat"), ("team-b", "finder"))
        for count, part in (("output-tokens", ""), ("requests", "success"))
    ]
    told = CountRow(Kind.GATEWAY, "output-tokens", 500_000, source="litellm", model=MODEL, customer="acme")
    served.counts.keep(CLUSTER, HOUR_0, 0, [*counts, told])
    return served


async def test_a_namespace_sees_its_own_and_nothing_of_another(counted):
    body = (await counted.get(f"{GROUP}/namespaces/team-a/unitcosts?{DAY}")).body
    (item,) = body["items"]
    assert (body["kind"], item["metadata"]["namespace"]) == ("UnitCostList", "team-a")
    assert (item["outPerMillion"], item["perRequest"], item["discovered"]) == ("$1.00", "$0.00000100", True)
    for asked in ("filter=namespace=team-b", "by=namespace", "by=namespace,pod"):
        answer = await counted.get(f"{GROUP}/namespaces/team-a/unitcosts?{DAY}&{asked}&format=report")
        assert "team-b" not in json.dumps(answer.body)
        assert "finder" not in json.dumps(answer.body)


@pytest.mark.parametrize("asked", ["tenants=customer", "rounds=true"])
async def test_who_asked_is_not_told_to_one_namespace(counted, asked):
    answer = await counted.get(f"{GROUP}/namespaces/team-a/unitcosts?{DAY}&{asked}")
    assert (answer.status, "acme" in json.dumps(answer.body)) == (400, False)
    assert "across all namespaces alone" in answer.body["message"]
    whole = await counted.get(f"{GROUP}/unitcosts?{DAY}&{asked}&format=report")
    assert whole.status == 200
    assert ("acme" in json.dumps(whole.body)) is (asked == "tenants=customer")


async def test_the_document_is_the_report_of_the_ledger_exactly(counted):
    body = (await counted.get(f"{GROUP}/unitcosts?{DAY}&by=team,namespace&tenants=customer&format=report")).body
    question = UnitQuestion(("team", "namespace"), {}, Dimension.CUSTOMER)
    span = Window(HOUR_0.start_ms - 10 * 3_600_000, HOUR_0.start_ms + 14 * 3_600_000)
    direct = cost_counted(counted.ledger.snapshot(), counted.counts, span, question, cluster=CLUSTER)
    assert direct.lines
    assert read_back(body["report"]) == direct
    assert read_back(json.loads(json.dumps(written(direct)))) == direct


async def test_success_is_the_word_that_an_aiworkload_declares_and_no_other_namespace_shows(served):
    rows = [
        make_row(10**9, holder=replace(make_holder(namespace, "chat-0"), workload="chat"), device=namespace)
        for namespace in ("team-a", "team-b")
    ]
    served.ledger.post(make_posting(*rows))
    counts = [
        CountRow(Kind.ENGINE, count, number, part, "vllm", namespace, "chat-0", model="m")
        for namespace, number in (("team-a", 3_000), ("team-b", 1_000))
        for count, part in (("output-tokens", ""), ("requests", "success"))
    ]
    counts += [
        CountRow(Kind.GATEWAY, "answers", number, status, "litellm", model="m")
        for status, number in (("200", 3_000), ("503", 1_000))
    ]
    counts += [
        CountRow(Kind.WORKLOAD, "success-by", 1, word, "gateway", namespace, workload="chat")
        for namespace in ("team-a", "team-b")
        for word in ("end:stop", "status:2xx")
    ]
    served.counts.keep(CLUSTER, HOUR_0, 0, counts)
    (item,) = (await served.get(f"{GROUP}/namespaces/team-a/unitcosts?{DAY}")).body["items"]
    assert (item["successBy"], item["waste"], item["perSuccess"]) == ("gateway", "25.0%", "$0.000444")
    told = (await served.get(f"{GROUP}/namespaces/team-a/unitcosts?{DAY}&format=report")).body
    (line,) = read_back(told["report"]).lines
    assert {one.verdict.reason: one.verdict.requests for one in line.word.outcomes.lines} == {"200": 2_250, "503": 750}
    both = (await served.get(f"{GROUP}/unitcosts?{DAY}")).body["items"]
    assert {one["waste"] for one in both} == {"25.0%"}


async def test_a_table_is_what_kubectl_prints(counted):
    body = (await counted.get(f"{GROUP}/unitcosts?{DAY}", headers=TABLE)).body
    assert [one["name"] for one in body["columnDefinitions"] if not one["priority"]] == [
        "GROUP", "SERVES", "COST", "IN/M", "CACHED/M", "OUT/M", "PER-REQUEST", "PER-SUCCESS", "WASTE", "IDLE",
    ]  # fmt: skip
    assert body["rows"][0]["cells"][0] == "team-a/Deployment/chat"
    assert body["rows"][0]["cells"][5] == "$1.00"


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ("by=tem", "tem"),
        ("window=never", "never"),
        ("tenants=model", "model"),
        ("tenants=x", "x"),
        ("colour=red", "colour"),
    ],
)
async def test_a_wrong_question_is_answered_with_what_to_write(counted, asked, named):
    answer = await counted.get(f"{GROUP}/unitcosts?{asked}")
    assert answer.status == 400
    assert named in answer.body["message"]


async def test_where_nothing_was_counted_the_list_is_empty(served):
    body = (await served.get(f"{GROUP}/unitcosts?{DAY}")).body
    assert (body["items"], body["restsOn"]) == ([], None)


@pytest.mark.parametrize("answer", [{}, {"span": 1}, {"span": {"start_ms": 0, "end_ms": 1}, "lines": [3]}, None])
def test_what_is_no_report_is_said_to_be_none(answer):
    with pytest.raises(ValueError, match="no report of unit costs"):
        read_back(answer)
