"""Owning beside buying: the break-even is where both cost the same, and what is not known is absent."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.exact.windows import HOUR_MS
from aicost.domain.serving.api_prices import ApiPrice, Comparison, Incomparable, compare
from aicost.domain.serving.gateway_prices import gateway_prices
from aicost.domain.serving.meters import Count
from aicost.domain.serving.phases import phases_of
from aicost.domain.serving.tallies import Tally
from aicost.domain.serving.unit_costs import Spent, unit_costs

DOLLAR = 10**9
PRICE = ApiPrice("m", "acme", 1 * DOLLAR, DOLLAR // 10, 4 * DOLLAR, "USD", "a list")


def costs(cost=6 * DOLLAR, idle=None, gpu=None, currency="USD", **counts):
    did = Tally(counts={Count[name.upper()]: number for name, number in counts.items()})
    return unit_costs(Spent(cost, idle, currency, gpu), did, phases_of(did))


def test_the_same_tokens_at_an_api():
    one = compare(costs(input=3_000_000, cached=1_000_000, output=500_000), PRICE, 2 * HOUR_MS)
    assert one.there_nanos == 4_100_000_000  # 2 x $1 + 1 x $0.10 + 0.5 x $4
    assert one.dearer_nanos == 1_900_000_000
    assert one.load == 1_750_000
    # $3 an hour over $4.10 for 3.5 million tokens
    assert one.break_even == Fraction(3 * 3_500_000 * 10, 41)


def test_what_idled_is_a_part_of_the_cost_and_tells_how_busy_the_break_even_is():
    one = compare(costs(cost=6 * DOLLAR, gpu=5 * DOLLAR, idle=4 * DOLLAR, input=0, output=10**6), PRICE, HOUR_MS)
    assert (one.here_nanos, one.ratio) == (6 * DOLLAR, Fraction(3, 2))
    assert (one.busy, one.break_even_busy) == (Fraction(1, 5), Fraction(3, 10))


def test_cached_tokens_without_a_price_cost_what_prompts_cost():
    one = compare(costs(input=2_000_000, cached=1_000_000, output=0), replace(PRICE, cached_nanos=None), HOUR_MS)
    assert one.there_nanos == 2 * DOLLAR


@pytest.mark.parametrize(
    ("given_costs", "price", "why"),
    [
        (costs(currency="EUR", input=1, output=1), PRICE, Incomparable.CURRENCY),
        (costs(input=1), PRICE, Incomparable.TOKENS),
        (costs(output=1), PRICE, Incomparable.TOKENS),
        (costs(), PRICE, Incomparable.TOKENS),
        (costs(input=0, output=0), PRICE, Incomparable.NOTHING_DONE),
        (costs(input=1, output=1), replace(PRICE, output_nanos=None), Incomparable.NO_OUTPUT_PRICE),
    ],
)
def test_what_cannot_be_compared_says_why(given_costs, price, why):
    assert compare(given_costs, price, HOUR_MS) is why


def test_embeddings_have_no_answers_and_need_no_price_of_them():
    one = compare(costs(input=10**6, vectors=5), replace(PRICE, output_nanos=None), HOUR_MS)
    assert one.there_nanos == DOLLAR


def test_how_busy_is_absent_where_it_is_not_measured():
    for spent in ({"idle": 1}, {"gpu": 5}, {"gpu": 0, "idle": 0}):
        one = compare(costs(input=1, output=1, **spent), PRICE, HOUR_MS)
        assert (one.busy, one.break_even_busy) == (None, None)


def test_where_it_costs_nothing_there_is_no_break_even():
    free = replace(PRICE, cached_nanos=0)
    one = compare(costs(input=5, cached=5, output=0), free, HOUR_MS)
    assert (one.there_nanos, one.ratio, one.break_even) == (0, None, None)


amounts, numbers = st.integers(0, 10**13), st.integers(0, 10**12)
nanos = st.integers(1, 10**12)
listed = st.builds(
    ApiPrice, st.just("m"), st.just("p"), nanos, st.none() | st.integers(0, 10**12), nanos, st.just("USD"), st.just("s")
)


@given(amounts, numbers, numbers, numbers, listed, st.integers(1, 10**10))
def test_at_the_break_even_an_hour_here_costs_what_it_costs_there(cost, prompts, cached, answers, price, span_ms):
    one = compare(costs(cost=cost, input=prompts, cached=cached, output=answers), price, span_ms)
    if not isinstance(one, Comparison):
        assert (prompts, answers) == (0, 0)
        return
    assert one.here_nanos == cost
    if one.break_even is None:
        assert one.there_nanos == 0
        return
    assert one.break_even * one.there_nanos / one.tokens == Fraction(cost) / one.hours
    assert (one.break_even > one.load) == (one.dearer_nanos > 0)
    assert (one.break_even == one.load) == (one.dearer_nanos == 0)


@given(amounts, amounts, numbers, numbers, listed, st.integers(1, 10**10))
def test_what_idles_moves_neither_the_cost_nor_the_break_even(cost, idle, prompts, answers, price, span_ms):
    both = [
        compare(costs(cost, each, cost, input=prompts, output=answers), price, span_ms)
        for each in (None, min(idle, cost))
    ]
    if isinstance(both[0], Comparison):
        assert replace(both[1], busy=None) == both[0]


@given(st.lists(st.tuples(amounts, numbers, numbers, numbers), min_size=1, max_size=4))
def test_what_a_gateway_is_told_charges_the_whole_cost_for_the_same_tokens(workloads):
    mine = [costs(cost, input=prompts, cached=cached, output=answers) for cost, prompts, cached, answers in workloads]
    (told,) = gateway_prices(("m", one) for one in mine)
    charged = Fraction(0)
    for kind in ("input", "cached", "output"):
        tokens = sum(found.tokens for one in mine if (found := getattr(one, kind)))
        assert (getattr(told, kind) is None) == (tokens == 0)
        charged += (getattr(told, kind) or 0) * tokens / 10**6
    assert charged == sum(one.spent.cost_nanos for one in mine if one.phases)


def test_a_model_in_two_currencies_has_two_prices():
    found = gateway_prices([("m", costs(input=1, output=1)), ("m", costs(currency="EUR", input=1, output=1))])
    assert [one.currency for one in found] == ["EUR", "USD"]
