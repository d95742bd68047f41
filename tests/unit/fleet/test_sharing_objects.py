"""Nodes, pods and claims of shared GPUs, as each device plugin and scheduler writes them."""

from fractions import Fraction

import pytest

from fleet import kubernetes
from fleet.activity import IDLE
from fleet.builders import gpu_uuid, pod
from fleet.faults import Fault, FaultKind
from fleet.models import H100
from fleet.script import Fleet
from fleet.sharing.builders import DRA, KAI, SINGLE, VIRTUAL, claimed, cut, fraction, host, mixed, sliced, slots, tenant
from fleet.sharing.claims import claim_lives, slice_object
from fleet.sharing.terms import Part, Plugin

NOW = 60_000


def node_of(where, at_ms=NOW):
    found = kubernetes.node_object(where, at_ms)
    offered = {name: count for name, count in found["status"]["capacity"].items() if "/" in name}
    return offered, found["metadata"]["labels"], found["metadata"]["annotations"]


def pod_of(where, part, gpu=0, at_ms=NOW, **more):
    fleet = Fleet((where,), (tenant("p", where, gpu, part, IDLE, **more),))
    return kubernetes.pod_object(fleet, fleet.pods[0], at_ms)


def limits(found):
    return found["spec"]["containers"][0]["resources"].get("limits")


@pytest.mark.parametrize(
    ("renamed", "resource", "product"),
    [
        (False, "nvidia.com/gpu", "NVIDIA-H100-80GB-HBM3-SHARED"),
        (True, "nvidia.com/gpu.shared", "NVIDIA-H100-80GB-HBM3"),
    ],
)
def test_replicas_are_offered_under_one_name_or_another(renamed, resource, product):
    where = host("n", sliced(4, renamed=renamed), 2)
    offered, labels, _ = node_of(where)
    assert offered == {resource: "8"}
    assert labels["nvidia.com/gpu.product"] == product
    assert (labels["nvidia.com/gpu.replicas"], labels["nvidia.com/gpu.sharing-strategy"]) == ("4", "time-slicing")
    assert limits(pod_of(where, slots(3))) == {resource: "3"}


def test_mps_says_so():
    _, labels, _ = node_of(host("n", sliced(4, plugin=Plugin.MPS)))
    assert (labels["nvidia.com/gpu.sharing-strategy"], labels["nvidia.com/mps.capable"]) == ("mps", "true")


def test_mixed_instances_have_names_of_their_own_beside_whole_gpus():
    where = cut(host("n", mixed(), 2, model=H100), 0, "4g.40gb", "1g.10gb", "1g.10gb")
    offered, labels, _ = node_of(where)
    assert offered == {"nvidia.com/mig-4g.40gb": "1", "nvidia.com/mig-1g.10gb": "2", "nvidia.com/gpu": "1"}
    assert (labels["nvidia.com/gpu.count"], labels["nvidia.com/mig.strategy"]) == ("2", "mixed")
    assert limits(pod_of(where, Part(instance=2))) == {"nvidia.com/mig-1g.10gb": "1"}


def test_single_instances_look_like_small_gpus():
    where = cut(host("n", SINGLE, model=H100), 0, *["1g.10gb"] * 7)
    offered, labels, _ = node_of(where)
    assert offered == {"nvidia.com/gpu": "7"}
    assert (labels["nvidia.com/gpu.product"], labels["nvidia.com/gpu.count"]) == (
        "NVIDIA-H100-80GB-HBM3-MIG-1g.10gb",
        "7",
    )
    assert labels["nvidia.com/gpu.memory"] == "9984"
    assert limits(pod_of(where, Part(instance=2))) == {"nvidia.com/gpu": "1"}


def test_a_gpu_that_is_cut_anew_or_lost_changes_its_node():
    lost = Fault(FaultKind.LOST, 2 * NOW, 3 * NOW, uuids=(gpu_uuid("n", 0),))
    where = cut(cut(host("n", mixed(), 2, model=H100, faults=(lost,)), 0, "7g.80gb"), 0, from_ms=NOW)
    assert kubernetes.node_changes(where) == [0, NOW, 2 * NOW, 3 * NOW]
    assert node_of(where, NOW - 1)[0] == {"nvidia.com/mig-7g.80gb": "1", "nvidia.com/gpu": "1"}
    assert node_of(where)[0] == {"nvidia.com/gpu": "2"}
    assert kubernetes.node_object(where, 2 * NOW)["status"]["allocatable"]["nvidia.com/gpu"] == "1"


