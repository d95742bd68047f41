"""Receipts over the query API: the own figure in full, and of others on the same device neither name nor figure."""

import json
from dataclasses import dataclass
from fractions import Fraction

import pytest

from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.receipts.receipt import Receipt
from aicost.ports.errors import InputsDamaged
from aicost.ports.ledger import LedgerReader
from aicost.usecases.receipts.explain_cost import ExplainCost
from support.builders import T0
from support.receipts import CLUSTER, WINDOW, Kept, a_node, a_pod, busy, hours, inputs, replay_here

ROOT = "/apis/query.aicost.dev/v1alpha1"
MINE = f"{ROOT}/namespaces/team-a/receipts"
TABLE = {"X-Remote-User": "a", "Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
OTHERS = ("team-b", "rival", "team-c", "quiet")


@dataclass(frozen=True)
class Explained:
    reader: LedgerReader
    kept: Kept

    def explain(self, cluster, subject, span, detail) -> Receipt:
        return ExplainCost(cluster, self.reader, self.kept.inputs, replay_here)(subject, span, detail)


@pytest.fixture
def kept(tmp_path):
    folder = tmp_path / "ledger"
    folder.mkdir()
    return Kept(folder)


def shared(window: Window = WINDOW):
    """A device that three pods of three namespaces hold by time-slicing."""
    node = a_node(gpus=1).label("nvidia.com/gpu.replicas", "4").label("nvidia.com/gpu.sharing-strategy", "time-slicing")
    rival = a_pod("rival-0", namespace="team-b").label(team="search")
    pods = [a_pod().record(), rival.record(), a_pod("quiet-0", namespace="team-c").record()]
    holders = (("team-a", "train-0"), ("team-b", "rival-0"), ("team-c", "quiet-0"))
    series = busy("GPU-1", pod=None, holders=holders, window=window)
    return inputs(pods, [node.allocatable(4).record()], [series], window=window)


@pytest.fixture(autouse=True)
def _served(served, kept):
    async def key():
        return CLUSTER

    served.cluster = key
    kept.post(shared())
    served.explained = lambda: Explained(kept.ledger.snapshot(), kept)


async def document(served, path):
    answer = await served.get(f"{path}&window={WINDOW}&format=report")
    assert answer.status == 200, answer.body
    return answer.body


@pytest.fixture(autouse=True)
def _later(monkeypatch):
    monkeypatch.setattr("support.queryapi.hour", lambda _: Window(T0 + 100 * HOUR_MS, T0 + 101 * HOUR_MS))


async def test_who_may_see_all_sees_everybody_on_the_device(served):
    whole = await document(served, f"{ROOT}/receipts?pod=team-a/train-0")
    assert whole["replayed"] == "equal"
    (device,) = whole["windows"][0]["detail"]["devices"]
    assert {"team-a/train-0", "team-b/rival-0", "team-c/quiet-0"} <= {one["holder"] for one in device["divisions"]}


@pytest.mark.parametrize("asked", ["pod=train-0", "pod=team-a/train-0", "workload=train", "workload=Deployment/train"])
async def test_a_namespace_sees_its_own_figure_and_of_others_one_sum_without_a_name(served, asked):
    mine = await document(served, f"{MINE}?{asked}")
    assert mine["replayed"] == "equal"
    assert {row["pod"] for row in mine["windows"][0]["rows"]} == {"train-0"}
    assert not any(name in json.dumps(mine) for name in OTHERS)
    (device,) = mine["windows"][0]["detail"]["devices"]
    assert {one["holder"] for one in device["divisions"]} == {"team-a/train-0", "others"}
    assert sum(one["cost_nanos"] for one in device["divisions"]) == device["cost_nanos"]
    assert sum(one["weight"] for one in device["divisions"]) == device["weight_sum"]


async def test_how_busy_others_kept_a_shared_device_is_not_told(served):
    mine = await document(served, f"{MINE}?pod=train-0")
    for stretch in mine["windows"][0]["detail"]["devices"][0]["stretches"]:
        assert (stretch["hidden"], stretch["busy_ppb_ms"], stretch["parts_ppb_ms"]) == (True, 0, {})
        assert {one["holder"] for one in stretch["holders"]} == {"team-a/train-0", "others"}
        assert [Fraction(one["share"]) for one in stretch["holders"]] == [1, 2]


async def test_a_device_of_ones_own_is_told_in_full(served, kept):
    kept.post(inputs(window=hours(1)))
    answer = await served.get(f"{MINE}?pod=train-0&window={hours(1)}&format=report")
    (device,) = answer.body["windows"][0]["detail"]["devices"]
    assert all("hidden" not in stretch for stretch in device["stretches"])
    assert {one["bucket"] for one in device["divisions"]} == {"used", "allocated-idle"}


async def test_a_difference_of_others_on_the_node_is_not_told(served, kept):
    kept.alter(lambda given: given.__class__(**{**_fields(given), "books": ()}))
    mine = await document(served, f"{MINE}?pod=train-0")
    assert mine["replayed"] == "differs"
    assert mine["windows"][0]["differences"]
    assert not any(name in json.dumps(mine) for name in OTHERS)


def _fields(given):
    return {name: getattr(given, name) for name in given.__dataclass_fields__}


async def test_a_team_sees_what_it_owes_and_no_other_pod(served):
    team = f"{ROOT}/teams/vision/receipts"
    mine = await document(served, f"{team}?pod=team-a/train-0")
    assert mine["replayed"] == "equal"
    assert not any(name in json.dumps(mine) for name in OTHERS)


@pytest.mark.parametrize("asked", ["pod=team-b/rival-0", "pod=team-b/nobody", "pod=nowhere/x", "workload=team-a/x"])
async def test_what_another_team_owes_looks_as_what_is_not_there(served, asked):
    answer = await served.get(f"{ROOT}/teams/vision/receipts?{asked}&window={WINDOW}")
    assert answer.status == 400
    assert "that team vision owes" in answer.body["message"]
    name = asked.partition("=")[2].partition("/")[2]
    assert answer.body["message"].replace(name, "").count("rival") == 0
    assert "train" not in answer.body["message"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("pod=team-b/rival-0", "the path is about namespace team-a"),
        ("workload=team-b/rival", "the path is about namespace team-a"),
        ("node=gpu-1", "takes the right to see all namespaces"),
        ("device=GPU-1", "takes the right to see all namespaces"),
        ("", "nothing is named"),
        ("pod=a&workload=b", "2 things are named"),
        ("pod=nobody", "It has team-a/train-0"),
        (f"pod={'x' * 600}", "characters are no name"),
        ("pod=train-0&detail=soon", "detail:"),
        ("pod=train-0&namespace=team-b", "is no parameter"),
    ],
)
async def test_nothing_that_is_asked_leads_out_of_the_namespace(served, asked, said):
    answer = await served.get(f"{MINE}?window={WINDOW}&{asked}")
    assert answer.status == 400
    assert said in answer.body["message"]
    told = answer.body["message"].replace("team-b/rival-0", "").replace("team-b/rival", "")
    assert not any(name in told for name in OTHERS)


