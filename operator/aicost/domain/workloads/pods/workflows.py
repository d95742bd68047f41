"""The pods of an Argo Workflow, whose templates call each other."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from aicost.domain.workloads.foreign import Json, at, items, mapping, text, texts, whole
from aicost.domain.workloads.pods.forms import Described
from aicost.domain.workloads.pods.template import Part

_DEEPEST = 8
_MOST_CALLS = 10_000
"""A workflow that calls more is counted as far as this; it bounds the time that a hostile one can take."""


def workflow_pods(spec: Json) -> Iterator[tuple[Part, Described]]:
    """The pods of each template that runs a container.

    At the start run those that the entrypoint calls first; at most as many of a template as are called side by side,
    all tasks of a graph taken together. Loops over values that only come up while it runs count once.

    Args:
        spec: of the Workflow.
    """
    templates = {text(each.get("name")): each for each in map(mapping, items(spec.get("templates")))}
    calls = _Calls(templates)
    entry = text(spec.get("entrypoint"))
    first, most = calls.count(entry, first=True), calls.count(entry, first=False)
    for place, (name, template) in enumerate(templates.items()):
        pod = _pod(template, spec)
        if pod is not None:
            start = first[name]
            yield Part(f"/templates/{place}", name, (start, max(start, most[name])), patchable=True), pod


class _Calls:
    """Counts pods by template, from an entrypoint on."""

    def __init__(self, templates: dict[str, Json]) -> None:
        self._templates = templates
        self._left = _MOST_CALLS

    def count(self, name: str, *, first: bool) -> Counter[str]:
        """Pods of each template that run at once when a template is called."""
        self._left = _MOST_CALLS
        return self._called(name, first=first, depth=_DEEPEST)

    def _called(self, name: str, *, first: bool, depth: int) -> Counter[str]:
        template = self._templates.get(name)
        self._left -= 1
        if template is None or depth < 0 or self._left < 0:
            return Counter()
        groups = _groups(template, first=first)
        if groups is None:
            return Counter({name: 1})
        largest: Counter[str] = Counter()
        for group in groups:
            together: Counter[str] = Counter()
            for called, times in group:
                for each, pods in self._called(called, first=first, depth=depth - 1).items():
                    together[each] += pods * times
            largest |= together
        return largest


def _groups(template: Json, *, first: bool) -> list[list[tuple[str, int]]] | None:
    """Calls that run side by side, one group after the other; None for a template that calls none."""
    if "steps" in template:
        groups = [[_call(each) for each in items(group)] for group in items(template.get("steps"))]
        return groups[:1] if first else groups
    if "dag" in template:
        tasks = [mapping(each) for each in items(at(template, ("dag", "tasks")))]
        return [[_call(each) for each in tasks if not first or not (each.get("dependencies") or each.get("depends"))]]
    return None


def _call(step: Any) -> tuple[str, int]:
    """The template that a step or task calls, and how often."""
    known = mapping(step)
    sequence = whole(at(known, ("withSequence", "count")))
    listed = items(known.get("withItems"))
    return text(known.get("template")), len(listed) or sequence or 1


def _pod(template: Json, spec: Json) -> Described | None:
    """The pod of a template that runs one; what it leaves out the workflow says."""
    container = template.get("container") or template.get("script")
    containers = [container] if container else list(items(at(template, ("containerSet", "containers"))))
    if not containers:
        return None
    pod = {
        "containers": [*containers, *items(template.get("sidecars"))],
        "initContainers": items(template.get("initContainers")),
        "nodeSelector": texts(template.get("nodeSelector")) or texts(spec.get("nodeSelector")),
        "affinity": template.get("affinity") or spec.get("affinity"),
        "serviceAccountName": template.get("serviceAccountName") or spec.get("serviceAccountName"),
    }
    return Described(_metadata(template, spec), pod)


def _metadata(template: Json, spec: Json) -> Json:
    common, own = mapping(spec.get("podMetadata")), mapping(template.get("metadata"))
    return {key: {**texts(common.get(key)), **texts(own.get(key))} for key in ("labels", "annotations")}
