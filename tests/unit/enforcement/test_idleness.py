"""Only what is known to do nothing is idle."""

import numpy as np
import pytest

from aicost.domain.enforcement.victims.idleness import (
    IDLE_ACTIVITY_PPB,
    LOW_CPU_CORES,
    LOW_DISK_BYTES_PER_S,
    LOW_NETWORK_BYTES_PER_S,
    HostActivity,
    Idleness,
    IdleReason,
    Use,
    idle,
    percentile_ppb,
)
from aicost.domain.exact.windows import MINUTE_MS, Window
from aicost.domain.sampling.integration import Coverage, SignalSamples, cover
from aicost.domain.sampling.series import PPB, Signal

SPAN = Window(60 * MINUTE_MS, 90 * MINUTE_MS)
STEP = 15_000
QUIET = HostActivity(0.01, 10.0, 0.0, 500.0, 500.0)
SAMPLES = SPAN.length_ms // STEP


def gpu(*percents: float, samples: int = SAMPLES) -> Coverage:
    """A GPU with these activities, one after the other for as long as the samples go, each as long as the others."""
    values = np.repeat(np.array(percents) * PPB / 100, -(-samples // len(percents)))[:samples].astype(np.int64)
    times = SPAN.end_ms - STEP * np.arange(samples, 0, -1) + STEP // 2
    return cover(SignalSamples(Signal.ENGINE_ACTIVE, times, values, STEP), SPAN)


def busy_for(percent_of_time: float) -> Coverage:
    """A GPU that works for so much of the half hour, and rests for the rest."""
    busy = round(SAMPLES * percent_of_time / 100)
    return gpu(*(100.0 if n < busy else 0.0 for n in range(SAMPLES)))


def host(**more: float | None) -> HostActivity:
    known = {name: getattr(QUIET, name) for name in HostActivity.__slots__}
    return HostActivity(**(known | more))


def test_a_workload_that_does_nothing_at_all_is_idle():
    assert idle([gpu(0), gpu(1)], [QUIET, QUIET], (), SPAN) == Idleness(
        Use.IDLE, IdleReason.NOTHING_HAPPENS, PPB // 100
    )
    assert idle([gpu(0)], [QUIET], ("train", ""), SPAN).is_idle


@pytest.mark.parametrize(("percent", "is_idle"), [(0, True), (3, True), (8, False), (50, False)])
def test_a_gpu_may_work_for_less_than_a_twentieth_of_the_time(percent, is_idle):
    found = idle([busy_for(percent)], [QUIET], (), SPAN)
    assert found.is_idle == is_idle
    assert is_idle or (found.use, found.reason) == (Use.BUSY, IdleReason.GPU_ACTIVE)


def test_the_percentile_must_be_below_five_percent():
    assert idle([gpu(4.9)], [QUIET], (), SPAN).is_idle
    found = idle([gpu(5.0)], [QUIET], (), SPAN)
    assert (found.use, found.activity_ppb) == (Use.BUSY, IDLE_ACTIVITY_PPB)


def test_one_busy_gpu_of_many_makes_a_workload_busy():
    found = idle([gpu(0), gpu(90), gpu(0)], [QUIET], (), SPAN)
    assert (found.reason, found.activity_ppb) == (IdleReason.GPU_ACTIVE, 90 * PPB // 100)


def test_the_percentile_is_weighed_by_time_and_cut_to_the_span():
    half = gpu(10.0, 20.0)
    assert percentile_ppb(half, SPAN) == 20 * PPB // 100
    assert percentile_ppb(half, Window(SPAN.start_ms, SPAN.start_ms + 5 * MINUTE_MS)) == 10 * PPB // 100
    assert percentile_ppb(half, Window(0, SPAN.start_ms)) is None


@pytest.mark.parametrize("phase", ["dataload", "checkpoint", "eval", " Checkpoint "])
def test_a_workload_that_says_that_it_is_at_work_is_busy(phase):
    found = idle([gpu(0)], [QUIET], ("", phase), SPAN)
    assert (found.use, found.reason) == (Use.BUSY, IdleReason.PHASE)


@pytest.mark.parametrize(
    ("signal", "low", "reason"),
    [
        ("cpu_cores", LOW_CPU_CORES, IdleReason.CPU_ACTIVE),
        ("read_bytes_per_s", LOW_DISK_BYTES_PER_S, IdleReason.DISK_ACTIVE),
        ("written_bytes_per_s", LOW_DISK_BYTES_PER_S, IdleReason.DISK_ACTIVE),
        ("received_bytes_per_s", LOW_NETWORK_BYTES_PER_S, IdleReason.NETWORK_ACTIVE),
        ("sent_bytes_per_s", LOW_NETWORK_BYTES_PER_S, IdleReason.NETWORK_ACTIVE),
    ],
)
def test_a_pod_that_loads_data_or_writes_a_checkpoint_is_busy_while_its_gpu_rests(signal, low, reason):
    assert idle([gpu(0)], [QUIET, host(**{signal: low * 0.99})], (), SPAN).is_idle
    found = idle([gpu(0)], [QUIET, host(**{signal: float(low)})], (), SPAN)
    assert (found.use, found.reason) == (Use.BUSY, reason)


@pytest.mark.parametrize(
    ("signal", "reason"),
    [
        ("cpu_cores", IdleReason.CPU_UNKNOWN),
        ("read_bytes_per_s", IdleReason.DISK_UNKNOWN),
        ("written_bytes_per_s", IdleReason.DISK_UNKNOWN),
        ("received_bytes_per_s", IdleReason.NETWORK_UNKNOWN),
        ("sent_bytes_per_s", IdleReason.NETWORK_UNKNOWN),
    ],
)
def test_what_is_not_known_of_one_pod_makes_a_workload_unknown(signal, reason):
    for nothing in (None, float("nan")):
        found = idle([gpu(0)], [QUIET, host(**{signal: nothing})], (), SPAN)
        assert (found.use, found.reason) == (Use.UNKNOWN, reason)


def test_a_workload_without_pods_or_gpus_is_unknown():
    assert idle([gpu(0)], [], (), SPAN).reason is IdleReason.CPU_UNKNOWN
    assert idle([], [QUIET], (), SPAN) == Idleness(Use.UNKNOWN, IdleReason.GPU_UNKNOWN)
    assert idle([gpu(0), gpu(0, samples=0)], [QUIET], (), SPAN).reason is IdleReason.GPU_UNKNOWN


def test_samples_must_speak_of_nine_tenths_of_the_time():
    assert idle([gpu(0, samples=SAMPLES * 92 // 100)], [QUIET], (), SPAN).is_idle
    found = idle([gpu(0), gpu(0, samples=SAMPLES * 85 // 100)], [QUIET], (), SPAN)
    assert (found.use, found.reason) == (Use.UNKNOWN, IdleReason.GPU_SAMPLES_THIN)


def test_less_than_half_an_hour_proves_nothing():
    short = Window(SPAN.start_ms + 1, SPAN.end_ms)
    assert idle([gpu(0)], [QUIET], (), short).reason is IdleReason.SPAN_SHORT


def test_work_that_is_seen_counts_however_little_else_is_known():
    found = idle([gpu(80, samples=3)], [], (), SPAN)
    assert (found.use, found.reason) == (Use.BUSY, IdleReason.GPU_ACTIVE)
    assert idle([], [HostActivity(cpu_cores=3.0)], (), SPAN).reason is IdleReason.CPU_ACTIVE
