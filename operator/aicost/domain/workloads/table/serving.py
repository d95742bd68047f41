"""Kinds that serve models, and notebooks."""

from aicost.domain.workloads.places import Form, JudgedKind, Number, Place
from aicost.domain.workloads.shapes import Scaling
from aicost.domain.workloads.table.shared import REPLICAS, REPLICATED, SELECTOR, named_parts


def _leader_and_workers(group: str, replicas: Number) -> tuple[Place, ...]:
    """A group of pods per replica: a leader, and workers up to the size of the group."""
    size = Number((f"{group}/size",), less_if=f"{group}/leaderTemplate")
    return (
        Place(f"{group}/leaderTemplate", role="leader", counts=(replicas,)),
        Place(f"{group}/workerTemplate", role="worker", counts=(replicas, size)),
    )


def _kserve(name: str) -> tuple[Place, ...]:
    """A part of an InferenceService, and its workers where a replica spans several nodes."""
    part = f"/spec/{name}"
    each, most = Number((f"{part}/minReplicas",)), Number((f"{part}/maxReplicas",))
    worker = f"{part}/workerSpec"
    gpus = (f"{worker}/tensorParallelSize",)
    nodes = Number((f"{worker}/pipelineParallelSize",), default=2, less_if=worker)
    return (
        Place(part, Form.KSERVE, name, counts=(each,), most=most, gpus_at=gpus, patchable=False),
        Place(worker, Form.KSERVE, f"{name}-worker", counts=(each, nodes), most=most, gpus_at=gpus, patchable=False),
    )


def _llm(part: str, server: str, worker: str, *, implied: bool) -> tuple[Place, ...]:
    """A part of an LLMInferenceService: a server per replica, or a group where it spans several nodes."""
    each, most = Number((f"{part}/replicas", f"{part}/scaling/minReplicas")), Number((f"{part}/scaling/maxReplicas",))
    split = f"{part}/parallelism"
    size = Number((f"{split}/data", f"{split}/pipeline"), per=f"{split}/dataLocal", less_if=f"{part}/worker")
    return tuple(
        Place(
            f"{part}/{field}",
            Form.POD_SPEC,
            role,
            counts=counts,
            most=most,
            metadata_at=part,
            patchable=False,
            implied=implied and field == "template",
        )
        for field, role, counts in (("template", server, (each,)), ("worker", worker, (each, size)))
    )


def _nim(at: str, named_at: str = "") -> Place:
    """A NIMService, alone or as a part of a pipeline, over one or more nodes."""
    nodes = Number((f"{at}/multiNode/parallelism/pipeline", f"{at}/multiNode/size"))
    return Place(
        at,
        Form.NIM,
        counts=(Number((f"{at}/replicas",)), nodes),
        most=Number((f"{at}/scale/hpa/maxReplicas",)),
        most_if=f"{at}/scale/enabled",
        gpus_at=(f"{at}/multiNode/parallelism/tensor", f"{at}/multiNode/gpusPerPod"),
        patchable=False,
        named_at=named_at,
    )


def _nemo(kind: str) -> JudgedKind:
    """A service of NeMo; the training that a customizer starts later is made of jobs of their own."""
    place = Place("/spec", Form.SERVICE, counts=(REPLICAS,), patchable=False)
    return JudgedKind("apps.nvidia.com", ("v1alpha1",), kind, f"{kind.lower()}s", (place,))


def _kaito(kind: str, at: str, *models: str) -> JudgedKind:
    place = Place(at, Form.KAITO, counts=(Number((f"{at}/count",)),), patchable=False)
    return JudgedKind("kaito.sh", ("v1beta1", "v1alpha1"), kind, f"{kind.lower()}s", (place,), models=models)


_SERVICES, _COMPONENTS = "/spec/services/*", "/spec/components/*"
_KNATIVE = "/spec/template/metadata/annotations/autoscaling.knative.dev~1"
_SELDON = "/spec/predictors/*"

