"""What exporters call the things that they measure, and in which unit: tables, not code.

A unit that a name proves is never asked of anything else: HELP texts of older exporters say "(in %)" of profiling
fields whose values are ratios. Where a name was used with two units over the years, the HELP text decides, then what
the name usually means, then the values themselves: no ratio is above `LARGEST_RATIO`. The suffix `_RATIO` proves
nothing; releases exist that renamed the field and still count to 100.
"""

from collections.abc import Mapping
from dataclasses import dataclass
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
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Metric:
    """What one metric name means.

    Attributes:
        signal: what it measures.
        unit: unit that the name stands for; None where the name alone does not tell.
        proven: the name settles the unit, whatever the HELP text or the values say.
    """

    signal: Signal
    unit: Unit | None
    proven: bool = True


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one generation of dcgm-exporter speaks.

    Attributes:
        releases: the exporter's releases.
        host_label: the label that names the node.
        metrics: its names.
    """

    releases: str
    host_label: str
    metrics: Mapping[str, Metric]


_OLD_NAMES: Mapping[str, Metric] = {
    "DCGM_FI_PROF_GR_ENGINE_ACTIVE": Metric(Signal.ENGINE_ACTIVE, Unit.RATIO),
    "DCGM_FI_DEV_GPU_UTIL": Metric(Signal.GPU_UTIL, Unit.PERCENT, proven=False),
    "DCGM_FI_PROF_SM_ACTIVE": Metric(Signal.SM_ACTIVE, Unit.RATIO),
    "DCGM_FI_DEV_FB_USED": Metric(Signal.MEMORY_USED, Unit.MEBIBYTES, proven=False),
    "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION": Metric(Signal.ENERGY, Unit.MILLIJOULES, proven=False),
    "DCGM_FI_DEV_XID_ERRORS": Metric(Signal.XID, Unit.CODE),
}

_NEW_NAMES: Mapping[str, Metric] = {
    "DCGM_FI_PROF_GR_ENGINE_UTIL_RATIO": Metric(Signal.ENGINE_ACTIVE, Unit.RATIO),
    "DCGM_FI_DEV_GPU_UTIL_RATIO": Metric(Signal.GPU_UTIL, None, proven=False),
    "DCGM_FI_PROF_SM_UTIL_RATIO": Metric(Signal.SM_ACTIVE, Unit.RATIO),
    "DCGM_FI_DEV_FB_USED_BYTES": Metric(Signal.MEMORY_USED, Unit.BYTES),  # expected by the pattern of its kin, not seen
    "DCGM_FI_DEV_GPU_ENERGY_JOULES_TOTAL": Metric(Signal.ENERGY, Unit.JOULES),
    "DCGM_FI_DEV_XID_ERRORS": Metric(Signal.XID, Unit.CODE),
}

DIALECTS = (
    Dialect("<= 4.8.2", "Hostname", _OLD_NAMES),
    Dialect("4.8.3 - 4.8.x", "hostname", _OLD_NAMES),
    Dialect(">= 4.9", "hostname", _NEW_NAMES),
)

METRICS: Mapping[str, Metric] = {**_OLD_NAMES, **_NEW_NAMES}

PROMQL_NAMES: tuple[str, ...] = tuple(sorted(METRICS))
"""Every metric name that is needed, for matchers."""

HELP_DECIDES: frozenset[str] = frozenset(name for name, metric in METRICS.items() if not metric.proven)
"""Names whose unit the HELP text tells."""

_HELP_WORDS: Mapping[Signal, tuple[tuple[str, Unit], ...]] = {
    Signal.GPU_UTIL: (("%", Unit.PERCENT), ("percent", Unit.PERCENT), ("ratio", Unit.RATIO), ("fraction", Unit.RATIO)),
    Signal.MEMORY_USED: (("mib", Unit.MEBIBYTES), ("mb", Unit.MEBIBYTES), ("byte", Unit.BYTES)),
    Signal.ENERGY: (("mj", Unit.MILLIJOULES), ("millijoule", Unit.MILLIJOULES), ("joule", Unit.JOULES)),
}


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
    metric = METRICS[name]
    if metric.proven and metric.unit:
        return metric.unit
    claimed = unit_in_help(metric.signal, help_text) or metric.unit
    return _unless_disproved(metric.signal, claimed, largest)


def _unless_disproved(signal: Signal, claimed: Unit | None, largest: float) -> Unit:
    """The claimed unit, unless no such unit can have a value that large."""
    if signal is Signal.GPU_UTIL and claimed in {Unit.RATIO, None}:
        return Unit.PERCENT if largest > LARGEST_RATIO else Unit.RATIO
    if signal is Signal.MEMORY_USED and claimed in {Unit.MEBIBYTES, None}:
        return Unit.BYTES if largest > LARGEST_MEBIBYTES else Unit.MEBIBYTES
    return claimed or Unit.CODE


def dialect_of(names: frozenset[str], *, lower_case_host: bool) -> Dialect | None:
    """The dialect of an exporter with these metric names, None if it has none that we know."""
    if names & (_NEW_NAMES.keys() - _OLD_NAMES.keys()):
        return DIALECTS[2]
    if names & _OLD_NAMES.keys():
        return DIALECTS[1] if lower_case_host else DIALECTS[0]
    return None
