"""The limit of a period: its parts, what is carried into it, and how it grows."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.budgets.gates import Basis, Gate, rank
from aicost.domain.budgets.lifecycle.growth import grown, held_in_a_row, ready
from aicost.domain.budgets.lifecycle.stages import ladder_for, max_gate_for
from aicost.domain.budgets.limits import Past, base_of, limit_of
from aicost.domain.budgets.memory import Grown, PastPeriod
from aicost.domain.budgets.overrides.weigh import Weighed
from aicost.domain.budgets.periods import Calendar, Period, Rolling, Total, Unit, current_period
from aicost.domain.budgets.plans import PPM, Carry, CarryMode, Growth, Promotion
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, from_rfc3339
from aicost.domain.identity.stages import Stage
from support.budgets import LIMIT, MONTH, plan

NEXT = Period(MONTH.end_ms, 2 * MONTH.end_ms)
AMOUNTS = st.integers(0, 10**13)


def limit(carry, left=0, base=LIMIT, **weighed):
    past = None if left is None else Past(MONTH, LIMIT, LIMIT - left)
    return limit_of((base, None), plan(carry=carry), past, Weighed(**weighed))


@pytest.mark.parametrize(
    ("mode", "left", "carried"),
    [
        (CarryMode.NONE, 300, 0),
        (CarryMode.NONE, -300, 0),
        (CarryMode.UNUSED, 300, 300),
        (CarryMode.UNUSED, -300, 0),
        (CarryMode.OVERAGE, 300, 0),
        (CarryMode.OVERAGE, -300, -300),
        (CarryMode.BOTH, 300, 300),
        (CarryMode.BOTH, -300, -300),
    ],
)
def test_each_mode_carries_what_it_says(mode, left, carried):
    assert limit(Carry(mode), left).carried_nanos == carried


def test_no_more_is_carried_than_the_budget_lets():
    assert limit(Carry(CarryMode.UNUSED, most_nanos=100), 300).carried_nanos == 100
    assert limit(Carry(CarryMode.UNUSED, most_nanos=0), 300).carried_nanos == 0


def test_without_a_period_before_nothing_is_carried():
    assert limit(Carry(CarryMode.BOTH), None).nanos == LIMIT


@given(
    st.sampled_from(CarryMode),
    st.none() | AMOUNTS,
    AMOUNTS,
    st.integers(-(10**13), 10**13),
    st.integers(1, 10**13),
    AMOUNTS,
)
def test_parts_sum_to_the_limit_and_it_is_above_zero(mode, most, least, left, base, approved):
    found = limit(Carry(mode, most, least), left, base, approved_nanos=approved)
    assert found.base_nanos + found.carried_nanos + found.approved_nanos == found.nanos > 0
    assert found.nanos - approved >= min(base, max(1, least))


@given(st.sampled_from(CarryMode), AMOUNTS, st.integers(-(10**13), 10**13), AMOUNTS, st.integers(1, 10**13))
def test_who_spends_more_never_gets_a_larger_limit(mode, least, left, more, base):
    carry = Carry(mode, None, least)
    assert limit(carry, left - more, base).nanos <= limit(carry, left, base).nanos


def test_the_least_that_is_kept_is_never_more_than_there_was():
    """An overrun by a cent would raise the limit otherwise."""
    carry = Carry(CarryMode.OVERAGE, least_nanos=2 * LIMIT)
    assert limit(carry, -1).nanos == limit(carry, 0).nanos == LIMIT


@pytest.mark.parametrize(
    ("created", "part"),
    [
        (MONTH.start_ms, 1),
        (MONTH.start_ms + 15 * DAY_MS, Fraction(1, 2)),
        (MONTH.end_ms - HOUR_MS, Fraction(1, 720)),
        (MONTH.end_ms, 1),
        (MONTH.start_ms - DAY_MS, 1),
    ],
)
def test_only_the_period_in_which_a_budget_was_made_is_pro_rated(created, part):
    nanos, since = base_of(plan(prorate_first=True, created_ms=created), MONTH, None)
    assert nanos == pytest.approx(LIMIT * part, abs=1)
    assert (since == created) == (part != 1)


@pytest.mark.parametrize("rule", [Rolling(DAY_MS), Total(MONTH.start_ms, MONTH.end_ms), Total(MONTH.start_ms)], ids=str)
def test_what_is_no_calendar_period_is_never_pro_rated(rule):
    budget = replace(plan(prorate_first=True, created_ms=MONTH.start_ms + DAY_MS), rule=rule)
    assert base_of(budget, current_period(rule, MONTH.start_ms + 2 * DAY_MS), None) == (LIMIT, None)


@given(st.integers(1, MONTH.end_ms - 1), st.integers(1, 10**15))
def test_a_pro_rated_limit_is_above_zero_and_no_more_than_the_whole(created, nanos):
    budget = replace(plan(prorate_first=True, created_ms=created), limits=((-(2**63), nanos),))
    assert 1 <= base_of(budget, MONTH, None)[0] <= nanos


def test_a_day_of_23_hours_is_pro_rated_by_its_hours():
    rule = Calendar(Unit.DAY, time_zone="Europe/Berlin")
    noon = from_rfc3339("2026-03-29T12:00:00+02:00")
    budget = replace(plan(prorate_first=True, created_ms=noon), rule=rule)
    assert base_of(budget, current_period(rule, noon), None)[0] == pytest.approx(LIMIT * Fraction(12, 23), abs=1)


def test_a_planned_amount_holds_from_the_first_period_that_begins_with_it():
    budget = replace(plan(), limits=((-(2**63), 1), (MONTH.end_ms, 2), (2 * MONTH.end_ms, 3)))
    assert [base_of(budget, one, None)[0] for one in (MONTH, NEXT, Period(2 * MONTH.end_ms, None))] == [1, 2, 3]
    assert base_of(budget, Period(MONTH.end_ms - 1, None), None)[0] == 1


def test_a_limit_that_has_grown_counts_within_its_bound_and_never_below_what_is_written():
    budget = plan(growth=Growth(10, 2 * LIMIT))
    assert base_of(budget, MONTH, 3 * LIMIT)[0] == 2 * LIMIT
    assert base_of(budget, MONTH, LIMIT // 2)[0] == LIMIT
    assert base_of(plan(), MONTH, 3 * LIMIT)[0] == LIMIT, "growth was taken out of the spec"


GOOD = PastPeriod(MONTH, LIMIT, 0, PPM, PPM)
DEAR, POOR = replace(GOOD, unit_ppm=PPM + 1), replace(GOOD, success_ppm=PPM * 94 // 100)
UNKNOWN = replace(GOOD, unit_ppm=None)


def growing(*months, most=10 * LIMIT, periods=2):
    budget = plan(growth=Growth(10, most, held_periods=periods))
    found, history = Grown(), ()
    for month in months:
        history = (month, *history)
        found = grown(budget, found, history)
    return found


def test_it_grows_each_time_that_enough_periods_have_held_and_counts_anew():
    assert [growing(*[GOOD] * count).limit_nanos for count in range(5)] == [
        None,
        None,
        LIMIT * 110 // 100,
        LIMIT * 110 // 100,
        LIMIT * 121 // 100,
    ]


@pytest.mark.parametrize("bad", [DEAR, POOR, UNKNOWN, replace(GOOD, success_ppm=None)])
def test_a_period_that_did_not_hold_breaks_the_row_and_takes_nothing_back(bad):
    assert growing(GOOD, bad, GOOD).limit_nanos is None
    after = growing(GOOD, GOOD, bad)
    assert (after.limit_nanos, after.held_periods) == (LIMIT * 110 // 100, 0)
    assert after.message


def test_it_never_grows_beyond_its_bound():
    assert growing(*[GOOD] * 40, most=LIMIT * 115 // 100, periods=1).limit_nanos == LIMIT * 115 // 100
    assert "bound" in growing(*[GOOD] * 40, most=LIMIT * 115 // 100, periods=1).message
    assert growing(*[GOOD] * 4, most=LIMIT // 2).limit_nanos is None


def test_without_growth_nothing_grows():
    assert grown(plan(), Grown(1, 5), (GOOD,)) == Grown(1, 5)


@given(st.lists(st.sampled_from([GOOD, DEAR, POOR, UNKNOWN]), max_size=30), st.integers(1, 4))
def test_growth_never_shrinks_and_never_skips_its_row(months, periods):
    budget = plan(growth=Growth(10, 3 * LIMIT, held_periods=periods))
    found, history, row = Grown(), (), 0
    for month in months:
        history, before = (month, *history)[:3], found
        found = grown(budget, before, history)
        row = row + 1 if month is GOOD else 0
        assert (found.limit_nanos or 0) >= (before.limit_nanos or 0)
        if found.limit_nanos != before.limit_nanos:
            assert row >= periods
            assert LIMIT < found.limit_nanos <= 3 * LIMIT


def test_work_is_ready_for_its_next_stage_when_enough_periods_in_a_row_held():
    budget = plan(promotion=Promotion(held_periods=2), stage=Stage.PILOT)
    assert held_in_a_row((GOOD, GOOD, DEAR, GOOD), Fraction(95, 100)) == 2
    assert (ready(budget, (GOOD, GOOD)).is_ready, ready(budget, (GOOD, GOOD)).to) == (True, Stage.PRODUCTION)
    assert not ready(budget, (GOOD,)).is_ready
    assert not ready(budget, (DEAR, GOOD, GOOD)).is_ready
    assert ready(plan(), ()) is None


@pytest.mark.parametrize(("stage", "words"), [(Stage.PRODUCTION, "no next stage"), (None, "set spec.stage")])
def test_who_is_not_ready_hears_why(stage, words):
    found = ready(plan(promotion=Promotion(), stage=stage), (GOOD, GOOD))
    assert (found.is_ready, found.to) == (False, None)
    assert words in found.why


@pytest.mark.parametrize("stage", [None, *Stage])
def test_the_ladder_of_a_stage_ascends(stage):
    ladder = ladder_for(stage)
    facts = [rung for rung in ladder if rung.basis is Basis.ACTUAL]
    assert [rank(rung.gate) for rung in facts] == sorted(rank(rung.gate) for rung in facts)
    assert [rung.at for rung in facts] == sorted({rung.at for rung in facts})
    assert all(rung.exit < rung.at for rung in ladder)
    assert all(rank(rung.gate) <= rank(Gate.ANNOTATE) for rung in ladder if rung.basis is Basis.FORECAST)
    assert len({rung.name for rung in ladder}) == len(ladder)


def test_by_their_own_defaults_only_what_is_not_settled_yet_is_stopped():
    soft = {stage for stage in [None, *Stage] if rank(max_gate_for(stage)) < rank(Gate.SUSPEND)}
    assert soft == {None, Stage.PILOT, Stage.PRODUCTION}
    assert rank(max_gate_for(Stage.PRODUCTION)) <= rank(Gate.FREEZE_GROWTH)
