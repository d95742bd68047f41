"""Mean power from energy counters: only where each GPU of the node was measured."""

from fractions import Fraction

import numpy as np
import pytest

from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, Window
from aicost.domain.sampling.energy import mean_power
from aicost.domain.sampling.series import DeviceSeries, Signal

SPAN = Window(HOUR_MS, 2 * HOUR_MS)


def counter(device, watts, start=HOUR_MS - MINUTE_MS, end=2 * HOUR_MS + MINUTE_MS, instance=None, holder=None):
    at = np.arange(start, end + 1, MINUTE_MS, dtype=np.int64)
    return DeviceSeries(Signal.ENERGY, device, instance, "n", holder, None, None, at, (at - start) * watts)


def test_the_power_of_all_gpus_is_summed_exactly():
    assert mean_power([counter("a", 400), counter("b", 351)], 2, SPAN) == 751


def test_a_counter_whose_samples_stand_with_several_holders_is_one():
    half = HOUR_MS + HOUR_MS // 2
    first = counter("a", 400, end=half, holder=("ns", "p"))
    at = np.arange(half + MINUTE_MS, 2 * HOUR_MS + 2 * MINUTE_MS, MINUTE_MS, dtype=np.int64)
    second = DeviceSeries(Signal.ENERGY, "a", None, "n", None, None, None, at, (at - (HOUR_MS - MINUTE_MS)) * 400)
    assert mean_power([second, first], 1, SPAN) == 400


def test_instances_of_one_board_repeat_its_counter():
    assert mean_power([counter("a", 400, instance="1"), counter("a", 400, instance="2")], 1, SPAN) == 400


@pytest.mark.parametrize(
    ("series", "gpus"),
    [
        ([], 1),
        ([counter("a", 400)], 2),
        ([counter("a", 400), counter("b", 400)], 1),
        ([counter("a", 400), counter("b", 400, end=HOUR_MS + 40 * MINUTE_MS)], 2),
        ([counter("a", 400)], 0),
    ],
)
def test_what_was_not_measured_for_each_gpu_is_not_known(series, gpus):
    assert mean_power(series, gpus, SPAN) is None


def test_a_gap_of_a_few_minutes_leaves_the_power_of_the_rest():
    found = mean_power([counter("a", 400, end=HOUR_MS + 57 * MINUTE_MS)], 1, SPAN)
    assert found == Fraction(400)
