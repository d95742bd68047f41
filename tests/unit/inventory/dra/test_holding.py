"""Claims and slices as drivers write them, and what pods hold and nodes have by them."""

from contextlib import closing
from dataclasses import replace
from fractions import Fraction

import msgspec
import pytest

from aicost.adapters.journal.inventory import InventoryJournal
from aicost.adapters.journal.memory import MemoryInventory
from aicost.adapters.kube.seen.decode import decode_claim, decode_node, decode_slice
from aicost.adapters.kube.seen.values import BadObject
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, Window, to_rfc3339
from aicost.domain.inventory.nodes import OPEN_END_MS
from support import dra
from support.builders import T0, make_pod

A, B = (f"GPU-{letter * 8}-1111-2222-3333-444444444444" for letter in "ab")
HOUR = Window(T0, T0 + HOUR_MS)


def encoded(body, at_ms=T0 - HOUR_MS, **status):
    metadata = {
        "uid": f"uid-{body['metadata']['name']}",
        "creationTimestamp": to_rfc3339(at_ms),
        "resourceVersion": "1",
    }
    return msgspec.json.encode({**body, "metadata": {**metadata, **body["metadata"]}, **status})


class Cluster:
    """An inventory that is told what a watch would tell."""

    def __init__(self, inventory=None):
        self.inventory = inventory or MemoryInventory(0)

    def node(self, name="n", capacity=None, **labels):
        body = {"metadata": {"name": name, "labels": labels}, "status": {"capacity": capacity or {}}}
        self.inventory.node_seen(decode_node(encoded(body)).facts, T0)

    def offers(self, *devices, node="n", **more):
        self.inventory.slice_seen(decode_slice(encoded(dra.resource_slice(node, *devices, **more))).facts)

    def claim(self, name, *results, at_ms=T0, namespace="team"):
        body = dra.claim(namespace, name, {})
        found = decode_claim(encoded(body, at_ms, status=dra.allocated(*results) if results else {}))
        self.inventory.claim_seen(found.facts, at_ms)

    def pod(self, name, *claims, at_ms=T0, **changes):
        facts = make_pod("team", name).created(at_ms).on("n").bound(at_ms).facts()
        return self.inventory.pod_seen(replace(facts, claims=claims, **changes), at_ms, live=True)

    def claimed(self, name):
        (pod,) = [one for one in self.inventory.facts(HOUR).pods if one.facts.name == name]
        return [(one.device, one.share, one.instance, one.assumed) for one in pod.claimed]

    @property
    def shown(self):
        (node,) = self.inventory.facts(HOUR).nodes
        return node


@pytest.fixture
def cluster():
    one = Cluster()
    one.node()
    return one


def test_a_whole_gpu_is_known_by_its_uuid(cluster):
    cluster.offers(dra.gpu(0, A), dra.gpu(1, B))
    cluster.claim("c", dra.result("n", "gpu-1"))
    cluster.pod("p", "c")
    assert cluster.claimed("p") == [(B, 1, "", False)]
    assert (cluster.shown.facts.cards, cluster.shown.facts.gpus) == ((A, B), 2)
    assert cluster.shown.facts.gpu_model == "h100-80gb"


def test_a_mig_instance_is_its_dominant_share_of_its_parent(cluster):
    cluster.offers(dra.mig(0, A, "3g.40gb", 0), dra.mig(0, A, "1g.10gb", 4), dra.gpu(1, B))
    cluster.claim("c", dra.result("n", "gpu-0-mig-3g40gb-0"), dra.result("n", "gpu-0-mig-1g10gb-4"))
    cluster.pod("p", "c")
    name = A.removeprefix("GPU-")
    assert cluster.claimed("p") == [
        (A, Fraction(1, 2), f"MIG-{name}-0", False),
        (A, Fraction(1, 7), f"MIG-{name}-4", False),
    ]
    assert (cluster.shown.facts.cards, cluster.shown.facts.gpus) == ((A, B), 2)


def test_an_instance_that_no_slice_lists_yet_is_told_by_its_name(cluster):
    cluster.claim("c", dra.result("n", "gpu-0-mig-3g40gb-9-0"))
    cluster.pod("p", "c")
    assert cluster.claimed("p") == [("", Fraction(1, 2), "", False)]


