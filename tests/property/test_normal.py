"""Whatever the series: its scale, its level and its gaps do not decide whether it is out of its own normal."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from aicost.domain.budgets.nudges.normal import LEAST_HOURS, Normality, Silence, judge

levels = st.integers(0, 1_000)
hours = st.lists(st.one_of(st.none(), levels, levels, levels), min_size=0, max_size=400)
few = settings(max_examples=40)  # a series of weeks takes its time to draw
long = st.lists(st.one_of(st.none(), levels, levels, levels), min_size=110, max_size=400)


def series(found) -> np.ndarray:
    return np.array([np.nan if one is None else float(one) for one in found])


def spoken(found) -> tuple[np.ndarray, Normality]:
    said = judge(series(found))
    assume(isinstance(said, Normality))
    return series(found), said


@given(hours)
def test_it_speaks_exactly_where_the_latest_hour_and_72_more_are_known(found):
    values = series(found)
    latest = len(values) > 0 and bool(np.isfinite(values[-1]))
    enough = int(np.isfinite(values[-337:-1]).sum()) >= LEAST_HOURS
    assert isinstance(judge(values), Normality) == (latest and enough)
    assert (judge(values) is Silence.LATEST_MISSING) == (not latest)


@few
@given(long, st.sampled_from([1e-6, 0.25, 3.0, 1e9]))
def test_another_currency_makes_no_anomaly(found, factor):
    values, said = spoken(found)
    scaled = judge(values * factor)
    assert scaled.score == pytest.approx(said.score, rel=1e-6, abs=1e-6)
    assert (scaled.now, scaled.normal) == (pytest.approx(said.now * factor), pytest.approx(said.normal * factor))


@few
@given(long)
def test_a_series_upside_down_is_as_unusual_in_the_other_direction(found):
    values, said = spoken(found)
    mirrored = judge(1_000.0 - values)
    assert mirrored.score == pytest.approx(said.score, rel=1e-6, abs=1e-6)
    assert mirrored.now == pytest.approx(1_000.0 - said.now)


@few
@given(levels, st.lists(st.booleans(), min_size=150, max_size=400))
def test_a_series_that_never_moves_is_never_unusual_however_full_of_gaps(level, gaps):
    _, said = spoken([None if gap else level for gap in gaps])
    assert said.score == pytest.approx(0, abs=1e-6)


@few
@given(long)
def test_a_score_is_never_negative_and_never_undefined(found):
    _, said = spoken(found)
    assert said.score >= 0
    assert np.isfinite([said.now, said.normal]).all()


@few
@given(st.lists(levels, min_size=110, max_size=400), st.integers(1, 1_000))
def test_an_hour_that_is_farther_above_all_others_is_not_less_unusual(found, more):
    values = np.append(series(found), max(found) + 1.0)
    farther = np.append(series(found), max(found) + 1.0 + more)
    assert judge(farther).score >= judge(values).score * 0.999 or judge(values).now < judge(values).normal
