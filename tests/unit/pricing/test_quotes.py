from fractions import Fraction

from aicost.domain.exact.windows import HOUR_MS
from aicost.domain.pricing.books import NodeSplit, PriceDecision, ReferenceRates
from aicost.domain.pricing.node_split import NoPrice
from aicost.domain.pricing.quotes import RestCost, node_gpu_cost_nanos, node_rest_cost, quote_for
from support.pricing import GIB, HOUR, INCUMBENT, UNIT, book, entry, node


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


BARE = ReferenceRates()
CPU_NODE = node(gpus=0, gpu_model=None, instance_type="m7i.xlarge", cpu_millis=4_000, memory_bytes=16 * GIB)


def rest_of(facts, priced, reference=INCUMBENT, duration_ms=HOUR_MS):
    quote = quote_for(facts, book(priced, reference=reference), priced)
    return node_rest_cost(PriceDecision(HOUR, quote, (), ""), duration_ms)


def test_a_node_without_gpus_is_shared_by_cpu_and_memory():
    rates = ReferenceRates(cpu_core_nanos=30_000_000, memory_gib_nanos=5_000_000)
    assert rest_of(CPU_NODE, entry(node_hour=0.2, instance_type="m7i.xlarge"), rates) == RestCost(
        120_000_000, 80_000_000
    )


def test_without_reference_rates_what_is_not_the_gpus_is_undivided_and_counts_as_cpu():
    priced = entry(node_hour=0.2, instance_type="m7i.xlarge")
    quote = quote_for(CPU_NODE, book(priced, reference=BARE), priced)
    assert (quote.undivided, quote.cpu, quote.memory) == (True, 200_000_000, None)
    assert rest_of(CPU_NODE, priced, BARE) == RestCost(200_000_000, None)


def test_a_price_per_gpu_hour_alone_says_nothing_of_cpu_and_memory_without_reference_rates():
    assert rest_of(node(), entry(gpu_hour=2), BARE) == RestCost(None, None)
    assert rest_of(node(), entry(gpu_hour=2)) == RestCost(192 * 31_611_000, 2048 * 4_237_000)


def test_a_price_per_gpu_hour_alone_is_no_price_of_a_node_without_gpus():
    priced = entry(gpu_hour=2, provider="aws")
    assert "give perNodeHour" in quote_for(CPU_NODE, book(priced), priced).reason


def test_what_is_all_inside_the_price_of_the_gpus_costs_nothing_known_and_not_zero():
    assert rest_of(node(), entry(node_hour=98), BARE) == RestCost(None, None)
    assert rest_of(node(), entry(node_hour=80, gpu_hour=10)) == RestCost(None, None)


def test_a_span_without_a_price_costs_nothing_known():
    assert node_rest_cost(PriceDecision(HOUR, None, (), "no entry"), HOUR_MS) == RestCost(None, None)
