"""Levers, and the traps that they do not fall into."""

from dataclasses import replace

import pytest

from aicost.domain.budgets.gates import Destruction, Gate, at_least, destruction
from aicost.domain.enforcement.levers.lever import Ask
from aicost.domain.enforcement.levers.serving import ANY_SCALE
from aicost.domain.enforcement.levers.table import DEPRIORITIZE, FREEZE, LEVERS, STOP, gate_of, lever, noted, stopper
from aicost.domain.enforcement.values import Change, LeverName
from aicost.domain.enforcement.writing.records import record
from aicost.domain.enforcement.writing.steps import doing
from support.json_patch import patched

ASK = Ask()
KUEUE = {"labels": {"kueue.x-k8s.io/queue-name": "team"}}
PAUSED, SCALE_OUT = "autoscaling.keda.sh/paused", "autoscaling.keda.sh/paused-scale-out"


def by_kind(kind: str, name: LeverName | None = None):
    return next(one for one in (*STOP, *LEVERS) if one.kind == kind and name in {None, one.name})


def refusal(kind: str, obj: dict, name: LeverName | None = None) -> str:
    return by_kind(kind, name).refuses({"kind": kind, "metadata": {}, **obj}, ASK)


def owned(kind: str) -> dict:
    return {"metadata": {"ownerReferences": [{"kind": kind, "name": "above", "controller": True}]}}


def ended(*conditions: str) -> dict:
    return {"status": {"conditions": [{"type": one, "status": "True"} for one in conditions]}}


@pytest.mark.parametrize(
    ("kind", "obj", "reason"),
    [
        ("RayJob", {"spec": {}}, "KubeRay suspends no RayJob without shutdownAfterJobFinishes: true"),
        (
            "RayJob",
            {"spec": {"shutdownAfterJobFinishes": True, "clusterSelector": {"ray.io/cluster": "x"}}},
            "KubeRay suspends no RayJob with a clusterSelector",
        ),
        (
            "RayJob",
            {"spec": {"shutdownAfterJobFinishes": True}, "status": {"jobDeploymentStatus": "Complete"}},
            "it has ended",
        ),
        ("RayCluster", owned("RayJob"), "RayJob above keeps it and would write it back"),
        ("RayCluster", owned("RayService"), "RayService above keeps it and would write it back"),
        (
            "StatefulSet",
            {"spec": {"persistentVolumeClaimRetentionPolicy": {"whenScaled": "Delete"}}},
            "its volumes are deleted when it is scaled down (whenScaled: Delete)",
        ),
        ("Job", ended("Complete"), "it has ended"),
        ("Job", ended("FailureTarget"), "it has ended"),
        ("Job", owned("JobSet"), "JobSet above keeps it and would write it back"),
        ("Job", {"spec": {"managedBy": "example.dev/x"}}, "example.dev/x manages it: suspend it there"),
        ("JobSet", owned("TrainJob"), "TrainJob above keeps it and would write it back"),
        ("JobSet", ended("Completed"), "it has ended"),
        ("PyTorchJob", ended("Created", "Succeeded"), "it has ended"),
        (
            "PyTorchJob",
            {"spec": {"runPolicy": {"managedBy": "kueue.x-k8s.io/multikueue"}}},
            "kueue.x-k8s.io/multikueue runs it in another cluster: stop it there",
        ),
        ("TrainJob", ended("Failed"), "it has ended"),
        ("Workload", ended("Finished"), "it has ended"),
        ("Workflow", {"status": {"finishedAt": "2026-11-20T10:00:00Z"}}, "it has ended"),
        ("ReplicaSet", owned("Deployment"), "Deployment above keeps it and would write it back"),
    ],
)
def test_what_a_lever_would_break_or_what_it_could_not_hold_is_refused(kind, obj, reason):
    assert refusal(kind, obj) == reason


@pytest.mark.parametrize("kind", ["Job", "JobSet", "PyTorchJob", "MPIJob", "TrainJob", "RayJob", "RayCluster"])
def test_a_job_of_kueue_is_only_stopped_by_its_workload(kind):
    assert refusal(kind, {"metadata": KUEUE}).startswith("Kueue manages it, and would resume it")
    assert not by_kind("Workload").refuses({"metadata": KUEUE}, ASK)


