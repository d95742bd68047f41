"""The pods of a TrainJob, which its runtime describes."""

from collections.abc import Iterator

from aicost.domain.workloads.foreign import Json, at, items, mapping, text, texts, whole
from aicost.domain.workloads.gpus.claims import Beside
from aicost.domain.workloads.pods.forms import Described
from aicost.domain.workloads.pods.template import Part

_RUNTIMES = ("ClusterTrainingRuntime", "TrainingRuntime")
_STEP = "trainer.kubeflow.org/trainjob-ancestor-step"
_TRAINER = "trainer"
_NODE = "node"


def trainer_pods(job: Json, beside: Beside, namespace: str) -> Iterator[tuple[Part, Described]]:
    """The pods that train, by the job where it states their resources, and those of the runtime beside them.

    Where the runtime is not at hand, the job's own resources and number of nodes tell, else the size is not known.

    Args:
        job: spec of the TrainJob.
        beside: where a runtime may be found.
        namespace: of the TrainJob.
    """
    reference = mapping(job.get("runtimeRef"))
    kinds = (text(reference.get("kind")) or _RUNTIMES[0],)
    runtime = beside.find(kinds, text(reference.get("name")), namespace)
    if runtime is None or kinds[0] not in _RUNTIMES:
        yield _part(_TRAINER, _nodes(job, {})), _trained({}, job, known=False)
        return
    spec = mapping(runtime.get("spec"))
    for each in items(at(spec, ("template", "spec", "replicatedJobs"))):
        yield _replicated(mapping(each), job, spec)


def _replicated(replicated: Json, job: Json, runtime: Json) -> tuple[Part, Described]:
    """One replicated job of the runtime's JobSet; the TrainJob speaks of the one that trains."""
    name = text(replicated.get("name"))
    template = mapping(at(replicated, ("template", "spec", "template")))
    step = texts(at(replicated, ("template", "metadata", "labels"))).get(_STEP)
    if step == _TRAINER or (step is None and name == _NODE):
        return _part(name, _nodes(job, runtime)), _trained(template, job, known=True)
    jobs = whole(replicated.get("replicas"))
    pods = whole(at(replicated, ("template", "spec", "parallelism")))
    count = (1 if jobs is None else jobs) * (1 if pods is None else pods)
    return _part(name, count), Described(mapping(template.get("metadata")), mapping(template.get("spec")))


def _nodes(job: Json, runtime: Json) -> int:
    told = whole(at(job, (_TRAINER, "numNodes")))
    usual = whole(at(runtime, ("mlPolicy", "numNodes")))
    return next((count for count in (told, usual) if count is not None), 1)


def _trained(template: Json, job: Json, *, known: bool) -> Described:
    """A pod that trains: as the runtime says, with what the job puts in its place."""
    own = mapping(job.get(_TRAINER))
    spec = mapping(template.get("spec"))
    resources = mapping(own.get("resourcesPerNode"))
    first, *rest = [mapping(each) for each in items(spec.get("containers"))] or [{}]
    over = {key: own[key] for key in ("image", "command", "args", "env") if key in own}
    container = {"name": _NODE, **first, **over, **({"resources": resources} if resources else {})}
    selectors = [texts(at(each, ("spec", "nodeSelector"))) for each in items(job.get("podTemplateOverrides"))]
    wanted = {key: value for each in (texts(spec.get("nodeSelector")), *selectors) for key, value in each.items()}
    pod = {**spec, "containers": [container, *rest], "nodeSelector": wanted}
    metadata = {"labels": {**texts(at(template, ("metadata", "labels"))), **texts(job.get("labels"))}}
    return Described(metadata, pod, sized=known or bool(resources))


def _part(role: str, replicas: int) -> Part:
    return Part("", role, (replicas, replicas), patchable=False)