async def test_more_windows_than_can_be_computed_again_in_time_are_refused(served, kept):
    for number in range(1, 49):
        kept.post(inputs(window=hours(number)))
    answer = await served.get(f"{MINE}?pod=train-0&window={Window(WINDOW.start_ms, hours(48).end_ms)}")
    assert answer.status == 400
    assert "49 billing windows" in answer.body["message"]


async def test_kubectl_gets_a_table_and_a_list(served):
    table = (await served.get(f"{MINE}?pod=train-0&window={WINDOW}", headers=TABLE)).body
    assert [column["name"] for column in table["columnDefinitions"]][:4] == ["WINDOW", "COST", "REVISION", "REPLAYED"]
    (row,) = table["rows"]
    assert row["cells"][2:4] == ["0", "equal"]
    listed = (await served.get(f"{MINE}?pod=train-0&window={WINDOW}")).body
    assert (listed["kind"], listed["replayed"], len(listed["items"])) == ("ReceiptList", "equal", 1)


class Damaged(Explained):
    def explain(self, *_) -> Receipt:
        raise InputsDamaged("part team-b/rival-0 of /var/lib/aicost/inputs is not what it was")


async def test_what_is_broken_is_told_in_full_to_those_who_may_see_all(served, kept, caplog):
    served.explained = lambda: Damaged(kept.ledger.snapshot(), kept)
    whole = await served.get(f"{ROOT}/receipts?pod=team-a/train-0&window={WINDOW}")
    mine = await served.get(f"{MINE}?pod=train-0&window={WINDOW}")
    assert "rival-0" in whole.body["message"]
    assert (whole.status, mine.status) == (500, 500)
    assert "rival" not in mine.body["message"]
    assert "/var/lib" not in mine.body["message"]
    assert "receipt failed" in caplog.text


async def test_the_windows_of_a_receipt_come_in_pages_and_are_computed_once(served, kept):
    for count in (1, 2):
        kept.post(shared(hours(count)))
    asked = []

    def counted():
        asked.append(1)
        return Explained(kept.ledger.snapshot(), kept)

    served.explained = counted
    path = f"{MINE}?pod=train-0&window={Window(WINDOW.start_ms, WINDOW.start_ms + 3 * HOUR_MS)}"
    first = (await served.get(f"{path}&limit=2")).body
    second = (await served.get(f"{path}&limit=2&continue={first['metadata']['continue']}")).body
    assert [len(first["items"]), len(second["items"])] == [2, 1]
    assert "continue" not in second["metadata"]
    assert len(asked) == 1
