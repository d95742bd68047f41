"""What exporters call the things that they measure, and in which unit: tables, not code.

A unit that a name proves is never asked of anything else: HELP texts of older exporters say "(in %)" of profiling
fields whose values are ratios. Where a name was used with two units over the years, the HELP text decides, then what
the name usually means, then the values themselves: no ratio is above `LARGEST_RATIO`. The suffix `_RATIO` proves
nothing; releases exist that renamed the field and still count to 100.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from aicost.domain.sampling.series import Signal

LARGEST_RATIO = 1.5
"""A ratio may be somewhat above 1 by measuring noise (1.29 was seen); a percentage of a busy device is far above."""
LARGEST_MEBIBYTES = 1 << 21
"""2 TiB: device memory in mebibytes stays below, in bytes it is above as soon as anything uses it."""


class Unit(StrEnum):
    """The unit of an exported number."""

    RATIO = "ratio"
    PERCENT = "percent"
    BYTES = "bytes"
    MEBIBYTES = "mebibytes"
    MILLIJOULES = "millijoules"
    JOULES = "joules"
    SECONDS = "seconds"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Metric:
    """What one metric name means.

    Attributes:
        signal: what it measures.
        unit: unit that the name stands for; None where the name alone does not tell.
        proven: the name settles the unit, whatever the HELP text or the values say.
        where: labels that the series must have: a name that others use as well means this with them alone.
    """

    signal: Signal
    unit: Unit | None
    proven: bool = True
    where: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one exporter speaks, or one generation of it.

    Attributes:
        releases: the releases of dcgm-exporter; of another maker's exporter, its name.
        host_label: the label that names the node, empty where none does.
        metrics: its names.
        device_labels: labels that name the device, best first; of the first that is there the value is taken.
    """

    releases: str
    host_label: str
    metrics: Mapping[str, Metric]
    device_labels: tuple[str, ...] = ("UUID", "uuid")


_OLD_NAMES: Mapping[str, Metric] = {
    "DCGM_FI_PROF_GR_ENGINE_ACTIVE": Metric(Signal.ENGINE_ACTIVE, Unit.RATIO),
    "DCGM_FI_DEV_GPU_UTIL": Metric(Signal.GPU_UTIL, Unit.PERCENT, proven=False),
    "DCGM_FI_PROF_SM_ACTIVE": Metric(Signal.SM_ACTIVE, Unit.RATIO),
    "DCGM_FI_PROF_DRAM_ACTIVE": Metric(Signal.DRAM_ACTIVE, Unit.RATIO),
    "DCGM_FI_DEV_FB_USED": Metric(Signal.MEMORY_USED, Unit.MEBIBYTES, proven=False),
    "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION": Metric(Signal.ENERGY, Unit.MILLIJOULES, proven=False),
    "DCGM_FI_DEV_XID_ERRORS": Metric(Signal.XID, Unit.CODE),
}

_NEW_NAMES: Mapping[str, Metric] = {
    "DCGM_FI_PROF_GR_ENGINE_UTIL_RATIO": Metric(Signal.ENGINE_ACTIVE, Unit.RATIO),
    "DCGM_FI_DEV_GPU_UTIL_RATIO": Metric(Signal.GPU_UTIL, None, proven=False),
    "DCGM_FI_PROF_SM_UTIL_RATIO": Metric(Signal.SM_ACTIVE, Unit.RATIO),
    "DCGM_FI_PROF_DRAM_UTIL_RATIO": Metric(Signal.DRAM_ACTIVE, Unit.RATIO),
    "DCGM_FI_DEV_FB_USED_BYTES": Metric(Signal.MEMORY_USED, Unit.BYTES),  # expected by the pattern of its kin, not seen
    "DCGM_FI_DEV_GPU_ENERGY_JOULES_TOTAL": Metric(Signal.ENERGY, Unit.JOULES),
    "DCGM_FI_DEV_XID_ERRORS": Metric(Signal.XID, Unit.CODE),
}

_AMD_NAMES: Mapping[str, Metric] = {
    f"{prefix}{name}": metric
    for prefix in ("", "amd_")
    for name, metric in (
        ("gpu_gfx_activity", Metric(Signal.GPU_UTIL, Unit.PERCENT)),
        ("gpu_used_vram", Metric(Signal.MEMORY_USED, Unit.MEBIBYTES)),
    )
}
"""Its configuration may put a prefix before all names; this one is in use. Partitions other than 0 show no activity."""

_TPU = {"make": "cloud-tpu"}
_TPU_NAMES: Mapping[str, Metric] = {
    "duty_cycle": Metric(Signal.GPU_UTIL, Unit.PERCENT, where=_TPU),
    "duty_cycle_node": Metric(Signal.GPU_UTIL, Unit.PERCENT, where=_TPU),
    "memory_used": Metric(Signal.MEMORY_USED, Unit.BYTES, where=_TPU),
}
"""A chip that a pod holds is shown by container, any chip by `duty_cycle_node`. Others use these names as well."""

_AGENT_NAMES: Mapping[str, Metric] = {
    "aicost_device_busy_seconds_total": Metric(Signal.BUSY_SECONDS, Unit.SECONDS),
    "aicost_pod_gpu_seconds_total": Metric(Signal.POD_SECONDS, Unit.SECONDS),
    "aicost_pod_sm_seconds_total": Metric(Signal.POD_SM_SECONDS, Unit.SECONDS),
}

