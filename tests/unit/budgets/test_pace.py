"""Where a budget stands: burn rates, forecasts and the time that is left, at their edges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.budgets.pace import INFINITE, ForecastMethod, Spend, stand
from aicost.domain.budgets.periods import Period
from aicost.domain.budgets.plans import PPM
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, MINUTE_MS
from support.budgets import LIMIT, MONTH, START

DAY = LIMIT // 30
OPEN = Period(0, None)
AMOUNTS = st.integers(-(10**14), 10**14)


def standing(spent=0, *, period=MONTH, now=START, limit=LIMIT, recent=0, **more):
    known = {"recent_ms": DAY_MS, "since_ms": 0, "provisional_nanos": 0, "recent_nanos": recent, **more}
    return stand(limit, period, Spend(spent, **known), now)


def burns(found):
    return {one.span_ms: one.ppm for one in found.burns}


def test_a_rate_of_one_uses_exactly_the_rest_by_the_end():
    spans = ((HOUR_MS, DAY // 24), (6 * HOUR_MS, DAY // 4))
    found = standing(LIMIT // 3, committed_nanos=DAY // 24, lately=spans)
    assert all(abs(ppm - PPM) < 100 for ppm in burns(found).values())
    twice = standing(LIMIT * 2 // 3, committed_nanos=DAY // 24, lately=spans)
    assert all(abs(ppm - 2 * PPM) < 100 for ppm in burns(twice).values())


@pytest.mark.parametrize("spent", [LIMIT, LIMIT + 1, 5 * LIMIT])
@pytest.mark.parametrize("rate", [0, DAY])
def test_at_the_limit_nothing_is_left_and_no_time_either(spent, rate):
    found = standing(spent, committed_nanos=rate, lately=((HOUR_MS, rate),))
    assert set(burns(found).values()) == {INFINITE}
    assert found.exhausted_in_ms == 0
    assert found.judged


def test_just_below_the_limit_there_is_a_rate_and_a_time():
    found = standing(LIMIT - 1_000_000, committed_nanos=DAY)
    assert 0 < burns(found)[0] < INFINITE
    assert found.exhausted_in_ms == HOUR_MS * 1_000_000 // DAY
    assert standing(LIMIT - DAY, committed_nanos=DAY).exhausted_in_ms == HOUR_MS


def test_where_nothing_is_spent_no_time_is_told():
    found = standing(LIMIT // 2)
    assert found.exhausted_in_ms is None
    assert burns(found) == {0: 0}


@pytest.mark.parametrize(("recent", "committed", "hours"), [(24, 1, 10), (24, 5, 2), (48, 1, 5), (-24, 0, None)])
def test_the_time_that_is_left_goes_by_the_larger_of_the_last_day_and_what_runs_now(recent, committed, hours):
    found = standing(LIMIT - 10 * DAY, recent=recent * DAY, committed_nanos=committed * DAY)
    assert found.exhausted_in_ms == (None if hours is None else hours * HOUR_MS)


@pytest.mark.parametrize("period", [OPEN, Period(START - 7 * DAY_MS, None)], ids=["open total", "rolling"])
def test_without_an_end_there_is_neither_burn_nor_forecast_nor_pace(period):
    found = standing(LIMIT // 2, period=period, committed_nanos=DAY, lately=((HOUR_MS, DAY),))
    assert (found.burns, found.forecast_nanos, found.pace_ppm) == ((), None, None)
    assert found.burn_ppm(PPM) is None
    assert found.exhausted_in_ms is not None, "the time that is left needs no end"


def test_two_spans_must_agree_and_the_lower_one_counts():
    spans = ((HOUR_MS, DAY), (6 * HOUR_MS, 3 * DAY), (3 * DAY_MS, 3 * DAY))
    found = standing(LIMIT // 3, committed_nanos=DAY // 2, lately=spans)
    by_span = burns(found)
    assert found.burn_ppm(4 * PPM) == min(by_span[0], by_span[HOUR_MS])
    assert found.burn_ppm(2 * PPM) == min(by_span[HOUR_MS], by_span[6 * HOUR_MS])
    assert found.burn_ppm(PPM) == min(by_span[6 * HOUR_MS], by_span[3 * DAY_MS])


def test_a_pair_of_which_one_span_is_not_known_says_nothing():
    found = standing(LIMIT // 3, committed_nanos=DAY, lately=((HOUR_MS, DAY),))
    assert found.burn_ppm(4 * PPM) is not None
    assert found.burn_ppm(2 * PPM) is None


def test_early_in_a_period_or_at_small_change_no_burn_rate_is_judged():
    spans = ((HOUR_MS, LIMIT // 200),)
    early = MONTH.start_ms + (MONTH.end_ms - MONTH.start_ms) * 3 // 100
    assert not standing(now=early - 1, lately=spans).judged
    assert standing(now=early, lately=spans).judged
    assert not standing(now=early, lately=((HOUR_MS, LIMIT // 200 - 1),)).judged


def test_pace_is_spend_over_time():
    assert standing(LIMIT // 3).pace_ppm == pytest.approx(PPM, abs=1)
    assert standing(LIMIT // 3, now=MONTH.start_ms).pace_ppm is None
    assert standing(LIMIT // 3, now=MONTH.start_ms - HOUR_MS).pace_ppm is None


def test_a_forecast_goes_on_at_the_pace_of_the_time_that_was_watched():
    found = standing(10 * DAY)
    assert (found.forecast_nanos, found.forecast_method) == (LIMIT // 30 * 30, ForecastMethod.PACE)
    late = standing(10 * DAY, since_ms=START - 5 * DAY_MS)
    assert late.forecast_nanos == 10 * DAY + 2 * DAY * 20, "ten days' money in five days that were watched"
    assert standing(10 * DAY, since_ms=START - HOUR_MS + 1).forecast_nanos is None


def test_from_three_full_days_on_the_median_goes_on_and_one_wild_day_does_not_matter():
    days = (DAY, 50 * DAY, DAY, DAY, DAY)
    found = standing(14 * DAY, days=days)
    assert (found.forecast_nanos, found.forecast_method) == (14 * DAY + 20 * DAY, ForecastMethod.DAYS)
    assert found.forecast_high_nanos == 14 * DAY + 20 * 50 * DAY
    assert standing(14 * DAY, days=days[:2]).forecast_method is ForecastMethod.PACE


def test_a_period_that_is_over_is_forecast_as_what_it_was():
    found = standing(7 * DAY, now=MONTH.end_ms + HOUR_MS, days=(DAY,) * 5)
    assert (found.forecast_nanos, found.forecast_high_nanos) == (7 * DAY, 7 * DAY)
    assert burns(found) == {0: 0}


def test_what_accrued_since_the_open_window_was_computed_counts_in_every_figure():
    found = standing(LIMIT - 5, accrued_nanos=5)
    assert (found.used_ppm, found.exhausted_in_ms) == (PPM, 0)


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_of_nothing_is_refused(limit):
    with pytest.raises(ValueError, match="above zero"):
        standing(limit=limit)


@given(
    AMOUNTS,
    AMOUNTS,
    st.integers(0, 10**14),
    st.integers(1, 10**15),
    st.integers(-DAY_MS, 40 * DAY_MS),
    st.lists(AMOUNTS, max_size=6),
)
def test_whatever_the_figures_nothing_raises_and_more_spend_is_never_less_used(spent, recent, rate, limit, now, days):
    more = {"recent": recent, "committed_nanos": rate, "limit": limit, "now": now, "days": tuple(days)}
    found, further = standing(spent, **more), standing(spent + 10**9, **more)
    assert further.used_ppm >= found.used_ppm
    assert (found.exhausted_in_ms is None) or found.exhausted_in_ms >= 0
    assert (found.exhausted_in_ms == 0) >= (spent >= limit)
    if found.exhausted_in_ms is not None:
        assert further.exhausted_in_ms is not None
        assert further.exhausted_in_ms <= found.exhausted_in_ms
    for one, other in zip(found.burns, further.burns, strict=True):
        assert one.ppm <= INFINITE
        assert other.ppm >= one.ppm or one.rate_per_hour_nanos < 0


@given(st.integers(1, 10**12), st.integers(MINUTE_MS, 30 * DAY_MS - MINUTE_MS))
def test_a_steady_spend_is_forecast_exactly(per_minute, elapsed):
    elapsed -= elapsed % MINUTE_MS
    spent = per_minute * (elapsed // MINUTE_MS)
    found = standing(spent, now=MONTH.start_ms + elapsed, limit=10**20)
    if found.forecast_nanos is not None:
        assert found.forecast_nanos == pytest.approx(per_minute * 30 * 24 * 60, abs=1)
        assert found.pace_ppm == pytest.approx(found.forecast_nanos * PPM / 10**20, abs=2)
