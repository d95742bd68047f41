import numpy as np
import pytest

from aicost.domain.exact.windows import Window
from aicost.domain.sampling.energy import energy_increase
from aicost.domain.sampling.integration import Coverage, SignalSamples, combine, cover, cover_best, expected_interval
from aicost.domain.sampling.series import PPB, Signal
from support.samples import STEP

LONG_AGO = -100 * STEP
"""The start of a holding whose first samples are long past."""


def covered(
    times: list[int], values: list[int], span: Window, signal: Signal = Signal.ENGINE_ACTIVE, *, held: bool = True
) -> Coverage:
    return cover(SignalSamples(signal, np.array(times, np.int64), np.array(values, np.int64), STEP), span, held=held)


def test_a_sample_speaks_of_the_time_since_the_one_before_it():
    got = covered([0, STEP, 2 * STEP], [0, PPB, 0], Window(LONG_AGO, 3 * STEP)).over(Window(0, 2 * STEP))
    assert (got.active_ppb_ms, got.covered_ms, got.samples) == (PPB * STEP, 2 * STEP, 2)


def test_the_last_sample_is_carried_for_two_intervals_and_no_further():
    got = covered([0], [PPB], Window(LONG_AGO, 100 * STEP)).over(Window(0, 100 * STEP))
    assert (got.active_ppb_ms, got.covered_ms) == (2 * STEP * PPB, 2 * STEP)


def test_a_sample_is_not_carried_beyond_the_holder():
    got = covered([0], [PPB], Window(LONG_AGO, 4_000)).over(Window(0, 100 * STEP))
    assert (got.active_ppb_ms, got.covered_ms) == (4_000 * PPB, 4_000)


def test_one_missed_scrape_is_bridged_by_the_next_one():
    got = covered([0, 2 * STEP], [0, PPB], Window(LONG_AGO, 2 * STEP + 1)).over(Window(0, 2 * STEP))
    assert (got.active_ppb_ms, got.covered_ms) == (2 * STEP * PPB, 2 * STEP)


