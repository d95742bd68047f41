from fractions import Fraction

from aicost.domain.exact.windows import HOUR_MS
from aicost.domain.pricing.books import NodeSplit, PriceDecision
from aicost.domain.pricing.node_split import NoPrice
from aicost.domain.pricing.quotes import node_gpu_cost_nanos, quote_for
from support.pricing import HOUR, UNIT, book, entry, node


def quoted(price, **facts) -> Fraction:
    quote = quote_for(node(**facts), book(price), price)
    return Fraction(quote.gpu_hour_nanos_num, quote.gpu_hour_den) / UNIT


def test_a_node_price_over_three_gpus_is_an_exact_fraction():
    price = entry(node_hour=10, split=NodeSplit.GPU_SHARE, share_ppm=1_000_000)
    assert quoted(price, gpus=3) == Fraction(10, 3)


def test_a_price_per_gpu_needs_no_count_of_gpus():
    assert quoted(entry(gpu_hour=2.5), gpus=0) == Fraction(5, 2)


def test_the_entry_counts_the_gpus_where_the_node_does_not():
    price = entry(node_hour=10, split=NodeSplit.GPU_SHARE, share_ppm=1_000_000, gpu_count=4)
    assert quoted(price, gpus=0) == Fraction(10, 4)
    assert quoted(price, gpus=8) == Fraction(10, 8)


def test_a_price_of_zero_is_no_price():
    price = entry(gpu_hour=0)
    assert "prices must be above zero" in quote_for(node(), book(price), price).reason
    assert isinstance(quote_for(node(), book(entry(gpu_hour=-1)), entry(gpu_hour=-1)), NoPrice)


def test_the_gpus_of_a_node_are_rounded_together_and_not_one_by_one():
    price = entry(node_hour=10, split=NodeSplit.GPU_SHARE, share_ppm=1_000_000)
    decision = PriceDecision(HOUR, quote_for(node(gpus=3), book(price), price), (), "")
    assert node_gpu_cost_nanos(decision, gpus=3, duration_ms=HOUR_MS) == 10 * UNIT
    assert node_gpu_cost_nanos(decision, gpus=1, duration_ms=HOUR_MS) == 3_333_333_333


def test_what_has_no_price_costs_none_and_not_nothing():
    assert node_gpu_cost_nanos(PriceDecision(HOUR, None, (), "no entry"), gpus=8, duration_ms=HOUR_MS) is None
