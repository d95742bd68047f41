"""Fights over a field: who wrote it last, and what lets both of us live with it."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from aicost.domain.enforcement.values import ABSENT, Change, Json, ObjectRef
from aicost.domain.enforcement.writing.pointers import Step, parse, read

_SCALE: Step = "scale"
_SPEC_REPLICAS = ("spec", "replicas")
Path = tuple[Step, ...]


def writer_of(obj: Json, pointer: str) -> str:
    """The field manager that wrote a field last, by `metadata.managedFields`; empty where nobody is said to own it.

    Who took a field out is not known to anybody: a field that is not there has no owner. Nor has a number of replicas
    that was set to 0 through `/scale`.
    """
    entries = [one for one in _list(read(obj, "/metadata/managedFields")) if isinstance(one.get("fieldsV1"), Mapping)]
    paths = _paths(entries, parse(pointer))
    owners = [one for one in entries if any(_owns(one["fieldsV1"], path, obj) for path in paths)]
    return str(max(owners, key=_time).get("manager", "")) if owners else ""


def _list(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, Sequence) else []


def _time(entry: Mapping[str, Any]) -> str:
    return str(entry.get("time", ""))


def _paths(entries: Iterable[Mapping[str, Any]], path: Path) -> Iterable[Path]:
    """Where a field stands in the object. What `/scale` writes is a field of the spec, whatever the kind calls it."""
    if path[0] != _SCALE:
        return [path]
    scaled = {
        ("spec", *leaf)
        for one in entries
        if one.get("subresource") == _SCALE
        for leaf in _leaves(one["fieldsV1"].get("f:spec", {}))
    }
    return scaled or [_SPEC_REPLICAS]


def _leaves(fields: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Fields, by their names alone, below which none is owned."""
    for key, below in fields.items():
        if key.startswith("f:"):
            inner = [*_leaves(below)]
            yield from ((key[2:], *rest) for rest in inner) if inner else [(key[2:],)]


def _owns(fields: Mapping[str, Any], path: Path, obj: Any) -> bool:
    """Whether a set of fields holds a path. Who owns a list without naming its items owns all that is in it."""
    here, value = fields, obj
    for step in path:
        if not here and isinstance(value, list):
            return True
        found = next((below for key, below in here.items() if _names(key, step)), None)
        if found is None:
            return False
        here, value = found, _below(value, step)
    return True


def _names(key: str, step: Step) -> bool:
    """Whether a key of a set of fields stands for a step: `f:` a field, `k:` an item by some of its fields."""
    if isinstance(step, str):
        return key == f"f:{step}"
    if not key.startswith("k:"):
        return False
    told = json.loads(key[2:])
    return isinstance(told, dict) and told.get(step[0]) == step[1]


def _below(value: Any, step: Step) -> Any:
    if isinstance(step, str):
        return value.get(step, ABSENT) if isinstance(value, Mapping) else ABSENT
    return next((one for one in _list(value) if one.get(step[0]) == step[1]), ABSENT)


def hint(manager: str, ref: ObjectRef, changes: Sequence[Change]) -> str:
    """What lets us and somebody else live together, for people: a snippet for what deploys from Git, else a sentence.

    Args:
        manager: who writes the fields back, as field manager.
        ref: the object.
        changes: the fields that we wrote.
    """
    if manager.startswith("argocd"):
        return f"Argo CD writes it back from Git. Add to its Application:\n{_argo(ref, changes)}"
    if manager == "kustomize-controller":
        rule = _indented("spec:", "ignore:", *_flux_rule(ref, changes))
        return f"Flux writes it back from Git. Add to its Kustomization (Flux of August 2026 or later):\n{rule}"
    if manager == "helm-controller":
        rule = _indented("spec:", "driftDetection:", "  ignore:", *(f"  {line}" for line in _flux_rule(ref, changes)))
        return f"Flux writes it back from its chart. Add to its HelmRelease:\n{rule}"
    sentence = next((text for start, text in _SENTENCES if manager.startswith(start)), _ANYBODY)
    return sentence.format(manager=manager or "Somebody", fields=", ".join(one.pointer for one in changes))


_MORE = "or ask for more: kubectl aicost budget request"
_HPA = "Its HorizontalPodAutoscaler scales it back: lower minReplicas there. At 0 replicas it stands still by itself."
_SENTENCES = (
    ("helm", f"Helm writes {{fields}} at each upgrade: upgrade when the budget lets go, {_MORE}."),
    ("kubectl", f"Somebody writes {{fields}} with kubectl: wait until the budget lets go, {_MORE}."),
    ("kube-controller-manager", _HPA),
    ("horizontal-pod-autoscaler", _HPA),
    ("keda", 'KEDA scales it back: annotate its ScaledObject with autoscaling.keda.sh/paused: "true".'),
    ("kueue", "Kueue resumes it while its Workload is admitted: that is to be stopped, by spec.active: false."),
)
_ANYBODY = "{manager} writes it back: have it leave {fields} alone."


def _argo(ref: ObjectRef, changes: Sequence[Change]) -> str:
    pointers = [*dict.fromkeys(_pointer(one.pointer) for one in changes if not _has_item(one.pointer))]
    expressions = [_expression(one.pointer) for one in changes if _has_item(one.pointer)]
    return _indented(
        "spec:",
        "ignoreDifferences:",
        *_item(ref),
        *(["  jsonPointers:", *(f"  - {one}" for one in pointers)] if pointers else []),
        *(["  jqPathExpressions:", *(f"  - '{one}'" for one in expressions)] if expressions else []),
        "syncPolicy:",
        "  syncOptions:",
        "  - RespectIgnoreDifferences=true",
    )


def _flux_rule(ref: ObjectRef, changes: Sequence[Change]) -> list[str]:
    """A rule of Flux. It names items of lists by their places alone, so the whole list is left alone."""
    pointers = dict.fromkeys(_pointer(one.pointer.partition("/[")[0]) for one in changes)
    target = [f"  {line[2:]}" for line in _item(ref)]
    return ["- paths:", *(f"  - {one}" for one in pointers), "  target:", *(f"  {line}" for line in target)]


def _item(ref: ObjectRef) -> list[str]:
    """Which object, as an item of a list of YAML."""
    named = {"group": ref.group or '""', "kind": ref.kind, "namespace": ref.namespace, "name": ref.name}
    lines = [f"  {key}: {value}" for key, value in named.items() if value]
    return [f"- {lines[0][2:]}", *lines[1:]]


def _indented(first: str, *lines: str) -> str:
    return "\n".join((first, *(f"  {line}" for line in lines)))


def _has_item(pointer: str) -> bool:
    return any(isinstance(step, tuple) for step in parse(pointer))


def _pointer(pointer: str) -> str:
    """A pointer as tools for Git know it. What lies below `/scale` is most often this field."""
    return "/spec/replicas" if pointer.startswith("/scale/") else pointer


def _expression(pointer: str) -> str:
    """A pointer with items of lists as an expression of jq, quoted for YAML."""
    return "".join(map(_part, parse(pointer))).replace("'", "''")


def _part(step: Step) -> str:
    if isinstance(step, tuple):
        return f"[] | select(.{step[0]} == {json.dumps(step[1])}) | "
    return f".{step}" if step.isidentifier() else f"[{json.dumps(step)}]"
