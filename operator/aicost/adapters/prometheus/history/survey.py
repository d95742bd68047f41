"""What a Prometheus has that the past can be computed from: asked before anything is computed."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from aicost.adapters.prometheus.history.asking import Asker
from aicost.adapters.prometheus.history.inventory import GPU_METRICS
from aicost.adapters.prometheus.history.keys import LabelKeys
from aicost.adapters.prometheus.history.kubelets import CONTAINERS
from aicost.adapters.prometheus.history.nodes import ALLOCATABLE, CAPACITY, NODE_CREATED, NODE_INFO, NODE_LABELS
from aicost.adapters.prometheus.history.pods import POD_CLAIMS, POD_INFO, POD_LABELS, POD_PHASE, POD_REQUESTS
from aicost.adapters.prometheus.history.volumes import CLAIM_INFO, CLAIM_SIZE
from aicost.domain.attribution.resources.kubelet import CPU
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, MINUTE_MS, Window
from aicost.domain.ledger.rows import Component
from aicost.domain.sampling.dialects import METRICS, dialect_of

LOOKED_FOR = (
    *sorted(METRICS),
    POD_INFO,
    "kube_pod_created",
    "kube_pod_status_scheduled_time",
    "kube_pod_start_time",
    "kube_pod_completion_time",
    POD_PHASE,
    POD_REQUESTS,
    POD_LABELS,
    "kube_pod_container_info",
    "kube_replicaset_owner",
    "kube_job_owner",
    NODE_INFO,
    NODE_CREATED,
    NODE_LABELS,
    CAPACITY,
    ALLOCATABLE,
    "kube_namespace_labels",
    CONTAINERS,
    CPU,
    CLAIM_INFO,
    CLAIM_SIZE,
    POD_CLAIMS,
)
"""Names of all series that are read, but for those that only refine."""
_BACK = (0, HOUR_MS, 6 * HOUR_MS, DAY_MS, 7 * DAY_MS)
_POINTS = 720


@dataclass(frozen=True, slots=True)
class Survey:
    """What there is.

    Attributes:
        at_ms: the moment that was looked at: the newest one with series of GPUs.
        counts: metric -> number of its series then.
        dialect: releases of dcgm-exporter that write so.
        devices: GPUs that samples name.
        interval_ms: time between two samples of a GPU.
        first_ms: the first moment, looked at each hour or so, with samples of GPUs.
        missing_hours: hours without any between it and the last one.
        objects_ms: the first moment with series of kube-state-metrics; None where there are none.
        pod_labels, node_labels: label keys that kube-state-metrics shows.
        version: of kube-state-metrics, empty where it does not tell.
        clusters: values of a label `cluster` that the series carry.
    """

    at_ms: int
    counts: Mapping[str, int]
    dialect: str
    devices: int
    interval_ms: int
    first_ms: int | None
    missing_hours: int
    objects_ms: int | None
    pod_labels: frozenset[str]
    node_labels: frozenset[str]
    version: str
    clusters: tuple[str, ...]

    def has(self, metric: str) -> bool:
        """Whether there are series of a metric."""
        return bool(self.counts.get(metric))

    @property
    def components(self) -> frozenset[Component]:
        """What can be charged beside the GPUs: CPU and memory where requests and capacities are told, and storage."""
        asked = all(map(self.has, (POD_REQUESTS, CAPACITY, POD_INFO)))
        hosts = {Component.CPU, Component.MEMORY} if asked else set()
        stored = all(map(self.has, (CLAIM_INFO, CLAIM_SIZE, POD_CLAIMS)))
        return frozenset(hosts | ({Component.STORAGE} if stored else set()))


def survey(ask: Asker, span: Window, default_ms: int, keys: LabelKeys) -> Survey | None:
    """Look at what a server has of a span; None where it has no series of GPUs at all.

    Raises:
        SourceUnavailable, InvalidAnswer, NotPermitted: see the port `TelemetrySource`.
    """
    for back_ms in (*_BACK, span.length_ms // 2, span.length_ms * 3 // 4):
        at_ms = span.end_ms - back_ms
        counts = ask.count_names(LOOKED_FOR, at_ms) if at_ms > span.start_ms else {}
        if any(counts.get(name) for name in GPU_METRICS):
            return _looked(ask, span, at_ms, counts, default_ms, keys)
    return None


def _looked(
    ask: Asker, span: Window, at_ms: int, counts: Mapping[str, int], default_ms: int, keys: LabelKeys
) -> Survey:
    metric = max(GPU_METRICS, key=lambda name: counts.get(name, 0))
    step_ms = max(HOUR_MS, span.length_ms // _POINTS)
    moments = ask.moments(metric, span, step_ms)
    objects = ask.moments(NODE_INFO if counts.get(NODE_INFO) else POD_INFO, span, step_ms)
    lower = bool(ask.values(metric, "hostname", at_ms) - {""})
    dialect = dialect_of(frozenset(name for name in counts if name in METRICS), lower_case_host=lower)
    around = Window(at_ms - 10 * MINUTE_MS, at_ms)
    builds = ask.last("kube_state_metrics_build_info", around, ("version",))
    return Survey(
        at_ms=at_ms,
        counts=counts,
        dialect=dialect.releases if dialect else "",
        devices=len(ask.values(metric, "UUID", at_ms) | ask.values(metric, "uuid", at_ms) - {""}),
        interval_ms=_interval(ask, metric, around, default_ms),
        first_ms=int(moments[0]) if len(moments) else None,
        missing_hours=_missing(moments, step_ms),
        objects_ms=int(objects[0]) if len(objects) else None,
        pod_labels=_shown(ask, POD_LABELS, around, keys),
        node_labels=_shown(ask, NODE_LABELS, around, keys),
        version=builds[0].get("version") if builds else "",
        clusters=tuple(sorted(ask.values(metric, "cluster", at_ms) - {""})),
    )


def _missing(moments: "np.ndarray[tuple[int], np.dtype[np.int64]]", step_ms: int) -> int:
    """Hours between the first and the last moment at which there was nothing."""
    if not len(moments):
        return 0
    expected = (int(moments[-1]) - int(moments[0])) // step_ms + 1
    return (expected - len(moments)) * step_ms // HOUR_MS


def _interval(ask: Asker, metric: str, around: Window, default_ms: int) -> int:
    """The usual time between two samples of one device."""
    devices = sorted(ask.values(metric, "UUID", around.end_ms) - {""})[:3]
    distances = [
        int(np.median(np.diff(np.unique(one.at_ms))))
        for one in ask.points(metric, around, "UUID", devices)
        if len(one.at_ms) > 2
    ]
    return max(1_000, round(min(distances) / 1_000) * 1_000) if distances else default_ms


def _shown(ask: Asker, metric: str, around: Window, keys: LabelKeys) -> frozenset[str]:
    return frozenset(key for row in ask.last(metric, around) for key in keys.read(row.labels))
