"""Why the telemetry of a node may not be trusted, what that does to the figures, and what to do: a table."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from aicost.domain.exact.windows import MINUTE_MS


class TrustReason(StrEnum):
    """What is wrong, as one word for programs."""

    NO_SOURCE = "NoSource"
    SOURCE_FAILS = "SourceFails"
    EXPORTER_BLIND = "ExporterBlind"
    EXPORTER_FROZEN = "ExporterFrozen"
    DIALECT_UNKNOWN = "DialectUnknown"
    NOT_PERMITTED = "NotPermitted"
    CLOCK_SKEW = "ClockSkew"
    PROFILING_PAUSED = "ProfilingPaused"
    NO_HOST_PID = "NoHostPID"
    NO_POD_UID = "NoPodUID"
    ATTRIBUTION_BLIND = "AttributionBlind"
    DUPLICATES = "Duplicates"
    PROFILING_ABSENT = "ProfilingAbsent"
    NO_POD_VALUES = "NoPodValues"


class Weight(StrEnum):
    """What a finding does to trust."""

    BREAKS = "breaks"
    """Figures of the node are missing, or would be wrong if they were believed."""
    COARSENS = "coarsens"
    """Figures are right within their error bars, and could be finer."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """One line of the table.

    Attributes:
        weight: what it does to trust, unless a finding says otherwise.
        means: what it does to the figures.
        fix: what to do.
        raise_ms: for how long it has to be seen, without a break, before it counts. 0 where the samples that show it
            already span minutes.
    """

    weight: Weight
    means: str
    fix: str
    raise_ms: int = 0


_BREAKS, _COARSENS = Weight.BREAKS, Weight.COARSENS

REMEDIES: Mapping[TrustReason, Remedy] = {
    TrustReason.NO_SOURCE: Remedy(
        _BREAKS,
        "Held time is allocated-unmeasured; nothing is called idle.",
        "Install dcgm-exporter, or name a Prometheus: telemetry.prometheus.url.",
        3 * MINUTE_MS,
    ),
    TrustReason.SOURCE_FAILS: Remedy(
        _BREAKS,
        "Windows wait for an hour, then they are closed without samples.",
        "Mend what the message names: address, credentials or certificate of the source.",
        3 * MINUTE_MS,
    ),
    TrustReason.EXPORTER_BLIND: Remedy(
        _BREAKS,
        "Held time of what is not shown is allocated-unmeasured.",
        "See that an exporter pod runs and is ready on the node, that its scrape is up, and that `nvidia-smi -L` in it "
        "lists all GPUs; restart it after a driver upgrade.",
    ),
    TrustReason.EXPORTER_FROZEN: Remedy(
        _BREAKS,
        "Repeated values are dropped; held time since then is allocated-unmeasured.",
        "Restart the exporter pod of the node. If it comes back, upgrade dcgm-exporter.",
    ),
    TrustReason.DIALECT_UNKNOWN: Remedy(
        _BREAKS,
        "What is not understood is not used: held time is allocated-unmeasured, or measured by a coarser field.",
        "Use the field list of the exporter's release as it is, or report the names to us; a name is one line of a "
        "table. Let the Prometheus keep metadata, so that HELP texts tell units.",
    ),
    TrustReason.NOT_PERMITTED: Remedy(
        _BREAKS,
        "Fields that may not be read are not measured.",
        "Give the exporter the capability SYS_ADMIN, which profiling fields need, or set "
        "NVreg_RestrictProfilingToAdminUsers=0 for the driver.",
    ),
    TrustReason.CLOCK_SKEW: Remedy(
        _BREAKS,
        "Samples from the future are dropped, and holders are charged for each other's time.",
        "Synchronise the clock of the node, or of the Prometheus, by NTP.",
        3 * MINUTE_MS,
    ),
    TrustReason.PROFILING_PAUSED: Remedy(
        _BREAKS,
        "Utilisation rests on GPU_UTIL, which counts small kernels as full load; under MIG nothing is measured.",
        "End the profiler that holds the counters (Nsight), or run `dcgmi profile --resume` in the exporter pod.",
    ),
    TrustReason.NO_HOST_PID: Remedy(
        _BREAKS,
        "Values per pod of shared GPUs read 0 whatever runs; they are not used.",
        "Set hostPID: true on the DaemonSet of dcgm-exporter, and give it the right to read pods.",
    ),
    TrustReason.NO_POD_UID: Remedy(
        _BREAKS,
        "Values per pod of shared GPUs read 0 whatever runs; they are not used.",
        "Set DCGM_EXPORTER_KUBERNETES_ENABLE_POD_UID=true, mount the ServiceAccount's token and let it list pods.",
    ),
    TrustReason.ATTRIBUTION_BLIND: Remedy(
        _BREAKS,
        "Values per pod are not used while this lasts: what shared GPUs did is split by reservation.",
        "Set hostPID and the pod metadata of dcgm-exporter, look for processes outside pods (`nvidia-smi` on the "
        "node), or enable the node agent.",
    ),
    TrustReason.DUPLICATES: Remedy(
        _COARSENS,
        "The larger value counts where two speak of the same moment; nothing is counted twice.",
        "Leave one exporter per node and one scrape job per exporter; look at ServiceMonitors and at prometheus.io "
        "annotations.",
    ),
    TrustReason.PROFILING_ABSENT: Remedy(
        _COARSENS,
        "Utilisation rests on GPU_UTIL, which counts small kernels as full load; under MIG nothing is measured.",
        "Add DCGM_FI_PROF_GR_ENGINE_ACTIVE to the exporter's field list, with the capability SYS_ADMIN.",
    ),
    TrustReason.NO_POD_VALUES: Remedy(
        _COARSENS,
        "Shared GPUs are split by reservation, since nothing says which pod computed.",
        "Set KUBERNETES_VIRTUAL_GPUS=true, hostPID and pod metadata on dcgm-exporter (4.8.2 or later), or enable the "
        "node agent.",
    ),
}
"""What each reason means and what to do about it, the gravest first."""

ORDER: Mapping[TrustReason, int] = {reason: rank for rank, reason in enumerate(REMEDIES)}
