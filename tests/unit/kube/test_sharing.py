"""Pods that say the same hold it once, and say it as before."""

import msgspec

from aicost.adapters.journal.records import Kind, decode_record, encode_record
from aicost.adapters.kube.lists import pages_of
from aicost.adapters.kube.seen.decode import decode_pod
from aicost.adapters.kube.seen.sharing import shared, shared_mapping
from aicost.adapters.kube.wire.resources import PODS
from aicost.domain.inventory.lifetimes import advance_pod
from support.builders import T0, make_pod
from support.fake_api import server
from support.fake_api.server import FakeApi
from support.fake_api.session import open_client


def seen(name, image="vllm:1", **labels):
    pod = make_pod("team-a", name).gpus(1).on("node-1").label(**labels).runs(image, "serve", "llama").running()
    return decode_pod(msgspec.json.encode(pod.manifest())).facts


def test_replicas_hold_their_labels_containers_and_devices_once():
    first, second = seen("serve-0", app="serve"), seen("serve-1", app="serve")
    for part in ("namespace", "node", "phase", "labels", "annotations", "containers", "devices", "run_ids"):
        assert getattr(first, part) is getattr(second, part), part
    assert first.name != second.name


def test_what_differs_is_told_apart():
    first, second = seen("a", app="a"), seen("b", "vllm:2", app="b")
    assert (first.labels["aicost.dev/app"], second.labels["aicost.dev/app"]) == ("a", "b")
    assert (first.containers[0].image, second.containers[0].image) == ("vllm:1", "vllm:2")


def test_values_of_other_types_and_other_orders_stay_as_they_were_said():
    assert [type(shared(one)) for one in (1, True, 1.0)] == [int, bool, float]
    assert [list(shared_mapping(dict.fromkeys(order, "x"))) for order in ("ab", "ba")] == [["a", "b"], ["b", "a"]]
    assert shared_mapping(None) == {}


def test_more_values_than_are_remembered_are_right_all_the_same():
    mappings = [shared_mapping({"app": f"app-{number}"}) for number in range(10_000)]
    assert [one["app"] for one in mappings] == [f"app-{number}" for number in range(10_000)]


def test_a_record_of_a_pod_holds_the_facts_that_were_seen_and_is_kept_as_before():
    facts = seen("serve-0", app="serve")
    record = advance_pod(None, facts, T0 + 1_000)
    assert record.facts is facts
    assert decode_record(Kind.POD, encode_record(record)) == record


async def test_a_list_leaves_out_who_wrote_which_field():
    async with FakeApi() as api, open_client(api) as client:
        api.put(server.PODS, "p", "a", metadata={"labels": {"app": "x"}, "managedFields": [{"manager": "kubelet"}]})
        (body,) = [body async for page in pages_of(client, PODS) for body in page]
    assert body["metadata"]["labels"] == {"app": "x"}
    assert "managedFields" not in body["metadata"]
