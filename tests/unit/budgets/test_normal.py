"""The detector on series with steps, spikes, gaps, a daily pattern and bursts, all made here."""

import numpy as np
import pytest

from aicost.domain.budgets.nudges.normal import (
    LEAST_HOURS,
    LOOK_BACK_HOURS,
    Direction,
    Normality,
    Silence,
    Term,
    judge,
    means,
)

DAY = 24
SEEDS = range(5)


def noisy(days: int, seed: int = 0, level: float = 10.0, noise: float = 0.5) -> np.ndarray:
    return level + np.random.default_rng(seed).normal(0, noise, days * DAY)


def bursty(days: int, seed: int = 0) -> np.ndarray:
    """Busy by day, quiet by night, and each hour up to twice or half of what one would expect."""
    hours = np.arange(days * DAY)
    shape = 5 + 4 * np.clip(np.sin(2 * np.pi * hours / DAY), 0, None)
    return shape * np.random.default_rng(seed).lognormal(0, 0.35, len(hours))


def batches(days: int, seed: int = 0) -> np.ndarray:
    """Jobs of four hours that come at random and treble the level."""
    random = np.random.default_rng(seed)
    runs = np.repeat(random.random(days * DAY // 4) < 0.2, 4)
    return 4 + 8 * runs + random.normal(0, 0.3, days * DAY)


def alarms(series: np.ndarray, *, after: int = LOOK_BACK_HOURS) -> list[int]:
    """Hours at which somebody is told who is not told twice within a day."""
    found: list[int] = []
    for hour in range(after, len(series)):
        said = judge(series[: hour + 1])
        if isinstance(said, Normality) and said.is_unusual and (not found or hour - found[-1] >= DAY):
            found.append(hour)
    return found


def stepped(series: np.ndarray, hour: int, factor: float) -> np.ndarray:
    return np.concatenate((series[:hour], series[hour:] * factor))


def hours_until_seen(series: np.ndarray, step: int, more: float) -> int:
    changed = np.concatenate((series[:step], series[step:] + more))
    scores = [judge(changed[: hour + 1]) for hour in range(step, step + DAY)]
    return next((n for n, one in enumerate(scores, 1) if one.is_unusual and one.direction is Direction.UP), DAY + 1)


@pytest.mark.parametrize(("made", "most"), [(bursty, 4), (batches, 1), (noisy, 2)], ids=["bursty", "batches", "noisy"])
def test_two_months_of_bursts_raise_few_alarms(made, most):
    raised = [len(alarms(made(14 + 60, seed))) for seed in SEEDS]
    assert np.mean(raised) <= most, raised


def test_the_usual_rule_would_cry_wolf_on_the_same_bursts():
    series = bursty(14 + 60)
    above = [h for h in range(336, len(series)) if series[h] > 1.3 * series[h - 168 : h].mean()]
    assert len(above) > 20 * max(1, len(alarms(series)))


@pytest.mark.parametrize("hour_of_day", [0, 6, 12, 18])
def test_a_step_that_stays_is_seen_within_six_hours_even_in_bursts(hour_of_day):
    """Twice the usual mean on top of it, from any hour of the day on: the quiet of a night hides what is less."""
    seen = [hours_until_seen(bursty(25, seed), 20 * DAY + hour_of_day, 14.0) for seed in range(10)]
    assert max(seen) <= 6, seen


def test_a_small_step_of_a_steady_series_is_seen_within_six_hours():
    assert max(hours_until_seen(noisy(25, seed), 20 * DAY, 2.0) for seed in SEEDS) <= 6


def test_a_step_in_a_noisy_series_is_told_by_the_mean_of_six_hours():
    series = stepped(noisy(20, noise=3.0), 20 * DAY - 6, 1.8)
    said = judge(series)
    assert (said.term, said.is_unusual) == (Term.SUSTAINED, True)
    assert said.now == pytest.approx(series[-6:].mean())
    assert said.normal == pytest.approx(series[-342:-6].mean())


def test_a_spike_is_sudden():
    series = noisy(20)
    series[-1] = 20.0
    said = judge(series)
    assert (said.term, said.is_unusual, said.direction) == (Term.SUDDEN, True, Direction.UP)
    assert (said.now, said.normal) == (20.0, pytest.approx(series[-169:-1].mean()))


def test_what_lies_beyond_all_that_was_seen_is_a_new_range():
    series = np.tile([1.0, 1.0, 20.0, 20.0], 90)
    assert not judge(np.append(series, 20.5)).is_unusual
    said = judge(np.append(series, 21.0))
    assert (said.term, said.score, said.is_unusual) == (Term.NEW_RANGE, 4.0, True)


def test_a_fall_is_seen_as_a_fall():
    said = judge(np.append(noisy(20), 0.5))
    assert (said.is_unusual, said.direction) == (True, Direction.DOWN)


def test_a_level_that_stays_becomes_the_new_normal():
    series = stepped(noisy(60), 30 * DAY, 2.0)
    told = alarms(series)
    assert told
    assert max(told) < 45 * DAY
    assert min(told) == 30 * DAY


def test_a_small_stir_after_a_calm_week_is_no_fire():
    calm = np.concatenate((bursty(14), np.full(7 * DAY, 7.0)))
    assert not judge(np.append(calm, 7.5)).is_unusual
    assert judge(np.append(calm[-7 * DAY :], 7.5)).is_unusual, "without the weeks before it is"


def test_a_gap_is_not_zero():
    series = noisy(20)
    series[-10:-1] = np.nan
    said = judge(series)
    assert (said.is_unusual, said.term is Term.SUSTAINED) == (False, False)
    assert judge(np.where(np.isnan(series), 0.0, series)).is_unusual, "zeros would be an anomaly"


def test_gaps_in_the_past_change_nothing_that_matters():
    series, holes = noisy(20), np.random.default_rng(1).random(20 * DAY) < 0.4
    holes[-6:] = False
    whole, holed = (judge(one) for one in (series, np.where(holes, np.nan, series)))
    assert abs(holed.score - whole.score) < 0.5
    assert (holed.now, holed.is_unusual) == (whole.now, False)


def test_three_of_six_hours_are_enough_for_their_mean_and_two_are_not():
    series = noisy(20)
    series[-6:-3] = np.nan
    assert means(series, Term.SUSTAINED) is not None
    series[-3] = np.nan
    assert means(series, Term.SUSTAINED) is None


def test_nothing_is_said_before_72_hours_are_known():
    series = noisy(4)[: LEAST_HOURS + 1]
    assert judge(series[1:]) is Silence.HISTORY_SHORT
    assert isinstance(judge(series), Normality)
    series[5] = np.nan
    assert judge(series) is Silence.HISTORY_SHORT, "a gap is no known hour"


def test_old_hours_do_not_make_up_for_a_look_back_that_is_not_known():
    series = noisy(60)
    series[-337:-1] = np.nan
    assert judge(series) is Silence.HISTORY_SHORT


def test_without_the_latest_hour_nothing_is_said():
    assert judge(np.append(noisy(20), np.nan)) is Silence.LATEST_MISSING
    assert judge(np.zeros(0)) is Silence.LATEST_MISSING


def test_a_constant_series_that_moves_is_as_unusual_as_can_be():
    for level in (0.0, 5.0):
        constant = np.full(20 * DAY, level)
        assert judge(constant).score == 0
        assert judge(np.append(constant, level + 1)).score > 1_000
    assert judge(np.append(np.zeros(20 * DAY), 1.0)).score == float("inf")


def test_rounding_is_no_change():
    constant = np.full(20 * DAY, 0.1 + 0.2)
    constant[-1] = 0.3
    assert not judge(constant).is_unusual