def test_what_is_consumed_of_a_capacity_is_the_share_and_the_largest_part_counts(cluster):
    cluster.offers(dra.gpu(0, A, allowMultipleAllocations=True))
    cluster.claim("c", dra.result("n", "gpu-0", shareID="s1", consumedCapacity={"memory": "20Gi"}))
    cluster.claim("d", dra.result("n", "gpu-0", shareID="s2", consumedCapacity={"memory": "500Gi"}))
    cluster.claim("e", dra.result("n", "gpu-0", shareID="s3", consumedCapacity={"shares": "2"}))
    cluster.pod("p", "c", "d", "e")
    assert cluster.claimed("p") == [(A, Fraction(1, 4), "", False), (A, 1, "", False), (A, 1, "", True)]


def test_a_device_that_is_only_watched_is_held_by_nobody(cluster):
    cluster.offers(dra.gpu(0, A))
    cluster.claim("c", dra.result("n", "gpu-0", adminAccess=True))
    cluster.pod("p", "c")
    assert cluster.claimed("p") == [(A, 0, "", False)]


def test_claims_of_networks_are_no_devices(cluster):
    cluster.offers({"name": "eth1"}, driver="dra.net")
    cluster.claim("c", dra.result("n", "eth1", driver="dra.net"))
    cluster.pod("p", "c")
    assert cluster.claimed("p") == []
    assert (cluster.shown.facts.cards, cluster.shown.facts.gpus) == ((), 0)


def test_partitions_of_amd_share_the_address_of_their_card(cluster):
    def part(number, profile="cpx_nps4"):
        attributes = {
            "type": {"string": "amdgpu-partition"},
            "partitionProfile": {"string": profile},
            "resource.kubernetes.io/pciBusID": {"string": "0000:19:00.0"},
            "productName": {"string": "AMD_Instinct_MI300X_OAM"},
        }
        return {"name": f"gpu-0-{number}", "attributes": attributes, "capacity": {"memory": {"value": "24Gi"}}}

    cluster.offers(*(part(number) for number in range(128, 136)), driver="gpu.amd.com")
    cluster.claim("c", dra.result("n", "gpu-0-130", driver="gpu.amd.com"))
    cluster.pod("p", "c")
    assert cluster.claimed("p") == [("n/0000:19:00.0", Fraction(1, 8), "gpu-0-130", False)]
    assert (cluster.shown.facts.gpus, cluster.shown.facts.gpu_model) == (1, "mi300x")


def test_a_number_of_partitions_is_taken_of_the_whole_card(cluster):
    attributes = {
        "type": {"string": "amdgpu-partition"},
        "partitionProfile": {"string": "cpx_nps4"},
        "pciAddr": {"string": "0000:19:00.0"},
    }
    virtual = {"name": "gpu-0-cpx-nps4", "attributes": attributes, "capacity": {"partitions": {"value": "8"}}}
    cluster.offers(virtual, driver="gpu.amd.com")
    consumed = {"consumedCapacity": {"partitions": "2"}}
    cluster.claim("c", dra.result("n", "gpu-0-cpx-nps4", driver="gpu.amd.com", **consumed))
    cluster.pod("p", "c")
    assert cluster.claimed("p") == [("n/0000:19:00.0", Fraction(1, 4), "gpu-0-cpx-nps4", False)]


def test_a_pod_holds_what_its_claim_had_while_it_ran(cluster):
    cluster.offers(dra.gpu(0, A), dra.gpu(1, B))
    cluster.claim("c", dra.result("n", "gpu-0"))
    cluster.pod("first", "c")
    cluster.inventory.pod_gone("uid-team-first", T0 + 20 * MINUTE_MS)
    cluster.claim("c", at_ms=T0 + 20 * MINUTE_MS)
    cluster.claim("c", dra.result("n", "gpu-1"), at_ms=T0 + 30 * MINUTE_MS)
    cluster.pod("second", "c", at_ms=T0 + 30 * MINUTE_MS)
    assert [cluster.claimed(name)[0][0] for name in ("first", "second")] == [A, B]


def test_a_claim_that_went_is_remembered_for_the_pod_that_held_it(cluster):
    cluster.offers(dra.gpu(0, A))
    cluster.claim("c", dra.result("n", "gpu-0"))
    cluster.pod("p", "c")
    cluster.inventory.pod_gone("uid-team-p", T0 + MINUTE_MS)
    cluster.inventory.claim_gone("uid-c", T0 + MINUTE_MS)
    cluster.inventory.slice_gone(f"uid-n-{dra.DRIVER}", T0 + 2 * MINUTE_MS)
    assert cluster.claimed("p") == [(A, 1, "", False)]
    assert cluster.shown.facts.gpus == 1
    assert cluster.inventory.retire(T0 + MINUTE_MS) == 2
    assert cluster.inventory.retire(T0 + 2 * MINUTE_MS) == 1


