"""What a run of training cost, computed by hand."""

from fractions import Fraction

import numpy as np
import pytest

from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.training.dividing import Outcome, Part
from aicost.domain.training.run_costs import Aims, Confidence, Run, run_costs
from aicost.domain.training.terms import Better, Measure, Shape
from support.ledger_rows import HOUR_0
from support.training import at, held, minutes, track

DOLLAR = 10**9
FIRST = track((5, 0), (10, 0), (30, 200))
AGAIN = track((36, 150), (40, 150), (58, 330), (60, 330))
"""One pod for an hour, $0.60 a minute. It loads for ten minutes, does 10 steps a minute, and crashes at 200. It comes
back at minute 36 with what it saved at 150, goes on at minute 40 up to 330, and saves for two minutes."""


SPAN = Window(HOUR_0.start_ms, HOUR_0.end_ms + 1)
"""The hour, with the sample at its end."""


def told(*tracks, **more):
    given = {"span": SPAN, "currency": "USD", "held": [held()], **more}
    return run_costs(Run(tracks=tracks, **given))


def test_each_dollar_of_a_run_with_a_restart_is_told():
    costs = told(FIRST, AGAIN)
    assert costs.parts == {
        Part.USEFUL: 19_800_000_000,
        Part.LOST_STEPS: 3_000_000_000,
        Part.RESTARTS: 6_000_000_000,
        Part.FAILED: 0,
        Part.START: 6_000_000_000,
        Part.AFTER: 1_200_000_000,
        Part.UNTOLD: 0,
    }
    assert costs.lost_nanos == 9 * DOLLAR
    assert costs.goodput == Fraction(33, 60)


def test_a_step_bears_what_was_lost_as_well():
    costs = told(FIRST, AGAIN)
    assert costs.did[Measure.STEPS] == 330
    assert costs.per[Measure.STEPS] == Fraction(36 * DOLLAR, 330)
    assert (costs.repeated, costs.restarts) == (50, 1)
    assert (costs.basis, costs.confidence) == (Measure.STEPS, Confidence.HIGH)


def test_a_step_that_a_checkpoint_cuts_is_divided_by_its_time():
    costs = told(track((0, 0), (10, 100), every=10), track((20, 25), (30, 125), every=10))
    assert costs.repeated == 75
    assert costs.parts[Part.LOST_STEPS] == Fraction(75, 10) * 6 * DOLLAR / 10


def test_a_run_that_begins_again_from_nothing_loses_all_its_work():
    costs = told(track((0, 0), (20, 200)), track((30, 0), (40, 100)))
    assert (costs.did[Measure.STEPS], costs.repeated) == (100, 200)
    assert costs.parts[Part.LOST_STEPS] == 12 * DOLLAR


def test_a_counter_tells_what_was_done_and_not_what_was_lost():
    first = track((5, 0), (10, 0), (30, 200), shape=Shape.COUNTER)
    costs = told(first, track((36, 0), (40, 0), (60, 180), shape=Shape.COUNTER))
    assert costs.did[Measure.STEPS] == 380
    assert (costs.repeated, costs.restarts, costs.confidence) == (None, 1, Confidence.MEDIUM)
    assert costs.parts[Part.RESTARTS] == 6 * DOLLAR


def test_a_new_pod_is_a_restart_also_where_nothing_was_lost():
    pods = [held(minutes(0, 30), 18 * DOLLAR), held(minutes(31, 60), 18 * DOLLAR, pod="train-1")]
    costs = told(track((0, 0), (30, 300)), track((40, 300), (60, 500), pod="train-1"), held=pods)
    assert (costs.did[Measure.STEPS], costs.repeated, costs.restarts) == (500, 0, 1)
    assert costs.parts[Part.USEFUL] == 18 * DOLLAR + 18 * DOLLAR * 20 // 29


