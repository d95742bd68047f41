"""The pods that an object describes, in CEL, whatever the words of its kind: all forms become pod templates.

So labels, containers and claims are looked for in one way. What is not a template becomes a map with `metadata` and
`spec`; its `containers` are what asks for resources.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from aicost.crd.vap.judging.frame import Variables
from aicost.crd.vap.language.cel import MANY, below, found, text, texts
from aicost.domain.workloads.kinds import KINDS
from aicost.domain.workloads.places import Form, JudgedKind, Place

_GPU = text("nvidia.com/gpu")
_WAYS = ("container", "script", "containerSet/containers/*", "sidecars/*")
"""How a template of a workflow runs containers."""


class Parts:
    """Expressions as variables of their own, each once: the server takes time for a long one by its square."""

    def __init__(self, start: str) -> None:
        self._start = start
        self._names: dict[str, str] = {}

    def of(self, expression: str) -> str:
        """The variable of an expression."""
        name = self._names.setdefault(expression, f"{self._start}{len(self._names)}")
        return f"variables.{name}"

    @property
    def variables(self) -> Variables:
        """All of them."""
        return {name: expression for expression, name in self._names.items()}


def by_kind(choices: Mapping[str, Sequence[str]], otherwise: str) -> str:
    """An expression for each kind: expression -> groups and kinds that it is for."""
    each = (f"variables.gk in {texts(sorted(names))} ? ({expression})" for expression, names in choices.items())
    return " : ".join([*each, otherwise])


def names_of(kind: JudgedKind) -> str:
    """Group and kind, as the variable `gk` holds them."""
    return f"{kind.group}/{kind.kind}"


def pods(kinds: Sequence[JudgedKind]) -> Variables:
    """Variables, the last of them `groups`: the object's own pod templates, and one more list for each outer item."""
    parts = Parts("pods")
    own: dict[str, list[str]] = {}
    others: dict[str, list[str]] = {}
    for kind in kinds:
        found_here = [parts.of(each) for place in kind.places for each in _listed(place)]
        if found_here:
            own.setdefault(" + ".join(found_here), []).append(names_of(kind))
        for place in kind.places:
            if place.at.count(MANY) > 1:
                others.setdefault(parts.of(_grouped(place)), []).append(names_of(kind))
    return {**parts.variables, "groups": f"[{by_kind(own, '[]')}] + ({by_kind(others, '[]')})"}


def is_template(place: Place) -> bool:
    """Whether plain pod templates stand there, in no list."""
    return place.form is Form.TEMPLATE and MANY not in place.at


def _listed(place: Place) -> Iterator[str]:
    """Lists of the pod templates of a place that is in one list at most."""
    if place.at.count(MANY) > 1:
        return
    if place.form is Form.OBJECT:
        yield from _wrapped(place.at)
    elif place.form is Form.WORKFLOW:
        yield from _workflow(place.at)
    else:
        yield _read(place)
    if place.form is Form.DYNAMO:
        yield f"{found('object', f'{place.at}/extraPodMetadata')}.map(m, {_as_pod('m')})"


def _read(place: Place) -> str:
    listed = found("object", place.at)
    reader = _READERS.get(place.form)
    metadata = f"({found('object', place.metadata_at)} + [dyn({{}})])[0]" if place.metadata_at else "v"
    return f"{listed}.map(v, {reader('v', metadata)})" if reader else listed


def _grouped(place: Place) -> str:
    """A list of pod templates for each item of the outer list."""
    outer, _, inner = place.at.rpartition(f"/{MANY}/")
    return f"{found('object', f'{outer}/{MANY}')}.map(v, {found('v', f'/{inner}')})"


def _wrapped(at: str) -> Iterator[str]:
    """Pod templates of objects inside another, wherever kinds have them outside of lists."""
    listed = found("object", at)
    for pointer in sorted({place.at for kind in KINDS for place in kind.places if is_template(place) and place.at}):
        yield below(listed, pointer)
    yield f"{listed}.filter(v, type(v) == map && 'kind' in v && v.kind == 'Pod')"


def _workflow(at: str) -> Iterator[str]:
    containers = " + ".join(found("v", f"/{way}") for way in _WAYS)
    metadata = f"({found('v', '/metadata')} + [dyn({{}})])[0]"
    each = _as_pod(metadata, containers, init=found("v", "/initContainers/*"))
    yield f"{found('object', f'{at}/templates/{MANY}')}.map(v, {each})"
    yield f"{found('object', f'{at}/podMetadata')}.map(m, {_as_pod('m')})"


def _as_pod(metadata: str, containers: str = "", init: str = "", claims: str = "") -> str:
    parts = {"containers": containers, "initContainers": init, "resourceClaims": claims}
    spec = "{" + ", ".join(f"'{name}': dyn({listed})" for name, listed in parts.items() if listed) + "}"
    return f"dyn({{'metadata': dyn({metadata}), 'spec': dyn({spec})}})"


def _asking_for(numbers: str) -> str:
    """Containers that ask for so many GPUs."""
    return f"({numbers}).map(g, dyn({{'resources': {{'limits': {{{_GPU}: g}}}}}}))"


def _pod_spec(root: str, metadata: str) -> str:
    return f"dyn({{'metadata': dyn({metadata}), 'spec': dyn({root})}})"


def _kserve(root: str, metadata: str) -> str:
    """Any map of the component may be its container, under the name of its framework."""
    containers = f"{found(root, '/containers/*')} + {found(root, '/*')}"
    return _as_pod(metadata, containers, found(root, "/initContainers/*"), found(root, "/resourceClaims/*"))


def _service(root: str, metadata: str) -> str:
    return _as_pod(metadata, f"[{root}]", claims=found(root, "/draResources/*"))


def _vllm_runtime(root: str, metadata: str) -> str:
    return _as_pod(metadata, _asking_for(found(root, "/deploymentConfig/resources/gpu")))


def _dynamo(root: str, metadata: str) -> str:
    sides = [f"/resources/{side}" for side in ("limits", "requests")]
    plain = _asking_for(" + ".join(found(root, f"{side}/gpu") for side in sides))
    custom = " + ".join(found(root, f"{side}/custom") for side in sides)
    more = f"{found(root, '/extraPodSpec/mainContainer')} + {found(root, '/extraPodSpec/containers/*')}"
    listed = f"{plain} + ({custom}).map(m, dyn({{'resources': {{'limits': m}}}})) + {more}"
    init, claims = (found(root, f"/extraPodSpec/{name}/*") for name in ("initContainers", "resourceClaims"))
    return _as_pod(metadata, listed, init, claims)


def _spark(root: str, metadata: str) -> str:
    return _as_pod(metadata, _asking_for(found(root, "/gpu/quantity")))


def _trainer(root: str, metadata: str) -> str:
    return _as_pod(metadata, f"{found(root, '/trainer/resourcesPerNode')}.map(m, dyn({{'resources': m}}))")


def _nothing(_: str, metadata: str) -> str:
    return _as_pod(metadata)


_READERS: Mapping[Form, Callable[[str, str], str]] = {
    Form.POD_SPEC: _pod_spec,
    Form.KSERVE: _kserve,
    Form.NIM: _service,
    Form.SERVICE: _service,
    Form.VLLM_RUNTIME: _vllm_runtime,
    Form.DYNAMO: _dynamo,
    Form.KAITO: _nothing,
    Form.SPARK: _spark,
    Form.TRAINER: _trainer,
}
"""Expression of what stands there and of its metadata -> expression of a pod template."""
