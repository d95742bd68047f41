"""Objects as people apply them: only what matters to their cost labels."""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]
PLAIN = "plain"
"""A namespace that says nothing."""


def meta(name: str, labels: Mapping[str, Any] | None = None, namespace: str = PLAIN, **more: Any) -> Json:
    """Metadata; without labels there is no map of them at all."""
    return {"name": name, "namespace": namespace, **({"labels": dict(labels)} if labels is not None else {}), **more}


def pod_spec(gpus: int = 8, account: str = "", nodes: Mapping[str, str] | None = None, model: str = "") -> Json:
    container: Json = {"name": "main", "image": "vllm/vllm-openai:v0.11.0"}
    if model:
        container["args"] = ["--model", model]
    if gpus:
        container["resources"] = {"limits": {"nvidia.com/gpu": gpus}}
    spec: Json = {"containers": [container]}
    if account:
        spec["serviceAccountName"] = account
    if nodes:
        spec["nodeSelector"] = dict(nodes)
    return spec


def pod_template(labels: Mapping[str, str] | None = None, spec: Json | None = None, **metadata: Any) -> Json:
    return {"metadata": {"labels": {"app": "chat", **(labels or {})}, **metadata}, "spec": spec or pod_spec()}


def deployment(
    labels: Mapping[str, Any] | None = None,
    template: Mapping[str, str] | None = None,
    *,
    name: str = "chat",
    namespace: str = PLAIN,
    spec: Json | None = None,
    replicas: int = 1,
    kind: str = "Deployment",
    selector: Mapping[str, str] | None = None,
    **metadata: Any,
) -> Json:
    chosen = dict(selector or {"app": "chat"})
    body: Json = {
        "replicas": replicas,
        "selector": {"matchLabels": chosen},
        "template": pod_template({**chosen, **(template or {})}, spec),
    }
    if kind == "StatefulSet":
        body["serviceName"] = name
    if kind == "DaemonSet":
        del body["replicas"]
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": meta(name, labels, namespace, **metadata), "spec": body}


def pod(
    labels: Mapping[str, Any] | None = None, *, name: str = "bare", spec: Json | None = None, **metadata: Any
) -> Json:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta(name, labels, **metadata), "spec": spec or pod_spec()}


def _job_spec(template: Mapping[str, str] | None, spec: Json | None) -> Json:
    inside = {**(spec or pod_spec()), "restartPolicy": "Never"}
    return {"template": {"metadata": {"labels": dict(template or {})}, "spec": inside}}


def job(
    labels: Mapping[str, Any] | None = None,
    template: Mapping[str, str] | None = None,
    *,
    name: str = "train",
    spec: Json | None = None,
    **metadata: Any,
) -> Json:
    body = _job_spec(template, spec)
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta(name, labels, **metadata), "spec": body}


def cron_job(labels: Mapping[str, Any] | None = None, template: Mapping[str, str] | None = None) -> Json:
    body = {"schedule": "0 3 * * *", "jobTemplate": {"spec": _job_spec(template, None)}}
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": meta("nightly", labels), "spec": body}


def ray_cluster(
    labels: Mapping[str, Any] | None = None,
    head: Mapping[str, str] | None = None,
    worker: Mapping[str, str] | None = None,
) -> Json:
    """A head without GPUs and a group of workers with 8 each."""
    group = {"groupName": "gpu-workers", "replicas": 2, "minReplicas": 2, "maxReplicas": 2, "rayStartParams": {}}
    body = {
        "headGroupSpec": {"rayStartParams": {}, "template": _labelled(head, pod_spec(0))},
        "workerGroupSpecs": [{**group, "template": _labelled(worker, pod_spec())}],
    }
    return {"apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": meta("ray", labels), "spec": body}


def _labelled(labels: Mapping[str, str] | None, spec: Json) -> Json:
    return {**({"metadata": {"labels": dict(labels)}} if labels is not None else {}), "spec": spec}


def ai_workload(labels: Mapping[str, Any] | None = None, **spec: Any) -> Json:
    body = {"targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "chat"}, **spec}
    return {
        "apiVersion": "aicost.dev/v1alpha1",
        "kind": "AIWorkload",
        "metadata": meta("chat", labels),
        "spec": body,
    }


def owned_by(kind: str, name: str, *, api_version: str = "apps/v1", controller: bool = True) -> list[Json]:
    owner = {"apiVersion": api_version, "kind": kind, "name": name, "uid": f"uid-{name}", "controller": controller}
    return [owner]
