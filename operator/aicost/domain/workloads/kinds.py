"""The kinds of objects that run pods: where each describes them and how many it makes. A new kind is a new line."""

from collections.abc import Mapping

from aicost.domain.workloads.places import Form, JudgedKind, Number, Place
from aicost.domain.workloads.shapes import Scaling

TO_COMPLETION, SCHEDULED, AUTOSCALED = Scaling.TO_COMPLETION, Scaling.SCHEDULED, Scaling.AUTOSCALED

_REPLICAS = Number(("/spec/replicas",))
_TEMPLATE = (Place("/spec/template", counts=(_REPLICAS,)),)
_SELECTOR = "/spec/selector"
_RUN_POLICY = ("/spec/runPolicy/activeDeadlineSeconds", "/spec/activeDeadlineSeconds")
_DEADLINE = ("/spec/activeDeadlineSeconds",)


def _running(job: str) -> Number:
    """Pods of a Job that run at once: its parallelism, but no more than are to complete."""
    return Number((f"{job}/parallelism",), cap=f"{job}/completions")


def _job(at: str) -> Place:
    return Place(f"{at}/template", counts=(_running(at),))


def _job_set(at: str) -> Place:
    jobs = f"{at}/replicatedJobs/*"
    job = f"{jobs}/template/spec"
    return Place(f"{job}/template", named_at=f"{jobs}/name", counts=(Number((f"{jobs}/replicas",)), _running(job)))


def _volcano(at: str) -> Place:
    task = f"{at}/tasks/*"
    return Place(f"{task}/template", named_at=f"{task}/name", counts=(Number((f"{task}/replicas",)),))


def _replica_specs(name: str) -> tuple[Place, ...]:
    """The parts of a training job of Kubeflow; an elastic policy speaks of all that are workers."""
    spec = f"/spec/{name}/*"
    counts = (Number((f"{spec}/replicas",)),)
    return (Place(f"{spec}/template", counts=counts),)


def _elastic_specs(name: str) -> tuple[Place, ...]:
    limit = "/spec/elasticPolicy/maxReplicas"
    master, worker = f"/spec/{name}/Master", f"/spec/{name}/Worker"
    return (
        Place(f"{master}/template", role="Master", counts=(Number((f"{master}/replicas",)),)),
        Place(
            f"{worker}/template",
            role="Worker",
            counts=(Number((f"{worker}/replicas",)),),
            most=Number((limit,)),
        ),
    )


_MPI = (
    Place("/spec/mpiReplicaSpecs/Launcher/template", role="Launcher"),
    Place(
        "/spec/mpiReplicaSpecs/Worker/template",
        role="Worker",
        counts=(Number(("/spec/mpiReplicaSpecs/Worker/replicas",), default=0),),
    ),
)


def _ray_cluster(at: str) -> tuple[Place, ...]:
    head, group = f"{at}/headGroupSpec", f"{at}/workerGroupSpecs/*"
    fewest, most = f"{group}/minReplicas", f"{group}/maxReplicas"
    return (
        Place(f"{head}/template", role="head", gpus_at=(f"{head}/resources/GPU", f"{head}/rayStartParams/num-gpus")),
        Place(
            f"{group}/template",
            named_at=f"{group}/groupName",
            counts=(
                Number((f"{group}/replicas",), default=0, least=fewest, cap=most),
                Number((f"{group}/numOfHosts",)),
            ),
            most=Number((most,)),
            most_if=f"{at}/enableInTreeAutoscaling",
            gpus_at=(f"{group}/resources/GPU", f"{group}/rayStartParams/num-gpus"),
        ),
    )


_SUBMITTER = Place("/spec/submitterPodTemplate", role="submitter")


def _leader_and_workers(group: str, replicas: str) -> tuple[Place, ...]:
    """A group of pods per replica: a leader, and workers up to the size of the group."""
    each = Number((replicas,))
    return (
        Place(f"{group}/leaderTemplate", role="leader", counts=(each,)),
        Place(
            f"{group}/workerTemplate",
            role="worker",
            counts=(each, Number((f"{group}/size",), less_if=f"{group}/leaderTemplate")),
        ),
    )


