"""Raw series in a few words, as a source would show them."""

from collections.abc import Mapping, Sequence

import numpy as np

from aicost.domain.sampling.cleaning import read_telemetry
from aicost.domain.sampling.identity import SamplingContext
from aicost.domain.sampling.placement import index_nodes
from aicost.domain.sampling.series import DeviceSeries, RawSeries, Signal, Telemetry

T0 = 1_700_000_000_000
STEP = 15_000
LATER = T0 + 10**10
ENGINE = "DCGM_FI_PROF_GR_ENGINE_ACTIVE"
UTIL = "DCGM_FI_DEV_GPU_UTIL"
ENERGY = "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"
FB_USED = "DCGM_FI_DEV_FB_USED"


def raw(
    values: Sequence[float],
    name: str = ENGINE,
    device: str = "GPU-1",
    *,
    start: int = T0,
    step: int = STEP,
    at: Sequence[int] | None = None,
    help_text: str = "",
    target_node: str | None = None,
    target_pod: tuple[str, str] | None = None,
    **labels: str,
) -> RawSeries:
    """A series of one device; further keywords are labels."""
    times = np.array([start + step * i for i in range(len(values))] if at is None else at, np.int64)
    every = ({"UUID": device} if device else {}) | {"Hostname": "n1"} | labels
    return RawSeries(name, every, times, np.array(values, np.float64), target_node, target_pod, help_text)


def context(
    nodes: Mapping[str, str] | Sequence[str] = ("n1", "n2"),
    *,
    exporters: Sequence[tuple[str, str]] = (),
    pod_nodes: Mapping[tuple[str, str], str] | None = None,
    interval: int = STEP,
) -> SamplingContext:
    hosts = nodes if isinstance(nodes, Mapping) else dict.fromkeys(nodes, "")
    return SamplingContext(interval, index_nodes(hosts), frozenset(exporters), pod_nodes or {})


def read(*series: RawSeries, where: SamplingContext | None = None, now: int = LATER) -> Telemetry:
    return read_telemetry(series, where or context(), now)


def only(telemetry: Telemetry, signal: Signal | None = None) -> DeviceSeries:
    (one,) = [series for series in telemetry.series if signal in (None, series.signal)]
    return one


def plain(telemetry: Telemetry) -> list[tuple[object, ...]]:
    """Series as values that compare."""
    return [
        (s.signal, s.device, s.instance, s.node, s.holder, s.holder_uid, s.holders, s.at_ms.tolist(), s.value.tolist())
        for s in telemetry.series
    ]
