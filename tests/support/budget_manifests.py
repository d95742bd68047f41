"""Objects that the policies of budgets are about: those that run pods, what makes them larger, and what wakes them."""

from typing import Any

from support.manifests import manifest

Object = dict[str, Any]


def pod(gpus: int = 1, labels: Object | None = None, name: str = "p", **metadata: Any) -> Object:
    """A bare pod."""
    meta = {"name": name, "labels": labels or {}, **metadata}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": pod_spec(gpus)}


def pod_spec(gpus: int = 1, **more: Any) -> Object:
    container: Object = {"name": "c", "image": "busybox"}
    if gpus:
        container["resources"] = {"limits": {"nvidia.com/gpu": str(gpus)}}
    return {"containers": [container], **more}


def template(gpus: int = 1, labels: Object | None = None, **more: Any) -> Object:
    return {"metadata": {"labels": {"app": "x", **(labels or {})}}, "spec": pod_spec(gpus, **more)}


def replicated(
    kind: str = "Deployment", replicas: int = 1, gpus: int = 1, labels: Object | None = None, **more: Any
) -> Object:
    """A Deployment or what is like one; `below` are labels of its pods, all else is metadata."""
    below = more.pop("below", None)
    meta = {"name": more.pop("name", "d"), "labels": labels or {}, **more}
    spec: Object = {"replicas": replicas, "selector": {"matchLabels": {"app": "x"}}, "template": template(gpus, below)}
    if kind == "StatefulSet":
        spec["serviceName"] = "d"
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": meta, "spec": spec}


def job(gpus: int = 1, name: str = "j", **spec: Any) -> Object:
    body = {"template": template(gpus, restartPolicy="Never"), **spec}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": body}


def cron_job(**spec: Any) -> Object:
    body = {"schedule": "0 3 1 1 *", "jobTemplate": {"spec": job()["spec"]}, **spec}
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "c"}, "spec": body}


def autoscaler(most: int = 2) -> Object:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}
    spec = {"minReplicas": 1, "maxReplicas": most, "scaleTargetRef": target}
    return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "h"}, "spec": spec}


def owned_by(owner: Object) -> list[Object]:
    """A reference to the owner that controls an object."""
    named = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"]}
    return [{**named, "uid": owner["metadata"]["uid"], "controller": True}]


def ray_cluster(replicas: int = 1, most: int = 4, gpus: int = 1, groups: int = 1, **spec: Any) -> Object:
    """A head without GPUs, and groups of workers of which the last asks for some."""
    named = [{"groupName": f"w{number}", "minReplicas": 0} for number in range(groups)]
    workers = [{**one, "replicas": replicas, "maxReplicas": most, "template": template(0)} for one in named]
    workers[-1]["template"] = template(gpus)
    body = {"headGroupSpec": {"rayStartParams": {}, "template": template(0)}, "workerGroupSpecs": workers, **spec}
    return {"apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": "r"}, "spec": body}


_GPU = {"limits": {"nvidia.com/gpu": 2}}
_CPU = {"limits": {"cpu": "8"}}


def _kserve(**predictor: Any) -> Object:
    return manifest("serving.kserve.io/v1beta1", "InferenceService", {"predictor": predictor})


def _llm(**spec: Any) -> Object:
    return manifest("serving.kserve.io/v1alpha2", "LLMInferenceService", spec)


def _nim(**spec: Any) -> Object:
    return manifest("apps.nvidia.com/v1alpha1", "NIMService", spec)


def _wrapper(*inside: Object) -> Object:
    return manifest(
        "workload.codeflare.dev/v1beta2", "AppWrapper", {"components": [{"template": one} for one in inside]}
    )


def _workflow(**step: Any) -> Object:
    return manifest("argoproj.io/v1alpha1", "Workflow", {"entrypoint": "a", "templates": [{"name": "a", **step}]})


def _train_job(**trainer: Any) -> Object:
    return manifest("trainer.kubeflow.org/v1alpha1", "TrainJob", {"trainer": trainer})


