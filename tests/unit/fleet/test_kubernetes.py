"""The script as Kubernetes objects: the life of a pod, nodes with their labels, watch events in order."""

from fleet import kubernetes
from fleet.builders import node, pod
from fleet.faults import Fault, FaultKind
from fleet.script import Fleet, Owner, SimNamespace

OWNERS = (
    Owner("apps/v1", "ReplicaSet", "chat-5d9", "rs-1"),
    Owner("apps/v1", "Deployment", "chat", "deploy-1"),
)
LIFE = {
    "created_ms": 1_000,
    "bound_ms": 5_000,
    "started_ms": 65_000,
    "finished_ms": 125_999,
    "deleted_ms": 185_000,
    "owners": OWNERS,
}


def one_pod(skew_ms=0, **more):
    host = node(gpus=8, clock_skew_ms=skew_ms)
    fleet = Fleet((host,), (pod("chat", host, gpus=2, **(LIFE | more)),))
    return fleet, fleet.pods[0]


def phase_at(at_ms):
    fleet, simulated = one_pod()
    found = kubernetes.pod_object(fleet, simulated, at_ms)
    return found and (found["status"]["phase"], found["spec"].get("nodeName"))


def test_a_pod_goes_through_its_phases():
    assert [phase_at(at) for at in (999, 1_000, 5_000, 65_000, 125_999, 184_999, 185_000)] == [
        None,
        ("Pending", None),
        ("Pending", "gpu-a"),
        ("Running", "gpu-a"),
        ("Succeeded", "gpu-a"),
        ("Succeeded", "gpu-a"),
        None,
    ]


def test_a_pod_asks_for_its_gpus_and_names_its_nearest_owner():
    found = kubernetes.pod_object(*one_pod(), 5_000)
    assert found["spec"]["containers"][0]["resources"]["limits"] == {"nvidia.com/gpu": "2"}
    assert [ref["kind"] for ref in found["metadata"]["ownerReferences"]] == ["ReplicaSet"]


def test_owners_know_their_own_owners():
    replica_set, deployment = kubernetes.owner_objects(one_pod()[0])
    assert replica_set["metadata"]["ownerReferences"][0]["uid"] == deployment["metadata"]["uid"] == "deploy-1"
    assert "ownerReferences" not in deployment["metadata"]


def test_a_wrong_node_clock_moves_what_the_kubelet_writes_but_not_the_binding():
    status = kubernetes.pod_object(*one_pod(skew_ms=3_600_000), 130_000)["status"]
    assert status["conditions"][0]["lastTransitionTime"] == "1970-01-01T00:00:05Z"
    ended = status["containerStatuses"][0]["state"]["terminated"]
    assert (ended["startedAt"], ended["finishedAt"]) == ("1970-01-01T01:01:05Z", "1970-01-01T01:02:05Z")


def test_a_failed_pod_says_so():
    status = kubernetes.pod_object(*one_pod(failed=True), 130_000)["status"]
    assert (status["phase"], status["containerStatuses"][0]["state"]["terminated"]["exitCode"]) == ("Failed", 1)


def test_watch_events_come_in_order_with_rising_versions():
    events = kubernetes.pod_events(one_pod()[0], 0, 200_000)
    assert [(event.at_ms, event.type) for event in events] == [
        (1_000, "ADDED"),
        (5_000, "MODIFIED"),
        (65_000, "MODIFIED"),
        (125_999, "MODIFIED"),
        (185_000, "DELETED"),
    ]
    assert [event.object["metadata"]["resourceVersion"] for event in events] == ["1", "2", "3", "4", "5"]
    assert events[-1].object["status"]["phase"] == "Succeeded"


def test_a_watch_that_begins_late_tells_only_the_rest():
    assert [event.type for event in kubernetes.pod_events(one_pod()[0], 100_000, 186_000)] == ["MODIFIED", "DELETED"]


def test_a_node_carries_the_labels_of_its_cloud_and_of_gpu_discovery():
    labels = kubernetes.node_object(node(gpus=8, capacity_type="spot"))["metadata"]["labels"]
    assert labels["node.kubernetes.io/instance-type"] == "p5.48xlarge"
    assert labels["eks.amazonaws.com/capacityType"] == "SPOT"
    assert labels["nvidia.com/gpu.product"] == "NVIDIA-H100-80GB-HBM3"
    assert labels["nvidia.com/gpu.count"] == "8"


def test_a_lost_gpu_is_still_there_but_not_allocatable():
    host = node(gpus=8)
    host = node(gpus=8, faults=(Fault(FaultKind.LOST, 0, 1_000, uuids=(host.gpus[3].uuid,)),))
    status = kubernetes.node_object(host, 500)["status"]
    assert (status["capacity"]["nvidia.com/gpu"], status["allocatable"]["nvidia.com/gpu"]) == ("8", "7")
    assert kubernetes.node_object(host, 1_000)["status"]["allocatable"]["nvidia.com/gpu"] == "8"


def test_the_objects_of_a_moment_are_namespaces_nodes_and_living_pods():
    fleet, _ = one_pod()
    fleet = Fleet(fleet.nodes, fleet.pods, (SimNamespace("team-a", (("aicost.dev/team", "search"),)),))
    assert [item["kind"] for item in kubernetes.objects(fleet, 500)] == ["Namespace", "Node"]
    assert [item["kind"] for item in kubernetes.objects(fleet, 5_000)] == ["Namespace", "Node", "Pod"]