@pytest.mark.parametrize(
    ("kind", "obj"),
    [
        ("Job", {"spec": {"managedBy": "kubernetes.io/job-controller"}}),
        ("Job", owned("CronJob")),
        ("Job", {"status": {"conditions": [{"type": "Complete", "status": "False"}, {"type": "Suspended"}]}}),
        ("RayJob", {"spec": {"shutdownAfterJobFinishes": True, "clusterSelector": {}}}),
        ("StatefulSet", {"spec": {"persistentVolumeClaimRetentionPolicy": {"whenScaled": "Retain"}}}),
        ("Workflow", {"status": {"phase": "Running", "finishedAt": None}}),
    ],
)
def test_what_can_be_stopped_is_not_refused(kind, obj):
    assert refusal(kind, obj) == ""


def hpa(**more):
    return {"metadata": {}, "spec": {"minReplicas": 2, "maxReplicas": 9}, "status": {"currentReplicas": 4}, **more}


def test_an_autoscaler_is_capped_at_what_runs_and_never_below_what_it_keeps():
    cap = by_kind("HorizontalPodAutoscaler", LeverName.CAP_AUTOSCALER)
    assert cap.changes(hpa(), ASK) == (Change("/spec/maxReplicas", 9, 4),)
    growing = hpa(status={"currentReplicas": 4, "desiredReplicas": 6})
    assert cap.changes(growing, ASK) == (Change("/spec/maxReplicas", 9, 6),)
    assert cap.changes(hpa(status={"currentReplicas": 1}), ASK) == (Change("/spec/maxReplicas", 9, 2),)
    assert cap.changes(hpa(status={"currentReplicas": 12}), ASK) == ()


def test_an_autoscaler_that_has_not_counted_yet_is_not_capped_below_its_pods():
    cap = by_kind("HorizontalPodAutoscaler", LeverName.CAP_AUTOSCALER)
    assert (
        cap.refuses(hpa(status={}), ASK) == "it has not counted its pods yet, or its target is at 0 and does not grow"
    )
    assert cap.refuses(hpa(status={}), Ask(live=5)) == ""
    assert cap.changes(hpa(status={}), Ask(live=5)) == (Change("/spec/maxReplicas", 9, 5),)


def test_an_autoscaler_that_keda_owns_is_refused():
    for name in (LeverName.CAP_AUTOSCALER, LeverName.LOWER_AUTOSCALER):
        made = hpa(**owned("ScaledObject"))
        assert refusal("HorizontalPodAutoscaler", made, name) == "ScaledObject above keeps it and would write it back"


def test_an_autoscaler_is_lowered_to_what_has_to_stay_and_that_is_announced():
    lower = by_kind("HorizontalPodAutoscaler", LeverName.LOWER_AUTOSCALER)
    assert lower.changes(hpa(), Ask(floor=1)) == (
        Change("/spec/maxReplicas", 9, 1),
        Change("/spec/minReplicas", 2, 1),
    )
    assert lower.changes(hpa(spec={"maxReplicas": 9}), Ask(floor=3)) == (Change("/spec/maxReplicas", 9, 3),)
    assert lower.destruction >= Destruction.PAUSE


@pytest.mark.parametrize(
    ("said", "writes"), [(None, True), ("false", True), ("0", True), ("true", False), ("T", False), ("yes", False)]
)
def test_a_pause_of_keda_is_whatever_is_not_false(said, writes):
    obj = {"metadata": {"annotations": {} if said is None else {PAUSED: said, SCALE_OUT: said}}}
    for name in (LeverName.PAUSE_AUTOSCALER, LeverName.PAUSE_SCALE_OUT):
        assert bool(by_kind("ScaledObject", name).changes(obj, ASK)) is writes


def test_a_scaled_object_that_is_held_at_a_number_is_not_paused_in_vain():
    held = {"metadata": {"annotations": {"autoscaling.keda.sh/paused-replicas": "4"}}}
    reason = refusal("ScaledObject", held, LeverName.PAUSE_AUTOSCALER)
    assert reason == "its annotation autoscaling.keda.sh/paused-replicas holds 4 pods: set that to 0"


def test_groups_of_ray_workers_are_capped_one_by_one_and_only_where_ray_scales():
    cap = by_kind("RayCluster", LeverName.CAP_WORKERS)
    groups = [
        {"groupName": "gpu", "replicas": 2, "minReplicas": 0, "maxReplicas": 8},
        {"groupName": "cpu", "replicas": 0, "minReplicas": 1, "maxReplicas": 8},
        {"groupName": "two", "replicas": 1, "maxReplicas": 8},
        {"groupName": "two", "replicas": 3, "maxReplicas": 8},
        {"groupName": "idle"},
    ]
    found = cap.changes({"spec": {"enableInTreeAutoscaling": True, "workerGroupSpecs": groups}}, ASK)
    assert {one.pointer.split("/")[3]: one.after for one in found} == {
        "[groupName=gpu]": 2,
        "[groupName=cpu]": 1,
        "[groupName=idle]": 0,
    }
    assert cap.changes({"spec": {"workerGroupSpecs": groups}}, ASK) == ()