def _pod_of(container: Object, **spec: Any) -> Object:
    return {**pod(0), "spec": {"containers": [{"name": "c", "image": "busybox", **container}], **spec}}


def _part(kind: str, pod_template: Object) -> Object:
    parts = {"JobSet": ("replicatedJobs", {"template": {"spec": {"template": pod_template}}})}
    field, item = parts[kind]
    return manifest("jobset.x-k8s.io/v1alpha2", kind, {field: [{"name": "cpu", "template": job(0)}, item]})


ASKING: dict[str, Object] = {
    "a MIG slice": _pod_of({"resources": {"limits": {"nvidia.com/mig-3g.20gb": "1"}}}),
    "memory of a GPU": _pod_of({"resources": {"limits": {"nvidia.com/gpumem": "3000"}}}),
    "an accelerator of Huawei": _pod_of({"resources": {"limits": {"huawei.com/Ascend910": "1"}}}),
    "a vendor that nobody knows": _pod_of({"resources": {"limits": {"example.com/gpu": "1"}}}),
    "another extended resource": _pod_of({"resources": {"limits": {"example.com/fpga": "1"}}}),
    "no GPU at all, in figures": _pod_of({"resources": {"limits": {"nvidia.com/gpu": "0"}}}),
    "a GPU by its extended resource of DRA": _pod_of(
        {"resources": {"limits": {"deviceclass.resource.kubernetes.io/gpu.nvidia.com": "1"}}}
    ),
    "a claim (DRA)": _pod_of({}, resourceClaims=[{"name": "g", "resourceClaimTemplateName": "one-gpu"}]),
    "a GPU of an init container": {
        **pod(0),
        "spec": {**pod_spec(0), "initContainers": [{"name": "i", "image": "busybox", "resources": _GPU}]},
    },
    "half a GPU of KAI": pod(0, annotations={"gpu-fraction": "0.5"}),
    "memory of a GPU of KAI": pod(0, annotations={"gpu-memory": "2000"}),
    "a second job of a set": _part("JobSet", template(1)),
    "a set without GPUs": _part("JobSet", template(0)),
    "Ray that is told of GPUs": {
        **ray_cluster(gpus=0),
        "spec": {"headGroupSpec": {"rayStartParams": {"num-gpus": "4"}, "template": template(0)}},
    },
    "Ray that is told of none": {
        **ray_cluster(gpus=0),
        "spec": {"headGroupSpec": {"rayStartParams": {"num-gpus": "0"}, "template": template(0)}},
    },
    "a predictor by its framework": _kserve(pytorch={"resources": _GPU}),
    "a predictor by its container": _kserve(containers=[{"name": "c", "resources": _GPU}]),
    "a predictor on CPUs": _kserve(sklearn={"storageUri": "s3://m", "resources": _CPU}),
    "a predictor of a runtime that is elsewhere": _kserve(model={"runtime": "big"}),
    "a predictor of a runtime, on CPUs": _kserve(model={"runtime": "big", "resources": _CPU}),
    "a predictor over several nodes": _kserve(model={}, workerSpec={"tensorParallelSize": 4}),
    "a language model with its pods": _llm(template=pod_spec(1)),
    "a language model on CPUs": _llm(template=pod_spec(0)),
    "a language model that leaves its pods to presets": _llm(model={"uri": "hf://a/b"}),
    "prefill on GPUs": _llm(template=pod_spec(0), prefill={"template": pod_spec(1)}),
    "a NIM whose profile decides": _nim(replicas=2),
    "a NIM with GPUs": _nim(resources=_GPU),
    "a NIM on CPUs": _nim(resources=_CPU),
    "a NIM with a claim": _nim(draResources=[{"resourceClaimTemplateName": "gone"}]),
    "a pipeline of NIMs": manifest(
        "apps.nvidia.com/v1alpha1", "NIMPipeline", {"services": [{"name": "llm", "spec": {"resources": _GPU}}]}
    ),
    "a service of NeMo": manifest("apps.nvidia.com/v1alpha1", "NemoCustomizer", {"resources": _GPU}),
    "a machine with GPUs": manifest(
        "kaito.sh/v1beta1", "Workspace", resource={"instanceType": "Standard_ND96isr_H100_v5"}
    ),
    "a machine that nobody knows": manifest("kaito.sh/v1beta1", "Workspace", resource={"instanceType": "x"}),
    "a machine without GPUs": manifest(
        "kaito.sh/v1beta1", "RAGEngine", {"compute": {"instanceType": "Standard_D8s_v5"}}
    ),
    "a service of a Dynamo graph": manifest(
        "nvidia.com/v1beta1",
        "DynamoGraphDeployment",
        {"services": {"web": {}, "decode": {"resources": {"limits": {"gpu": "4"}}}}},
    ),
    "a Dynamo graph with resources of another name": manifest(
        "nvidia.com/v1beta1",
        "DynamoGraphDeployment",
        {"services": {"decode": {"resources": {"requests": {"custom": {"amd.com/gpu": "1"}}}}}},
    ),
    "a Dynamo graph by the container of its pod": manifest(
        "nvidia.com/v1beta1",
        "DynamoGraphDeployment",
        {"services": {"decode": {"extraPodSpec": {"mainContainer": {"resources": _GPU}}}}},
    ),
    "a component of a Dynamo graph": manifest(
        "nvidia.com/v1beta1", "DynamoGraphDeployment", {"components": [{"name": "d", "podTemplate": template(4)}]}
    ),
    "a Dynamo graph on CPUs": manifest("nvidia.com/v1beta1", "DynamoGraphDeployment", {"services": {"web": {}}}),
    "a runtime of vLLM": manifest(
        "production-stack.vllm.ai/v1alpha1", "VLLMRuntime", {"deploymentConfig": {"resources": {"gpu": "1"}}}
    ),
    "a runtime of vLLM on CPUs": manifest(
        "production-stack.vllm.ai/v1alpha1", "VLLMRuntime", {"deploymentConfig": {"resources": {"cpu": "1"}}}
    ),
    "executors of Spark with GPUs": manifest(
        "sparkoperator.k8s.io/v1beta2", "SparkApplication", {"driver": {}, "executor": {"gpu": {"quantity": 1}}}
    ),
    "Spark on CPUs": manifest("sparkoperator.k8s.io/v1beta2", "SparkApplication", {"driver": {}, "executor": {}}),
    "a training job whose runtime decides": _train_job(numNodes=2),
    "a training job with GPUs": _train_job(resourcesPerNode=_GPU),
    "a training job on CPUs": _train_job(resourcesPerNode=_CPU),
    "a step of a workflow": _workflow(container={"resources": _GPU}),
    "a container of a set in a workflow": _workflow(containerSet={"containers": [{"name": "a"}, {"resources": _GPU}]}),
    "a workflow on CPUs": _workflow(script={"resources": _CPU}),
    "a schedule of workflows": manifest(
        "argoproj.io/v1alpha1",
        "CronWorkflow",
        {"workflowSpec": {"entrypoint": "a", "templates": [{"name": "a", "container": {"resources": _GPU}}]}},
    ),
    "a job inside a wrapper": _wrapper({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}}, job(1)),
    "a pod inside a wrapper": _wrapper(pod(1)),
    "a job on CPUs inside a wrapper": _wrapper(job(0)),
    "trials of an experiment": manifest("kubeflow.org/v1beta1", "Experiment", {"trialTemplate": {"trialSpec": job(1)}}),
    "a part of a part of Seldon": manifest(
        "machinelearning.seldon.io/v1",
        "SeldonDeployment",
        {"predictors": [{"componentSpecs": [template(0)]}, {"componentSpecs": [template(0), template(1)]}]},
    ),
    "Seldon on CPUs": manifest(
        "machinelearning.seldon.io/v1", "SeldonDeployment", {"predictors": [{"componentSpecs": [template(0)]}]}
    ),
    "a notebook": manifest("kubeflow.org/v1", "Notebook", {"template": template(1)}),
    "a service of Knative": manifest("serving.knative.dev/v1", "Service", {"template": template(1)}),
    "roles of a storm service": manifest(
        "orchestration.aibrix.ai/v1alpha1",
        "StormService",
        {"template": {"spec": {"roles": [{"name": "d", "template": template(1)}]}}},
    ),
}
"""Objects of each form; whether they ask for accelerators is for `read_workload` to say."""
UNKNOWN: dict[str, Object] = {
    "a workflow by a template that is elsewhere": manifest(
        "argoproj.io/v1alpha1", "Workflow", {"workflowTemplateRef": {"name": "train"}}
    ),
    "a step by a template that is elsewhere": _workflow(steps=[[{"name": "s", "templateRef": {"name": "train"}}]]),
    "a task by a template that is elsewhere": _workflow(dag={"tasks": [{"name": "t", "templateRef": {"name": "x"}}]}),
    "a step that is patched": _workflow(
        container={}, podSpecPatch='{"containers": [{"resources": {"limits": {"nvidia.com/gpu": 1}}}]}'
    ),
    "more groups than anybody looks at": ray_cluster(groups=501, gpus=0),
    "more containers than anybody looks at": _part("JobSet", {"spec": {"containers": [{}] * 501}}),
    "more resources than anybody looks at": _part(
        "JobSet", {"spec": {"containers": [{"resources": {"limits": {f"example.com/{n}": 1 for n in range(201)}}}]}}
    ),
    "a predictor inside a wrapper": _wrapper(_kserve(sklearn={"resources": _CPU})),
    "workers of Ray inside a wrapper": _wrapper(ray_cluster(gpus=0)),
}
"""Objects whose pods the API server cannot know, so that they count as asking."""

