"""CRDs of what others make, as far as budgets touch it: true groups, versions, kinds and field paths, and no more."""

from dataclasses import dataclass, field
from typing import Any

Schema = dict[str, Any]
_OPEN = "x-kubernetes-preserve-unknown-fields"
TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "integer", "format": "int32"}
SWITCH: Schema = {"type": "boolean"}
QUANTITY: Schema = {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]}
ANY: Schema = {"type": "object", _OPEN: True}


@dataclass(frozen=True)
class ThirdParty:
    """A kind. ``versions`` begin with the one that is stored; ``scale`` is its scale subresource."""

    group: str
    versions: tuple[str, ...]
    kind: str
    spec: dict[str, Schema] = field(default_factory=dict)
    scale: dict[str, str] | None = None

    @property
    def plural(self) -> str:
        return f"{self.kind.lower()}s"

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.versions[0]}"

    @property
    def name(self) -> str:
        return f"{self.plural}.{self.group}"

    def collection(self, namespace: str) -> str:
        return f"/apis/{self.api_version}/namespaces/{namespace}/{self.plural}"

    def crd(self) -> dict[str, Any]:
        """Its CustomResourceDefinition."""
        names = {
            "kind": self.kind,
            "plural": self.plural,
            "singular": self.kind.lower(),
            "listKind": f"{self.kind}List",
        }
        versions = [self._version(version, number == 0) for number, version in enumerate(self.versions)]
        spec = {"group": self.group, "names": names, "scope": "Namespaced", "versions": versions}
        made = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
        return {**made, "metadata": {"name": self.name}, "spec": spec}

    def _version(self, name: str, storage: bool) -> dict[str, Any]:
        properties = {"spec": {**ANY, "properties": self.spec}, "status": ANY}
        schema = {"openAPIV3Schema": {"type": "object", "properties": properties}}
        below = {"status": {}, **({"scale": self.scale} if self.scale else {})}
        return {"name": name, "served": True, "storage": storage, "schema": schema, "subresources": below}


def many(item: dict[str, Schema], key: str = "") -> Schema:
    """A list of objects; with a key the API server tells its items apart, without one the list is one value."""
    by_key = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [key]} if key else {}
    required = {"required": [key]} if key else {}
    return {"type": "array", "items": {**ANY, "properties": item, **required}, **by_key}


def _replicas(selector: str, at: str = ".spec.replicas", status: str = ".status.replicas") -> dict[str, str]:
    return {"specReplicasPath": at, "statusReplicasPath": status, "labelSelectorPath": selector}


def _trained(kind: str, version: str, replicas: str) -> ThirdParty:
    policy = {**ANY, "properties": {"suspend": {**SWITCH, "default": False}, "managedBy": TEXT}}
    return ThirdParty("kubeflow.org", (version,), kind, {"runPolicy": policy, replicas: ANY})


def _argo(kind: str) -> ThirdParty:
    return ThirdParty("argoproj.io", ("v1alpha1",), kind, {"suspend": SWITCH})


_GROUP = {
    "groupName": TEXT,
    "replicas": {**NUMBER, "default": 0},
    "minReplicas": {**NUMBER, "default": 0},
    "maxReplicas": {**NUMBER, "default": 2147483647},
}
_RAY_CLUSTER = {"suspend": SWITCH, "enableInTreeAutoscaling": SWITCH, "workerGroupSpecs": many(_GROUP)}
_RAY = ("v1", "v1alpha1")
_KUEUE = ("v1beta2", "v1beta1")
_COMPONENT = {**ANY, "properties": {"minReplicas": NUMBER, "maxReplicas": NUMBER}}

