"""Whether an object asks for accelerators, in CEL.

What the API server cannot know counts as asking, because the pods of what was let in are judged by nobody: a TrainJob
without `resourcesPerNode`, whose runtime decides; an LLMInferenceService or a part of one without containers, which
presets fill in; an InferenceService that names a runtime and no resources; a NIM without resources, whose profile
decides; a KAITO Workspace or RAGEngine on any machine but those of Azure without GPUs; a Workflow that takes templates
from elsewhere, or patches its pods with the name of an accelerator; and what an AppWrapper or an Experiment wraps, if
that kind has pods in lists or in words of its own.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from aicost.crd.vap.gating.pods import Parts, by_kind, is_template, names_of, pods
from aicost.crd.vap.judging.frame import Variables
from aicost.crd.vap.language.cel import any_of, found, texts
from aicost.crd.vap.language.devices import DEVICES, SHARES, any_asks, is_some
from aicost.crd.vap.language.walking import anywhere
from aicost.domain.workloads.kinds import KINDS
from aicost.domain.workloads.places import Form, JudgedKind, Place

_MOST_TEMPLATES, _MOST_CONTAINERS = 500, 500
"""What is larger is not looked at: it would cost more than the server allows, and nobody runs it."""
_ELSEWHERE = ("/steps/*/*/templateRef", "/dag/tasks/*/templateRef")


def asking(kinds: Sequence[JudgedKind], others: Sequence[str] = ()) -> Variables:
    """Variables: `groups`, lists of pod templates; `asks`, true where any of them asks for accelerators; `huge`.

    The last is true for what is too large to be looked at.

    Args:
        kinds: kinds that are judged.
        others: group and kind of what has no pods of its own and may stand for any.
    """
    asks = f"variables.groups.exists(g, g.exists(t, {_pod('t')}))"
    parts, unknown = _unknown(kinds, others)
    huge = f"variables.groups.size() > {_MOST_TEMPLATES} || variables.groups.exists(g, g.size() > {_MOST_TEMPLATES})"
    return {**DEVICES, **pods(kinds), **parts, "huge": huge, "asks": f"{asks} || ({unknown})"}


def _pod(root: str) -> str:
    """True where containers ask, a claim is used (DRA), or an annotation asks for a part of a device."""
    both = " + ".join(found(root, f"/spec/{name}/*") for name in ("containers", "initContainers"))
    notes = found(root, "/metadata/annotations")
    shares = f"{texts(SHARES)}.exists(n, {notes}.exists(m, type(m) == map && n in m && {is_some('m[n]')}))"
    containers = f"[{both}].exists(b, b.size() > {_MOST_CONTAINERS} || {any_asks('b')})"
    return any_of([containers, f"{found(root, '/spec/resourceClaims/*')}.size() > 0", shares])


def _unknown(kinds: Sequence[JudgedKind], others: Sequence[str]) -> tuple[Variables, str]:
    """Variables, and what they come to: true where the size of some pods cannot be known."""
    choices: dict[str, list[str]] = {"true": list(others)} if others else {}
    parts = Parts("may")
    for kind in kinds:
        terms = [parts.of(term) for place in kind.places for term in _terms(place)]
        if terms:
            choices.setdefault(any_of(dict.fromkeys(terms)), []).append(names_of(kind))
    return parts.variables, by_kind(choices, "false")


def _terms(place: Place) -> Iterator[str]:
    """What may mean accelerators at a place, beside what its pods ask for."""
    reader = _READERS.get(place.form)
    if reader:
        yield anywhere("object", place.at, reader)
    if place.implied:
        yield f"{found('object', place.at)}.size() == 0"
    for pointer in place.gpus_at:
        yield anywhere("object", pointer, is_some)


def _stated(root: str, at: str) -> str:
    """True where resources are written down at all."""
    return f"{found(root, at)}.exists(o, type(o) == map && o.size() > 0)"


def _pod_spec(root: str) -> str:
    return f"{found(root, '/containers/*')}.size() == 0"


def _kserve(root: str) -> str:
    named = f"{found('r', '/runtime')}.exists(v, type(v) == string && v != '')"
    return f"{found(root, '/*')}.exists(r, {named} && !{_stated('r', '/resources')})"


def _nim(root: str) -> str:
    return f"!{_stated(root, '/resources')}"


def _kaito(root: str) -> str:
    plain = "type(v) == string && v.startsWith('Standard_') && !v.startsWith('Standard_N')"
    return f"!{found(root, '/instanceType')}.exists(v, {plain})"


def _trainer(root: str) -> str:
    return f"!{_stated(root, '/trainer/resourcesPerNode')}"


def _workflow(root: str) -> str:
    refers = [anywhere(root, f"/templates/*{pointer}", lambda _: "true", 1) for pointer in _ELSEWHERE]
    patches = f"{found(root, '/podSpecPatch')} + {found(root, '/templates/*/podSpecPatch')}"
    names = "variables.devices.exists(d, v.contains(d)) || variables.families.exists(d, v.contains(d))"
    patched = f"({patches}).exists(v, type(v) == string && ({names}))"
    return any_of([*refers, f"{found(root, '/workflowTemplateRef')}.size() > 0", patched])


def _wrapped(root: str) -> str:
    others = sorted({names_of(kind) for kind in KINDS if any(not is_template(place) for place in kind.places)})
    group = "v.apiVersion.contains('/') ? v.apiVersion.split('/')[0] : ''"
    named = "type(v) == map && ['apiVersion', 'kind'].all(n, n in v && type(v[n]) == string)"
    return f"[{root}].exists(v, {named} && ({group}) + '/' + v.kind in {texts(others)})"


_READERS: Mapping[Form, Callable[[str], str]] = {
    Form.POD_SPEC: _pod_spec,
    Form.KSERVE: _kserve,
    Form.NIM: _nim,
    Form.KAITO: _kaito,
    Form.TRAINER: _trainer,
    Form.WORKFLOW: _workflow,
    Form.OBJECT: _wrapped,
}
"""Expression of what stands at a place -> true where its pods may be of any size."""
