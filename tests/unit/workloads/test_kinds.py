"""The table of kinds: complete, free of contradictions, and right about each kind's pods."""

from collections import Counter

import pytest

from aicost.domain.workloads.foreign import at, found, pointer
from aicost.domain.workloads.kinds import JUDGED_KINDS, KINDS, kind_of
from aicost.domain.workloads.reading import read_workload
from aicost.domain.workloads.shapes import Scaling
from support.manifests import asking, container, gpus, job, manifest, template

KSERVE, KUBEFLOW, NVIDIA = "serving.kserve.io/v1beta1", "kubeflow.org/v1", "apps.nvidia.com/v1alpha1"
LLM = "serving.kserve.io/v1alpha2"
GPU = {"limits": {"nvidia.com/gpu": 2}}


def pods_of(obj):
    return {each.role: (each.replicas, each.max_replicas, each.gpu_milli) for each in read_workload(obj).templates}


def ray(**group):
    return {
        "headGroupSpec": {"rayStartParams": {"num-gpus": "0"}, "template": template(container())},
        "workerGroupSpecs": [{"groupName": "w", "template": gpus(1), **group}],
    }


def lws(**more):
    return manifest("leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet", {"replicas": 2, "leaderWorkerTemplate": more})


def isvc(**predictor):
    return manifest(KSERVE, "InferenceService", {"predictor": predictor})


def llm(**spec):
    return manifest(LLM, "LLMInferenceService", spec)


def nim(**spec):
    return manifest(NVIDIA, "NIMService", spec)


POD = {"containers": [asking({"nvidia.com/gpu": 8})]}

