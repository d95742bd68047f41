"""Counters of nanoseconds as activity over time."""

from dataclasses import replace

import numpy as np
import pytest

from aicost.domain.exact.windows import Window
from aicost.domain.sampling.counters.counting import resets_of
from aicost.domain.sampling.integration import SignalSamples, cover_best
from aicost.domain.sampling.series import PPB, Signal

T, STEP = 1_700_000_000_000, 15_000
SECOND = 1_000_000_000


def counter(signal, *readings, at=None):
    """Readings in seconds of activity, each 15 s."""
    times = (
        [T + STEP * index for index in range(len(readings))] if at is None else [T + round(one * 1000) for one in at]
    )
    values = np.array([round(one * SECOND) for one in readings], np.int64)
    return SignalSamples(signal, np.array(times, np.int64), values, STEP)


def seconds(start, end):
    return Window(T + round(start * 1000), T + round(end * 1000))


def busy(samples, span, part=None):
    """Seconds that were busy, and seconds that are known of."""
    found = cover_best([samples], span).over(part or span)
    return round(found.active_ppb_ms / PPB / 1000, 6), found.covered_ms / 1000


def test_gains_between_readings_are_exact_over_any_silence():
    samples = counter(Signal.BUSY_SECONDS, 10, 16, 106, at=[0, 15, 315])
    assert busy(samples, seconds(0, 315)) == (96, 315)
    assert busy(samples, seconds(0, 315), seconds(0, 165)) == (6 + 45, 165)


@pytest.mark.parametrize("signal", [Signal.BUSY_SECONDS, Signal.POD_SECONDS])
def test_between_the_readings_around_a_reset_nothing_is_known(signal):
    assert busy(counter(signal, 100, 110, 4, 9), seconds(0, 45)) == (15, 30)
    assert busy(counter(signal, 100, 110, 4), seconds(0, 60)) == (10, 15)


def test_a_reset_of_one_counter_is_one_of_all_that_the_same_source_counts():
    others = (np.array([T, T + 1_000, T + STEP + 1_000]), np.array([5, 7, 0]))
    samples = replace(counter(Signal.POD_SECONDS, 0, 0, 6, 6), resets=resets_of([others]))
    assert busy(samples, seconds(0, 45)) == (0, 30)


def test_a_gain_that_was_read_after_somebody_came_or_went_says_nothing_of_a_device():
    samples = counter(Signal.BUSY_SECONDS, 0, 10, 20, 30)
    assert cover_best([samples], seconds(5, 40)).runs == (seconds(15, 30),)
    assert busy(samples, seconds(5, 45)) == (30 - 10, 30)
    assert busy(samples, seconds(0, 20)) == (10, 15)


def test_what_a_pod_did_last_is_read_after_its_end_and_what_it_did_first_began_with_it():
    samples = counter(Signal.POD_SECONDS, 1.9, 1.9, at=[20, 35])
    assert busy(samples, seconds(13, 15)) == (1.9, 2)
    assert busy(counter(Signal.POD_SECONDS, 4, 8, 8, at=[20, 35, 50]), seconds(10, 37)) == (8, 27)


@pytest.mark.parametrize(("first_s", "reading"), [(100, 5), (20, 500)])
def test_a_counter_that_is_read_late_or_holds_too_much_did_not_begin_with_its_pod(first_s, reading):
    samples = counter(Signal.POD_SECONDS, reading, reading + 3, at=[first_s, first_s + 15])
    assert busy(samples, seconds(10, first_s + 15)) == (3, 15)


def test_after_the_last_reading_the_load_is_carried_for_two_intervals_with_an_error_that_says_so():
    samples = counter(Signal.BUSY_SECONDS, 0, 15)
    assert busy(samples, seconds(0, 100)) == (45, 45)
    found = cover_best([samples], seconds(0, 100))
    assert found.over(seconds(0, 15)).error_ppb_ms < found.over(seconds(0, 45)).error_ppb_ms // 1000


def test_a_sum_over_processes_is_believed_to_a_twentieth():
    found = cover_best([counter(Signal.POD_SECONDS, 0, 10, 20)], seconds(0, 30)).over(seconds(0, 30))
    assert found.error_ppb_ms == pytest.approx(found.active_ppb_ms / 20, rel=1e-6)
