"""Which values of single pods on a shared device are measurements."""

from dataclasses import replace

import numpy as np
import pytest

from aicost.domain.attribution.sharing.believing import believable
from aicost.domain.sampling.series import PPB, DeviceSeries, Signal

STEP = 15_000


def pod(name, *percent):
    at_ms = np.arange(len(percent), dtype=np.int64) * STEP
    value = np.array(percent, np.int64) * (PPB // 100)
    return DeviceSeries(Signal.POD_UTIL, "GPU-a", None, "n1", ("team", name), None, None, at_ms, value)


def kept(pods, device):
    """The moments of each pod that are believed, by their number."""
    own = pod("", *device)
    found, _ = believable([pod(str(number), *percent) for number, percent in enumerate(pods)], (own.at_ms, own.value))
    return [(at_ms // STEP).tolist() for at_ms, _ in found]


def test_all_pods_at_zero_for_a_minute_on_a_busy_device_measure_nothing():
    device = [0, 50, 50, 50, 50, 50, 0]
    assert kept([[0] * 7, [0] * 7], device) == [[0, 6], [0, 6]]


def test_the_sample_before_such_a_moment_does_not_stand_for_it():
    own = pod("", 0, 50, 50, 50, 50, 50, 0, 20, 0)
    copies = [pod(name, 0, 0, 0, 0, 0, 0, 0, 20, 0) for name in ("a", "b")]
    blind = believable(copies, (own.at_ms, own.value)).blind
    assert [(span.start_ms // STEP, span.end_ms // STEP) for span in blind] == [(0, 5), (6, 7)]


def test_for_less_than_a_minute_it_may_be_what_a_pod_did_last():
    device = [50, 50, 50, 50, 0, 0]
    assert kept([[0] * 6], device) == [[0, 1, 2, 3, 4, 5]]


def test_a_device_that_is_hardly_busy_contradicts_nobody():
    assert kept([[0] * 6, [0] * 6], [4] * 6) == [[0, 1, 2, 3, 4, 5]] * 2


def test_several_pods_with_the_devices_own_value_are_copies_of_it_and_one_alone_is_not():
    assert kept([[60] * 3, [60] * 3], [60] * 3) == [[], []]
    assert kept([[60] * 3], [60] * 3) == [[0, 1, 2]]


@pytest.mark.parametrize("idle", [1, 2])
def test_one_busy_pod_vouches_for_the_others(idle):
    assert kept([[50] * 6, *[[0] * 6] * idle], [50] * 6) == [[0, 1, 2, 3, 4, 5]] * (1 + idle)


def test_pods_that_are_not_shown_at_the_same_moments_are_judged_moment_by_moment():
    late = pod("late", 0, 0, 0, 0, 0, 0)
    late = replace(late, at_ms=late.at_ms + 6 * STEP)
    own = pod("", *[50] * 12)
    first, second = believable([pod("p", *[50] * 6), late], (own.at_ms, own.value)).columns
    assert (first[0] // STEP).tolist() == [0, 1, 2, 3, 4, 5]
    assert len(second[0]) == 0
