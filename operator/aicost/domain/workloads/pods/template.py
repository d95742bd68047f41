"""Reads one kind of pod that an object makes."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aicost.domain.inventory.pods import ContainerFacts
from aicost.domain.workloads.foreign import Json, items, mapping, text, texts
from aicost.domain.workloads.gpus.claims import Beside, Claimed, claimed
from aicost.domain.workloads.gpus.demand import Demand, node_of, pod_demand
from aicost.domain.workloads.gpus.hints import gpu_hints
from aicost.domain.workloads.gpus.slices import WHOLE
from aicost.domain.workloads.pods.forms import Described
from aicost.domain.workloads.run_ids import RUN_ID_VARIABLES
from aicost.domain.workloads.shapes import PodTemplate

_MILLI = WHOLE // 1_000
_LONGEST_NAME = 1_024
_LONGEST_COMMAND = 8_192


@dataclass(frozen=True, slots=True)
class Part:
    """Where a kind of pod comes from.

    Attributes:
        path: JSON pointer of its template, empty where its labels cannot be set.
        replicas: at the start and at most.
        gpus: GPUs of one pod that something beside its containers says, None where nothing does.
        handed_down: labels that its pods get from the object.
    """

    path: str
    role: str
    replicas: tuple[int, int]
    patchable: bool
    gpus: int | None = None
    handed_down: Mapping[str, str] | None = None


def read_pod(pod: Described, part: Part, beside: Beside, namespace: str) -> PodTemplate:
    """What one pod asks for, and how many there are."""
    annotations = texts(pod.metadata.get("annotations"))
    claims = claimed(pod.spec, beside, namespace)
    hints = gpu_hints(pod.spec, annotations, claims.models)
    demand = pod_demand(pod.spec, annotations, node_of(hints.node_labels, hints.models))
    replicas, most = part.replicas
    return PodTemplate(
        path=part.path,
        role=part.role,
        replicas=replicas,
        max_replicas=most,
        labels={**(part.handed_down or {}), **texts(pod.metadata.get("labels"))},
        annotations=annotations,
        containers=tuple(containers_of(pod.spec)),
        demand=demand.devices,
        gpu_milli=_milli(pod, part, demand, claims),
        hints=hints,
        claims=claims.missing,
        service_account=text(pod.spec.get("serviceAccountName")),
        patchable=part.patchable,
    )


def containers_of(spec: Json) -> Iterator[ContainerFacts]:
    """Name, image and start of the command line of each container, init containers last."""
    for each in (*items(spec.get("containers")), *items(spec.get("initContainers"))):
        known = mapping(each)
        words = (*items(known.get("command")), *items(known.get("args")))
        name, image = text(known.get("name")), text(known.get("image"))
        yield ContainerFacts(name[:_LONGEST_NAME], image[:_LONGEST_NAME], tuple(_start(words)))


def _start(words: Iterable[Any]) -> Iterator[str]:
    """Words as far as they tell what is run: a container is remembered, and nobody may make that expensive."""
    left = _LONGEST_COMMAND
    for word in words:
        if isinstance(word, str) and left > 0:
            yield word[:left]
            left -= len(word) + 1


def environment_of(spec: Json) -> dict[str, str]:
    """Run ids among the variables of a pod's containers, where their value is written out; the first of equals."""
    found: dict[str, str] = {}
    for container in items(spec.get("containers")):
        for each in items(mapping(container).get("env")):
            name, value = mapping(each).get("name"), mapping(each).get("value")
            if isinstance(name, str) and name in RUN_ID_VARIABLES and isinstance(value, str):
                found.setdefault(name, value)
    return found


def _milli(pod: Described, part: Part, demand: Demand, claims: Claimed) -> int | None:
    """Thousandths of GPUs of one pod, rounded once. A claim that all pods share counts once in all."""
    if demand.share is None or claims.share is None:
        return None
    share = demand.share + claims.share
    if not share and not claims.shared:
        if part.gpus is None:
            return 0 if pod.sized else None
        share = part.gpus * WHOLE
    pods = max(1, part.replicas[0])
    return (2 * (share * pods + claims.shared) + _MILLI * pods) // (2 * _MILLI * pods)
