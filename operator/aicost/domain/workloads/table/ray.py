"""Kinds of Ray."""

from aicost.domain.workloads.places import JudgedKind, Number, Place
from aicost.domain.workloads.shapes import Scaling
from aicost.domain.workloads.table.shared import DEADLINE, REPLICAS

_SUBMITTER = Place("/spec/submitterPodTemplate", role="submitter")


def _cluster(at: str, *times: Number) -> tuple[Place, ...]:
    """Head and groups of workers. Ray may be told of GPUs that no container asks Kubernetes for."""
    head, group = f"{at}/headGroupSpec", f"{at}/workerGroupSpecs/*"
    fewest, most = f"{group}/minReplicas", f"{group}/maxReplicas"
    workers = Number((f"{group}/replicas",), default=0, least=fewest, cap=most)
    return (
        Place(
            f"{head}/template",
            role="head",
            counts=times,
            gpus_at=(f"{head}/resources/GPU", f"{head}/rayStartParams/num-gpus"),
        ),
        Place(
            f"{group}/template",
            named_at=f"{group}/groupName",
            counts=(workers, Number((f"{group}/numOfHosts",)), *times),
            most=Number((most,)),
            most_if=f"{at}/enableInTreeAutoscaling",
            gpus_at=(f"{group}/resources/GPU", f"{group}/rayStartParams/num-gpus"),
        ),
    )


KINDS: tuple[JudgedKind, ...] = (
    JudgedKind("ray.io", ("v1", "v1alpha1"), "RayCluster", "rayclusters", _cluster("/spec")),
    JudgedKind(
        "ray.io",
        ("v1", "v1alpha1"),
        "RayJob",
        "rayjobs",
        (*_cluster("/spec/rayClusterSpec"), _SUBMITTER),
        Scaling.TO_COMPLETION,
        deadlines=DEADLINE,
    ),
    JudgedKind(
        "ray.io",
        ("v1",),
        "RayCronJob",
        "raycronjobs",
        _cluster("/spec/jobTemplate/rayClusterSpec"),
        Scaling.SCHEDULED,
        deadlines=("/spec/jobTemplate/activeDeadlineSeconds",),
    ),
    JudgedKind(
        "ray.io",
        ("v1", "v1alpha1"),
        "RayService",
        "rayservices",
        _cluster("/spec/rayClusterConfig"),
        models=("/spec/serveConfigV2",),
    ),
    JudgedKind(
        "orchestration.aibrix.ai",
        ("v1alpha1",),
        "RayClusterFleet",
        "rayclusterfleets",
        _cluster("/spec/template/spec", REPLICAS),
        selector="/spec/selector",
    ),
)
