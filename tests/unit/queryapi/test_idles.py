"""Idle money over the query API: in a namespace nothing of others and nothing of what nobody held."""

import json

import pytest

from aicost.domain.sampling.series import PPB, Signal
from aicost.usecases.gpus.assess_idle import AssessIdle
from support.receipts import CLUSTER, WINDOW, Kept, a_node, a_pod, busy, inputs

ROOT = "/apis/query.aicost.dev/v1alpha1"
TABLE = {"X-Remote-User": "a", "Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
GIB = 1 << 30


def loaded(device: str, pod: tuple[str, str]) -> list:
    """A model that is loaded and not asked."""
    memory = busy(device, pod=pod, level=40 * GIB / PPB, signal=Signal.MEMORY_USED)
    return [busy(device, pod=pod, level=0.0), memory]


@pytest.fixture(autouse=True)
def _served(served, tmp_path):
    folder = tmp_path / "ledger"
    folder.mkdir()
    kept = Kept(folder)
    pods = [a_pod("chat-0").label(model="llama").record(), a_pod("rival-0", namespace="team-b").record()]
    series = [*loaded("GPU-1", ("team-a", "chat-0")), *loaded("GPU-2", ("team-b", "rival-0"))]
    kept.post(inputs(pods, [a_node(gpus=3).record()], series))

    async def key():
        return CLUSTER

    served.cluster = key
    served.assessed = lambda of: AssessIdle(of, kept.ledger.snapshot(), kept.inputs)


async def rows(served, path: str) -> list[dict]:
    answer = await served.get(f"{ROOT}/{path}?window={WINDOW}&format=report")
    assert answer.status == 200, answer.body
    return answer.body["rows"]


async def test_who_may_see_all_sees_each_kind_with_its_owner(served):
    found = [(one["kind"], one["owner"], one["pod"]) for one in await rows(served, "idles")]
    assert found == [
        ("idle-resident", "vision", "chat-0"),
        ("idle-resident", "vision", "rival-0"),
        ("unallocated", "platform", None),
    ]


async def test_a_namespace_is_told_of_its_own_alone(served):
    found = await rows(served, "namespaces/team-a/idles")
    assert [(one["pod"], one["model"], one["memory"], one["per_day"]) for one in found] == [
        ("chat-0", "llama", "40.0 GiB", "$59.76")
    ]
    for hidden in ("rival", "team-b", "unallocated"):
        assert hidden not in json.dumps(found)
    assert await rows(served, "namespaces/team-c/idles") == []


async def test_lists_and_tables(served):
    body = (await served.get(f"{ROOT}/idles?window={WINDOW}&limit=1")).body
    assert (body["kind"], body["metadata"]["remainingItemCount"]) == ("IdleList", 2)
    (item,) = body["items"]
    assert item["metadata"] == {"name": "idle-resident-chat-0-1", "namespace": "team-a"}
    assert (item["reason"], item["perDayNanos"]) == ("idle-resident", 24 * item["costNanos"])
    table = (await served.get(f"{ROOT}/idles?window={WINDOW}", headers=TABLE)).body
    assert [row["cells"][0] for row in table["rows"]] == ["idle-resident", "idle-resident", "unallocated"]


async def test_what_makes_no_sense_is_refused(served):
    for query in ("window=never", "limit=-1", "timeZone=Mars", "namespace=team-b", "labelSelector=a=b"):
        answer = await served.get(f"{ROOT}/namespaces/team-a/idles?{query}")
        assert answer.status == 400, (query, answer.body)


async def test_a_time_without_windows_has_no_lines(served):
    answer = await served.get(f"{ROOT}/idles?window=2026-11-24&format=report")
    assert (answer.body["rows"], answer.body["covered_milliseconds"]) == ([], 0)