def test_hami_writes_the_cards_on_the_node_and_the_choice_on_the_pod():
    where = host("n", VIRTUAL[Plugin.HAMI], 2)
    offered, _, written = node_of(where)
    assert offered == {"nvidia.com/gpu": "20"}
    assert written["hami.io/node-nvidia-register"].split(":")[0] == (
        f"{gpu_uuid('n', 0)},10,81559,100,NVIDIA-NVIDIA H100 80GB HBM3,0,true"
    )
    found = pod_of(where, fraction(Fraction(1, 4), 10_000), (0, 1))
    assert limits(found) == {"nvidia.com/gpu": "2", "nvidia.com/gpumem": "20000", "nvidia.com/gpucores": "50"}
    assert found["metadata"]["annotations"]["hami.io/vgpu-devices-allocated"] == (
        f"{gpu_uuid('n', 0)},NVIDIA,10000,25:{gpu_uuid('n', 1)},NVIDIA,10000,25:;"
    )


def test_volcano_does_so_under_its_own_names():
    where = host("n", VIRTUAL[Plugin.VOLCANO])
    offered, _, written = node_of(where)
    assert offered == {
        "volcano.sh/vgpu-number": "10",
        "volcano.sh/vgpu-memory": "81559",
        "volcano.sh/vgpu-cores": "100",
    }
    assert written["volcano.sh/node-vgpu-register"].startswith(gpu_uuid("n", 0))
    found = pod_of(where, fraction(Fraction(1, 2), 10_000))
    assert limits(found)["volcano.sh/vgpu-number"] == "1"
    assert found["metadata"]["annotations"]["volcano.sh/vgpu-ids-new"] == f"{gpu_uuid('n', 0)},NVIDIA,10000,50:;"


def test_what_a_scheduler_chose_is_not_there_before_it_chose():
    where = host("n", VIRTUAL[Plugin.HAMI])
    waits = pod_of(where, fraction(Fraction(1, 4), 10_000), at_ms=10, created_ms=5, bound_ms=20)
    assert "annotations" not in waits["metadata"]