def test_ranks_that_show_the_same_steps_are_not_added_and_their_tokens_are():
    pods = [held(pod=f"train-{rank}") for rank in range(4)]
    steps = [track((0, 0), (60, 600), pod=one.pod) for one in pods]
    tokens = [track((0, 0), (60, 6e6), measure=Measure.TOKENS, shape=Shape.COUNTER, pod=one.pod) for one in pods]
    costs = told(*steps, *tokens, held=pods)
    assert costs.did == {Measure.STEPS: 600, Measure.TOKENS: 24_000_000}
    assert costs.per[Measure.TOKENS] * 1_000_000 == 6 * DOLLAR


def test_tokens_of_lost_steps_are_of_no_use():
    tokens = track((0, 0), (60, 38e6), measure=Measure.TOKENS, shape=Shape.COUNTER)
    assert told(FIRST, AGAIN, tokens).did[Measure.TOKENS] == 38_000_000 * Fraction(330, 380)


def test_epochs_may_be_parts_of_one():
    costs = told(track((0, 0), (60, 2.5), measure=Measure.EPOCHS))
    assert costs.per[Measure.EPOCHS] == Fraction(36 * DOLLAR) / Fraction(5, 2)
    assert (costs.basis, costs.confidence) == (Measure.EPOCHS, Confidence.MEDIUM)


@pytest.mark.parametrize(
    ("better", "last", "per_point"),
    [
        (Better.EITHER, 0.5, 144),
        (Better.EITHER, 1.0, 144),
        (Better.HIGHER, 1.0, 144),
        (Better.LOWER, 0.5, 144),
        (Better.LOWER, 1.0, None),
        (Better.EITHER, 0.75, None),
    ],
)
def test_a_point_of_quality_costs_the_run_over_what_it_gained(better, last, per_point):
    quality = track((10, 0.75), (50, last), measure=Measure.QUALITY)
    found = told(quality, aims=Aims(better=better)).quality
    assert found.per_point == (None if per_point is None else per_point * DOLLAR)


def test_the_size_of_a_point_is_what_people_say():
    quality = track((10, 0.5), (50, 0.75), measure=Measure.QUALITY)
    found = told(quality, aims=Aims(point=Fraction(1, 100))).quality
    assert found.per_point == Fraction(144 * DOLLAR, 100)


def test_what_is_still_to_come_is_cost_over_progress_less_cost():
    progress = track((0, 0), (60, 40), measure=Measure.PROGRESS)
    found = told(progress, aims=Aims({Measure.PROGRESS: Fraction(100)})).completion
    assert (found.nanos, found.progress) == (54 * DOLLAR, Fraction(2, 5))


def test_at_no_progress_nobody_knows_what_is_still_to_come():
    progress = track((0, 0), (60, 0), measure=Measure.PROGRESS)
    found = told(progress, aims=Aims({Measure.PROGRESS: Fraction(100)})).completion
    assert (found.nanos, found.progress) == (None, 0)


def test_a_run_that_began_before_is_measured_by_the_progress_of_the_span():
    progress = track((-5, 50), (0, 50), (60, 75), measure=Measure.PROGRESS)
    found = told(
        progress, aims=Aims({Measure.PROGRESS: Fraction(100)}), held=[held(bound_ms=HOUR_0.start_ms - HOUR_MS)]
    ).completion
    assert (found.nanos, found.progress) == (36 * DOLLAR, Fraction(3, 4))


def test_steps_with_a_whole_tell_the_progress():
    found = told(FIRST, AGAIN, aims=Aims({Measure.STEPS: Fraction(1320)})).completion
    assert (found.nanos, found.progress, found.method) == (108 * DOLLAR, Fraction(1, 4), "steps")


def test_without_progress_the_run_s_own_estimate_tells():
    found = told(track((60, 5_400), (60, 5_400), measure=Measure.REMAINING, pod="")).completion
    assert (found.nanos, found.progress, found.method) == (54 * DOLLAR, None, "remaining")


def test_pods_that_failed_are_lost_where_nobody_counts_steps():
    pods = [held(minutes(0, 20), 12 * DOLLAR, outcome=Outcome.FAILED), held(minutes(20, 60), 24 * DOLLAR, pod="b")]
    costs = told(held=pods)
    assert (costs.parts[Part.FAILED], costs.parts[Part.UNTOLD]) == (12 * DOLLAR, 24 * DOLLAR)
    assert (costs.goodput, costs.basis, costs.confidence) == (None, None, Confidence.LOW)
    assert (costs.per, costs.completion.nanos, costs.restarts) == ({}, None, None)


