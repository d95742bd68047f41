"""What a Prometheus keeps of a script: each series with its samples."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from fleet.serving.faces import ENGINES, GATEWAYS, Row
from fleet.serving.script import Pod, Request, Serving

_Name = tuple[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class Series:
    """One series."""

    name: str
    labels: Mapping[str, str]
    at_ms: tuple[int, ...]
    value: tuple[float, ...]


def play(serving: Serving) -> Sequence[Series]:
    """All series of all pods and of the gateway."""
    found: dict[_Name, list[tuple[int, float]]] = defaultdict(list)
    for pod in (*serving.pods, serving.front()):
        target = {"namespace": pod.namespace, "pod": pod.name, "instance": f"{pod.name}:8000", "job": "pods"}
        for at_ms in serving.scrapes(pod):
            for name, labels, value in _rows(serving, pod, at_ms):
                found[name, tuple(sorted((target | dict(labels)).items()))].append((at_ms, float(value)))
    return [
        Series(name, dict(labels), tuple(at_ms for at_ms, _ in mine), tuple(value for _, value in mine))
        for (name, labels), mine in found.items()
    ]


def _rows(serving: Serving, pod: Pod, at_ms: int) -> Iterator[Row]:
    began = pod.began(at_ms)
    done = [one for one in pod.requests if began <= one.at_ms <= at_ms]
    if pod.engine:
        yield from ENGINES[pod.engine](pod.model, done)
        return
    asked: dict[tuple[str, str], list[Request]] = defaultdict(list)
    for one in done:
        asked[one.model, one.tenant].append(one)
    for (model, tenant), mine in asked.items():
        yield from GATEWAYS[serving.gateway]({"model": model, "tenant": tenant}, mine)
