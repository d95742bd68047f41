"""Activity programs: two ways to their busy time agree, and bad ones are refused."""

import itertools
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.activity import Burst, Duty, Steady, Steps, busy_ms, ramp, segments
from fleet.spec import duration_ms, parse

LEVELS = st.fractions(0, 1, max_denominator=100)
STEPS = st.lists(st.tuples(st.integers(0, 90_000), LEVELS), max_size=6, unique_by=lambda step: step[0])
PROGRAMS = st.one_of(
    st.builds(Steady, LEVELS),
    st.builds(Duty, LEVELS, LEVELS, st.integers(1_000, 60_000), st.integers(1, 999)),
    st.builds(Burst, LEVELS, LEVELS, st.integers(1_000, 60_000), st.integers(1, 999), st.integers(0, 9)),
    STEPS.map(lambda steps: Steps(tuple(sorted(steps)))),
)


@settings(max_examples=150, deadline=None)
@given(PROGRAMS, st.integers(0, 200_000), st.integers(0, 100_000))
def test_the_closed_form_equals_the_walk_through_the_segments(program, begin, length):
    walked = sum((piece.level * (piece.to_ms - piece.from_ms) for piece in segments(program, begin, begin + length)), 0)
    assert busy_ms(program, begin, begin + length) == walked


@settings(max_examples=50, deadline=None)
@given(PROGRAMS, st.integers(0, 100_000), st.integers(1, 50_000))
def test_segments_leave_no_hole_and_stay_inside(program, begin, length):
    pieces = list(segments(program, begin, begin + length))
    assert [pieces[0].from_ms, pieces[-1].to_ms] == [begin, begin + length]
    assert all(left.to_ms == right.from_ms for left, right in itertools.pairwise(pieces))


def test_a_duty_cycle_begins_with_its_busy_part():
    pieces = list(segments(Duty(Fraction(9, 10), Fraction(1, 10), 40_000, 10_000), 0, 50_000))
    assert [(piece.from_ms, piece.level) for piece in pieces] == [
        (0, Fraction(9, 10)),
        (10_000, Fraction(1, 10)),
        (40_000, Fraction(9, 10)),
    ]


def test_a_ramp_reaches_its_last_level_and_stays():
    program = ramp(Fraction(0), Fraction(1), 5, 60_000)
    assert [program.level_at(at) for at in (0, 60_000, 239_999, 240_000, 10**9)] == [
        0,
        Fraction(1, 4),
        Fraction(3, 4),
        1,
        1,
    ]


def test_a_burst_happens_once_in_each_period():
    pieces = list(segments(Burst(Fraction(0), Fraction(1), 300_000, 20_000), 0, 3_000_000))
    peaks = [piece for piece in pieces if piece.level == 1]
    assert len(peaks) == 10
    assert {piece.to_ms - piece.from_ms for piece in peaks} == {20_000}
    assert len({piece.from_ms % 300_000 for piece in peaks}) > 5


@pytest.mark.parametrize(
    ("text", "program"),
    [
        ("0.7", Steady(Fraction(7, 10))),
        ("idle", Steady(Fraction(0))),
        ("duty:0.9/0.1/40s", Duty(Fraction(9, 10), Fraction(1, 10), 40_000, 20_000)),
        ("duty:0.9/0.1/40s/0.25", Duty(Fraction(9, 10), Fraction(1, 10), 40_000, 10_000)),
        ("ramp:0.1/0.9/5/60s", ramp(Fraction(1, 10), Fraction(9, 10), 5, 60_000)),
        ("burst:0.05/0.95/5m/20s", Burst(Fraction(1, 20), Fraction(19, 20), 300_000, 20_000)),
        ("steps:0s=0.2,90s=0.8", Steps(((0, Fraction(1, 5)), (90_000, Fraction(4, 5))))),
    ],
)
def test_each_form_of_the_annotation_is_read(text, program):
    assert parse(text) == program


@pytest.mark.parametrize(
    "text",
    ["", "fast", "1.5", "-0.1", "nan", "duty:0.9", "duty:2/0/40s", "steps:5s", "steps:9s=0,1s=0", "ramp:0/1/1/1s"],
)
def test_a_program_that_makes_no_sense_is_refused_with_the_forms(text):
    with pytest.raises(ValueError, match=r"is not understood .* write one of 0\.7, idle"):
        parse(text)


def test_durations_have_a_unit():
    assert [duration_ms(text) for text in ("500ms", "40s", "5m", "1h")] == [500, 40_000, 300_000, 3_600_000]
    with pytest.raises(ValueError, match="'40' is not understood"):
        duration_ms("40")
