"""What every policy looks at in an object, as variables: its labels, its pods, its namespace, and what it wants."""

import re
from collections.abc import Collection, Iterator, Sequence

from aicost.crd.vap.language.cel import MANY, any_of, at, labels_of, pointers_of, stands, text, texts
from aicost.crd.vap.language.devices import SHARES
from aicost.crd.vap.language.requests import NAMESPACE
from aicost.crd.vap.language.scopes import NAMESPACE_LABELS
from aicost.domain.inventory.accelerators import RESOURCES
from aicost.domain.workloads.places import Form, JudgedKind, Number
from aicost.domain.workloads.queues import QUEUE_LABELS

BEFORE = "Was"
"""End of the names of variables about the object as it was."""
MOST_TEMPLATES = 32
"""Pod templates of one object that are looked at: CEL counts by a list that is written out."""
Variables = dict[str, str]
_DEVICE_CLASS = "deviceclass\\.resource\\.kubernetes\\.io/"
_CONTAINERS = (
    "/spec",
    "/spec/predictor/*",
    "/spec/predictor/containers/*",
    "/spec/predictor/workerSpec/containers/*",
    "/spec/template/containers/*",
    "/spec/worker/containers/*",
    "/spec/prefill/template/containers/*",
)
"""What asks for resources in kinds without pod templates."""


def reachable(kind: JudgedKind) -> bool:
    """Whether CEL sees what a kind says of its pods: not through two lists, nor into objects that it wraps."""
    through_two = any(place.at.count(MANY) > 1 for place in kind.places)
    return not through_two and not any(place.form in {Form.OBJECT, Form.WORKFLOW} for place in kind.places)


def frame(kinds: Sequence[JudgedKind], queued: Collection[object]) -> Variables:
    """The variables, in the order in which they build on each other.

    Args:
        kinds: kinds that are judged.
        queued: queues with labels; without any nobody asks for the queue.
    """
    now, before = _of("object", "", kinds), _of("oldObject", BEFORE, kinds)
    return {
        "gk": "request.kind.group + '/' + request.kind.kind",
        "ns": NAMESPACE,
        "nsl": NAMESPACE_LABELS,
        "update": "request.operation == 'UPDATE'",
        **now,
        **before,
        "ix": f"[{', '.join(map(str, range(MOST_TEMPLATES)))}].filter(i, i < variables.run.size())",
        "queue": _queue(kinds) if queued else "''",
        "accelerator": _PATTERN,
        "gpu": _wants_gpus(kinds),
        "same": _same(kinds),
    }


def _of(root: str, end: str, kinds: Sequence[JudgedKind]) -> Variables:
    """The object at a root: its own labels, its templates with labels, what its pods get labels from."""
    templates = f"variables.tmpl{end}"
    return {
        f"own{end}": labels_of(root),
        f"tmpl{end}": _templates(root, kinds),
        f"run{end}": f"{templates}.size() > 0 ? {templates} : [{root}]",
        f"lbl{end}": f"{templates}.map(t, {labels_of('t')})",
    }


def _templates(root: str, kinds: Sequence[JudgedKind]) -> str:
    """Pod templates with labels of their own. The same pointer leads to something else in other kinds."""
    choices = [
        f"variables.gk in {texts(sorted(names))} ? {stands(root, *pointers)}"
        for pointers, names in _by_pointers(kinds).items()
    ]
    return " : ".join([*choices, "[]"])


def paths(kinds: Sequence[JudgedKind]) -> str:
    """Pointers of the templates, in the same order; none for kinds that keep them in a map, whose order is unknown."""
    choices = [
        f"variables.gk in {texts(sorted(names))} ? {pointers_of('object', *pointers)}"
        for pointers, names in _by_pointers(kinds).items()
        if not any("ReplicaSpecs/*" in pointer for pointer in pointers)
    ]
    return " : ".join([*choices, "[]"])


def _by_pointers(kinds: Sequence[JudgedKind]) -> dict[tuple[str, ...], list[str]]:
    """Kinds by where they have pod templates."""
    found: dict[tuple[str, ...], list[str]] = {}
    for kind in kinds:
        pointers = tuple(pointer for pointer in kind.patched_at if pointer)
        if pointers:
            found.setdefault(pointers, []).append(f"{kind.group}/{kind.kind}")
    return found


def _same(kinds: Sequence[JudgedKind]) -> str:
    """True for an update that leaves labels, pod templates and numbers of pods as they are."""
    pointers = {pointer.partition(f"/{MANY}")[0] for kind in kinds for pointer in _decisive(kind)}
    now, before = (f"({stands(root, *sorted(pointers))})" for root in ("object", "oldObject"))
    return f"variables.update && variables.own == variables.own{BEFORE} && {now} == {before}"


def _decisive(kind: JudgedKind) -> Iterator[str]:
    """Where a kind describes its pods and how many there are; of a Pod, and of what has no templates, everything."""
    if not kind.patched_at or "" in kind.patched_at:
        yield "/spec"
    for place in kind.places:
        yield from filter(None, [place.at, *_pointers(place.most)])
        for number in place.counts:
            yield from _pointers(number)


def _pointers(number: Number | None) -> Sequence[str]:
    return [pointer for pointer in (*number.at, number.least, number.cap) if pointer] if number else []


def _queue(kinds: Sequence[JudgedKind]) -> str:
    """The queue by the kind's own field, by a label or by an annotation; empty for none."""
    fields = {kind.queue: f"{kind.group}/{kind.kind}" for kind in kinds if kind.queue}
    own = [
        f"(variables.gk == {text(name)} ? {stands('object', pointer)} : [])" for pointer, name in sorted(fields.items())
    ]
    notes = at("object", "metadata", "annotations", default="{}")
    maps = f"([variables.own] + variables.lbl + [{notes}])"
    named = f"{maps}.map(m, {texts(QUEUE_LABELS)}.filter(k, k in m).map(k, m[k])).filter(q, q.size() > 0).map(q, q[0])"
    return f"({' + '.join([*own, named])} + [''])[0]"


def _wants_gpus(kinds: Sequence[JudgedKind]) -> str:
    """True where any pod asks for an accelerator, whatever its size."""
    both = " + ".join(at("t", "spec", name, default="[]") for name in ("containers", "initContainers"))
    claims = f"{at('t', 'spec', 'resourceClaims', default='[]')}.size() > 0"
    shares = f"{texts(SHARES)}.exists(n, n in {at('t', 'metadata', 'annotations', default='{}')})"
    terms = [f"variables.run.exists(t, ({both}).exists(c, {_ASKS}) || {claims} || {shares})"]
    if any(not kind.patched_at and kind.places for kind in kinds):
        bare = stands("object", *_CONTAINERS)
        terms.append(f"variables.tmpl.size() == 0 && ({bare}).exists(c, type(c) == map && {_ASKS})")
    offered = sorted({pointer for kind in kinds for place in kind.places for pointer in place.gpus_at})
    if offered:
        terms.append(f"({stands('object', *offered)}).exists(v, !(string(v) in ['0', '']))")
    return any_of(terms)


_NAMES = "|".join(f"{re.escape(one.name)}{'.*' if one.prefix else ''}" for one in RESOURCES)
_PATTERN = text(f"^({_NAMES}|{_DEVICE_CLASS}.*gpu.*|[^/]*/gpu)$")
_ASKED = ", ".join(at("c", "resources", part, default="{}") for part in ("limits", "requests"))
_ASKS = f"[{_ASKED}].exists(m, m.exists(n, n.matches(variables.accelerator) && !(string(m[n]) in ['0', ''])))"
"""True for a container `c` that asks for an accelerator: more than none."""
