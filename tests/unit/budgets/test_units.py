"""What counters counted in all, how far that is known, and its ratios."""

from fractions import Fraction

from aicost.domain.budgets.units.counts import (
    CounterSum,
    CountMethod,
    UnitCount,
    add_up,
    cost_per_success,
    cost_per_unit,
    success_rate,
    unit_count,
)
from aicost.domain.sampling.counters.growth import Growth


def test_series_add_up_to_whole_units():
    whole = add_up([Growth(1.75, is_whole=True), Growth(2.5, is_whole=True)])
    assert whole == CounterSum(4, 2, CountMethod.INCREASE)
    assert add_up([]) == CounterSum(None, 0, CountMethod.NO_SAMPLES)
    assert add_up([None, None]) == CounterSum(None, 2, CountMethod.NO_SAMPLES)


def test_a_series_whose_beginning_is_not_known_makes_the_sum_a_lower_bound():
    assert add_up([Growth(3, is_whole=True), None]) == CounterSum(3, 2, CountMethod.AT_LEAST)
    assert add_up([Growth(3, is_whole=False)]) == CounterSum(3, 1, CountMethod.AT_LEAST)


def test_the_counter_that_is_known_less_well_names_the_method():
    units, successes = CounterSum(10, 2, CountMethod.INCREASE), CounterSum(None, 0, CountMethod.NO_SAMPLES)
    assert unit_count(units, successes) == UnitCount(10, None, 2, CountMethod.NO_SAMPLES)
    assert unit_count(units, None) == UnitCount(10, None, 2, CountMethod.INCREASE)


def done(units: int | None, successes: int | None = None) -> UnitCount:
    return UnitCount(units, successes, 1, CountMethod.INCREASE)


def test_ratios_are_exact_and_undefined_where_there_is_nothing_to_divide_by():
    assert cost_per_unit(10, done(3)) == Fraction(10, 3)
    assert cost_per_success(10, done(9, 4)) == Fraction(5, 2)
    assert success_rate(done(9, 3)) == Fraction(1, 3)
    assert success_rate(done(9, 0)) == 0, "no success among units is a rate of 0"
    for nothing in (done(None), done(0, 0), done(None, 3)):
        assert (cost_per_unit(10, nothing), success_rate(nothing)) == (None, None)
    assert (cost_per_success(10, done(9, 0)), cost_per_success(10, done(9)), success_rate(done(9))) == (
        None,
        None,
        None,
    )


def test_a_success_that_is_read_before_its_unit_makes_no_rate_above_1():
    assert success_rate(done(9, 10)) == 1
