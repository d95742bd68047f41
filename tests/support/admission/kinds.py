"""Cases: each kind of object that people apply, with its label in another spelling, and without any."""

from collections.abc import Callable, Iterator
from typing import Any

from aicost.domain.policy.decisions import ProblemCode, Verdict
from support.admission.case import Case
from support.admission.manifests import Json, deployment, meta, pod_spec
from support.admission.policies import TEAM, policy

Labels = dict[str, str] | None
_Spec = Callable[[Labels], Json]
_LABEL = "aicost.dev/team"
_SPELT = {"squad": "Recs"}
_MEANT = "recommendation-engine"


def _template(labels: Labels = None) -> Json:
    return {**({"metadata": {"labels": dict(labels)}} if labels else {}), "spec": pod_spec()}


def _kubeflow(kind: str, field: str, version: str, *roles: str) -> tuple[str, str, _Spec]:
    def spec(labels: Labels) -> Json:
        return {field: {role: {"replicas": 1, "template": _template(labels)} for role in roles}}

    return f"kubeflow.org/{version}", kind, spec


def _ray(labels: Labels) -> Json:
    group = {"groupName": "workers", "replicas": 1, "minReplicas": 1, "maxReplicas": 1, "rayStartParams": {}}
    head = {"rayStartParams": {}, "template": _template(labels)}
    return {"headGroupSpec": head, "workerGroupSpecs": [{**group, "template": _template(labels)}]}


_KINDS: tuple[tuple[str, str, _Spec], ...] = (
    (
        "apps/v1",
        "StatefulSet",
        lambda labels: deployment(template=labels, kind="StatefulSet")["spec"],
    ),
    (
        "jobset.x-k8s.io/v1alpha2",
        "JobSet",
        lambda labels: {
            "replicatedJobs": [
                {"name": "workers", "replicas": 1, "template": {"spec": {"template": _template(labels)}}}
            ]
        },
    ),
    (
        "leaderworkerset.x-k8s.io/v1",
        "LeaderWorkerSet",
        lambda labels: {
            "replicas": 1,
            "leaderWorkerTemplate": {
                "size": 2,
                "leaderTemplate": _template(labels),
                "workerTemplate": _template(labels),
            },
        },
    ),
    ("ray.io/v1", "RayJob", lambda labels: {"entrypoint": "python train.py", "rayClusterSpec": _ray(labels)}),
    ("ray.io/v1", "RayService", lambda labels: {"rayClusterConfig": _ray(labels)}),
    _kubeflow("PyTorchJob", "pytorchReplicaSpecs", "v1", "Master", "Worker"),
    _kubeflow("MPIJob", "mpiReplicaSpecs", "v2beta1", "Launcher", "Worker"),
    ("kubeflow.org/v1", "Notebook", lambda _: {"template": _template()}),
    (
        "trainer.kubeflow.org/v1alpha1",
        "TrainJob",
        lambda _: {
            "runtimeRef": {"name": "torch-distributed"},
            "trainer": {"numNodes": 1, "resourcesPerNode": {"limits": {"nvidia.com/gpu": 8}}},
        },
    ),
    (
        "serving.kserve.io/v1beta1",
        "InferenceService",
        lambda _: {
            "predictor": {
                "model": {
                    "modelFormat": {"name": "huggingface"},
                    "storageUri": "hf://meta-llama/Llama-3.1-8B",
                    "resources": {"limits": {"nvidia.com/gpu": 1}},
                }
            }
        },
    ),
    (
        "serving.kserve.io/v1alpha2",
        "LLMInferenceService",
        lambda _: {"model": {"uri": "hf://meta-llama/Llama-3.1-8B"}, "template": pod_spec(1)},
    ),
    (
        "workload.codeflare.dev/v1beta2",
        "AppWrapper",
        lambda labels: {"components": [{"template": _inner_job(labels)}]},
    ),
)


def _inner_job(labels: Labels) -> Json:
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "inner", "namespace": "plain"},
        "spec": {"template": _template(labels)},
    }


def _made(api_version: str, kind: str, labels: Labels, spec: Json) -> Json:
    return {"apiVersion": api_version, "kind": kind, "metadata": meta("made", labels), "spec": spec}


def _cases_of(api_version: str, kind: str, spec: _Spec) -> Iterator[Case]:
    more: Any = {"policies": (policy(TEAM),)}
    bare = _made(api_version, kind, None, spec(None))
    yield Case(f"no {kind} comes in without a team", bare, Verdict.DENY, (ProblemCode.MISSING,), **more)
    spelt = _made(api_version, kind, _SPELT, spec(None))
    written = (("", _LABEL, _MEANT),)
    yield Case(f"a {kind} says its team in words of its own", spelt, Verdict.ALLOW, changes=written, **more)
    if spec(_SPELT) != spec(None):
        inside = _made(api_version, kind, None, spec({_LABEL: _MEANT}))
        yield Case(f"a {kind} with the team on its templates comes in", inside, Verdict.ALLOW, **more)


KINDS: tuple[Case, ...] = tuple(case for kind in _KINDS for case in _cases_of(*kind))
