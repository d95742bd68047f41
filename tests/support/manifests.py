"""Objects that run pods, as people write them: say what matters, the rest is filled in."""

from pathlib import Path
from typing import Any

import yaml

REAL = Path(__file__).parents[3] / "shared" / "data" / "manifests"
"""Manifests that others wrote; absent outside of our own builds."""


def container(name: str = "main", /, **more: Any) -> dict[str, Any]:
    return {"name": name, "image": "registry.example/train:1", **more}


def asking(limits: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A container with limits."""
    return container(resources={"limits": limits or {}}, **more)


def template(*containers: dict[str, Any], annotations: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"annotations": annotations or {}}, "spec": {"containers": list(containers), **spec}}


def gpus(count: Any, **spec: Any) -> dict[str, Any]:
    """A template whose only container asks for so many GPUs."""
    return template(asking({"nvidia.com/gpu": count}), **spec)


def manifest(api_version: str, kind: str, spec: Any = None, **more: Any) -> dict[str, Any]:
    metadata = {"name": "thing", "namespace": "team-a", **more.pop("metadata", {})}
    body = {} if spec is None else {"spec": spec}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **body, **more}


def pod(*containers: dict[str, Any], metadata: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    return manifest("v1", "Pod", {"containers": list(containers), **spec}, metadata=metadata or {})


def job(pod_template: dict[str, Any], metadata: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    return manifest("batch/v1", "Job", {"template": pod_template, **spec}, metadata=metadata or {})


def claim_template(name: str, *requests: dict[str, Any], **devices: Any) -> dict[str, Any]:
    """A ResourceClaimTemplate."""
    spec = {"spec": {"devices": {"requests": list(requests), **devices}}}
    return manifest("resource.k8s.io/v1", "ResourceClaimTemplate", spec, metadata={"name": name})


def exactly(device_class: str, *expressions: str, **more: Any) -> dict[str, Any]:
    """One request of a claim."""
    selectors = [{"cel": {"expression": each}} for each in expressions]
    return {"name": "gpu", "exactly": {"deviceClassName": device_class, "selectors": selectors, **more}}


def documents(path: Path) -> list[dict[str, Any]]:
    """All objects of a file."""
    return [each for each in yaml.safe_load_all(path.read_text()) if each]