CASES = {
    "a job without a number runs one pod": (job(gpus(1)), {"": (1, 1, 1000)}),
    "a job runs no more pods at once than are to complete": (
        job(gpus(1), parallelism=10, completions=3),
        {"": (3, 3, 1000)},
    ),
    "a job may run no pods": (job(gpus(1), parallelism=0), {"": (0, 0, 1000)}),
    "a daemon set runs on each node, of which nobody knows how many": (
        manifest("apps/v1", "DaemonSet", {"template": gpus(1)}),
        {"": (1, 1, 1000)},
    ),
    "a job set multiplies": (
        manifest(
            "jobset.x-k8s.io/v1alpha2",
            "JobSet",
            {
                "replicatedJobs": [
                    {"name": "a", "replicas": 3, "template": {"spec": {"parallelism": 2, "template": gpus(1)}}},
                    {"name": "b", "template": {"spec": {"template": gpus(4)}}},
                ]
            },
        ),
        {"a": (6, 6, 1000), "b": (1, 1, 4000)},
    ),
    "a group without a leader of its own is all workers": (
        lws(size=4, workerTemplate=gpus(8)),
        {"worker": (8, 8, 8000)},
    ),
    "a leader is one of its group": (
        lws(size=4, leaderTemplate=gpus(1), workerTemplate=gpus(8)),
        {"leader": (2, 2, 1000), "worker": (6, 6, 8000)},
    ),
    "workers of Ray are as many as say their bounds": (
        manifest("ray.io/v1", "RayCluster", ray(replicas=1, minReplicas=2, maxReplicas=5)),
        {"head": (1, 1, 0), "w": (2, 2, 1000)},
    ),
    "Ray scales only where it is told to": (
        manifest(
            "ray.io/v1", "RayCluster", {**ray(replicas=1, maxReplicas=5, numOfHosts=2), "enableInTreeAutoscaling": True}
        ),
        {"head": (1, 1, 0), "w": (2, 10, 1000)},
    ),
    "a largest number that means no limit is none": (
        manifest(
            "ray.io/v1", "RayCluster", {**ray(replicas=1, maxReplicas=2**31 - 1), "enableInTreeAutoscaling": True}
        ),
        {"head": (1, 1, 0), "w": (1, 1, 1000)},
    ),
    "Ray may be told of GPUs that no container asks for": (
        manifest(
            "ray.io/v1",
            "RayCluster",
            {"headGroupSpec": {"rayStartParams": {"num-gpus": "4"}, "template": template(container())}},
        ),
        {"head": (1, 1, 4000)},
    ),
    "a container's own demand goes before what Ray is told": (
        manifest(
            "ray.io/v1",
            "RayCluster",
            {"headGroupSpec": {"rayStartParams": {"num-gpus": "4"}, "template": gpus(1)}},
        ),
        {"head": (1, 1, 1000)},
    ),
    "a Ray cron job": (
        manifest("ray.io/v1", "RayCronJob", {"schedule": "@daily", "jobTemplate": {"rayClusterSpec": ray(replicas=2)}}),
        {"head": (1, 1, 0), "w": (2, 2, 1000)},
    ),
    "an elastic job may grow in its workers": (
        manifest(
            KUBEFLOW,
            "PyTorchJob",
            {
                "elasticPolicy": {"maxReplicas": 4},
                "pytorchReplicaSpecs": {
                    "Master": {"template": gpus(1)},
                    "Worker": {"replicas": 2, "template": gpus(1)},
                },
            },
        ),
        {"Master": (1, 1, 1000), "Worker": (2, 4, 1000)},
    ),
    "an MPI job without a number of workers has none": (
        manifest(
            "kubeflow.org/v2beta1",
            "MPIJob",
            {"mpiReplicaSpecs": {"Launcher": {"template": template(container())}, "Worker": {"template": gpus(1)}}},
        ),
        {"Launcher": (1, 1, 0), "Worker": (0, 0, 1000)},
    ),
    "a part of a TensorFlow job has the name of its key": (
        manifest(KUBEFLOW, "TFJob", {"tfReplicaSpecs": {"Chief": {"replicas": 2, "template": gpus(1)}}}),
        {"Chief": (2, 2, 1000)},
    ),
    "a training job without its runtime has no size": (
        manifest("trainer.kubeflow.org/v1alpha1", "TrainJob", {"trainer": {"numNodes": 2}}),
        {"trainer": (2, 2, None)},
    ),
    "a training job that states its resources has a size": (
        manifest("trainer.kubeflow.org/v1alpha1", "TrainJob", {"trainer": {"numNodes": 2, "resourcesPerNode": GPU}}),
        {"trainer": (2, 2, 2000)},
    ),
    "a predictor scales between its bounds": (
        isvc(minReplicas=2, maxReplicas=6, model={"resources": GPU}),
        {"predictor": (2, 6, 2000)},
    ),
    "a predictor without an upper bound shows none": (
        isvc(minReplicas=1, maxReplicas=0, model={"resources": GPU}),
        {"predictor": (1, 1, 2000)},
    ),
    "a predictor may be scaled to zero": (isvc(minReplicas=0, pytorch={"resources": GPU}), {"predictor": (0, 0, 2000)}),
    "a predictor with a container of its own": (
        isvc(containers=[asking({"nvidia.com/gpu": 1})]),
        {"predictor": (1, 1, 1000)},
    ),
    "a predictor of a runtime that is elsewhere has no size": (
        isvc(model={"runtime": "big"}),
        {"predictor": (1, 1, None)},
    ),
    "a predictor that asks for nothing takes no GPU": (
        isvc(sklearn={"storageUri": "s3://m"}),
        {"predictor": (1, 1, 0)},
    ),
    "a predictor over several nodes": (
        isvc(model={}, workerSpec={"pipelineParallelSize": 3, "tensorParallelSize": 4}),
        {"predictor": (1, 1, 4000), "predictor-worker": (2, 2, 4000)},
    ),
    "prefill and decode are parts of their own": (
        llm(replicas=2, template=POD, prefill={"replicas": 3, "template": POD}),
        {"server": (2, 2, 8000), "prefill": (3, 3, 8000)},
    ),
    "a language model over several nodes by pipeline": (
        llm(template=POD, worker=POD, parallelism={"pipeline": 4}),
        {"server": (1, 1, 8000), "worker": (3, 3, 8000)},
    ),
    "a language model that leaves its pods to presets has no size": (
        llm(model={"uri": "hf://a/b"}),
        {"server": (1, 1, None)},
    ),
    "a language model that scales": (
        llm(template=POD, scaling={"minReplicas": 2, "maxReplicas": 5}),
        {"server": (2, 5, 8000)},
    ),
    "a NIM whose profile decides has no size": (nim(replicas=2), {"": (2, 2, None)}),
    "a NIM over several nodes": (
        nim(resources=GPU, multiNode={"size": 3}),
        {"": (3, 3, 2000)},
    ),
    "a NIM scales where it is enabled": (
        nim(resources=GPU, scale={"enabled": False, "hpa": {"maxReplicas": 4}}),
        {"": (1, 1, 2000)},
    ),
    "a NIM with a claim by template that is elsewhere": (
        nim(draResources=[{"resourceClaimTemplateName": "gone"}]),
        {"": (1, 1, None)},
    ),
    "a pipeline of NIMs": (
        manifest(NVIDIA, "NIMPipeline", {"services": [{"name": "llm", "spec": {"replicas": 2, "resources": GPU}}]}),
        {"llm": (2, 2, 2000)},
    ),
    "a machine that nobody knows has no size": (
        manifest("kaito.sh/v1beta1", "Workspace", resource={"instanceType": "Standard_ND_of_tomorrow"}),
        {"": (1, 1, None)},
    ),
    "a machine without GPUs has none": (
        manifest("kaito.sh/v1beta1", "RAGEngine", {"compute": {"instanceType": "Standard_D8s_v5"}}),
        {"": (1, 1, 0)},
    ),
    "a machine of AMD": (
        manifest("kaito.sh/v1beta1", "Workspace", resource={"instanceType": "Standard_ND96isr_MI300X_v5", "count": 2}),
        {"": (2, 2, 8000)},
    ),
    "a service of a Dynamo graph": (
        manifest(
            "nvidia.com/v1alpha1",
            "DynamoGraphDeployment",
            {
                "services": {
                    "decode": {"replicas": 2, "resources": {"limits": {"gpu": "4"}}, "multinode": {"nodeCount": 2}}
                }
            },
        ),
        {"decode": (4, 4, 4000)},
    ),
    "a component of a Dynamo graph": (
        manifest(
            "nvidia.com/v1beta1",
            "DynamoGraphDeployment",
            {"components": [{"name": "decode", "replicas": 2, "podTemplate": gpus(4)}]},
        ),
        {"decode": (2, 2, 4000)},
    ),
    "executors of Spark": (
        manifest(
            "sparkoperator.k8s.io/v1beta2",
            "SparkApplication",
            {
                "driver": {"cores": 1},
                "executor": {"instances": 4, "gpu": {"name": "nvidia.com/gpu", "quantity": 1}},
                "dynamicAllocation": {"enabled": True, "maxExecutors": 10},
            },
        ),
        {"driver": (1, 1, 0), "executor": (4, 10, 1000)},
    ),
    "a notebook": (manifest(KUBEFLOW, "Notebook", {"template": gpus(1)}), {"": (1, 1, 1000)}),
    "a Knative service": (
        manifest(
            "serving.knative.dev/v1",
            "Service",
            {"template": gpus(1) | {"metadata": {"annotations": {"autoscaling.knative.dev/max-scale": "5"}}}},
        ),
        {"": (1, 5, 1000)},
    ),
    "roles of a storm service": (
        manifest(
            "orchestration.aibrix.ai/v1alpha1",
            "StormService",
            {"replicas": 2, "template": {"spec": {"roles": [{"name": "decode", "replicas": 3, "template": gpus(1)}]}}},
        ),
        {"decode": (6, 6, 1000)},
    ),
    "a job inside a wrapper": (
        manifest(
            "workload.codeflare.dev/v1beta2",
            "AppWrapper",
            {"components": [{"template": manifest("v1", "Service")}, {"template": job(gpus(2), parallelism=3)}]},
        ),
        {"thing": (3, 3, 2000)},
    ),
    "trials of an experiment": (
        manifest(
            "kubeflow.org/v1beta1",
            "Experiment",
            {"parallelTrialCount": 4, "maxTrialCount": 2, "trialTemplate": {"trialSpec": job(gpus(1))}},
        ),
        {"thing": (2, 2, 1000)},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_pods_of(name):
    obj, expected = CASES[name]
    assert pods_of(obj) == expected


@pytest.mark.parametrize("kind", ["ConfigMap", "Service", "Namespace", "PodTemplate", "ResourceClaimTemplate", ""])
def test_what_runs_no_pods_is_no_workload(kind):
    assert read_workload(manifest("v1", kind, {"template": gpus(8)})) is None


def test_a_kind_of_another_group_is_another_kind():
    assert read_workload(manifest("example.com/v1", "Deployment", {"template": gpus(8)})) is None


def test_any_version_of_a_group_is_read():
    assert kind_of("kubeflow.org/v7", "PyTorchJob").plural == "pytorchjobs"


def test_each_kind_stands_in_the_table_once():
    twice = [name for name, times in Counter((each.group, each.kind) for each in KINDS).items() if times > 1]
    assert twice == []
    assert len({(each.group, each.plural) for each in KINDS}) == len(KINDS)


def test_daemon_sets_are_read_and_not_judged():
    assert {each.kind for each in KINDS} - {each.kind for each in JUDGED_KINDS} == {"DaemonSet"}


def test_all_kinds_that_people_are_promised_are_judged():
    promised = {"Deployment", "StatefulSet", "Job", "CronJob", "JobSet", "LeaderWorkerSet", "RayCluster", "RayJob"}
    promised |= {"RayService", "PyTorchJob", "TrainJob", "MPIJob", "InferenceService", "LLMInferenceService"}
    promised |= {"AppWrapper", "Notebook", "Pod", "AIWorkload", "ReplicaSet"}
    assert promised <= {each.kind for each in JUDGED_KINDS}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.group}/{kind.kind}")
def test_pointers_of_a_kind_have_no_more_stars_than_the_place_that_binds_them(kind):
    for place in kind.places:
        numbers = [number for number in (*place.counts, place.most) if number]
        pointers = [each for number in numbers for each in (*number.at, number.least, number.cap, number.per)]
        for each in (*pointers, place.most_if, place.named_at, place.metadata_at, *place.gpus_at):
            assert each.count("*") <= place.at.count("*")


@pytest.mark.parametrize("name", CASES)
def test_the_path_of_a_template_leads_to_its_pod(name):
    obj, _ = CASES[name]
    for each in read_workload(obj).templates:
        there = at(obj, pointer(each.path)) if each.path else None
        assert (there is not None) == each.patchable
        assert there is None or there["spec"]["containers"]


def test_a_bare_pod_is_patched_where_it_stands():
    [only] = read_workload(manifest("v1", "Pod", {"containers": [container()]})).templates
    assert (only.path, only.patchable) == ("", True)


def test_a_key_with_a_slash_is_escaped_in_a_path():
    obj = manifest(KUBEFLOW, "TFJob", {"tfReplicaSpecs": {"a/b~c": {"template": gpus(1)}}})
    [only] = read_workload(obj).templates
    assert (only.path, only.role) == ("/spec/tfReplicaSpecs/a~1b~0c/template", "a/b~c")
    assert at(obj, pointer(only.path)) == gpus(1)


def test_a_pointer_finds_every_place():
    obj = {"a": [{"b": 1}, {"c": 2}, {"b": 3}], "m": {"x": {"b": 4}}}
    assert list(found(obj, pointer("/a/*/b"))) == [(("a", "0", "b"), 1), (("a", "2", "b"), 3)]
    assert list(found(obj, pointer("/m/*/b"))) == [(("m", "x", "b"), 4)]


@pytest.mark.parametrize(
    ("obj", "scaling"),
    [
        (manifest("apps/v1", "Deployment", {"template": gpus(1)}), Scaling.FIXED),
        (isvc(model={}), Scaling.AUTOSCALED),
        (job(gpus(1)), Scaling.TO_COMPLETION),
        (manifest("batch/v1", "CronJob", {}), Scaling.SCHEDULED),
        (nim(scale={"enabled": True, "hpa": {"maxReplicas": 4}}), Scaling.AUTOSCALED),
    ],
)
def test_a_workload_says_how_it_scales(obj, scaling):
    assert read_workload(obj).scaling is scaling
