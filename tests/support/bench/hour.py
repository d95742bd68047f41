"""An hour of a cluster of any size: nodes of eight GPUs, four pods with GPUs and twelve without on each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from aicost.domain.attribution.resources.kubelet import STEP_MS
from aicost.domain.attribution.resources.observed import Observed, use_of_pods
from aicost.domain.attribution.resources.use import Levels
from aicost.domain.attribution.window import WindowInput
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS
from aicost.domain.inventory.cluster import ClusterFacts
from aicost.domain.inventory.nodes import NodeRecord
from aicost.domain.inventory.pods import PodRecord
from aicost.domain.pricing.books import PriceBook
from aicost.domain.sampling.cleaning import read_telemetry
from aicost.domain.sampling.identity import context_of
from aicost.domain.sampling.series import RawSeries
from support.big_cluster import GPUS_PER_NODE, INTERVAL_MS, PADDING_MS, WINDOW
from support.builders import T0, make_node, make_pod
from support.pricing import book, entry

KUBELET_MS = MINUTE_MS
BOOKS: tuple[PriceBook, ...] = (book(entry(gpu_hour=4)),)
_HELD = (4, 2, 1, 1)
"""GPUs of the pods of a node that hold some."""
_OTHERS = 12
_SIGNALS = {
    "DCGM_FI_PROF_GR_ENGINE_ACTIVE": 1,
    "DCGM_FI_DEV_GPU_UTIL": 100,
    "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION": 0,
}
_CORES, _GIB = 96_000, 2**30


@dataclass(frozen=True)
class Series:
    """Labels with the name, times and values, as a Prometheus keeps them."""

    labels: Mapping[str, str]
    at_ms: NDArray[np.int64]
    value: NDArray[np.float64]


def facts(gpus: int) -> ClusterFacts:
    """Two pods for each GPU; one of sixteen ends within the hour."""
    hosts = range(gpus // GPUS_PER_NODE)
    return ClusterFacts(tuple(pod for host in hosts for pod in _pods(host)), tuple(map(_node, hosts)))


def _node(host: int) -> NodeRecord:
    record = make_node(f"node-{host}").gpus(GPUS_PER_NODE).created(T0 - HOUR_MS).record()
    return replace(record, facts=replace(record.facts, cpu_millis=_CORES, memory_bytes=1_024 * _GIB))


def _pods(host: int) -> Iterator[PodRecord]:
    for number, count in enumerate(_HELD):
        pod = make_pod(f"team-{host % 20}", f"job-{host}-{number}").gpus(count).on(f"node-{host}")
        pod = pod.created(T0 - HOUR_MS).bound(T0 - HOUR_MS)
        ended = pod.succeeded(T0 + HOUR_MS // 2) if number == len(_HELD) - 1 else pod.running()
        yield _asking(ended.record(), 4_000, 8 * _GIB)
    for number in range(_OTHERS):
        pod = make_pod(f"team-{(host + number) % 20}", f"web-{host}-{number}").on(f"node-{host}")
        yield _asking(pod.created(T0 - HOUR_MS).bound(T0 - HOUR_MS).running().record(), 500, _GIB)


def _asking(record: PodRecord, cpu_millis: int, memory_bytes: int) -> PodRecord:
    return replace(record, facts=replace(record.facts, cpu_millis=cpu_millis, memory_bytes=memory_bytes))


def gpu_series(gpus: int) -> Iterator[Series]:
    """What a Prometheus keeps of an exporter per node."""
    chance = np.random.default_rng(1)
    times = np.arange(WINDOW.start_ms - PADDING_MS, WINDOW.end_ms + PADDING_MS, INTERVAL_MS, dtype=np.int64)
    holders = [number for number, count in enumerate(_HELD) for _ in range(count)]
    for gpu in range(gpus):
        host, index = divmod(gpu, GPUS_PER_NODE)
        labels = {"UUID": f"GPU-{gpu:06d}", "gpu": str(index), "Hostname": f"node-{host}", "container": "main"}
        labels |= {"namespace": f"team-{host % 20}", "pod": f"job-{host}-{holders[index]}"}
        labels |= {"job": "dcgm", "instance": f"node-{host}:9400"}
        for name, scale in _SIGNALS.items():
            value = np.round(chance.random(len(times)) * scale, 6)
            value = value if scale else np.arange(1.0, len(times) + 1) * 10_000_000
            yield Series({"__name__": name} | labels, times, value)


def kubelet_series(known: ClusterFacts) -> Iterator[Series]:
    """What a Prometheus keeps of a kubelet per node: CPU and memory of one container for each pod."""
    chance = np.random.default_rng(2)
    times = np.arange(WINDOW.start_ms - PADDING_MS, WINDOW.end_ms + PADDING_MS, KUBELET_MS, dtype=np.int64)
    for pod in (record.facts for record in known.pods):
        labels = {"namespace": pod.namespace, "pod": pod.name, "container": "main", "id": f"/kubepods/{pod.uid}"}
        labels |= {"job": "kubelet", "instance": f"{pod.node}:10250"}
        cpu = np.cumsum(chance.random(len(times)) * KUBELET_MS / 1_000)
        yield Series({"__name__": "container_cpu_usage_seconds_total"} | labels, times, np.round(cpu, 3))
        memory = np.round(chance.random(len(times)) * 2 * _GIB)
        yield Series({"__name__": "container_memory_working_set_bytes"} | labels, times, memory)


def raw_samples(gpus: int) -> tuple[RawSeries, ...]:
    """The GPUs' series as a source gives them."""
    found = []
    for one in gpu_series(gpus):
        labels = {name: value for name, value in one.labels.items() if name != "__name__"}
        found.append(RawSeries(one.labels["__name__"], labels, one.at_ms, one.value))
    return tuple(found)


def observed(known: ClusterFacts) -> tuple[Observed, ...]:
    """What pods used, each five minutes."""
    chance = np.random.default_rng(2)
    edges = np.arange(WINDOW.start_ms, WINDOW.end_ms + 1, STEP_MS, dtype=np.int64)
    starts, ends = edges[:-1], edges[1:]

    def levels(largest: int) -> Levels:
        return Levels(starts, ends, chance.integers(0, largest, len(starts)))

    pods = (record.facts for record in known.pods)
    return tuple(Observed((pod.namespace, pod.name), pod.uid, levels(4_000_000), levels(2**22)) for pod in pods)


def window_input(known: ClusterFacts, raw: tuple[RawSeries, ...], used: tuple[Observed, ...]) -> WindowInput:
    """All that the statement of the hour rests on, cleaned and put together as the use case does."""
    telemetry = read_telemetry(raw, context_of(known, INTERVAL_MS), WINDOW.end_ms + HOUR_MS)
    use = use_of_pods(used, known.pods)
    return WindowInput("c1", WINDOW, known, telemetry, BOOKS, (), PADDING_MS, use=use)