def test_a_card_that_is_listed_no_more_is_paid_for_and_still_known(cluster):
    cluster.offers(dra.gpu(0, A), dra.gpu(1, B))
    cluster.claim("c", dra.result("n", "gpu-1"))
    cluster.pod("p", "c")
    cluster.offers(dra.gpu(0, A))
    assert cluster.shown.facts.gpus == 2
    assert cluster.claimed("p") == [(B, 1, "", False)]


def test_a_node_is_the_same_object_while_nothing_of_it_changes(cluster):
    cluster.offers(dra.gpu(0, A))
    first = cluster.shown
    assert cluster.shown is first
    cluster.offers(dra.gpu(0, A), dra.gpu(1, B))
    assert cluster.shown.facts.gpus == 2


def test_where_no_plugin_counts_the_kubelets_count_says_nothing_of_lost_cards():
    cluster = Cluster()
    cluster.node(**{"nvidia.com/gpu.count": "2"})
    assert cluster.shown.unhealthy == ((Window(T0 - HOUR_MS, OPEN_END_MS), 2),)
    cluster.offers(dra.gpu(0, A), dra.gpu(1, B))
    assert cluster.shown.unhealthy == ()


def test_where_a_plugin_counts_it_is_believed():
    cluster = Cluster()
    cluster.node(capacity={"nvidia.com/gpu": "8"}, **{"nvidia.com/gpu.count": "8"})
    cluster.offers(*(dra.gpu(number, f"GPU-{number}") for number in range(4)))
    assert (cluster.shown.facts.gpus, cluster.shown.unhealthy[0][1]) == (8, 8)


def test_the_first_beta_keeps_what_a_device_is_one_level_deeper():
    device = dra.gpu(0, A)
    nested = {"name": device["name"], "basic": {"attributes": device["attributes"], "capacity": device["capacity"]}}
    flat, deep = (decode_slice(encoded(dra.resource_slice("n", one))).facts for one in (device, nested))
    assert flat.devices == deep.devices
    assert flat.devices[0].uuid == A


@pytest.mark.parametrize(
    "status",
    [
        {"allocation": None, "reservedFor": None},
        {"allocation": {"devices": None}},
        {"allocation": {"devices": {"results": None}}},
        {"allocation": {"devices": {"results": []}}},
    ],
)
def test_a_claim_without_devices_has_none(status):
    assert decode_claim(encoded(dra.claim("team", "c", {}), status=status)).facts.devices == ()


@pytest.mark.parametrize("amount", ["x", "-1", "1e30", "", None])
def test_an_amount_that_makes_no_sense_is_left_out(cluster, amount):
    cluster.offers({**dra.gpu(0, A), "capacity": {"memory": {"value": amount}}})
    cluster.claim("c", dra.result("n", "gpu-0", consumedCapacity={"memory": "1Gi"}))
    cluster.pod("p", "c")
    assert cluster.claimed("p") == [(A, 1, "", True)]


def test_what_is_no_claim_is_said_to_be_none():
    for body in (b"{}", b"[]", b"x", encoded({"metadata": {"name": ""}, "status": {"allocation": 1}})):
        assert isinstance(decode_claim(body), BadObject)
        assert isinstance(decode_slice(body), BadObject)


def test_a_restart_forgets_no_claim_of_a_pod_that_is_billed(tmp_path):
    path = tmp_path / "inventory.db"
    with closing(InventoryJournal(path, T0)) as journal:
        cluster = Cluster(journal)
        cluster.node()
        cluster.offers(dra.gpu(0, A))
        cluster.claim("c", dra.result("n", "gpu-0", consumedCapacity={"memory": "20Gi"}))
        cluster.pod("p", "c")
        cluster.inventory.claim_gone("uid-c", T0 + MINUTE_MS)
    with closing(InventoryJournal(path, T0)) as journal:
        again = Cluster(journal)
        assert again.claimed("p") == [(A, Fraction(1, 4), "", False)]
        assert again.shown.facts.cards == (A,)
        assert (journal.known_claims(), list(journal.known_slices())) == ({}, [f"uid-n-{dra.DRIVER}"])