def test_a_run_that_failed_for_good_holds_what_was_saved():
    saved = track((0, 0), (15, 0), (16, 100), (30, 100), measure=Measure.CHECKPOINT)
    costs = told(FIRST, saved, outcome=Outcome.FAILED)
    assert (costs.did[Measure.STEPS], costs.repeated, costs.at_most) == (100, 100, False)
    assert costs.parts[Part.FAILED] == 18 * DOLLAR
    assert told(FIRST, outcome=Outcome.FAILED).at_most


def test_a_pod_whose_time_is_not_known_is_taken_to_hold_the_whole_window():
    costs = told(FIRST, AGAIN, held=[held(known=False, bound_ms=None)])
    assert sum(costs.parts.values()) == 36 * DOLLAR
    assert costs.confidence is Confidence.LOW


def test_only_the_work_of_the_span_counts():
    steps = track((-10, 900), (60, 1_600))
    costs = told(steps, held=[held(bound_ms=HOUR_0.start_ms - HOUR_MS)])
    assert costs.did[Measure.STEPS] == 610, "the sample before the span says where it stood"
    assert costs.parts[Part.USEFUL] == 36 * DOLLAR


def test_samples_after_the_span_say_nothing():
    assert told(track((61, 5), (120, 500))).basis is None


def test_what_is_no_number_is_no_sample():
    steps = track((0, 0), (60, 600))
    steps.value[10:20] = [np.nan, np.inf, -np.inf, -1, np.nan, np.nan, np.nan, np.nan, np.nan, -5]
    costs = told(steps)
    assert (costs.did[Measure.STEPS], costs.repeated) == (600, 0)


def test_a_run_without_cost_has_no_goodput():
    assert told(FIRST, held=[held(cost=0)]).goodput is None


def test_a_correction_is_divided_like_a_charge():
    costs = told(FIRST, AGAIN, held=[held(), held(cost=-7)])
    assert sum(costs.parts.values()) == 36 * DOLLAR - 7


def test_two_windows_are_one_run():
    later = Window(HOUR_0.end_ms, HOUR_0.end_ms + HOUR_MS)
    steps = track((0, 0), (120, 1_200))
    both = told(steps, span=Window(HOUR_0.start_ms, later.end_ms + 1), held=[held(), held(later, bound_ms=at(0))])
    assert both.did[Measure.STEPS] == 1_200
    assert both.parts[Part.USEFUL] + both.parts[Part.AFTER] == 72 * DOLLAR


def test_what_is_shown_next_tells_whether_the_run_was_at_work_to_the_end():
    span = Window(HOUR_0.start_ms, HOUR_0.end_ms)
    assert told(track((0, 0), (63, 630)), span=span).parts[Part.AFTER] == 0
    assert told(track((0, 0), (59, 590)), span=span).parts[Part.AFTER] == 600_000_000
    hanging = told(track((0, 0), (50, 500), (64, 500)), span=span)
    assert hanging.parts[Part.AFTER] == 6 * DOLLAR


def test_a_run_that_is_starting_again_at_the_end_is_not_at_work():
    span = Window(HOUR_0.start_ms, HOUR_0.end_ms)
    costs = told(track((0, 0), (40, 400)), track((50, 300), (59, 300), (63, 340)), span=span)
    assert (costs.parts[Part.LOST_STEPS], costs.parts[Part.AFTER]) == (6 * DOLLAR, 12 * DOLLAR)


def test_a_step_that_takes_longer_than_the_span_is_work():
    steps = track((-9, 1), (-8, 1), (-7, 2), (61, 2), (62, 3))
    costs = told(steps, span=Window(HOUR_0.start_ms, HOUR_0.end_ms), held=[held(bound_ms=HOUR_0.start_ms - HOUR_MS)])
    assert (costs.did[Measure.STEPS], costs.parts[Part.USEFUL]) == (0, 36 * DOLLAR)
    assert costs.per == {}
