"""Weights of tokens, fitted to busy time: golden by hand, exact, and refused where they say nothing."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, Window
from aicost.domain.sampling.series import RawSeries
from aicost.domain.serving.calibration.fitting import MINUTES, fit
from aicost.domain.serving.calibration.minutes import MIXES, fit_counts, minute_growth
from aicost.domain.serving.meters import Count

HOUR = Window(10 * HOUR_MS, 11 * HOUR_MS)
STEP = 30_000
POD = ("team-a", "chat-0")
ENGINE = {"namespace": "team-a", "pod": "chat-0", "model_name": "m"}
GPU = {"exported_namespace": "team-a", "exported_pod": "chat-0", "namespace": "gpu", "pod": "dcgm-x", "UUID": "GPU-1"}
TIMES = np.arange(HOUR.start_ms - 2 * MINUTE_MS, HOUR.end_ms + 2 * MINUTE_MS, STEP)


def sums(points):
    """The sums of minutes (prompt, output, busy)."""
    found = {
        Count.FIT_MINUTES: len(points),
        Count.FIT_BUSY: sum(b for _, _, b in points),
        Count.FIT_BUSY_BUSY: sum(b * b for _, _, b in points),
        Count.FIT_PROMPT_PROMPT: sum(p * p for p, _, _ in points),
        Count.FIT_PROMPT_OUTPUT: sum(p * o for p, o, _ in points),
        Count.FIT_OUTPUT_OUTPUT: sum(o * o for _, o, _ in points),
        Count.FIT_PROMPT_BUSY: sum(p * b for p, _, b in points),
        Count.FIT_OUTPUT_BUSY: sum(o * b for _, o, b in points),
    }
    for p, o, _ in points:
        mix = MIXES[min(9, 40 * o * 10 // max(1, 10 * p + 40 * o))]
        found[mix] = found.get(mix, 0) + 1
    return found


def test_golden_by_hand():
    """Three minutes: 3 of 10 a token of a prompt, 20 of an answer, and no error at all."""
    found = fit(sums([(10, 1, 50), (10, 3, 90), (20, 1, 80)]))
    assert (found.prompt, found.output, found.explained) == (3, 20, 1)


def test_golden_with_an_error_by_hand():
    """b = (1, 2, 4) over p = (1, 0, 1), o = (0, 1, 1): a = 4/3, b = 7/3, squared error 1/3 of 14/3."""
    found = fit(sums([(1, 0, 1), (0, 1, 2), (1, 1, 4)]))
    assert (found.prompt, found.output) == (Fraction(4, 3), Fraction(7, 3))
    assert found.explained == 1 - Fraction(1, 3) / Fraction(14, 3)


def test_no_weight_is_negative():
    found = fit(sums([(10, 1, 0), (10, 10, 90), (20, 5, 20)]))
    assert found.prompt == 0
    assert found.output == Fraction(90 * 10 + 20 * 5, 1 + 100 + 25)
    assert not found.is_accepted


def test_one_mix_tells_prompts_and_answers_not_apart():
    assert fit(sums([(10, 1, 30), (20, 2, 60)])) is None
    assert fit({}) is None


MIXED = [(100, 10, 700), (50, 40, 950), (10, 60, 1_230)]


@pytest.mark.parametrize(
    ("points", "accepted"),
    [
        (MIXED * (MINUTES // 3), True),
        ((MIXED * MINUTES)[: MINUTES - 1], False),
        (MIXED[:2] * MINUTES, False),
        ([(p, o, 500 + 300 * (index % 2)) for index, (p, o, _) in enumerate(MIXED * MINUTES)], False),
    ],
    ids=["enough", "too-few-minutes", "two-mixes", "unexplained"],
)
def test_a_fit_is_accepted_where_it_rests_on_enough(points, accepted):
    found = fit(sums(points))
    assert found.is_accepted is accepted


@given(st.integers(1, 50), st.integers(1, 50), st.randoms(use_true_random=False))
def test_what_was_made_by_weights_is_found_again_in_any_order(prompt, output, random):
    points = [(p, o, prompt * p + output * o) for p, o, _ in MIXED * 20]
    random.shuffle(points)
    found = fit(sums(points))
    assert (found.prompt, found.output, found.explained, found.is_accepted) == (prompt, output, 1, True)


def minutes_of(prompt, output, *more, gpu=GPU, busy=None, name="DCGM_FI_PROF_GR_ENGINE_ACTIVE"):
    """Series of a pod: tokens a second in each minute, and a busy share that is 1/10,000 and 4/10,000 of them."""
    minute = TIMES // MINUTE_MS
    into, out = prompt(minute), output(minute)
    share = (into + 4 * out) / 10_000 if busy is None else busy(minute)
    ends = (
        np.concatenate(([0.0], np.cumsum(into[:-1] * STEP / 1_000))),
        np.concatenate(([0.0], np.cumsum(out[:-1] * STEP / 1_000))),
    )
    after = np.concatenate(([share[0]], share[:-1]))
    return [
        RawSeries("vllm:prompt_tokens_total", ENGINE, TIMES, ends[0]),
        RawSeries("vllm:generation_tokens_total", ENGINE, TIMES, ends[1]),
        RawSeries(name, gpu, TIMES, after),
        *more,
    ]


def prompt(minute):
    return 500.0 * (1 + minute % 3)


def output(minute):
    return 300.0 * (1 + (minute // 3) % 4)


def test_weights_come_back_from_raw_series():
    counts = fit_counts(minutes_of(prompt, output), HOUR)[POD]
    assert counts[Count.FIT_MINUTES] == 56
    found = fit(counts)
    assert found.output / found.prompt == pytest.approx(4, rel=0.02)
    assert (found.prompt, found.explained) == (pytest.approx(0.1, rel=0.02), pytest.approx(1, abs=0.01))
    assert not found.is_accepted
    assert fit({count: 2 * number for count, number in counts.items()}).is_accepted


def test_sums_of_two_halves_are_the_sums_of_the_whole():
    series = minutes_of(prompt, output)
    middle = HOUR.start_ms + 30 * MINUTE_MS
    early = [
        RawSeries(one.name, one.labels, one.at_ms[one.at_ms < middle], one.value[one.at_ms < middle]) for one in series
    ]
    spans = (early, Window(HOUR.start_ms, middle)), (series, Window(middle, HOUR.end_ms))
    halves = [fit_counts(known, span)[POD] for known, span in spans]
    whole = fit_counts(series, HOUR)[POD]
    assert {count: halves[0].get(count, 0) + halves[1].get(count, 0) for count in whole} == whole


def test_a_gpu_that_two_pods_hold_says_nothing_of_either():
    other = RawSeries("DCGM_FI_PROF_GR_ENGINE_ACTIVE", {**GPU, "exported_pod": "chat-1"}, TIMES, np.ones(len(TIMES)))
    assert fit_counts(minutes_of(prompt, output, other), HOUR) == {}


def test_what_a_pod_did_on_a_shared_gpu_is_told_by_the_node_agent():
    label = {"namespace": "team-a", "pod": "chat-0", "uuid": "GPU-1"}
    seconds = np.cumsum(np.full(len(TIMES), 6.0))
    agent = RawSeries("aicost_pod_gpu_seconds_total", label, TIMES, seconds)
    other = RawSeries("aicost_pod_gpu_seconds_total", {**label, "pod": "x"}, TIMES, seconds)
    counts = fit_counts(minutes_of(prompt, output, agent, other), HOUR)[POD]
    assert counts[Count.FIT_BUSY] == 56 * 12_000


def test_two_exporters_that_show_one_gpu_make_it_not_busier():
    series = minutes_of(prompt, output)
    again = RawSeries(series[2].name, {**GPU, "instance": "b"}, series[2].at_ms, series[2].value)
    assert fit_counts([*series, again], HOUR) == fit_counts(series, HOUR)


def test_a_pod_of_several_models_is_left_out():
    other = RawSeries("vllm:generation_tokens_total", {**ENGINE, "model_name": "b"}, TIMES, TIMES * 0.001)
    assert fit_counts(minutes_of(prompt, output, other), HOUR) == {}


def test_minutes_in_which_nobody_asked_tell_nothing():
    counts = fit_counts(minutes_of(lambda m: prompt(m) * (m % 2), lambda m: output(m) * (m % 2)), HOUR)[POD]
    assert counts[Count.FIT_MINUTES] == 28


def test_counters_that_count_beyond_all_measure_are_left_out():
    assert fit_counts(minutes_of(lambda m: prompt(m) * 1e9, output, busy=lambda m: m * 0 + 0.5), HOUR) == {}
    broken = RawSeries("vllm:prompt_tokens_total", ENGINE, TIMES, np.full(len(TIMES), np.inf))
    assert fit_counts([broken, *minutes_of(prompt, output)[1:]], HOUR) == {}


EDGES = np.arange(0, 5 * MINUTE_MS + 1, MINUTE_MS)


def test_a_counter_grows_evenly_between_its_samples_and_over_resets():
    at_ms, values = np.array([0, 90_000, 150_000, 300_000]), np.array([10.0, 40.0, 5.0, 5.0])
    grown = minute_growth(at_ms, values, EDGES)
    assert grown[:2].tolist() == [20.0, pytest.approx(12.5)]
    assert np.isnan(grown[2:]).all()


def test_before_the_first_and_after_the_last_sample_nothing_is_known():
    grown = minute_growth(np.array([60_000, 120_000, 150_000]), np.array([0.0, 6.0, 9.0]), EDGES)
    assert np.isnan(grown).tolist() == [True, False, True, True, True]
    assert np.isnan(minute_growth(np.array([60_000]), np.array([1.0]), EDGES)).all()
