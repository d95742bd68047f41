"""Reads what an object asks the cluster to run. Whatever is not what it should be says nothing; nothing raises."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aicost.domain.workloads.durations import duration_of
from aicost.domain.workloads.foreign import EACH, Json, Pointer, at, found, items, mapping, pointer, text, texts
from aicost.domain.workloads.foreign import written as write
from aicost.domain.workloads.gpus.claims import Beside
from aicost.domain.workloads.kinds import kind_of
from aicost.domain.workloads.models import models_of
from aicost.domain.workloads.places import Form, JudgedKind, Place
from aicost.domain.workloads.pods import counting
from aicost.domain.workloads.pods.forms import Described, described
from aicost.domain.workloads.pods.template import Part, environment_of, read_pod
from aicost.domain.workloads.pods.trainer import trainer_pods
from aicost.domain.workloads.pods.workflows import workflow_pods
from aicost.domain.workloads.queues import queue_of
from aicost.domain.workloads.run_ids import run_ids
from aicost.domain.workloads.shapes import OwnerReference, PodTemplate, Scaling, Workload
from aicost.domain.workloads.stated import stated_labels

_DEEPEST = 3
"""How far an object may hold another that holds another."""


def read_workload(obj: Mapping[str, Any], beside: Sequence[Mapping[str, Any]] = ()) -> Workload | None:
    """Read an object; None for kinds that run nothing and for what is no object.

    Args:
        obj: as the API server or a manifest has it.
        beside: other objects of the same file. Claims, claim templates, pod groups and training runtimes among them
            give a size to what only refers to them.
    """
    return _read(obj, Beside(beside), _DEEPEST)


@dataclass(frozen=True, slots=True)
class _Contents:
    """What the places of an object hold.

    Attributes:
        variables: run ids among the environment of its pods.
        nested: objects inside it that run pods.
    """

    templates: tuple[PodTemplate, ...]
    variables: Mapping[str, str]
    nested: tuple[Workload, ...]


def _read(obj: Any, beside: Beside, depth: int) -> Workload | None:
    known = mapping(obj)
    kind = kind_of(text(known.get("apiVersion")), text(known.get("kind")))
    if kind is None or depth < 0:
        return None
    metadata = mapping(known.get("metadata"))
    contents = _contents(kind, known, beside, depth)
    labels, annotations = texts(metadata.get("labels")), texts(metadata.get("annotations"))
    workload = Workload(
        api_version=text(known.get("apiVersion")),
        kind=kind.kind,
        namespace=text(metadata.get("namespace")),
        name=text(metadata.get("name")) or text(metadata.get("generateName")),
        labels={**labels, **stated_labels(kind, known)},
        annotations=annotations,
        owners=tuple(_owners(metadata)),
        templates=contents.templates,
        scaling=_scaling(kind, contents.templates),
        selector_keys=_selector_keys(at(known, pointer(kind.selector)) if kind.selector else None),
        raw=known,
    )
    return _with_meaning(workload, kind, contents)


def _with_meaning(workload: Workload, kind: JudgedKind, contents: _Contents) -> Workload:
    """Add what labels, annotations and fields say of time, models, queues and runs; nested objects fill the gaps."""
    labels, annotations = _spoken(workload, kind, "labels"), _spoken(workload, kind, "annotations")
    containers = [each for template in workload.templates for each in template.containers]
    duration, source = duration_of(kind, workload.raw, labels, annotations)
    models = models_of(kind, workload.raw, containers, labels)
    whole = replace(
        workload,
        duration_ms=duration,
        duration_source=source,
        models=models,
        queue=queue_of(kind, workload.raw, labels, annotations),
        run_ids=run_ids(labels, annotations, contents.variables),
    )
    for inner in contents.nested:
        whole = _filled(whole, inner)
    return whole


def _filled(outer: Workload, inner: Workload) -> Workload:
    """An object that holds another takes over what it does not say itself; of durations the longest."""
    longer = (inner.duration_ms or 0) > (outer.duration_ms or 0)
    return replace(
        outer,
        duration_ms=inner.duration_ms if longer else outer.duration_ms,
        duration_source=inner.duration_source if longer else outer.duration_source,
        models=tuple(dict.fromkeys((*outer.models, *inner.models))),
        queue=outer.queue or inner.queue,
        run_ids={**inner.run_ids, **outer.run_ids},
        scaling=inner.scaling if outer.scaling is Scaling.FIXED else outer.scaling,
    )


def _contents(kind: JudgedKind, obj: Json, beside: Beside, depth: int) -> _Contents:
    templates: list[PodTemplate] = []
    nested: list[Workload] = []
    variables: dict[str, str] = {}
    namespace = text(at(obj, ("metadata", "namespace")))
    for place in kind.places:
        for where, value in _there(obj, place):
            if place.form is Form.OBJECT:
                inner = _read(value, beside, depth - 1)
                nested += [inner] if inner else []
                templates += _moved(obj, inner, place, where) if inner else []
                continue
            for part, pod in _pods(obj, place, where, value, beside):
                templates.append(read_pod(pod, part, beside, namespace))
                variables = {**environment_of(pod.spec), **variables}
    return _Contents(tuple(templates), variables, tuple(nested))


def _there(obj: Json, place: Place) -> Iterator[tuple[Pointer, Any]]:
    """Where a place leads to; a place whose pods are implied leads to an empty one."""
    tokens = pointer(place.at)
    there = list(found(obj, tokens))
    yield from there or ([(tokens, {})] if place.implied else [])


def _pods(obj: Json, place: Place, where: Pointer, value: Any, beside: Beside) -> Iterator[tuple[Part, Described]]:
    """The kinds of pods that stand at a place."""
    handed_down = texts(at(obj, ("metadata", "labels")))
    match place.form:
        case Form.TRAINER:
            namespace = text(at(obj, ("metadata", "namespace")))
            for part, pod in trainer_pods(mapping(value), beside, namespace):
                yield replace(part, handed_down=handed_down), pod
        case Form.WORKFLOW:
            for part, pod in workflow_pods(mapping(value)):
                yield replace(part, path=write(where) + part.path), pod
        case form:
            part = Part(
                path=write(where) if place.patchable else "",
                role=_role(obj, place, where),
                replicas=counting.replicas(obj, place, where),
                patchable=place.patchable,
                gpus=_gpus(obj, place, where),
                handed_down=None if place.patchable else handed_down,
            )
            pod = described(form, value)
            beside_it = counting.value_at(obj, place.metadata_at, place, where) if place.metadata_at else None
            yield part, replace(pod, metadata=mapping(beside_it)) if place.metadata_at else pod


def _gpus(obj: Json, place: Place, where: Pointer) -> int | None:
    numbers = (counting.number_at(obj, each, place, where) for each in place.gpus_at)
    return next((number for number in numbers if number is not None), None)


def _role(obj: Json, place: Place, where: Pointer) -> str:
    if place.role:
        return place.role
    if place.named_at:
        return text(counting.value_at(obj, place.named_at, place, where))
    stars = [token for token, wanted in zip(where, pointer(place.at), strict=False) if wanted == EACH]
    return stars[-1] if stars else ""


def _moved(obj: Json, inner: Workload, place: Place, where: Pointer) -> list[PodTemplate]:
    """Pod templates of an object inside another, with their pointers from the outside."""
    times, _ = counting.replicas(obj, place, where)
    return [
        replace(
            template,
            path=write(where) + template.path if template.patchable else "",
            role="/".join(part for part in (inner.name or place.role, template.role) if part),
            replicas=template.replicas * times,
            max_replicas=template.max_replicas * times,
        )
        for template in inner.templates
    ]


def _owners(metadata: Json) -> Iterator[OwnerReference]:
    for each in map(mapping, items(metadata.get("ownerReferences"))):
        yield OwnerReference(
            text(each.get("apiVersion")),
            text(each.get("kind")),
            text(each.get("name")),
            text(each.get("uid")),
            each.get("controller") is True,
        )


def _selector_keys(selector: Any) -> frozenset[str]:
    """Keys of a label selector, also of the plain map that a ReplicationController has."""
    known = mapping(selector)
    terms = items(known.get("matchExpressions"))
    plain = {} if {"matchLabels", "matchExpressions"} & set(known) else texts(known)
    keys = [text(mapping(term).get("key")) for term in terms]
    return frozenset({*texts(known.get("matchLabels")), *plain, *keys} - {""})


def _scaling(kind: JudgedKind, templates: Sequence[PodTemplate]) -> Scaling:
    grows = any(template.max_replicas > template.replicas for template in templates)
    return Scaling.AUTOSCALED if grows and kind.scaling is Scaling.FIXED else kind.scaling


def _spoken(workload: Workload, kind: JudgedKind, what: str) -> dict[str, str]:
    """Labels or annotations of the object, behind them those of its inner metadata and of its pod templates."""
    inner = [texts(at(workload.raw, (*pointer(written), what))) for written in kind.inner]
    own = workload.labels if what == "labels" else workload.annotations
    pods = [each.labels if what == "labels" else each.annotations for each in workload.templates]
    return {key: value for each in (*reversed(pods), *inner, own) for key, value in each.items()}
