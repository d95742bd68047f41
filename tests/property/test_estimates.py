"""What holds of every estimate."""

from dataclasses import replace
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.estimates.estimate import estimate
from aicost.domain.estimates.texts import estimate_text
from aicost.domain.estimates.values import BudgetLeft, Market, Offer
from aicost.domain.pricing.books import PriceQuote
from support.estimating import template, workload


def quote(price: Fraction | None) -> PriceQuote | None:
    if price is None:
        return None
    return PriceQuote("b", "e", "USD", price.numerator, price.denominator, list_price=False, source="", explanation="")


MODELS = st.sampled_from(["h100-80gb", "l4", "t4"])
PRICES = st.fractions(min_value=1, max_value=10**13, max_denominator=1000)
OFFERS = st.builds(
    lambda model, price, gpus: Offer(model, nodes=1, gpus=gpus, resources={"nvidia.com/gpu": gpus}, quote=quote(price)),
    MODELS,
    PRICES,
    st.integers(1, 8),
)
TEMPLATES = st.builds(
    lambda gpus, models, pods, more: template(gpus, *models, pods=pods, at_most=pods + more),
    st.integers(1, 8),
    st.lists(MODELS, max_size=2, unique=True),
    st.integers(0, 50),
    st.integers(0, 5),
)


def market(offers) -> Market:
    return Market(tuple(offers))


@given(st.lists(TEMPLATES, min_size=1, max_size=4), st.lists(OFFERS, max_size=6))
def test_the_whole_is_the_sum_of_its_parts_or_not_known(templates, offers):
    found = estimate(workload(*templates, hours=7), market(offers))
    parts = [line.per_hour for line in found.lines]
    if found.per_hour is None:
        assert None in parts
        assert found.unpriced
        assert found.total_nanos is None
    else:
        assert found.per_hour.low == sum(part.low for part in parts)
        assert found.per_hour.high == sum(part.high for part in parts)
        assert found.per_hour.low <= found.per_hour.high
        exact = (7 * found.per_hour.low, 7 * found.per_hour.high)
        assert all(abs(one - of) <= Fraction(1, 2) for one, of in zip(found.total_nanos, exact, strict=True))


@given(TEMPLATES, st.lists(OFFERS, min_size=1, max_size=6), st.randoms())
def test_the_order_of_offers_does_not_matter(one, offers, random):
    shuffled = list(offers)
    random.shuffle(shuffled)
    first, second = (estimate(workload(one), market(each)) for each in (offers, shuffled))
    assert (first.per_hour, first.unpriced) == (second.per_hour, second.unpriced)


@given(TEMPLATES, st.lists(OFFERS, min_size=1, max_size=5), OFFERS)
def test_one_more_offer_never_narrows_the_range(one, offers, more):
    before = estimate(workload(one), market(offers)).per_hour
    after = estimate(workload(one), market([*offers, more])).per_hour
    if before is not None:
        assert after is not None
        assert after.low <= before.low <= before.high <= after.high


@given(TEMPLATES, st.lists(OFFERS, min_size=1, max_size=5))
def test_an_offer_without_a_price_is_never_priced(one, offers):
    strange = replace(offers[0], gpu_model="h100-80gb", gpus=8, resources={"nvidia.com/gpu": 8}, quote=None)
    found = estimate(workload(one), market([*offers, strange]))
    if any(offer.quote is None for line in found.lines for offer in line.candidates):
        assert found.per_hour is None
        assert "no price for" in found.unpriced


@given(st.text(), st.text(), st.integers(-(10**15), 10**15), st.integers(0, 10**9))
def test_the_text_is_one_short_line_whatever_people_call_things(model, name, left, hours):
    budget = BudgetLeft(name, left, 10**15, "USD", None)
    found = estimate(workload(template(3, model or "x"), hours=hours), market([]))
    said = estimate_text(found, [budget])
    assert len(said) <= 250
    assert len(said.splitlines()) == 1