GROWTH: dict[str, tuple[Object, Object, Object]] = {
    "replicas of a Deployment": (replicated(replicas=2), {"spec": {"replicas": 3}}, {"spec": {"replicas": 0}}),
    "replicas of a StatefulSet": (
        replicated("StatefulSet", 2),
        {"spec": {"replicas": 3}},
        {"spec": {"replicas": 2}, "metadata": {"labels": {"a": "b"}}},
    ),
    "parallelism of a Job": (
        job(parallelism=2, completions=8),
        {"spec": {"parallelism": 3}},
        {"spec": {"parallelism": 1}},
    ),
    "parallelism of a CronJob": (
        cron_job(jobTemplate={"spec": job(parallelism=2)["spec"]}),
        {"spec": {"jobTemplate": {"spec": {"parallelism": 3}}}},
        {"spec": {"jobTemplate": {"spec": {"parallelism": 1}}, "schedule": "@weekly"}},
    ),
    "the largest number of an autoscaler": (
        autoscaler(2),
        {"spec": {"maxReplicas": 3}},
        {"spec": {"maxReplicas": 1}},
    ),
    "workers of Ray": (
        ray_cluster(1),
        {"spec": {"workerGroupSpecs": ray_cluster(2)["spec"]["workerGroupSpecs"]}},
        {"spec": {"workerGroupSpecs": ray_cluster(0)["spec"]["workerGroupSpecs"]}},
    ),
    "the largest number of workers of Ray": (
        ray_cluster(1, 4),
        {"spec": {"workerGroupSpecs": ray_cluster(1, 5)["spec"]["workerGroupSpecs"]}},
        {"spec": {"workerGroupSpecs": ray_cluster(1, 3)["spec"]["workerGroupSpecs"]}},
    ),
    "another group of workers of Ray": (
        ray_cluster(1),
        {"spec": {"workerGroupSpecs": ray_cluster(1, groups=2)["spec"]["workerGroupSpecs"]}},
        {"spec": {"workerGroupSpecs": []}},
    ),
    "another job of a JobSet": (
        {
            "apiVersion": "jobset.x-k8s.io/v1alpha2",
            "kind": "JobSet",
            "metadata": {"name": "s"},
            "spec": {"replicatedJobs": [{"name": "a", "replicas": 2, "template": job()}]},
        },
        {"spec": {"replicatedJobs": [{"name": "a", "replicas": 3, "template": job()}]}},
        {"spec": {"replicatedJobs": [{"name": "a", "template": job()}]}},
    ),
    "the largest number of a ScaledObject that names none": (
        {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": "k"}, "spec": {}},
        {"spec": {"maxReplicaCount": 101}},
        {"spec": {"maxReplicaCount": 99}},
    ),
    "the largest number of a predictor": (
        {
            "apiVersion": "serving.kserve.io/v1beta1",
            "kind": "InferenceService",
            "metadata": {"name": "i"},
            "spec": {
                "predictor": {"maxReplicas": 2, "model": {"resources": {"limits": {"nvidia.com/gpu": 1}}}},
            },
        },
        {"spec": {"predictor": {"maxReplicas": 3}}},
        {"spec": {"predictor": {"maxReplicas": 2, "minReplicas": 1}}},
    ),
    "workers of a training job": (
        {
            "apiVersion": "kubeflow.org/v1",
            "kind": "PyTorchJob",
            "metadata": {"name": "t"},
            "spec": {"pytorchReplicaSpecs": {"Worker": {"replicas": 2, "template": template()}}},
        },
        {"spec": {"pytorchReplicaSpecs": {"Worker": {"replicas": 3}}}},
        {"spec": {"pytorchReplicaSpecs": {"Worker": {"replicas": None}}}},
    ),
    "a master beside workers": (
        {
            "apiVersion": "kubeflow.org/v1",
            "kind": "PyTorchJob",
            "metadata": {"name": "t"},
            "spec": {"pytorchReplicaSpecs": {"Worker": {"replicas": 2, "template": template()}}},
        },
        {"spec": {"pytorchReplicaSpecs": {"Master": {"template": template()}}}},
        {"spec": {"pytorchReplicaSpecs": {"Worker": {"replicas": 1}}}},
    ),
}
"""What is there, a change that makes it larger, and one that does not."""

WAKING: dict[str, tuple[Object, Object]] = {
    "a Job": (job(suspend=True), {"spec": {"suspend": False}}),
    "a CronJob": (cron_job(suspend=True), {"spec": {"suspend": False}}),
    "a RayCluster": (ray_cluster(suspend=True), {"spec": {"suspend": None}}),
    "a training job": (
        {
            "apiVersion": "kubeflow.org/v1",
            "kind": "PyTorchJob",
            "metadata": {"name": "t"},
            "spec": {"runPolicy": {"suspend": True}, "pytorchReplicaSpecs": {"Worker": {"template": template()}}},
        },
        {"spec": {"runPolicy": {"suspend": False}}},
    ),
    "a Workload of Kueue": (
        {
            "apiVersion": "kueue.x-k8s.io/v1beta2",
            "kind": "Workload",
            "metadata": {"name": "w"},
            "spec": {"active": False, "podSets": [{"name": "main", "count": 1, "template": template()}]},
        },
        {"spec": {"active": True}},
    ),
    "an InferenceService": (
        {
            "apiVersion": "serving.kserve.io/v1beta1",
            "kind": "InferenceService",
            "metadata": {"name": "i", "annotations": {"serving.kserve.io/stop": "true"}},
            "spec": {"predictor": {"model": {"resources": {"limits": {"nvidia.com/gpu": 1}}}}},
        },
        {"metadata": {"annotations": {"serving.kserve.io/stop": None}}},
    ),
    "a ScaledObject": (
        {
            "apiVersion": "keda.sh/v1alpha1",
            "kind": "ScaledObject",
            "metadata": {"name": "k", "annotations": {"autoscaling.keda.sh/paused": "true"}},
            "spec": {},
        },
        {"metadata": {"annotations": {"autoscaling.keda.sh/paused": "false"}}},
    ),
}