JOB_SET = ThirdParty(
    "jobset.x-k8s.io", ("v1alpha2",), "JobSet", {"suspend": SWITCH, "replicatedJobs": many({"name": TEXT}, "name")}
)
RAY_JOB = ThirdParty(
    "ray.io", _RAY, "RayJob", {"suspend": SWITCH, "shutdownAfterJobFinishes": SWITCH, "rayClusterSpec": ANY}
)
RAY_CLUSTER = ThirdParty("ray.io", _RAY, "RayCluster", _RAY_CLUSTER)
RAY_CRON_JOB = ThirdParty("ray.io", ("v1",), "RayCronJob", {"schedule": TEXT, "suspend": SWITCH, "jobTemplate": ANY})
PYTORCH_JOB = _trained("PyTorchJob", "v1", "pytorchReplicaSpecs")
MPI_JOB = _trained("MPIJob", "v2beta1", "mpiReplicaSpecs")
TF_JOB = _trained("TFJob", "v1", "tfReplicaSpecs")
XGBOOST_JOB = _trained("XGBoostJob", "v1", "xgbReplicaSpecs")
PADDLE_JOB = _trained("PaddleJob", "v1", "paddleReplicaSpecs")
JAX_JOB = _trained("JAXJob", "v1", "jaxReplicaSpecs")
TRAIN_JOB = ThirdParty(
    "trainer.kubeflow.org", ("v1alpha1",), "TrainJob", {"suspend": {**SWITCH, "default": False}, "runtimeRef": ANY}
)
WORKLOAD = ThirdParty(
    "kueue.x-k8s.io",
    _KUEUE,
    "Workload",
    {"active": {**SWITCH, "default": True}, "queueName": TEXT, "podSets": many({"name": TEXT}, "name")},
)
LOCAL_QUEUE = ThirdParty(
    "kueue.x-k8s.io",
    _KUEUE,
    "LocalQueue",
    {"clusterQueue": TEXT, "fairSharing": {"type": "object", "properties": {"weight": {**QUANTITY, "default": 1}}}},
)
SCALED_OBJECT = ThirdParty(
    "keda.sh",
    ("v1alpha1",),
    "ScaledObject",
    {"scaleTargetRef": ANY, "minReplicaCount": NUMBER, "maxReplicaCount": NUMBER, "triggers": many({"type": TEXT})},
)
INFERENCE_SERVICE = ThirdParty("serving.kserve.io", ("v1beta1",), "InferenceService", {"predictor": _COMPONENT})
LLM_INFERENCE_SERVICE = ThirdParty(
    "serving.kserve.io", ("v1alpha2", "v1alpha1"), "LLMInferenceService", {"replicas": NUMBER, "model": ANY}
)
INFERENCE_GRAPH = ThirdParty("serving.kserve.io", ("v1alpha1",), "InferenceGraph", {"nodes": ANY})
WORKFLOW = _argo("Workflow")
CRON_WORKFLOW = _argo("CronWorkflow")
ROLLOUT = ThirdParty(
    "argoproj.io",
    ("v1alpha1",),
    "Rollout",
    {"replicas": NUMBER, "template": ANY},
    _replicas(".status.selector", status=".status.HPAReplicas"),
)
LEADER_WORKER_SET = ThirdParty(
    "leaderworkerset.x-k8s.io",
    ("v1",),
    "LeaderWorkerSet",
    {"replicas": {**NUMBER, "default": 1}, "leaderWorkerTemplate": ANY},
    _replicas(".status.hpaPodSelector"),
)
ENGINE = ThirdParty(
    "engines.example.dev",
    ("v1",),
    "Engine",
    {"size": NUMBER, "image": TEXT},
    _replicas(".status.selector", ".spec.size"),
)
"""A kind that nobody has heard of: it can be scaled, and calls its number of replicas by a name of its own."""

ALL = (
    JOB_SET, RAY_JOB, RAY_CLUSTER, RAY_CRON_JOB, PYTORCH_JOB, MPI_JOB, TF_JOB, XGBOOST_JOB, PADDLE_JOB, JAX_JOB,
    TRAIN_JOB, WORKLOAD, LOCAL_QUEUE, SCALED_OBJECT, INFERENCE_SERVICE, LLM_INFERENCE_SERVICE, INFERENCE_GRAPH,
    WORKFLOW, CRON_WORKFLOW, ROLLOUT, LEADER_WORKER_SET, ENGINE,
)  # fmt: skip
BY_KIND = {(one.group, one.kind): one for one in ALL}
