"""Levers of what runs to its end: jobs, job sets, training jobs, Ray, workflows, Kueue's workloads."""

from aicost.domain.budgets.gates import Destruction
from aicost.domain.enforcement.levers.lever import (
    Ask,
    Lever,
    Refuses,
    condition,
    first_of,
    has,
    is_true,
    kept_by,
    setting,
    text_at,
)
from aicost.domain.enforcement.values import Json, LeverName
from aicost.domain.enforcement.writing.pointers import label

QUEUE = "kueue.x-k8s.io/queue-name"
"""Label by which a job is Kueue's."""
_MULTI_KUEUE = "kueue.x-k8s.io/multikueue"
_QUEUE_AT = label(QUEUE)
_UNDER_KUEUE = (
    "Kueue manages it, and would resume it while its Workload is admitted; its Workload was not found, and only that "
    "can be stopped"
)


def under_kueue(obj: Json, _: Ask) -> str:
    """Kueue resumes whatever is suspended while it is admitted."""
    return _UNDER_KUEUE if text_at(obj, _QUEUE_AT) else ""


def _elsewhere(obj: Json, _: Ask) -> str:
    """What Kueue runs in another cluster is no more than a mirror here."""
    managers = text_at(obj, "/spec/managedBy"), text_at(obj, "/spec/runPolicy/managedBy")
    return f"{_MULTI_KUEUE} runs it in another cluster: stop it there" if _MULTI_KUEUE in managers else ""


def _ended(*conditions: str) -> Refuses:
    return lambda obj, _: "it has ended" if any(condition(obj, one) for one in conditions) else ""


def _suspends(
    name: LeverName,
    group: str,
    kind: str,
    *,
    at: str = "/spec/suspend",
    destruction: Destruction = Destruction.STOP,
    refuses: tuple[Refuses, ...] = (),
    trap: str = "",
) -> Lever:
    checks = first_of(under_kueue, _elsewhere, *refuses)
    what = f"{at[1:].replace('/', '.')}: true"
    return Lever(name, group, kind, f"{kind.lower()}s", destruction, setting(at, value=True), checks, trap, what)


def _managed_elsewhere(obj: Json, _: Ask) -> str:
    managed = text_at(obj, "/spec/managedBy")
    ours = managed in {"", "kubernetes.io/job-controller"}
    return "" if ours else f"{managed} manages it: suspend it there"


def _ray_job(obj: Json, _: Ask) -> str:
    if text_at(obj, "/status/jobDeploymentStatus") in {"Complete", "Failed"}:
        return "it has ended"
    if not is_true(obj, "/spec/shutdownAfterJobFinishes"):
        return "KubeRay suspends no RayJob without shutdownAfterJobFinishes: true"
    return "KubeRay suspends no RayJob with a clusterSelector" if has(obj, "/spec/clusterSelector") else ""


def _training(kind: str) -> Lever:
    return _suspends(
        LeverName.SUSPEND_TRAINING,
        "kubeflow.org",
        kind,
        at="/spec/runPolicy/suspend",
        refuses=(_ended("Succeeded", "Failed"),),
        trap="All its pods go; it begins again from its last checkpoint.",
    )


_MAKERS = ("JobSet", "TrainJob", "MPIJob", "RayJob")
"""Kinds that make Jobs and decide whether these are suspended. A CronJob leaves those that it made alone."""
_JOB_ENDS = ("Complete", "Failed", "FailureTarget", "SuccessCriteriaMet")

_WORKLOAD = Lever(
    LeverName.DEACTIVATE,
    "kueue.x-k8s.io",
    "Workload",
    "workloads",
    Destruction.STOP,
    setting("/spec/active", value=False),
    _ended("Finished"),
    "Never the job's own suspend: Kueue undoes that while the Workload is admitted. Active again, it queues anew.",
    "spec.active: false",
)

STOP = (
    _suspends(
        LeverName.SUSPEND_WORKFLOW,
        "argoproj.io",
        "Workflow",
        destruction=Destruction.PAUSE,
        refuses=(lambda obj, _: "it has ended" if has(obj, "/status/finishedAt") else "",),
        trap="Running steps finish; no further one begins.",
    ),
    _WORKLOAD,
    _suspends(
        LeverName.SUSPEND_JOB,
        "batch",
        "Job",
        refuses=(_managed_elsewhere, kept_by(*_MAKERS), _ended(*_JOB_ENDS)),
        trap="Pods get SIGTERM and go; the job's start time and its deadline begin anew. One of Kueue's, or one that a "
        "JobSet or a training job made, is refused.",
    ),
    _suspends(
        LeverName.SUSPEND_JOB,
        "jobset.x-k8s.io",
        "JobSet",
        refuses=(kept_by("TrainJob"), _ended("Completed", "Failed")),
        trap="All jobs of the set stop together.",
    ),
    *map(_training, ("PyTorchJob", "MPIJob", "TFJob", "XGBoostJob", "PaddleJob", "JAXJob")),
    _suspends(
        LeverName.SUSPEND_TRAINING,
        "trainer.kubeflow.org",
        "TrainJob",
        refuses=(_ended("Complete", "Failed"),),
        trap="Its JobSet is suspended with it.",
    ),
    _suspends(
        LeverName.SUSPEND_RAY,
        "ray.io",
        "RayJob",
        destruction=Destruction.DELETE,
        refuses=(_ray_job,),
        trap="KubeRay deletes the RayCluster and makes another one later; the driver starts from its beginning. "
        "Refused without shutdownAfterJobFinishes or with a clusterSelector: KubeRay takes such a job for invalid.",
    ),
    _suspends(
        LeverName.SUSPEND_RAY,
        "ray.io",
        "RayCluster",
        refuses=(kept_by("RayJob", "RayService"),),
        trap="Head and workers go, and what is in the object store with them. One that a RayJob or RayService made is "
        "refused: its maker would wait for it for ever.",
    ),
)
"""One per kind; the Workload of what Kueue manages goes before the lever of its kind."""

SCHEDULES = tuple(
    Lever(
        LeverName.SUSPEND_SCHEDULE,
        group,
        kind,
        f"{kind.lower()}s",
        Destruction.BLOCK_NEW,
        setting("/spec/suspend", value=True),
        trap="What runs goes on; no further run begins.",
        what="spec.suspend: true",
    )
    for group, kind in (("batch", "CronJob"), ("argoproj.io", "CronWorkflow"), ("ray.io", "RayCronJob"))
)
"""Levers that keep schedules from beginning new work."""