KINDS: tuple[JudgedKind, ...] = (
    JudgedKind(
        "leaderworkerset.x-k8s.io",
        ("v1",),
        "LeaderWorkerSet",
        "leaderworkersets",
        _leader_and_workers("/spec/leaderWorkerTemplate", REPLICAS),
    ),
    JudgedKind(
        "serving.kserve.io",
        ("v1beta1",),
        "InferenceService",
        "inferenceservices",
        (*_kserve("predictor"), *_kserve("transformer"), *_kserve("explainer")),
        Scaling.AUTOSCALED,
        models=("/spec/predictor/*/storageUri",),
    ),
    JudgedKind(
        "serving.kserve.io",
        ("v1alpha2", "v1alpha1"),
        "LLMInferenceService",
        "llminferenceservices",
        (
            *_llm("/spec", "server", "worker", implied=True),
            *_llm("/spec/prefill", "prefill", "prefill-worker", implied=False),
        ),
        models=("/spec/model/name", "/spec/model/uri"),
    ),
    JudgedKind(
        "serving.knative.dev",
        ("v1",),
        "Service",
        "services",
        (
            Place(
                "/spec/template",
                counts=(Number((f"{_KNATIVE}min-scale", f"{_KNATIVE}minScale")),),
                most=Number((f"{_KNATIVE}max-scale", f"{_KNATIVE}maxScale")),
            ),
        ),
        Scaling.AUTOSCALED,
    ),
    JudgedKind("argoproj.io", ("v1alpha1",), "Rollout", "rollouts", REPLICATED, selector=SELECTOR),
    JudgedKind(
        "kubeflow.org",
        ("v1", "v1beta1"),
        "Notebook",
        "notebooks",
        (Place("/spec/template", patchable=False),),
    ),
    JudgedKind("apps.nvidia.com", ("v1alpha1",), "NIMService", "nimservices", (_nim("/spec"),)),
    JudgedKind(
        "apps.nvidia.com",
        ("v1alpha1",),
        "NIMPipeline",
        "nimpipelines",
        (_nim(f"{_SERVICES}/spec", named_at=f"{_SERVICES}/name"),),
    ),
    _nemo("NemoCustomizer"),
    _nemo("NemoEvaluator"),
    _nemo("NemoGuardrail"),
    JudgedKind(
        "nvidia.com",
        ("v1beta1", "v1alpha1"),
        "DynamoGraphDeployment",
        "dynamographdeployments",
        (
            Place(
                _SERVICES,
                Form.DYNAMO,
                counts=(Number((f"{_SERVICES}/replicas",)), Number((f"{_SERVICES}/multinode/nodeCount",))),
                most=Number((f"{_SERVICES}/autoscaling/maxReplicas",)),
                most_if=f"{_SERVICES}/autoscaling/enabled",
                patchable=False,
            ),
            Place(
                f"{_COMPONENTS}/podTemplate",
                named_at=f"{_COMPONENTS}/name",
                counts=(Number((f"{_COMPONENTS}/replicas",)), Number((f"{_COMPONENTS}/multinode/nodeCount",))),
            ),
        ),
    ),
    _kaito("Workspace", "/resource", "/inference/preset/name", "/tuning/preset/name"),
    _kaito("RAGEngine", "/spec/compute"),
    JudgedKind(
        "production-stack.vllm.ai",
        ("v1alpha1",),
        "VLLMRuntime",
        "vllmruntimes",
        (
            Place(
                "/spec",
                Form.VLLM_RUNTIME,
                counts=(Number(("/spec/deploymentConfig/replicas",)),),
                most=Number(("/spec/autoscalingConfig/maxReplicas",)),
                most_if="/spec/autoscalingConfig/enabled",
                patchable=False,
            ),
        ),
        models=("/spec/model/modelURL",),
    ),
    JudgedKind(
        "orchestration.aibrix.ai",
        ("v1alpha1",),
        "StormService",
        "stormservices",
        (named_parts("/spec/template/spec/roles/*", REPLICAS),),
        selector=SELECTOR,
    ),
    JudgedKind(
        "machinelearning.seldon.io",
        ("v1",),
        "SeldonDeployment",
        "seldondeployments",
        (
            Place(
                f"{_SELDON}/componentSpecs/*",
                counts=(Number((f"{_SELDON}/componentSpecs/*/replicas", f"{_SELDON}/replicas")),),
            ),
        ),
    ),
)
