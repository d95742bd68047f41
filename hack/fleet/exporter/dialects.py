"""The dialects of dcgm-exporter, as data: what it calls its fields and labels, and in which units it speaks."""

from dataclasses import dataclass, field
from fractions import Fraction

from fleet.script import SimExporter

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Field:
    """One exported field.

    Attributes:
        meaning: what it is: util, engine, sm, fb_used, fb_free, power, energy or xid; of the node agent device_busy,
            pod_gpu or pod_sm; of HAMi pod_util.
        name: the metric's name.
        kind: `gauge` or `counter`.
        text: its HELP text, which names the unit.
        scale: exported number = number in our base unit times this. Base units: ratio, MiB, W, mJ, s, code.
        digits: digits behind the point when quantised.
    """

    meaning: str
    name: str
    kind: str
    text: str
    scale: Fraction = Fraction(1)
    digits: int = 0


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one release of the exporter speaks.

    Attributes:
        name: what scripts call it.
        fields: the fields in the order of its output.
        host_label: the label that names the node.
        driver_label: the label that names the driver; empty if there is none.
        has_pod_uid: whether it can export `pod_uid`.
        has_pci: whether rows carry `pci_bus_id`.
        empty_labels: an idle GPU has pod labels that are empty, instead of none.
        zero_util: it shows a coarse utilisation of 0 for MIG, which has none.
    """

    name: str
    fields: tuple[Field, ...] = field(repr=False)
    host_label: str = "hostname"
    driver_label: str = "DCGM_FI_DRIVER_VERSION"
    has_pod_uid: bool = False
    has_pci: bool = True
    empty_labels: bool = False
    zero_util: bool = False


_OLD = (
    Field("power", "DCGM_FI_DEV_POWER_USAGE", "gauge", "Power draw (in W).", digits=6),
    Field("energy", "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "counter", "Total energy consumption since boot (in mJ)."),
    Field("util", "DCGM_FI_DEV_GPU_UTIL", "gauge", "GPU utilization (in %).", Fraction(100)),
    Field("fb_free", "DCGM_FI_DEV_FB_FREE", "gauge", "Framebuffer memory free (in MiB)."),
    Field("fb_used", "DCGM_FI_DEV_FB_USED", "gauge", "Framebuffer memory used (in MiB)."),
    Field("xid", "DCGM_FI_DEV_XID_ERRORS", "gauge", "Value of the last XID error encountered."),
    Field("engine", "DCGM_FI_PROF_GR_ENGINE_ACTIVE", "gauge", "Ratio of time the graphics engine is active.", digits=6),
    Field("sm", "DCGM_FI_PROF_SM_ACTIVE", "gauge", "Ratio of cycles an SM has at least 1 warp assigned.", digits=6),
)

_NEW = (
    Field("power", "DCGM_FI_DEV_BOARD_POWER_WATTS", "gauge", "Board power draw (in W).", digits=6),
    Field(
        "energy", "DCGM_FI_DEV_GPU_ENERGY_JOULES_TOTAL", "counter", "Energy since boot (in J).", Fraction(1, 1000), 3
    ),
    Field("util", "DCGM_FI_DEV_GPU_UTIL_RATIO", "gauge", "GPU utilization (ratio, 0-1).", digits=2),
    Field("fb_free", "DCGM_FI_DEV_FB_FREE_BYTES", "gauge", "Framebuffer memory free (in bytes).", Fraction(MIB)),
    Field("fb_used", "DCGM_FI_DEV_FB_USED_BYTES", "gauge", "Framebuffer memory used (in bytes).", Fraction(MIB)),
    Field("xid", "DCGM_FI_DEV_XID_ERRORS", "gauge", "Value of the last XID error encountered."),
    Field("engine", "DCGM_FI_PROF_GR_ENGINE_UTIL_RATIO", "gauge", "Graphics engine active (ratio, 0-1).", digits=6),
    Field("sm", "DCGM_FI_PROF_SM_UTIL_RATIO", "gauge", "SM active (ratio, 0-1).", digits=6),
)

# An engine that renamed the field and still counts in percent: the name lies, the HELP text does not.
_RENAMED_PERCENT = tuple(
    Field("util", "DCGM_FI_DEV_GPU_UTIL_RATIO", "gauge", "GPU utilization (in %).", Fraction(100))
    if f.meaning == "util"
    else f
    for f in _NEW
)

_FAKE = tuple(f for f in _OLD if f.meaning in {"util", "fb_used", "fb_free"})

_AGENT = (
    Field(
        "device_busy", "aicost_device_busy_seconds_total", "counter", "Seconds in which the device was busy.", digits=6
    ),
    Field(
        "pod_gpu", "aicost_pod_gpu_seconds_total", "counter", "Seconds in which a pod kept the device busy.", digits=6
    ),
    Field("pod_sm", "aicost_pod_sm_seconds_total", "counter", "Seconds of all SMs that a pod kept busy.", digits=6),
)

_HAMI = (
    Field(
        "pod_util",
        "hami_container_device_utilization_ratio",
        "gauge",
        "Utilisation of a device by a container (in %).",
        Fraction(100),
        2,
    ),
)

AGENT, HAMI = "aicost-agent", "hami"

DIALECTS = {
    dialect.name: dialect
    for dialect in (
        Dialect("4.8.2", _OLD, host_label="Hostname"),
        Dialect("4.8.3", _OLD, has_pod_uid=True),
        Dialect("4.9", _NEW, driver_label="DCGM_FI_SYSTEM_DRIVER_VERSION", has_pod_uid=True),
        Dialect("4.9-percent", _RENAMED_PERCENT, driver_label="DCGM_FI_SYSTEM_DRIVER_VERSION", has_pod_uid=True),
        Dialect("fake-operator", _FAKE, host_label="Hostname", driver_label="", has_pci=False, empty_labels=True),
        Dialect("4.4", _OLD, host_label="Hostname", zero_util=True),
    )
}
OF_PROCESSES = {AGENT: Dialect(AGENT, _AGENT), HAMI: Dialect(HAMI, _HAMI)}
"""Exporters that are no dcgm-exporter: the node agent, and HAMi's."""


def dialect_of(exporter: SimExporter) -> Dialect:
    """The dialect that an exporter speaks."""
    known = DIALECTS | OF_PROCESSES
    if exporter.dialect not in known:
        raise ValueError(f"dialect {exporter.dialect!r} is not known: use one of {', '.join(known)}")
    return known[exporter.dialect]


def fields_of(exporter: SimExporter) -> tuple[Field, ...]:
    """The fields that an exporter exports, in its order."""
    left_out = set(exporter.without) | (set() if exporter.with_sm else {"sm"})
    return tuple(f for f in dialect_of(exporter).fields if f.meaning not in left_out)


def exported_fields(exporter: SimExporter) -> frozenset[str]:
    """The meanings of the fields that an exporter exports."""
    return frozenset(f.meaning for f in fields_of(exporter))