def test_in_a_longer_silence_each_side_speaks_for_one_interval():
    got = covered([0, 10 * STEP], [PPB, PPB // 2], Window(LONG_AGO, 11 * STEP))
    assert [got.over(Window(k * STEP, (k + 1) * STEP)).active_ppb_ms for k in (0, 1, 8, 9)] == [
        PPB * STEP,
        0,
        0,
        PPB // 2 * STEP,
    ]


def test_samples_that_still_show_what_was_before_the_holder_prove_nothing_of_it():
    times, values = [STEP * k for k in range(1, 6)], [PPB, PPB // 2, 0, 0, 0]
    span = Window(STEP, 6 * STEP)
    got = covered(times, values, span).over(span)
    assert (got.active_ppb_ms, got.covered_ms) == (0, 5 * STEP)
    assert got.error_ppb_ms > 0.5 * PPB * STEP


def test_a_holder_that_has_no_other_samples_uses_them_with_an_error_bar_that_says_so():
    span = Window(0, 2 * STEP)
    got = covered([5_000, 20_000], [PPB // 5, PPB // 5], span).over(span)
    assert (got.active_ppb_ms, got.covered_ms) == (PPB // 5 * 2 * STEP, 2 * STEP)
    assert got.error_ppb_ms > 0.5 * PPB * STEP


def test_what_nobody_holds_is_proven_two_collections_after_its_begin_or_not_at_all():
    times, span = [STEP * k for k in range(5)], Window(0, 5 * STEP)
    values = [PPB, PPB, PPB, PPB, 0]
    assert covered(times[:4], values[:4], span, held=False).over(span).covered_ms == 0
    got = covered(times, values, span, held=False).over(span)
    assert (got.active_ppb_ms, got.covered_ms) == (0, 5 * STEP)
    busy = covered(times, [PPB] * 5, span, held=False).over(span)
    assert (busy.active_ppb_ms, busy.covered_ms) == (PPB * 5 * STEP, 5 * STEP)


def test_the_first_sample_reaches_back_to_a_start_that_is_near():
    near = covered([45_000], [PPB], Window(0, 45_001)).over(Window(0, 45_000))
    far = covered([100_000], [PPB], Window(0, 110_000)).over(Window(0, 110_000))
    assert (near.covered_ms, far.covered_ms) == (45_000, STEP + 10_000)


def test_samples_of_the_holder_before_and_after_do_not_count():
    times, values = [STEP * k for k in range(10)], [PPB] * 3 + [0] * 4 + [PPB] * 3
    got = covered(times, values, Window(STEP, 7 * STEP)).over(Window(0, 100 * STEP))
    assert (got.active_ppb_ms, got.covered_ms, got.samples) == (0, 6 * STEP, 4)


def test_the_part_is_half_open():
    cover_all = covered([0, STEP], [PPB, PPB], Window(LONG_AGO, 2 * STEP))
    assert cover_all.over(Window(STEP, 2 * STEP)).samples == 1
    assert cover_all.over(Window(0, STEP)).samples == 1
    assert cover_all.over(Window(STEP, STEP)).covered_ms == 0


def test_a_sample_from_before_the_part_is_carried_into_it():
    got = covered([0], [PPB], Window(LONG_AGO, 10 * STEP)).over(Window(STEP, 10 * STEP))
    assert (got.active_ppb_ms, got.covered_ms, got.samples) == (STEP * PPB, STEP, 0)


def test_no_sample_covers_nothing():
    got = covered([], [], Window(0, STEP)).over(Window(0, STEP))
    assert (got.active_ppb_ms, got.covered_ms, got.samples, got.error_ppb_ms) == (0, 0, 0, 0)


def test_the_fallback_fills_only_what_the_primary_leaves_open():
    span = Window(LONG_AGO, 12 * STEP)
    primary = covered([0, 10 * STEP], [PPB, PPB], span)
    fallback = covered([k * STEP for k in range(12)], [0] * 12, span, Signal.GPU_UTIL)
    got = combine(primary, fallback).over(Window(0, 12 * STEP))
    assert (got.active_ppb_ms, got.covered_ms) == (4 * STEP * PPB, 12 * STEP)
    assert got.signals == (Signal.ENGINE_ACTIVE, Signal.GPU_UTIL)


def test_a_fallback_piece_that_is_cut_in_two_counts_its_sample_once():
    primary = covered([14_000], [0], Window(12_000, 16_000))
    fallback = covered([10_000], [PPB], Window(10_000, 20_000), Signal.GPU_UTIL)
    got = combine(primary, fallback).over(Window(0, 30_000))
    assert (got.covered_ms, got.active_ppb_ms, got.samples) == (10_000, 6_000 * PPB, 2)


def test_a_fallback_that_adds_nothing_is_not_said_to_be_used():
    primary = covered([0], [PPB], Window(0, STEP))
    fallback = covered([0], [0], Window(0, STEP), Signal.GPU_UTIL)
    assert combine(primary, fallback).over(Window(0, STEP)).signals == (Signal.ENGINE_ACTIVE,)


def test_only_the_signals_used_in_the_part_are_named():
    primary = covered([0], [PPB], Window(0, 10 * STEP))
    fallback = covered([k * STEP for k in range(10)], [0] * 10, Window(0, 10 * STEP), Signal.GPU_UTIL)
    assert combine(primary, fallback).over(Window(5 * STEP, 6 * STEP)).signals == (Signal.GPU_UTIL,)


def test_without_any_signal_there_is_no_coverage():
    assert cover_best((), Window(0, STEP)) is None


def test_a_steady_load_has_no_error_but_rounding():
    got = covered([k * STEP for k in range(10)], [PPB // 2] * 10, Window(0, 10 * STEP)).over(Window(0, 10 * STEP))
    assert got.error_ppb_ms == pytest.approx(1.96 * 1_000 * 10 * STEP / 12**0.5, abs=1)


def test_the_error_bar_follows_its_formula():
    part = Window(0, 4 * STEP)
    times = [k * STEP for k in range(-1, 5)]
    got = covered(times, [0, 0, 0, PPB, PPB, 0], Window(LONG_AGO, 5 * STEP)).over(part)
    between = 2 * (PPB * STEP) ** 2 / 12
    rounding = (1_000 * 4 * STEP) ** 2 / 12
    assert got.error_ppb_ms == pytest.approx(1.96 * (between + rounding) ** 0.5, rel=1e-12)


def test_a_load_that_rose_is_known_only_with_a_lag():
    times, values = [k * STEP for k in range(20)], [0] * 10 + [PPB] * 10
    got = covered(times, values, Window(LONG_AGO, 20 * STEP)).over(Window(0, 20 * STEP))
    between, rounding = (PPB * STEP) ** 2 / 12, (1_000 * 20 * STEP) ** 2 / 12
    lag = (30_000 * PPB) ** 2 / 3
    assert got.error_ppb_ms == pytest.approx(1.96 * (between + lag + rounding) ** 0.5, rel=1e-9)


def test_the_only_sample_of_a_short_life_may_be_off_by_all_that_an_activity_can_be():
    new = covered([5_000], [PPB // 5], Window(0, STEP)).over(Window(0, STEP))
    old = covered([5_000], [PPB // 5], Window(-10 * STEP, STEP)).over(Window(0, STEP))
    assert new.error_ppb_ms == pytest.approx(1.96 * 0.8 * PPB * STEP / 12**0.5, rel=1e-6)
    assert old.error_ppb_ms < new.error_ppb_ms / 100_000


def test_a_first_sample_that_speaks_of_time_that_nobody_saw_may_be_off_by_all_of_it():
    late = 30_000 + STEP // 2
    times = [late, late + STEP]
    unseen = covered(times, [PPB] * 2, Window(0, late + 2 * STEP)).over(Window(0, late))
    seen = covered([STEP, *times], [PPB] * 3, Window(0, late + 2 * STEP)).over(Window(0, late))
    assert unseen.error_ppb_ms == pytest.approx(1.96 * PPB * late / 12**0.5, rel=1e-6)
    assert seen.error_ppb_ms < unseen.error_ppb_ms / 1_000


def test_whole_percents_widen_the_bar():
    times, values, span = [0, STEP], [PPB // 2] * 2, Window(-10 * STEP, 2 * STEP)
    fine = covered(times, values, span).over(span)
    coarse = covered(times, values, span, Signal.GPU_UTIL).over(span)
    assert coarse.error_ppb_ms == pytest.approx(10_000 * fine.error_ppb_ms, rel=1e-6)


def test_the_interval_is_told_from_the_samples_but_never_below_what_is_aimed_at():
    every = np.arange(0, 600_000, 30_000)
    assert expected_interval(every, 15_000) == 30_000
    assert expected_interval(every, 60_000) == 60_000
    assert expected_interval(every[:3], 15_000) == 15_000
    assert expected_interval(np.arange(0, 10**8, 10**7), 15_000) == 300_000


def test_jitter_does_not_change_the_interval():
    times = np.cumsum(np.array([29_990, 30_004, 29_998, 29_995, 29_999] * 4))
    assert expected_interval(times, 15_000) == 30_000


def test_too_long_a_span_is_refused_instead_of_overflowing():
    times = np.arange(0, 4 * 10**10, 300_000)
    with pytest.raises(ValueError, match="integrate at most"):
        cover(SignalSamples(Signal.ENGINE_ACTIVE, times, np.full(len(times), PPB), 300_000), Window(0, 4 * 10**10))


def test_energy_survives_a_reset():
    times, values = np.array([0, 10, 20, 30]), np.array([500, 700, 50, 150])
    got = energy_increase(times, values, Window(0, 30))
    assert (got.millijoules, got.covered_ms, got.resets) == (200 + 50 + 100, 30, 1)


def test_energy_of_parts_adds_up():
    times, values = np.array([0, 7, 20]), np.array([0, 10, 31])
    parts = [energy_increase(times, values, Window(k, k + 1)).millijoules for k in range(20)]
    assert sum(parts) == 31