def _kserve(name: str) -> tuple[Place, ...]:
    """A part of an InferenceService, and its workers where a replica spans several nodes."""
    part = f"/spec/{name}"
    each, most = Number((f"{part}/minReplicas",)), Number((f"{part}/maxReplicas",))
    worker = f"{part}/workerSpec"
    tensor = (f"{worker}/tensorParallelSize",)
    nodes = Number((f"{worker}/pipelineParallelSize",), default=2, less_if=worker)
    return (
        Place(part, Form.KSERVE, name, counts=(each,), most=most, gpus_at=tensor, patchable=False),
        Place(worker, Form.KSERVE, f"{name}-worker", counts=(each, nodes), most=most, gpus_at=tensor, patchable=False),
    )


def _llm_part(part: str, leader: str, worker: str) -> tuple[Place, ...]:
    """A part of an LLMInferenceService: a server per replica, or a group where it spans several nodes."""
    each, most = Number((f"{part}/replicas", f"{part}/scaling/minReplicas")), Number((f"{part}/scaling/maxReplicas",))
    data, local = f"{part}/parallelism/data", f"{part}/parallelism/dataLocal"
    size = Number((data, f"{part}/parallelism/pipeline"), per=local, less_if=f"{part}/worker")
    return (
        Place(
            f"{part}/template",
            Form.POD_SPEC,
            leader,
            counts=(each,),
            most=most,
            patchable=False,
            implied=part == "/spec",
        ),
        Place(f"{part}/worker", Form.POD_SPEC, worker, counts=(each, size), most=most, patchable=False),
    )


_NIM_SIZE = Number(("/spec/multiNode/parallelism/pipeline", "/spec/multiNode/size"))


def _spark(role: str, *counts: Number, most: Number | None = None) -> Place:
    switch = "/spec/dynamicAllocation/enabled"
    return Place(f"/spec/{role}", Form.SPARK, role, counts=counts, most=most, most_if=switch, patchable=False)


