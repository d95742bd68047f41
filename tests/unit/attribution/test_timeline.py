"""Whether a device works, told from its samples."""

import numpy as np
import pytest

from aicost.domain.attribution.timeline import Timelines
from aicost.domain.exact.windows import Window
from aicost.domain.sampling.series import DeviceSeries, Signal

STEP = 15_000


def timelines(*times: int, until_ms: int = 10**9) -> Timelines:
    at_ms = np.array(times, np.int64)
    return Timelines(
        [DeviceSeries(Signal.GPU_UTIL, "GPU-a", None, "n1", None, None, None, at_ms, at_ms * 0)], STEP, until_ms
    )


@pytest.mark.parametrize("length", [1_000, STEP, 60_000, 600_000])
def test_a_device_that_is_sampled_throughout_works_however_short_the_span(length):
    every = range(-20 * STEP, 100 * STEP, STEP)
    for start in (0, 1, 7_000, 14_999):
        assert timelines(*every).alive("GPU-a", Window(start, start + length))


def test_a_device_that_is_shown_a_moment_longer_is_lost_all_the_same():
    last_seen_late = [*range(-20 * STEP, 2 * STEP, STEP)]
    assert not timelines(*last_seen_late).alive("GPU-a", Window(0, 600_000))


def test_a_device_that_came_back_was_lost_until_then():
    times = [*range(-20 * STEP, 0, STEP), *range(60_000, 20 * STEP, STEP)]
    assert not timelines(*times).alive("GPU-a", Window(0, 60_000))


def test_what_is_not_yet_to_be_known_does_not_make_a_device_lost():
    assert timelines(*range(-20 * STEP, 0, STEP), until_ms=3_000).alive("GPU-a", Window(0, 10**9))


def test_a_device_that_no_sample_shows_does_not_work():
    assert not timelines().alive("GPU-a", Window(0, 60_000))
    assert not timelines(0).alive("GPU-b", Window(0, 60_000))
