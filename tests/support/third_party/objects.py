"""Objects of each kind that a lever is for, as hypothesis draws them: with and without the fields that levers write."""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from support.third_party.definitions import BY_KIND

Json = dict[str, Any]
_MAYBE = st.sampled_from((None, False, True))
_FEW = st.integers(1, 3)
_TEMPLATE = {
    "metadata": {"labels": {"app": "one"}},
    "spec": {"containers": [{"name": "main", "image": "trainer:1"}], "restartPolicy": "Always"},
}
_ONCE = {**_TEMPLATE, "spec": {**_TEMPLATE["spec"], "restartPolicy": "Never"}}
_SELECTOR = {"matchLabels": {"app": "one"}}
_NAMES = st.sampled_from(("gpu", "cpu", "a", "large-8"))
_OWN = st.dictionaries(
    st.sampled_from(("team", "example.dev/owner", "example.dev/a.b_c")),
    st.sampled_from(("", "one", "a/b~c")),
    max_size=2,
)
_LABELS = st.dictionaries(st.sampled_from(("team", "example.dev/owner")), st.sampled_from(("", "one")), max_size=2)


def _some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    """An object of fields; those that are drawn as None are not there."""
    drawn = st.fixed_dictionaries(fields)
    return drawn.map(lambda found: {key: value for key, value in found.items() if value is not None})


def _maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


_GROUPS = st.lists(
    _some(groupName=_NAMES, replicas=_maybe(st.integers(0, 4)), minReplicas=_maybe(st.integers(0, 2)),
          maxReplicas=_maybe(st.integers(5, 9)), template=st.just(_TEMPLATE)),
    max_size=3, unique_by=lambda one: one["groupName"],
)  # fmt: skip
_RAY = _some(suspend=_MAYBE, enableInTreeAutoscaling=_MAYBE, workerGroupSpecs=_maybe(_GROUPS))
_POLICY = _some(
    runPolicy=_maybe(_some(suspend=_MAYBE, cleanPodPolicy=_maybe(st.just("None")))), elasticPolicy=_maybe(st.just({}))
)
_SUSPENDED = _some(suspend=_MAYBE, note=_maybe(st.just("x")))
_COMPONENT = _some(minReplicas=_maybe(st.integers(0, 1)), maxReplicas=_maybe(st.integers(0, 6)), model=st.just({}))
_SCALED = _some(
    scaleTargetRef=st.just({"name": "chat"}), minReplicaCount=_maybe(_FEW), triggers=st.just([{"type": "cron"}])
)
_APPS = {"selector": st.just(_SELECTOR), "template": st.just(_TEMPLATE), "replicas": _maybe(_FEW)}
_SPECS: Mapping[str, st.SearchStrategy[Json]] = {
    "Deployment": _some(**_APPS),
    "ReplicaSet": _some(**_APPS),
    "StatefulSet": _some(**_APPS, serviceName=st.just("one")),
    "Job": _some(template=st.just(_ONCE), suspend=_MAYBE, parallelism=_maybe(_FEW)),
    "CronJob": _some(schedule=st.just("0 3 1 1 *"), suspend=_MAYBE, jobTemplate=st.just({"spec": {"template": _ONCE}})),
    "HorizontalPodAutoscaler": _some(
        scaleTargetRef=st.just({"apiVersion": "apps/v1", "kind": "Deployment", "name": "nobody"}),
        minReplicas=_maybe(_FEW),
        maxReplicas=st.integers(3, 9),
    ),
    "RayCluster": _RAY,
    "RayJob": _some(suspend=_MAYBE, shutdownAfterJobFinishes=_MAYBE, rayClusterSpec=_RAY),
    "RayCronJob": _some(schedule=st.just("@daily"), suspend=_MAYBE, jobTemplate=st.just({})),
    **dict.fromkeys(("PyTorchJob", "MPIJob", "TFJob", "XGBoostJob", "PaddleJob", "JAXJob"), _POLICY),
    "TrainJob": _SUSPENDED,
    "JobSet": _some(suspend=_MAYBE, replicatedJobs=_maybe(st.just([{"name": "workers"}, {"name": "driver"}]))),
    "Workload": _some(active=_MAYBE, podSets=st.just([{"name": "main"}])),
    "LocalQueue": _some(
        clusterQueue=st.just("all"),
        fairSharing=_maybe(_some(weight=_maybe(st.sampled_from((2, 1, "1", "500m", "2.5", 3))))),
    ),
    "ScaledObject": _SCALED,
    "InferenceService": _some(predictor=_maybe(_COMPONENT)),
    "LLMInferenceService": _some(replicas=_maybe(_FEW)),
    "InferenceGraph": _some(nodes=st.just({})),
    "Workflow": _SUSPENDED,
    "CronWorkflow": _SUSPENDED,
    "Rollout": _some(replicas=_maybe(_FEW), template=st.just(_TEMPLATE)),
    "LeaderWorkerSet": _some(replicas=_maybe(_FEW), leaderWorkerTemplate=st.just({"size": 2})),
    "ResourceQuota": _some(
        hard=_maybe(_some(**{"requests.nvidia.com/gpu": st.sampled_from(("0", "8")), "pods": st.just("9")}))
    ),
    "Engine": _some(size=st.integers(0, 4), image=st.just("engine:1")),
}
_THEIRS: Mapping[str, Mapping[str, st.SearchStrategy[Any]]] = {
    "ScaledObject": {
        "autoscaling.keda.sh/paused": st.sampled_from((None, "false", "true")),
        "autoscaling.keda.sh/paused-scale-out": st.sampled_from((None, "false")),
    },
    "InferenceService": {"serving.kserve.io/stop": st.sampled_from((None, "false", "true"))},
    "LLMInferenceService": {"serving.kserve.io/stop": st.sampled_from((None, "false"))},
    "InferenceGraph": {"serving.kserve.io/stop": st.sampled_from((None, "true"))},
    "Workload": {"kueue.x-k8s.io/priority-boost": st.sampled_from((None, "0", "-7", "40"))},
}
"""Annotations that levers write, as somebody may have set them."""
_BUILT_IN = {
    "Deployment": "apps/v1",
    "ReplicaSet": "apps/v1",
    "StatefulSet": "apps/v1",
    "Job": "batch/v1",
    "CronJob": "batch/v1",
    "HorizontalPodAutoscaler": "autoscaling/v2",
    "ResourceQuota": "v1",
}


_OURS = {"app.kubernetes.io/managed-by": "aicost"}
"""Labels of a quota of our own: no other is touched."""


def api_version(group: str, kind: str) -> str:
    """The version in which objects of a kind are made."""
    found = BY_KIND.get((group, kind))
    return found.api_version if found else _BUILT_IN[kind]


def objects(group: str, kind: str) -> st.SearchStrategy[Json]:
    """Objects of a kind, without a name."""
    theirs = _some(**_THEIRS.get(kind, {}))
    labels = st.just(_OURS) if kind == "ResourceQuota" else st.none() | _LABELS
    metadata = st.builds(_metadata, labels, st.none() | _OWN, theirs)
    return st.builds(
        lambda meta, spec: {"apiVersion": api_version(group, kind), "kind": kind, "metadata": meta, "spec": spec},
        metadata,
        _SPECS[kind],
    )


def _metadata(labels: Json | None, own: Json | None, theirs: Json) -> Json:
    annotations = {**(own or {}), **theirs}
    return {**({"labels": labels} if labels else {}), **({"annotations": annotations} if annotations else {})}