_HAMI_NAMES: Mapping[str, Metric] = {
    "hami_container_device_utilization_ratio": Metric(Signal.POD_UTIL, None, proven=False),
    "Device_utilization_desc_of_container": Metric(Signal.POD_UTIL, Unit.PERCENT),
}

DCGM = (
    Dialect("<= 4.8.2", "Hostname", _OLD_NAMES),
    Dialect("4.8.3 - 4.8.x", "hostname", _OLD_NAMES),
    Dialect(">= 4.9", "hostname", _NEW_NAMES),
)
OTHER_MAKERS = (
    Dialect("amd device-metrics-exporter", "hostname", _AMD_NAMES, ("gpu_uuid", "serial_number")),
    Dialect("google tpu-device-plugin", "", _TPU_NAMES, ("accelerator_id",)),
)
OF_SHARERS = (
    Dialect("aicost agent", "node", _AGENT_NAMES, ("uuid",)),
    Dialect("hami", "nodeid", _HAMI_NAMES, ("device_uuid", "deviceuuid")),
)
"""What is seen of each pod on a device that several share."""
DIALECTS = (*DCGM, *OTHER_MAKERS, *OF_SHARERS)

METRICS: Mapping[str, Metric] = {name: metric for one in DIALECTS for name, metric in one.metrics.items()}

DEVICE_LABELS: Mapping[str, tuple[str, ...]] = {name: one.device_labels for one in DIALECTS for name in one.metrics}
"""Metric -> labels that name its device, best first."""

PROMQL_NAMES: tuple[str, ...] = tuple(sorted(METRICS))
"""Every metric name that is needed, for matchers."""

PROMQL_GROUPS: tuple[tuple[tuple[str, ...], Mapping[str, str]], ...] = tuple(
    (tuple(sorted(name for name, metric in METRICS.items() if metric.where == where)), where) for where in ({}, _TPU)
)
"""The same, by the labels that their series must have: names that others use as well are asked for with these alone."""

HELP_DECIDES: frozenset[str] = frozenset(name for name, metric in METRICS.items() if not metric.proven)
"""Names whose unit the HELP text tells."""

_HELP_WORDS: Mapping[Signal, tuple[tuple[str, Unit], ...]] = {
    Signal.GPU_UTIL: (("%", Unit.PERCENT), ("percent", Unit.PERCENT), ("ratio", Unit.RATIO), ("fraction", Unit.RATIO)),
    Signal.MEMORY_USED: (("mib", Unit.MEBIBYTES), ("mb", Unit.MEBIBYTES), ("byte", Unit.BYTES)),
    Signal.ENERGY: (("mj", Unit.MILLIJOULES), ("millijoule", Unit.MILLIJOULES), ("joule", Unit.JOULES)),
}

_DISPROVABLE: Mapping[Signal, tuple[Unit | None, ...]] = {
    Signal.GPU_UTIL: (Unit.RATIO, None),
    Signal.POD_UTIL: (Unit.RATIO, None),
    Signal.MEMORY_USED: (Unit.MEBIBYTES, None),
}
"""Claims that a value which is too large disproves."""


def unit_in_help(signal: Signal, text: str) -> Unit | None:
    """The unit that a HELP text names, None where it names none."""
    lowered = text.lower()
    return next((unit for word, unit in _HELP_WORDS.get(signal, ()) if word in lowered), None)


def unit_of(name: str, help_text: str, largest: float) -> Unit:
    """The unit of a metric of one exporter.

    Args:
        name: one of `METRICS`.
        help_text: its HELP text, empty where there is none.
        largest: the largest plausible value of this metric that the exporter showed.
    """
    signal, claimed = METRICS[name].signal, _claimed(name, help_text)
    if not _may_be_disproved(name, claimed):
        return claimed or Unit.CODE
    if signal is Signal.MEMORY_USED:
        return Unit.BYTES if largest > LARGEST_MEBIBYTES else Unit.MEBIBYTES
    return Unit.PERCENT if largest > LARGEST_RATIO else Unit.RATIO


def values_decide(name: str, help_text: str) -> bool:
    """Whether the unit of a metric hangs on how large its values are."""
    return _may_be_disproved(name, _claimed(name, help_text))


def _claimed(name: str, help_text: str) -> Unit | None:
    """The unit that name and HELP text stand for."""
    metric = METRICS[name]
    return metric.unit if metric.proven else unit_in_help(metric.signal, help_text) or metric.unit


def _may_be_disproved(name: str, claimed: Unit | None) -> bool:
    """Whether a value may be larger than any in the claimed unit."""
    metric = METRICS[name]
    return not metric.proven and claimed in _DISPROVABLE.get(metric.signal, ())


def dialect_of(names: frozenset[str], *, lower_case_host: bool) -> Dialect | None:
    """The dialect of an exporter with these metric names, None if it has none that we know.

    Where exporters of several makers are asked at once, it is that of dcgm-exporter: it alone has several.
    """
    if names & (_NEW_NAMES.keys() - _OLD_NAMES.keys()):
        return DCGM[2]
    if names & _OLD_NAMES.keys():
        return DCGM[1] if lower_case_host else DCGM[0]
    return next((one for one in (*OTHER_MAKERS, *OF_SHARERS) if names & one.metrics.keys()), None)


def means(name: str, labels: Mapping[str, str]) -> Metric | None:
    """What a series measures; None for what is no metric of a device, by its name or by its labels."""
    metric = METRICS.get(name)
    if metric is not None and metric.where and any(labels.get(one) != value for one, value in metric.where.items()):
        return None
    return metric
