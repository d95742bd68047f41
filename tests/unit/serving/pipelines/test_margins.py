"""Margins: what is brought, what it costs, and that nothing is lost on the way."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.serving.pipelines.margins import Margin, Value, first, in_order, value_in

NANOS = st.integers(-(10**15), 10**15)
HOURS = [Window(one * HOUR_MS, (one + 1) * HOUR_MS) for one in range(24)]
MARGINS = st.lists(
    st.builds(
        Margin,
        name=st.sampled_from(["", "a", "b", "c", "d"]),
        currency=st.sampled_from(["USD", "EUR"]),
        labelled_nanos=NANOS,
        shared_nanos=NANOS,
        value_nanos=st.none() | NANOS,
    ),
    unique_by=lambda one: (one.name, one.currency),
)


def test_a_margin_is_a_part_of_the_value_and_absent_where_there_is_none():
    assert Margin("a", "USD", 30, 10, 100).share == Fraction(60, 100)
    assert Margin("a", "USD", 30, 10, 0).share is None
    assert Margin("a", "USD", 30, 10, 0).margin_nanos == -40
    assert Margin("a", "USD", 30).margin_nanos is None


@given(NANOS, st.integers(0, 23), st.integers(1, 24))
def test_hours_of_a_period_bring_together_what_the_period_brings(nanos, cut, hours):
    value = Value("a", nanos, "USD", Window(0, hours * HOUR_MS))
    parts = [value_in([value], [one])["a", "USD"] for one in HOURS]
    assert sum(parts) == nanos
    both = [value_in([value], some)["a", "USD"] for some in (HOURS[:cut], HOURS[cut:])]
    assert sum(both) == nanos


@given(MARGINS, st.integers(1, 5))
def test_neither_money_nor_value_is_lost_where_only_the_first_are_named(margins, most):
    shown = first(in_order(margins), most)
    for currency in ("USD", "EUR"):
        mine, all_of = ([one for one in some if one.currency == currency] for some in (shown, margins))
        assert sum(one.cost_nanos for one in mine) == sum(one.cost_nanos for one in all_of)
        assert sum(one.value_nanos or 0 for one in mine) == sum(one.value_nanos or 0 for one in all_of)
        assert sum(one.names for one in mine) == len(all_of)


def test_the_worst_stand_first_and_what_belongs_to_nobody_last():
    made = [
        Margin("", "USD", 5),
        Margin("good", "USD", 1, 0, 9),
        Margin("silent", "USD", 7),
        Margin("bad", "USD", 9, 0, 1),
        Margin("worse", "USD", 99, 0, 1),
    ]
    assert [one.name for one in in_order(made)] == ["worse", "bad", "silent", "good", ""]