KINDS: tuple[JudgedKind, ...] = (
    JudgedKind("", ("v1",), "Pod", "pods", (Place(""),), deadlines=_DEADLINE),
    JudgedKind("", ("v1",), "ReplicationController", "replicationcontrollers", _TEMPLATE, selector=_SELECTOR),
    JudgedKind("apps", ("v1",), "Deployment", "deployments", _TEMPLATE, selector=_SELECTOR),
    JudgedKind("apps", ("v1",), "StatefulSet", "statefulsets", _TEMPLATE, selector=_SELECTOR),
    JudgedKind("apps", ("v1",), "ReplicaSet", "replicasets", _TEMPLATE, selector=_SELECTOR),
    JudgedKind(
        "apps", ("v1",), "DaemonSet", "daemonsets", (Place("/spec/template"),), selector=_SELECTOR, in_scope=False
    ),
    JudgedKind(
        "batch", ("v1",), "Job", "jobs", (_job("/spec"),), TO_COMPLETION, selector=_SELECTOR, deadlines=_DEADLINE
    ),
    JudgedKind(
        "batch",
        ("v1", "v1beta1"),
        "CronJob",
        "cronjobs",
        (_job("/spec/jobTemplate/spec"),),
        SCHEDULED,
        inner=("/spec/jobTemplate/metadata",),
        deadlines=("/spec/jobTemplate/spec/activeDeadlineSeconds",),
    ),
    JudgedKind(
        "jobset.x-k8s.io",
        ("v1alpha2",),
        "JobSet",
        "jobsets",
        (_job_set("/spec"),),
        TO_COMPLETION,
        deadlines=("/spec/replicatedJobs/*/template/spec/activeDeadlineSeconds",),
    ),
    JudgedKind(
        "leaderworkerset.x-k8s.io",
        ("v1",),
        "LeaderWorkerSet",
        "leaderworkersets",
        _leader_and_workers("/spec/leaderWorkerTemplate", "/spec/replicas"),
    ),
    JudgedKind("ray.io", ("v1", "v1alpha1"), "RayCluster", "rayclusters", _ray_cluster("/spec")),
    JudgedKind(
        "ray.io",
        ("v1", "v1alpha1"),
        "RayJob",
        "rayjobs",
        (*_ray_cluster("/spec/rayClusterSpec"), _SUBMITTER),
        TO_COMPLETION,
        deadlines=_DEADLINE,
    ),
    JudgedKind(
        "ray.io",
        ("v1",),
        "RayCronJob",
        "raycronjobs",
        _ray_cluster("/spec/jobTemplate/rayClusterSpec"),
        SCHEDULED,
        deadlines=("/spec/jobTemplate/activeDeadlineSeconds",),
    ),
    JudgedKind(
        "ray.io",
        ("v1", "v1alpha1"),
        "RayService",
        "rayservices",
        _ray_cluster("/spec/rayClusterConfig"),
        models=("/spec/serveConfigV2",),
    ),
    JudgedKind(
        "kubeflow.org",
        ("v1",),
        "PyTorchJob",
        "pytorchjobs",
        _elastic_specs("pytorchReplicaSpecs"),
        TO_COMPLETION,
        deadlines=_RUN_POLICY,
    ),
    JudgedKind(
        "kubeflow.org",
        ("v2beta1", "v1"),
        "MPIJob",
        "mpijobs",
        _MPI,
        TO_COMPLETION,
        deadlines=_RUN_POLICY,
    ),
    *(
        JudgedKind(
            "kubeflow.org",
            ("v1",),
            kind,
            f"{kind.lower()}s",
            _replica_specs(specs),
            TO_COMPLETION,
            deadlines=_RUN_POLICY,
        )
        for kind, specs in (
            ("TFJob", "tfReplicaSpecs"),
            ("JAXJob", "jaxReplicaSpecs"),
            ("PaddleJob", "paddleReplicaSpecs"),
            ("XGBoostJob", "xgbReplicaSpecs"),
        )
    ),
    JudgedKind(
        "kubeflow.org",
        ("v1", "v1beta1"),
        "Notebook",
        "notebooks",
        (Place("/spec/template", patchable=False),),
    ),
    JudgedKind(
        "kubeflow.org",
        ("v1beta1",),
        "Experiment",
        "experiments",
        (
            Place(
                "/spec/trialTemplate/trialSpec",
                Form.OBJECT,
                "trial",
                counts=(Number(("/spec/parallelTrialCount",), default=3, cap="/spec/maxTrialCount"),),
            ),
        ),
        TO_COMPLETION,
    ),
    JudgedKind(
        "trainer.kubeflow.org",
        ("v1alpha1",),
        "TrainJob",
        "trainjobs",
        (Place("/spec", Form.TRAINER, patchable=False),),
        TO_COMPLETION,
        models=("/spec/initializer/model/storageUri",),
        deadlines=_DEADLINE,
    ),
    JudgedKind(
        "serving.kserve.io",
        ("v1beta1",),
        "InferenceService",
        "inferenceservices",
        (*_kserve("predictor"), *_kserve("transformer"), *_kserve("explainer")),
        AUTOSCALED,
        models=("/spec/predictor/*/storageUri",),
    ),
    JudgedKind(
        "serving.kserve.io",
        ("v1alpha2", "v1alpha1"),
        "LLMInferenceService",
        "llminferenceservices",
        (*_llm_part("/spec", "server", "worker"), *_llm_part("/spec/prefill", "prefill", "prefill-worker")),
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
                counts=(Number(("/spec/template/metadata/annotations/autoscaling.knative.dev~1min-scale",)),),
                most=Number(("/spec/template/metadata/annotations/autoscaling.knative.dev~1max-scale",)),
            ),
        ),
        AUTOSCALED,
    ),
    JudgedKind(
        "workload.codeflare.dev",
        ("v1beta2",),
        "AppWrapper",
        "appwrappers",
        (Place("/spec/components/*/template", Form.OBJECT),),
    ),
    JudgedKind(
        "batch.volcano.sh",
        ("v1alpha1",),
        "Job",
        "jobs",
        (_volcano("/spec"),),
        TO_COMPLETION,
        durations=("/spec/runningEstimate",),
        queue="/spec/queue",
    ),
    JudgedKind(
        "batch.volcano.sh",
        ("v1alpha1",),
        "CronJob",
        "cronjobs",
        (_volcano("/spec/jobTemplate/spec"),),
        SCHEDULED,
        inner=("/spec/jobTemplate/metadata",),
        durations=("/spec/jobTemplate/spec/runningEstimate",),
        queue="/spec/jobTemplate/spec/queue",
    ),
    JudgedKind("argoproj.io", ("v1alpha1",), "Rollout", "rollouts", _TEMPLATE, selector=_SELECTOR),
    JudgedKind(
        "argoproj.io",
        ("v1alpha1",),
        "Workflow",
        "workflows",
        (Place("/spec", Form.WORKFLOW),),
        TO_COMPLETION,
        inner=("/spec/podMetadata",),
        deadlines=_DEADLINE,
    ),
    JudgedKind(
        "argoproj.io",
        ("v1alpha1",),
        "CronWorkflow",
        "cronworkflows",
        (Place("/spec/workflowSpec", Form.WORKFLOW),),
        SCHEDULED,
        inner=("/spec/workflowMetadata", "/spec/workflowSpec/podMetadata"),
        deadlines=("/spec/workflowSpec/activeDeadlineSeconds",),
    ),
    JudgedKind(
        "apps.nvidia.com",
        ("v1alpha1",),
        "NIMService",
        "nimservices",
        (
            Place(
                "/spec",
                Form.NIM,
                counts=(_REPLICAS, _NIM_SIZE),
                most=Number(("/spec/scale/hpa/maxReplicas",)),
                most_if="/spec/scale/enabled",
                gpus_at=("/spec/multiNode/parallelism/tensor", "/spec/multiNode/gpusPerPod"),
                patchable=False,
            ),
        ),
    ),
    JudgedKind(
        "apps.nvidia.com",
        ("v1alpha1",),
        "NIMPipeline",
        "nimpipelines",
        (
            Place(
                "/spec/services/*/spec",
                Form.NIM,
                named_at="/spec/services/*/name",
                counts=(Number(("/spec/services/*/spec/replicas",)),),
                most=Number(("/spec/services/*/spec/scale/hpa/maxReplicas",)),
                most_if="/spec/services/*/spec/scale/enabled",
                patchable=False,
            ),
        ),
    ),
    *(
        JudgedKind(
            "apps.nvidia.com",
            ("v1alpha1",),
            kind,
            f"{kind.lower()}s",
            (Place("/spec", Form.SERVICE, counts=(_REPLICAS,), patchable=False),),
        )
        for kind in ("NemoCustomizer", "NemoEvaluator", "NemoGuardrail")
    ),
    JudgedKind(
        "nvidia.com",
        ("v1alpha1",),
        "DynamoGraphDeployment",
        "dynamographdeployments",
        (
            Place(
                "/spec/services/*",
                Form.DYNAMO,
                counts=(Number(("/spec/services/*/replicas",)), Number(("/spec/services/*/multinode/nodeCount",))),
                most=Number(("/spec/services/*/autoscaling/maxReplicas",)),
                most_if="/spec/services/*/autoscaling/enabled",
                patchable=False,
            ),
        ),
    ),
    JudgedKind(
        "kaito.sh",
        ("v1beta1", "v1alpha1"),
        "Workspace",
        "workspaces",
        (Place("/resource", Form.KAITO, counts=(Number(("/resource/count",)),), patchable=False),),
        models=("/inference/preset/name", "/tuning/preset/name"),
    ),
    JudgedKind(
        "kaito.sh",
        ("v1beta1", "v1alpha1"),
        "RAGEngine",
        "ragengines",
        (Place("/spec/compute", Form.KAITO, counts=(Number(("/spec/compute/count",)),), patchable=False),),
    ),
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
        "sparkoperator.k8s.io",
        ("v1beta2",),
        "SparkApplication",
        "sparkapplications",
        (
            _spark("driver"),
            _spark(
                "executor",
                Number(("/spec/executor/instances",)),
                most=Number(("/spec/dynamicAllocation/maxExecutors",)),
            ),
        ),
        TO_COMPLETION,
    ),
    JudgedKind(
        "machinelearning.seldon.io",
        ("v1",),
        "SeldonDeployment",
        "seldondeployments",
        (
            Place(
                "/spec/predictors/*/componentSpecs/*",
                counts=(Number(("/spec/predictors/*/componentSpecs/*/replicas", "/spec/predictors/*/replicas")),),
            ),
        ),
    ),
    JudgedKind("aicost.dev", ("v1alpha1",), "AIWorkload", "aiworkloads", models=("/spec/model",)),
)
"""All kinds that can be read. Each pointer that is `at` a place with a pod template can be patched at creation."""

JUDGED_KINDS: tuple[JudgedKind, ...] = tuple(kind for kind in KINDS if kind.in_scope)
"""The kinds that policies judge."""

_BY_NAME: Mapping[tuple[str, str], JudgedKind] = {(kind.group, kind.kind): kind for kind in KINDS}


def kind_of(api_version: str, kind: str) -> JudgedKind | None:
    """The line of the table for an object, None for kinds that run nothing. Any version of a group will do."""
    group, separator, _ = api_version.rpartition("/")
    return _BY_NAME.get((group if separator else "", kind))
