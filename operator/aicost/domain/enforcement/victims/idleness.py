"""Whether a workload does nothing: an idle one is stopped before a busy one.

A GPU that stands still proves little. Its workload may load data, write a checkpoint or evaluate on the host: that is
work, and stopping it loses work. So idle is only what is known to do nothing at all, on the GPU and on the host, for
half an hour. What is not known is not idle.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from aicost.domain.enforcement.names import BUSY_PHASES
from aicost.domain.exact.windows import MINUTE_MS, Window
from aicost.domain.sampling.integration import Coverage
from aicost.domain.sampling.series import PPB

IDLE_SPAN_MS = 30 * MINUTE_MS
"""For so long a workload must have done nothing."""
IDLE_PERCENTILE = 95
IDLE_ACTIVITY_PPB = 5 * PPB // 100
"""That percentile of the GPU's activity must be below this: a GPU that works for 5 % of the time is not idle."""
ENOUGH_COVERED_PERCENT = 90
"""Share of the span that samples of each GPU must speak of."""
LOW_CPU_CORES = 0.2
"""What a pod that waits needs: health checks, a server's loop, a notebook without a running cell. Less than loading."""
LOW_DISK_BYTES_PER_S = 1 << 20
"""Logs stay far below this, a data loader or a checkpoint is far above it."""
LOW_NETWORK_BYTES_PER_S = 1 << 20
"""Probes, scrapes and heartbeats stay far below this, data and checkpoints that come or go are far above it."""


@dataclass(frozen=True, slots=True)
class HostActivity:
    """What one pod does on its host, as means over a span. None: not known, which is not 0.

    Attributes:
        cpu_cores: CPU cores in use.
        read_bytes_per_s, written_bytes_per_s: from and to block devices; the page cache and network file systems are
            not among them.
        received_bytes_per_s, sent_bytes_per_s: over the pod's network.
    """

    cpu_cores: float | None = None
    read_bytes_per_s: float | None = None
    written_bytes_per_s: float | None = None
    received_bytes_per_s: float | None = None
    sent_bytes_per_s: float | None = None


class Use(StrEnum):
    """Whether a workload does something."""

    IDLE = "Idle"
    BUSY = "Busy"
    UNKNOWN = "Unknown"


class IdleReason(StrEnum):
    """Why it is idle, busy or unknown."""

    NOTHING_HAPPENS = "NothingHappens"
    PHASE = "Phase"
    GPU_ACTIVE = "GpuActive"
    CPU_ACTIVE = "CpuActive"
    DISK_ACTIVE = "DiskActive"
    NETWORK_ACTIVE = "NetworkActive"
    SPAN_SHORT = "SpanShort"
    GPU_UNKNOWN = "GpuUnknown"
    GPU_SAMPLES_THIN = "GpuSamplesThin"
    CPU_UNKNOWN = "CpuUnknown"
    DISK_UNKNOWN = "DiskUnknown"
    NETWORK_UNKNOWN = "NetworkUnknown"


@dataclass(frozen=True, slots=True)
class Idleness:
    """What is known of a workload's activity.

    Attributes:
        activity_ppb: the 95th percentile of its busiest GPU, in parts per billion; None without any sample.
    """

    use: Use
    reason: IdleReason
    activity_ppb: int | None = None

    @property
    def is_idle(self) -> bool:
        """Whether it is known to do nothing."""
        return self.use is Use.IDLE


def idle(gpu: Sequence[Coverage], host: Sequence[HostActivity], phase: Collection[str], span: Window) -> Idleness:
    """Say whether a workload is idle.

    Anything that it does makes it busy, whatever else is not known. Without that, anything that is not known makes it
    unknown.

    Args:
        gpu: what samples prove of each of its GPUs, over the span.
        host: what each of its pods does on its host, over the span.
        phase: the hints that its owner gave about what it is at, on the workload and its pods (`aicost.dev/phase`).
        span: the time that is looked at, half an hour or more.
    """
    activity = max((found for one in gpu if (found := percentile_ppb(one, span)) is not None), default=None)
    if busy := _busy(activity, host, phase):
        return Idleness(Use.BUSY, busy, activity)
    if doubt := _doubt(gpu, host, span):
        return Idleness(Use.UNKNOWN, doubt, activity)
    return Idleness(Use.IDLE, IdleReason.NOTHING_HAPPENS, activity)


def percentile_ppb(gpu: Coverage, span: Window) -> int | None:
    """The 95th percentile of a GPU's activity over the time that samples speak of; None where they speak of none.

    It is the smallest activity that the GPU did not exceed for 95 % of that time.
    """
    pieces = gpu.pieces
    lengths = np.minimum(pieces.end_ms, span.end_ms) - np.maximum(pieces.start_ms, span.start_ms)
    inside = lengths > 0
    if not inside.any():
        return None
    order = np.argsort(pieces.value[inside], kind="stable")
    below = np.cumsum(lengths[inside][order])
    rank = int(np.searchsorted(below * 100, int(below[-1]) * IDLE_PERCENTILE))
    return int(pieces.value[inside][order][rank])


def _busy(activity: int | None, host: Sequence[HostActivity], phase: Collection[str]) -> IdleReason | None:
    """What it does."""
    signs = (
        (bool(BUSY_PHASES & {one.strip().lower() for one in phase}), IdleReason.PHASE),
        (activity is not None and activity >= IDLE_ACTIVITY_PPB, IdleReason.GPU_ACTIVE),
        (any(_exceeds(LOW_CPU_CORES, one.cpu_cores) for one in host), IdleReason.CPU_ACTIVE),
        (any(_exceeds(LOW_DISK_BYTES_PER_S, *_disk(one)) for one in host), IdleReason.DISK_ACTIVE),
        (any(_exceeds(LOW_NETWORK_BYTES_PER_S, *_network(one)) for one in host), IdleReason.NETWORK_ACTIVE),
    )
    return next((reason for holds, reason in signs if holds), None)


def _doubt(gpu: Sequence[Coverage], host: Sequence[HostActivity], span: Window) -> IdleReason | None:
    """What is not known."""
    covered = min((one.over(span).covered_ms for one in gpu), default=0)
    doubts = (
        (span.length_ms < IDLE_SPAN_MS, IdleReason.SPAN_SHORT),
        (not covered, IdleReason.GPU_UNKNOWN),
        (covered * 100 < span.length_ms * ENOUGH_COVERED_PERCENT, IdleReason.GPU_SAMPLES_THIN),
        (not host or any(_unknown(one.cpu_cores) for one in host), IdleReason.CPU_UNKNOWN),
        (any(_unknown(*_disk(one)) for one in host), IdleReason.DISK_UNKNOWN),
        (any(_unknown(*_network(one)) for one in host), IdleReason.NETWORK_UNKNOWN),
    )
    return next((reason for holds, reason in doubts if holds), None)


def _disk(one: HostActivity) -> tuple[float | None, float | None]:
    return one.read_bytes_per_s, one.written_bytes_per_s


def _network(one: HostActivity) -> tuple[float | None, float | None]:
    return one.received_bytes_per_s, one.sent_bytes_per_s


def _exceeds(low: float, *rates: float | None) -> bool:
    return any(rate is not None and rate >= low for rate in rates)


def _unknown(*rates: float | None) -> bool:
    """A rate that is no number is not known either."""
    return any(rate is None or math.isnan(rate) for rate in rates)
