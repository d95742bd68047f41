"""Values per pod against the value of the device: what contradicts, for how long, and what ends it."""

from collections.abc import Sequence

import numpy as np

from aicost.domain.exact.windows import MINUTE_MS, Window
from aicost.domain.sampling.series import PPB
from aicost.domain.trust.blindness import BLIND_AFTER_MS, blind_spans
from aicost.domain.trust.traces import Trace
from support.builders import T0

STEP = 15_000
PER_MINUTE = MINUTE_MS // STEP


def trace(values: Sequence[float], *, start: int = T0, step: int = STEP) -> Trace:
    at_ms = start + step * np.arange(len(values), dtype=np.int64)
    return Trace(at_ms, np.rint(np.array(values, np.float64) * PPB).astype(np.int64))


def minutes(count: int, value: float) -> list[float]:
    return [value] * (count * PER_MINUTE)


def spans(device: Sequence[float], *pods: Sequence[float]) -> tuple[Window, ...]:
    return blind_spans(trace(device), [trace(pod) for pod in pods], STEP)


def test_zeros_beside_a_busy_device_for_ten_minutes_are_blind_from_their_first_moment() -> None:
    device, pod = [*minutes(5, 0.0), *minutes(12, 0.8)], minutes(17, 0.0)
    (found,) = spans(device, pod)
    assert found == Window(T0 + 5 * MINUTE_MS, T0 + 17 * MINUTE_MS - STEP + 1)


def test_nine_minutes_are_not_enough() -> None:
    assert spans([*minutes(9, 0.8), *minutes(10, 0.0)], minutes(19, 0.0)) == ()
    exactly = BLIND_AFTER_MS // STEP + 1
    assert len(spans([0.8] * exactly, [0.0] * exactly)) == 1
    assert spans([0.8] * (exactly - 1), [0.0] * (exactly - 1)) == ()


def test_pods_that_explain_a_part_of_the_device_are_believed() -> None:
    """What they leave is a process outside pods: unattributed, and nobody's."""
    assert spans(minutes(20, 0.8), minutes(20, 0.02), minutes(20, 0.02)) == ()
    assert len(spans(minutes(20, 0.8), minutes(20, 0.02), minutes(20, 0.019))) == 1


def test_an_idle_device_contradicts_nothing() -> None:
    assert spans(minutes(60, 0.09), minutes(60, 0.0)) == ()


def test_a_pod_that_claims_more_than_the_device_does_contradicts_it() -> None:
    assert len(spans(minutes(20, 0.3), minutes(20, 0.9))) == 1
    assert spans(minutes(20, 0.7), minutes(20, 0.9)) == ()


def test_bursts_with_short_pauses_are_one_run_and_long_pauses_end_it() -> None:
    bursts = [*minutes(1, 0.9), *minutes(1, 0.0)] * 8
    assert len(spans(bursts, [0.0] * len(bursts))) == 1
    rare = [*minutes(1, 0.9), *minutes(4, 0.0)] * 6
    assert spans(rare, [0.0] * len(rare)) == ()


def test_one_agreeing_stretch_ends_a_run() -> None:
    pod = [*minutes(8, 0.0), *minutes(1, 0.8), *minutes(8, 0.0)]
    assert spans(minutes(17, 0.8), pod) == ()


def test_a_pod_of_which_nothing_is_known_contradicts_nothing() -> None:
    """What it did may be all that the others do not explain."""
    whole, known = trace(minutes(30, 0.8)), trace(minutes(30, 0.0))
    gone = trace(minutes(2, 0.0))
    (only,) = blind_spans(whole, [known, trace(minutes(14, 0.0))], STEP)
    assert only.end_ms <= T0 + 15 * MINUTE_MS
    assert blind_spans(whole, [known, gone], STEP) == ()
    assert blind_spans(whole, [known, Trace(gone.at_ms[:0], gone.value[:0])], STEP) == ()


def test_no_samples_and_no_pods_contradict_nothing() -> None:
    nothing = Trace(np.zeros(0, np.int64), np.zeros(0, np.int64))
    assert blind_spans(nothing, [trace([0.0])], STEP) == ()
    assert blind_spans(trace(minutes(30, 0.9)), [], STEP) == ()


def test_values_that_lag_by_a_sample_or_two_are_no_contradiction() -> None:
    load = ([0.9] * 8 + [0.2] * 8) * 8
    assert spans(load, [0.9, 0.9, *load[:-2]]) == ()


def test_a_hole_in_the_samples_ends_a_run() -> None:
    left, right = trace(minutes(8, 0.8)), trace(minutes(8, 0.8), start=T0 + 20 * MINUTE_MS)
    whole = Trace(np.concatenate([left.at_ms, right.at_ms]), np.concatenate([left.value, right.value]))
    assert blind_spans(whole, [Trace(whole.at_ms, whole.value * 0)], STEP) == ()
