"""Samples as columns: raw series as a source shows them, and device series as the cost engine reads them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

PPB = 1_000_000_000
"""Parts per billion in a whole: activities are integers of these, so their sums do not depend on order."""

COLLECTION_MS = 30_000
"""How often exporters collect unless told otherwise: a scraped value may be older than the scrape by so much."""

Millis = NDArray[np.int64]
Values = NDArray[np.float64]
Parts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class RawSeries:
    """One series exactly as the source shows it.

    Attributes:
        name: metric name of whatever dialect.
        labels: all labels, among them `exported_pod` and `pod` where a Prometheus renamed them.
        at_ms: sample times; not necessarily sorted or unique.
        value: sample values; NaN, infinities and sentinels included.
        target_node: the node that the scraped exporter runs on, where the source knows it.
        target_pod: (namespace, name) of the scraped exporter pod, where the source knows it.
        help: HELP text of the metric, empty where the source has none; it tells percent from ratio.
        target_url: the page that was scraped, where the source knows it.
        watched_ms: from when on its target would have shown it, had it been there; None: as for all others.
    """

    name: str
    labels: Mapping[str, str]
    at_ms: Millis
    value: Values
    target_node: str | None = None
    target_pod: tuple[str, str] | None = None
    help: str = ""
    target_url: str = ""
    watched_ms: int | None = None


class Signal(StrEnum):
    """What a device series measures, whatever its dialect called it."""

    ENGINE_ACTIVE = "engine-active"
    """Fraction of time in which the compute engine was busy: what utilisation for cost rests on."""
    GPU_UTIL = "gpu-util"
    """Fraction of time with at least one kernel running: the last resort."""
    SM_ACTIVE = "sm-active"
    DRAM_ACTIVE = "dram-active"
    """Fraction of cycles in which device memory was read or written."""
    MEMORY_USED = "memory-used"
    """Bytes of device memory in use."""
    ENERGY = "energy"
    """Millijoules since driver load."""
    XID = "xid"
    BUSY_SECONDS = "gpu-seconds"
    """Time for which the device was busy, a counter in nanoseconds."""
    POD_UTIL = "pod-gpu-util"
    """Fraction of time in which one pod kept the device busy, among those that share it."""
    POD_SECONDS = "pod-gpu-seconds"
    """The same as a counter in nanoseconds."""
    POD_SM_SECONDS = "pod-sm-seconds"
    """Time of all multiprocessors of the device that one pod used, a counter in nanoseconds."""


OF_PODS = frozenset({Signal.POD_UTIL, Signal.POD_SECONDS, Signal.POD_SM_SECONDS})
"""Signals of one pod on a device; all others speak of the device."""
COUNTERS = frozenset({Signal.BUSY_SECONDS, Signal.POD_SECONDS, Signal.POD_SM_SECONDS})
"""Signals whose values only rise; what counts is by how much."""


@dataclass(frozen=True, slots=True, eq=False)
class DeviceSeries:
    """One cleaned series of one device: sorted, unique times; fractions as parts per billion, else in base units.

    Attributes:
        device: UUID of the physical GPU.
        instance: MIG instance id, None for a whole GPU.
        node: name of the node, None if it could not be told.
        holder: (namespace, pod name) that the source says holds the device, None if it says none.
        holder_uid: the pod's uid where the source tells it.
        holders: all pods that the source shows on the device at the same times. Where it is more than one the device is
            shared and `holder` is None. Each (device, instance, signal, time) stands in exactly one series, with the
            activity of the whole device: rows of single processes are never summed. Signals of pods (`OF_PODS`) have a
            series for each pod.
        profile: MIG profile of the instance, such as `1g.10gb`; empty where the source tells none.
    """

    signal: Signal
    device: str
    instance: str | None
    node: str | None
    holder: tuple[str, str] | None
    holder_uid: str | None
    gpu_model: str | None
    at_ms: Millis
    value: Parts
    holders: tuple[tuple[str, str], ...] = ()
    profile: str = ""


@dataclass(frozen=True, slots=True)
class SampleDefects:
    """What cleaning found wrong, as counts; each is exported and shown, none is silent."""

    sentinels: int = 0
    clamped: int = 0
    duplicates: int = 0
    not_finite: int = 0
    negative: int = 0
    unknown_metrics: tuple[str, ...] = ()
    unplaced_devices: tuple[str, ...] = ()
    """Devices whose node could not be told."""
    future: int = 0
    """Samples from after `now`: a clock ahead of ours."""
    frozen: int = 0
    """Samples of an exporter whose energy counter stood still: it repeats old values."""
    unidentified: int = 0
    """Series that name no device."""


@dataclass(frozen=True, slots=True, eq=False)
class Telemetry:
    """All that the samples of one padded window said.

    Attributes:
        series: cleaned series of all devices.
        interval_ms: time between samples that the source aims at.
        defects: what was dropped or mended.
        collection_ms: how often the exporters collect: a sample may be older than its time by so much.
    """

    series: tuple[DeviceSeries, ...]
    interval_ms: int
    defects: SampleDefects = SampleDefects()
    collection_ms: int = COLLECTION_MS
