"""Whether an update makes an object grow, in CEL: its numbers of pods, and what it wakes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from aicost.crd.vap.gating.pods import Parts, by_kind, names_of
from aicost.crd.vap.judging.frame import Variables
from aicost.crd.vap.language.cel import MANY, any_of, found, text_map
from aicost.crd.vap.language.requests import USER
from aicost.crd.vap.language.walking import numbers
from aicost.domain.enforcement.levers.scaling import PAUSED, PAUSED_SCALE_OUT
from aicost.domain.enforcement.levers.serving import STOP_SERVING
from aicost.domain.workloads.foreign import MOST
from aicost.domain.workloads.kinds import AI_WORKLOAD, JUDGED_KINDS
from aicost.domain.workloads.places import JudgedKind, Place

SCALE = "autoscaling/Scale"
"""Group and kind of what is written to the subresource `/scale`."""
AUTOSCALERS = ("autoscaling/HorizontalPodAutoscaler", "keda.sh/ScaledObject")
"""What lets others grow: whose pods those are the API server does not see."""
_MOST_COUNTS = 12
"""Numbers of one kind that are looked at: CEL counts by a list that is written out."""
_KEDA_MOST = 100
"""What KEDA takes where nothing is said."""
_BESIDE = (
    JudgedKind("autoscaling", ("v2",), "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
    JudgedKind("keda.sh", ("v1alpha1",), "ScaledObject", "scaledobjects"),
    JudgedKind("serving.kserve.io", ("v1alpha1",), "InferenceGraph", "inferencegraphs"),
    JudgedKind("kueue.x-k8s.io", ("v1beta2",), "Workload", "workloads", (Place("/spec/podSets/*/template"),)),
)
"""Kinds that run no pods themselves and can be stopped, or let others grow."""
GROWING: tuple[JudgedKind, ...] = (
    *(kind for kind in JUDGED_KINDS if kind is not AI_WORKLOAD and kind.kind != "Pod"),
    *_BESIDE,
)
"""Kinds that can grow after they were made; a pod cannot."""
SCALED = tuple(kind for kind in GROWING if kind not in _BESIDE)
"""Kinds that may have a `/scale`; a rule for one that is not there costs nothing."""
_STOPPED: Mapping[str, str] = {
    "/spec/suspend": "true",
    "/spec/runPolicy/suspend": "true",
    "/spec/active": "false",
    STOP_SERVING: "'true'",
    PAUSED: "'true'",
    PAUSED_SCALE_OUT: "'true'",
}
"""Where objects say that they are stopped -> the value that says so."""


@dataclass(frozen=True, slots=True)
class _Count:
    """A number that makes pods.

    Attributes:
        pointers: the first that holds one counts; all through the same list, if any.
        default: where none does.
        places: pods that it is for; without them it is 0. Empty where they are always there.
    """

    pointers: tuple[str, ...]
    default: int = 1
    places: list[str] = field(default_factory=list)

    def of(self, root: str) -> str:
        """What may be the number at a root, the first that is one counts: a list for each item of the list, or one."""
        prefix, many, _ = self.pointers[0].partition(f"/{MANY}")
        if not many:
            return f"[{self._candidates(root, self.pointers)}]"
        rests = [pointer.partition(f"/{MANY}")[2] for pointer in self.pointers]
        return f"{found(root, f'{prefix}{many}')}.map(p, {self._candidates('p', rests)})"

    def _candidates(self, root: str, pointers: Iterable[str]) -> str:
        return " + ".join([*(found(root, pointer) for pointer in pointers), f"[dyn({self._otherwise(root)})]"])

    def _otherwise(self, root: str) -> str:
        if not self.default or not self.places or any(place in _ALWAYS for place in self.places):
            return str(self.default)
        there = any_of(f"{found(root, place)}.size() > 0" for place in self.places)
        return f"{there} ? {self.default} : 0"


_IMPLIED = ""
_ALWAYS = frozenset({"/spec/template", "/spec", "/resource", "/spec/compute", _IMPLIED})
"""Places without which an object of their kind is none, or whose pods are there whatever it says."""
_MORE: Mapping[str, Sequence[_Count]] = {
    "autoscaling/HorizontalPodAutoscaler": [_Count(("/spec/maxReplicas",))],
    "keda.sh/ScaledObject": [_Count(("/spec/maxReplicaCount",), _KEDA_MOST)],
    "trainer.kubeflow.org/TrainJob": [_Count(("/spec/trainer/numNodes",), MOST)],
    "argoproj.io/Workflow": [_Count(("/spec/parallelism",), MOST)],
    "argoproj.io/CronWorkflow": [_Count(("/spec/workflowSpec/parallelism",), MOST)],
}
"""Numbers that the table of kinds does not have. Where one is absent that something else decides, or nothing limits, no
number that is written is more."""


def growing() -> Variables:
    """Variables: `grown`, numbers that are larger than before; `woken`; `held`, what the budget holds of this object.

    `sums` are the numbers of the object as it is now and as it was, each added up over the lists that it stands in.
    """
    mine = "h.kind == variables.kind && h.name == variables.name"
    parts, listed = _listed()
    return {
        "kind": _kind(),
        "name": "request.?name.orValue('')",
        **parts,
        "sums": f"({listed}).map(o, o.map(c, c.map(i, {numbers('i')}[0]).sum()))",
        "grown": f"[{', '.join(map(str, range(_MOST_COUNTS)))}].filter(i, i < variables.sums[0].size() "
        "&& variables.sums[0][i] > variables.sums[1][i]).map(i, variables.sums[0][i])",
        "woken": any_of(_wakes(pointer, value) for pointer, value in _STOPPED.items()),
        "held": f"params.?status.?held.orValue([]).filter(h, {mine})",
        "machine": f"{USER}.startsWith('system:serviceaccount:') || {USER} == 'system:kube-controller-manager'",
        "clamp": "params.?status.?clamp.orValue(false) == true",
    }


def _listed() -> tuple[Variables, str]:
    """Variables, and what they come to: the numbers of the object now and before, as `_Count.of` gives them."""
    parts = Parts("counts")
    choices = {parts.of(_both([_Count(("/spec/replicas",), 0)])): [SCALE]}
    for kind in GROWING:
        counts = counts_of(kind)
        if counts:
            choices.setdefault(parts.of(_both(counts)), []).append(names_of(kind))
    return parts.variables, by_kind(choices, "[[], []]")


def _both(counts: Iterable[_Count]) -> str:
    return f"[object, oldObject].map(o, [{', '.join(one.of('o') for one in counts)}])"


GROWS_IN_ORDER = (
    "(variables.grown.size() == 0 || (variables.machine && !variables.clamp "
    "&& variables.held.exists(h, variables.grown.all(n, n <= h.upTo)))) "
    "&& (!variables.woken || (variables.machine && !(variables.clamp && variables.held.size() > 0)))"
)
"""True where nothing grows and nobody wakes what is stopped, or a controller sets back what the budget holds: that is a
fight, which the budget settles itself. A controller may also wake what a budget did not stop, as a queue does."""


def _kind() -> str:
    """The kind that the request is about; a `/scale` names the resource of its object."""
    plurals = {f"{kind.group}/{kind.plural}": kind.kind for kind in SCALED}
    resource = "request.resource.group + '/' + request.resource.resource"
    return f"{text_map(plurals)}[?{resource}].orValue(request.kind.kind)"


def counts_of(kind: JudgedKind) -> list[_Count]:
    """Numbers of a kind: how many pods at the start, at least and at most. Those in lists of lists are not seen."""
    counts: dict[tuple[tuple[str, ...], int], _Count] = {}
    for place in kind.places:
        for pointers, default in _numbers(place):
            seen = tuple(pointer for pointer in pointers if pointer.count(MANY) <= 1)
            if seen:
                counts.setdefault((seen, default), _Count(seen, default)).places.append(
                    _IMPLIED if place.implied else place.at
                )
    return [_without_lists(one) for one in counts.values()] + list(_MORE.get(names_of(kind), ()))


def _without_lists(count: _Count) -> _Count:
    """A default holds for each item of a list; whether the item has a template does not matter."""
    listed = any(MANY in each for each in (*count.pointers, *count.places))
    return _Count(count.pointers, count.default) if listed else count


def _numbers(place: Place) -> Iterator[tuple[tuple[str, ...], int]]:
    for number in place.counts:
        if number.at:
            yield number.at, number.default
        if number.least:
            yield (number.least,), 0
    if place.most is not None and place.most.at:
        yield place.most.at, 0


def _wakes(pointer: str, stopped: str) -> str:
    before, now = (f"{found(root, pointer)}.exists(v, v == {stopped})" for root in ("oldObject", "object"))
    return f"{before} && !{now}"
