"""Kinds that run work to its end: job sets, training jobs, workflows, queues' wrappers."""

from aicost.domain.workloads.places import Form, JudgedKind, Number, Place
from aicost.domain.workloads.shapes import Scaling
from aicost.domain.workloads.table.kubernetes import running
from aicost.domain.workloads.table.shared import DEADLINE, RUN_POLICY, named_parts


def _job_set(at: str) -> Place:
    jobs = f"{at}/replicatedJobs/*"
    job = f"{jobs}/template/spec"
    return Place(f"{job}/template", named_at=f"{jobs}/name", counts=(Number((f"{jobs}/replicas",)), running(job)))


def _role(specs: str, role: str, default: int = 1, most: str = "") -> Place:
    """The master, launcher or worker of a training job; an elastic policy says how many workers there may be."""
    at = f"/spec/{specs}/{role}"
    limit = Number((most,)) if most else None
    return Place(f"{at}/template", role=role, counts=(Number((f"{at}/replicas",), default=default),), most=limit)


def _training(kind: str, places: tuple[Place, ...], *versions: str) -> JudgedKind:
    """A training job of Kubeflow."""
    plural = f"{kind.lower()}s"
    return JudgedKind("kubeflow.org", versions, kind, plural, places, Scaling.TO_COMPLETION, deadlines=RUN_POLICY)


def _roles(specs: str) -> tuple[Place, ...]:
    at = f"/spec/{specs}/*"
    return (Place(f"{at}/template", counts=(Number((f"{at}/replicas",)),)),)


def _spark(role: str, *counts: Number, most: Number | None = None) -> Place:
    switch = "/spec/dynamicAllocation/enabled"
    return Place(f"/spec/{role}", Form.SPARK, role, counts=counts, most=most, most_if=switch, patchable=False)


_TRIALS = Number(("/spec/parallelTrialCount",), default=3, cap="/spec/maxTrialCount")
_ELASTIC = "/spec/elasticPolicy/maxReplicas"
_EXECUTORS = Number(("/spec/executor/instances", "/spec/dynamicAllocation/initialExecutors"))
_MOST_EXECUTORS = Number(("/spec/dynamicAllocation/maxExecutors",))

KINDS: tuple[JudgedKind, ...] = (
    JudgedKind(
        "jobset.x-k8s.io",
        ("v1alpha2",),
        "JobSet",
        "jobsets",
        (_job_set("/spec"),),
        Scaling.TO_COMPLETION,
        deadlines=("/spec/replicatedJobs/*/template/spec/activeDeadlineSeconds",),
    ),
    _training(
        "PyTorchJob",
        (_role("pytorchReplicaSpecs", "Master"), _role("pytorchReplicaSpecs", "Worker", most=_ELASTIC)),
        "v1",
    ),
    _training(
        "MPIJob",
        (_role("mpiReplicaSpecs", "Launcher"), _role("mpiReplicaSpecs", "Worker", default=0)),
        "v2beta1",
        "v1",
    ),
    _training("TFJob", _roles("tfReplicaSpecs"), "v1"),
    _training("JAXJob", _roles("jaxReplicaSpecs"), "v1"),
    _training("PaddleJob", _roles("paddleReplicaSpecs"), "v1"),
    _training("XGBoostJob", _roles("xgbReplicaSpecs"), "v1"),
    JudgedKind(
        "kubeflow.org",
        ("v1beta1",),
        "Experiment",
        "experiments",
        (Place("/spec/trialTemplate/trialSpec", Form.OBJECT, "trial", counts=(_TRIALS,)),),
        Scaling.TO_COMPLETION,
    ),
    JudgedKind(
        "trainer.kubeflow.org",
        ("v1alpha1",),
        "TrainJob",
        "trainjobs",
        (Place("/spec", Form.TRAINER, patchable=False),),
        Scaling.TO_COMPLETION,
        models=("/spec/initializer/model/storageUri",),
        deadlines=DEADLINE,
    ),
    JudgedKind(
        "sagemaker.amazonaws.com",
        ("v1",),
        "HyperPodPyTorchJob",
        "hyperpodpytorchjobs",
        (named_parts("/spec/replicaSpecs/*"),),
        Scaling.TO_COMPLETION,
    ),
    JudgedKind(
        "batch.volcano.sh",
        ("v1alpha1",),
        "Job",
        "jobs",
        (named_parts("/spec/tasks/*"),),
        Scaling.TO_COMPLETION,
        durations=("/spec/runningEstimate",),
        queue="/spec/queue",
    ),
    JudgedKind(
        "batch.volcano.sh",
        ("v1alpha1",),
        "CronJob",
        "cronjobs",
        (named_parts("/spec/jobTemplate/spec/tasks/*"),),
        Scaling.SCHEDULED,
        inner=("/spec/jobTemplate/metadata",),
        durations=("/spec/jobTemplate/spec/runningEstimate",),
        queue="/spec/jobTemplate/spec/queue",
    ),
    JudgedKind(
        "workload.codeflare.dev",
        ("v1beta2",),
        "AppWrapper",
        "appwrappers",
        (Place("/spec/components/*/template", Form.OBJECT),),
    ),
    JudgedKind(
        "argoproj.io",
        ("v1alpha1",),
        "Workflow",
        "workflows",
        (Place("/spec", Form.WORKFLOW),),
        Scaling.TO_COMPLETION,
        inner=("/spec/podMetadata",),
        deadlines=DEADLINE,
    ),
    JudgedKind(
        "argoproj.io",
        ("v1alpha1",),
        "CronWorkflow",
        "cronworkflows",
        (Place("/spec/workflowSpec", Form.WORKFLOW),),
        Scaling.SCHEDULED,
        inner=("/spec/workflowMetadata", "/spec/workflowSpec/podMetadata"),
        deadlines=("/spec/workflowSpec/activeDeadlineSeconds",),
    ),
    JudgedKind(
        "sparkoperator.k8s.io",
        ("v1beta2",),
        "SparkApplication",
        "sparkapplications",
        (_spark("driver"), _spark("executor", _EXECUTORS, most=_MOST_EXECUTORS)),
        Scaling.TO_COMPLETION,
    ),
)
"""Suspended work counts as what it will be: a queue lets it run later."""