def test_serving_is_capped_only_where_that_starts_no_new_pods():
    cap = by_kind("InferenceService", LeverName.CAP_SERVING)
    predictor = {"spec": {"predictor": {"minReplicas": 1, "maxReplicas": 6}}}
    assert cap.changes(predictor, Ask(live=3)) == (Change("/spec/predictor/maxReplicas", 6, 3),)
    assert cap.changes({"spec": {"predictor": {}}}, Ask(live=3)) == ()
    assert cap.refuses({"status": {"deploymentMode": "Standard"}}, ASK) == ""
    assert cap.refuses({"status": {"deploymentMode": "Knative"}}, ASK) == (
        "in deployment mode Knative another maximum would start all its pods anew"
    )
    assert cap.refuses({}, ASK).startswith("in deployment mode unknown")


def test_pods_that_have_to_stay_stay_and_nothing_is_scaled_up():
    deployment = by_kind("Deployment", LeverName.SCALE)
    assert deployment.changes({"spec": {"replicas": 5}}, Ask(floor=2)) == (Change("/spec/replicas", 5, 2),)
    assert deployment.changes({"spec": {"replicas": 1}}, Ask(floor=2)) == ()
    assert ANY_SCALE.changes({"scale": {"spec": {"replicas": 5}}}, ASK) == (Change("/scale/spec/replicas", 5, 0),)


def held_by(one, obj):
    changes = one.changes(obj, ASK)
    return patched(obj, doing(obj, changes, record("a", "b", "c", 0, changes)))


def test_a_weight_and_a_priority_are_lowered_once_however_many_ask():
    for one in DEPRIORITIZE:
        assert one.changes(held_by(one, {"metadata": {}, "spec": {}}), ASK) == ()


@pytest.mark.parametrize(
    ("weight", "half"), [(None, "500m"), (2, "1000m"), ("1500m", "750m"), ("2m", "1m"), ("1m", None), (0, None)]
)
def test_a_weight_is_halved_and_never_0(weight, half):
    queue = {"spec": {"fairSharing": {} if weight is None else {"weight": weight}}}
    assert [one.after for one in by_kind("LocalQueue").changes(queue, ASK)] == ([] if half is None else [half])


@pytest.mark.parametrize(
    ("boost", "lower"), [("", "-100"), ("40", "-60"), ("-7", "-107"), ("-2147483600", "-2147483648"), ("--5", None)]
)
def test_a_priority_is_lowered_within_its_bounds_and_a_word_is_left(boost, lower):
    workload = {"metadata": {"annotations": {"kueue.x-k8s.io/priority-boost": boost}}}
    found = by_kind("Workload", LeverName.LOWER_PRIORITY).changes(workload, ASK)
    assert [one.after for one in found] == ([] if lower is None else [lower])


def test_the_note_of_another_budget_stays():
    note = by_kind("Deployment", LeverName.ANNOTATE)
    assert note.changes({"metadata": {"annotations": {"aicost.dev/budget": "theirs"}}}, Ask(note="ours")) == ()


def test_each_object_has_one_lever_that_stops_it_and_a_kind_of_no_table_is_scaled():
    assert stopper("apps", "Deployment") is lever(LeverName.SCALE, "apps", "Deployment")
    assert len({(one.group, one.kind) for one in STOP}) == len(STOP)
    assert stopper("example.dev", "Engine") is None
    assert noted("example.dev", "Engine") is None
    assert noted("batch", "Job") is lever(LeverName.ANNOTATE, "batch", "Job")
    assert lever(LeverName.SCALE, "example.dev", "Engine") is ANY_SCALE
    assert lever(LeverName.SUSPEND_JOB, "example.dev", "Engine") is None


def test_no_lever_is_harder_than_the_gate_that_asks_for_it():
    for one in LEVERS:
        gate = gate_of(one)
        deleted = one.destruction is Destruction.DELETE and gate is Gate.SUSPEND
        assert deleted or one.destruction <= destruction(gate), one
    assert all(at_least(gate_of(one), Gate.FREEZE_GROWTH) for one in FREEZE)


def test_every_lever_says_what_it_writes():
    for one in LEVERS:
        assert one.what, replace(one)
