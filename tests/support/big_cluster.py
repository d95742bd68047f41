"""A cluster of any size as the domain sees it: nodes of eight GPUs, all held, an hour of samples of two signals."""

from fractions import Fraction

import numpy as np

from aicost.domain.attribution.window import WindowInput
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, Window
from aicost.domain.inventory.cluster import ClusterFacts
from aicost.domain.sampling.cleaning import read_telemetry
from aicost.domain.sampling.identity import context_of
from aicost.domain.sampling.series import RawSeries
from support.builders import T0, make_node, make_pod
from support.pricing import book, entry

WINDOW = Window(T0, T0 + HOUR_MS)
PADDING_MS = 5 * MINUTE_MS
INTERVAL_MS = 15_000
GPUS_PER_NODE = 8
_JOBS = (4, 2, 1, 1)
"""GPUs of the pods of a node."""
_NAMES = {"DCGM_FI_PROF_GR_ENGINE_ACTIVE": Fraction(1), "DCGM_FI_DEV_GPU_UTIL": Fraction(100)}


def facts(gpus: int) -> ClusterFacts:
    """Nodes and pods; each pod was bound before the window and a quarter of them end in it."""
    hosts = range(gpus // GPUS_PER_NODE)
    nodes = [make_node(f"node-{host}").gpus(GPUS_PER_NODE).created(T0 - HOUR_MS).record() for host in hosts]
    pods = []
    for host in hosts:
        for number, count in enumerate(_JOBS):
            pod = make_pod(f"team-{host % 20}", f"job-{host}-{number}").gpus(count).on(f"node-{host}")
            pod = pod.created(T0 - HOUR_MS).bound(T0 - HOUR_MS)
            ended = pod.succeeded(T0 + HOUR_MS // 2) if number == 3 else pod.running()
            pods.append(ended.record())
    return ClusterFacts(tuple(pods), tuple(nodes))


def raw_samples(gpus: int) -> tuple[RawSeries, ...]:
    """What an exporter per node shows of its GPUs."""
    generator = np.random.default_rng(1)
    times = np.arange(WINDOW.start_ms - PADDING_MS, WINDOW.end_ms + PADDING_MS, INTERVAL_MS, dtype=np.int64)
    found = []
    for gpu in range(gpus):
        host, index = divmod(gpu, GPUS_PER_NODE)
        holder = next(number for number in range(len(_JOBS)) if index < sum(_JOBS[: number + 1]))
        labels = {"UUID": f"GPU-{gpu}", "gpu": str(index), "Hostname": f"node-{host}"}
        labels |= {"namespace": f"team-{host % 20}", "pod": f"job-{host}-{holder}", "container": "main"}
        for name, scale in _NAMES.items():
            found.append(RawSeries(name, labels, times, generator.random(len(times)) * float(scale)))
    return tuple(found)


def window_input(gpus: int, raw: tuple[RawSeries, ...] | None = None) -> WindowInput:
    """All that the statement of the hour rests on."""
    known = facts(gpus)
    telemetry = read_telemetry(raw or raw_samples(gpus), context_of(known, INTERVAL_MS), WINDOW.end_ms + HOUR_MS)
    return WindowInput("c1", WINDOW, known, telemetry, (book(entry(gpu_hour=4)),), (), PADDING_MS)
