"""Puts what kinds say in words of their own into those of a pod template."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aicost.domain.inventory.machines import machine_type
from aicost.domain.workloads.foreign import Json, at, items, mapping, text, texts
from aicost.domain.workloads.gpus.claims import INLINE
from aicost.domain.workloads.places import Form

GPU = "nvidia.com/gpu"
_AMD_GPU, _AMD_MODELS = "amd.com/gpu", "mi"
_FRAMEWORKS = (
    "model",
    *("tensorflow", "pytorch", "triton", "huggingface", "onnx", "sklearn", "xgboost", "lightgbm", "paddle", "pmml"),
    *("mlflow", "art", "alibi"),
)
_INSTANCE_TYPE = "node.kubernetes.io/instance-type"
_AZURE, _AZURE_GPU = "Standard_", "Standard_N"


@dataclass(frozen=True, slots=True)
class Described:
    """What stands at a place, in the words of a pod template.

    Attributes:
        sized: False where, if no container asks for a GPU, something else decides how many there are.
    """

    metadata: Json
    spec: Json
    sized: bool = True


def described(form: Form, value: Any) -> Described:
    """Read one of the forms that describe one kind of pod."""
    known = mapping(value)
    return _READERS[form](known)


def _template(template: Json) -> Described:
    return Described(mapping(template.get("metadata")), mapping(template.get("spec")))


def _pod_spec(spec: Json) -> Described:
    return Described({}, spec, sized=bool(items(spec.get("containers"))))


def _kserve(part: Json) -> Described:
    """A runtime that is named may ask for GPUs itself, where the component states no resources."""
    models = [{**part[name], "name": name} for name in _FRAMEWORKS if isinstance(part.get(name), Mapping)]
    spec = {**part, "containers": [*items(part.get("containers")), *models]}
    named = any(text(model.get("runtime")) and not mapping(model.get("resources")) for model in models)
    return Described(_own_metadata(part), spec, sized=not named)


def _service(spec: Json) -> Described:
    container = {
        "name": "main",
        "image": _image(mapping(spec.get("image"))),
        "resources": mapping(spec.get("resources")),
        "env": items(spec.get("env")),
        "args": items(spec.get("args")),
        "command": items(spec.get("command")),
    }
    return Described(_own_metadata(spec), {**spec, "containers": [container]})


def _nim(spec: Json) -> Described:
    """Without resources the operator takes the number of GPUs from the profile of the model."""
    claims = [mapping(each) for each in items(spec.get("draResources"))]
    service = _service(spec)
    made = [{**each, **_made(mapping(each.get("claimCreationSpec")))} for each in claims]
    stated = bool(made or mapping(spec.get("resources")))
    return Described(service.metadata, {**service.spec, "resourceClaims": made}, sized=stated)


def _made(creation: Json) -> Json:
    """The requests of a claim that the operator makes."""
    return {INLINE: creation["devices"]} if "devices" in creation else {}


def _vllm_runtime(spec: Json) -> Described:
    deployment = mapping(spec.get("deploymentConfig"))
    image = mapping(deployment.get("image"))
    asked = mapping(deployment.get("resources"))
    container = {
        "name": "vllm",
        "image": "/".join(part for part in (text(image.get("registry")), text(image.get("name"))) if part),
        "resources": {"limits": _gpus(asked.get("gpu"), text(asked.get("gpuType")))},
        "env": items(at(spec, ("vllmConfig", "env"))),
    }
    return Described(_own_metadata(deployment), {**deployment, "containers": [container]})


def _dynamo(service: Json) -> Described:
    pod = mapping(service.get("extraPodSpec"))
    main = mapping(pod.get("mainContainer"))
    own = {side: _dynamo_gpus(mapping(at(service, ("resources", side)))) for side in ("limits", "requests")}
    resources = own if any(own.values()) else mapping(main.get("resources"))
    container = {**main, "name": "main", "resources": resources}
    labels = {**texts(service.get("labels")), **texts(at(service, ("extraPodMetadata", "labels")))}
    spec = {**pod, "containers": [container, *items(pod.get("containers"))]}
    return Described({**_own_metadata(service), "labels": labels}, spec)


def _dynamo_gpus(asked: Json) -> Json:
    return {**mapping(asked.get("custom")), **_gpus(asked.get("gpu"), text(asked.get("gpuType")))}


def _kaito(resource: Json) -> Described:
    """Whole machines are taken, so all their GPUs are."""
    name = text(resource.get("instanceType"))[:253]
    machine = machine_type(name)
    cpu_only = name.startswith(_AZURE) and not name.startswith(_AZURE_GPU)
    vendor = _AMD_GPU if machine and machine.gpu_model.startswith(_AMD_MODELS) else GPU
    limits = {vendor: machine.gpus} if machine else {}
    spec = {
        "containers": [{"name": "main", "resources": {"limits": limits}}],
        "nodeSelector": {_INSTANCE_TYPE: name} if name else {},
    }
    return Described({}, spec, sized=machine is not None or cpu_only)


def _spark(part: Json) -> Described:
    asked = mapping(part.get("gpu"))
    container = {
        "name": "spark",
        "image": text(part.get("image")),
        "resources": {"limits": _gpus(asked.get("quantity"), text(asked.get("name")))},
        "env": items(part.get("env")),
    }
    spec = {**part, "containers": [container], "serviceAccountName": part.get("serviceAccount")}
    return Described(_own_metadata(part), spec)


def _gpus(count: Any, resource: str) -> Json:
    return {} if count is None else {resource or GPU: count}


def _own_metadata(spec: Json) -> Json:
    """Labels and annotations that a map holds beside other things."""
    return {"labels": texts(spec.get("labels")), "annotations": texts(spec.get("annotations"))}


def _image(image: Json) -> str:
    return ":".join(part for part in (text(image.get("repository")), text(image.get("tag"))) if part)


_READERS: Mapping[Form, Callable[[Json], Described]] = {
    Form.TEMPLATE: _template,
    Form.POD_SPEC: _pod_spec,
    Form.KSERVE: _kserve,
    Form.SERVICE: _service,
    Form.NIM: _nim,
    Form.VLLM_RUNTIME: _vllm_runtime,
    Form.DYNAMO: _dynamo,
    Form.KAITO: _kaito,
    Form.SPARK: _spark,
}

SINGLE: frozenset[Form] = frozenset(_READERS)
"""Forms that describe one kind of pod each."""