def test_kai_groups_pods_behind_a_reservation():
    where = host("n", KAI)
    members = (
        tenant("a", where, 0, fraction(Fraction(1, 4)), IDLE, finished_ms=NOW),
        tenant("b", where, 0, fraction(Fraction(0), 20_000), IDLE, bound_ms=NOW // 2, deleted_ms=2 * NOW),
        tenant("c", where, 0, fraction(Fraction(1, 2)), IDLE, bound_ms=3 * NOW),
    )
    fleet = Fleet((where,), members)
    first, second = (kubernetes.pod_object(fleet, one, NOW // 2) for one in members[:2])
    assert first["metadata"]["annotations"] == {"gpu-fraction": "0.25", "received-resource-type": "Fraction"}
    assert second["metadata"]["annotations"]["gpu-memory"] == "20000"
    assert limits(first) is None
    assert first["metadata"]["labels"] == second["metadata"]["labels"] == {"runai-gpu-group": "n-gpu-0"}
    held = kubernetes.every_pod(fleet)[3:]
    assert [one.holding for one in held] == [(0, 2 * NOW), (3 * NOW, 1 << 62)]
    reservation = kubernetes.pod_object(fleet, held[0], NOW)
    assert reservation["metadata"]["namespace"] == "kai-resource-reservation"
    assert reservation["metadata"]["annotations"] == {"run.ai/reserve_for_gpu_index": gpu_uuid("n", 0)}
    assert reservation["metadata"]["labels"]["runai-gpu-group"] == "n-gpu-0"
    assert limits(reservation) == {"nvidia.com/gpu": "1"}


def test_a_fraction_that_needs_more_than_six_decimals_is_refused():
    with pytest.raises(ValueError, match="1/3 cannot be written"):
        pod_of(host("n", KAI), fraction(Fraction(1, 3)))


def test_a_claim_lives_with_its_pods_and_says_who_uses_it():
    where = host("n", DRA, 2)
    shared = claimed("both", template=False)
    pods = (
        tenant("a", where, 0, shared, IDLE, created_ms=1_000, bound_ms=5_000, finished_ms=NOW),
        tenant("b", where, 0, shared, IDLE, bound_ms=NOW // 2),
    )
    fleet = Fleet((where,), pods)
    (life,) = claim_lives(fleet)
    assert life.object(999) is None
    assert life.object(1_000)["status"] == {}
    users = [[one["name"] for one in life.object(at_ms)["status"]["reservedFor"]] for at_ms in (5_000, NOW - 1, NOW)]
    assert users == [["a"], ["a", "b"], ["b"]]
    given = life.object(NOW)["status"]["allocation"]["devices"]["results"]
    assert given == [{"driver": "gpu.nvidia.com", "pool": "n", "device": "gpu-0", "request": "gpu"}]
    events = kubernetes.claim_events(fleet, 0, 2 * NOW)
    assert [(event.at_ms, event.type) for event in events] == [
        (1_000, "ADDED"),
        (5_000, "MODIFIED"),
        (NOW // 2, "MODIFIED"),
        (NOW, "MODIFIED"),
    ]


def test_a_claim_from_a_template_goes_with_its_pod():
    where = host("n", DRA)
    fleet = Fleet((where,), (tenant("a", where, 0, claimed("own"), IDLE, deleted_ms=NOW),))
    assert [event.type for event in kubernetes.claim_events(fleet, 0, 2 * NOW)] == ["ADDED", "DELETED"]


def test_claims_say_what_they_consume_and_whether_they_only_watch():
    where = host("n", DRA)
    pods = (
        tenant("a", where, 0, claimed("part", consumed=Fraction(3, 10)), IDLE),
        tenant("b", where, 0, claimed("watch", admin=True), IDLE),
    )
    part, watch = (
        one.object(NOW)["status"]["allocation"]["devices"]["results"][0] for one in claim_lives(Fleet((where,), pods))
    )
    assert part["consumedCapacity"] == {"shares": "30"}
    assert watch["adminAccess"] is True


def test_a_pod_names_its_claim_or_asks_plainly_and_its_status_says_which_claim_serves_it():
    where = host("n", DRA)
    named = pod_of(where, claimed("own"))
    assert named["spec"]["resourceClaims"] == [{"name": "own", "resourceClaimTemplateName": "gpu"}]
    assert named["spec"]["containers"][0]["resources"] == {"claims": [{"name": "own"}]}
    assert named["status"]["resourceClaimStatuses"] == [{"name": "own", "resourceClaimName": "own"}]
    plain = pod_of(where, claimed("made", extended=True))
    assert limits(plain) == {"nvidia.com/gpu": "1"}
    assert "resourceClaims" not in plain["spec"]
    assert plain["status"]["extendedResourceClaimStatus"]["resourceClaimName"] == "made"


def test_slices_list_gpus_or_what_they_are_cut_into():
    where = cut(host("n", DRA, 2, model=H100), 1, "3g.40gb", from_ms=NOW)
    before, after = ([one["name"] for one in slice_object(where, at)["spec"]["devices"]] for at in (0, NOW))
    assert before == ["gpu-0", "gpu-1"]
    assert after == ["gpu-0", "gpu-1-mig-3g40gb-1-0"]
    instance = slice_object(where, NOW)["spec"]["devices"][1]["attributes"]
    assert instance["parentUUID"] == {"string": gpu_uuid("n", 1)}
    assert (instance["profile"], instance["type"]) == ({"string": "3g.40gb"}, {"string": "mig"})
    assert node_of(where)[0] == {}


def test_all_objects_of_a_moment_are_listed_with_what_schedulers_made():
    drivers, groups = host("d", DRA), host("k", KAI)
    fleet = Fleet(
        (drivers, groups),
        (
            tenant("claims", drivers, 0, claimed("c"), IDLE),
            tenant("half", groups, 0, fraction(Fraction(1, 2)), IDLE),
            pod("late", groups, bound_ms=2 * NOW, parts=(fraction(Fraction(1, 2)),)),
        ),
    )
    kinds = [one["kind"] for one in kubernetes.objects(fleet, NOW)]
    assert kinds == ["Node", "Node", "ResourceSlice", "ResourceClaim", "Pod", "Pod", "Pod"]
