from dataclasses import replace
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.inventory.nodes import CapacityType
from aicost.domain.pricing.alike import prices_of_nodes
from aicost.domain.pricing.books import Discount, NodeMatch, NodeSplit, PriceDecision, ReferenceRates
from aicost.domain.pricing.node_split import NodeSize, NoPrice, split_node
from aicost.domain.pricing.quotes import node_gpu_cost_nanos, node_rest_cost, quote_for
from aicost.domain.pricing.selection import decide_prices
from support.pricing import GIB, HOUR, UNIT, book, entry, node

PRICES = st.integers(1, 500 * UNIT)
RATES = st.builds(ReferenceRates, st.integers(0, UNIT), st.integers(0, UNIT), st.integers(0, 10 * UNIT))
SIZES = st.builds(NodeSize, st.integers(1, 16), st.integers(0, 448_000), st.integers(0, 4096 * GIB))
SPLITS = st.sampled_from(list(NodeSplit))


def priced(name, per_gpu, per_node, split, share):
    plain = entry(name, split=split, share_ppm=share)
    return replace(plain, per_gpu_hour_nanos=per_gpu, per_node_hour_nanos=per_node)


NODE_PRICES = st.builds(priced, st.just("e"), st.none() | PRICES, PRICES, SPLITS, st.none() | st.integers(1, 1_000_000))


@given(NODE_PRICES, RATES, SIZES)
def test_the_parts_of_a_node_sum_to_its_price_exactly(price, rates, size):
    parts = split_node(price, rates, size, "USD")
    if isinstance(parts, NoPrice):
        return
    assert parts.gpu + parts.cpu + parts.memory + parts.undivided == price.per_node_hour_nanos
    assert min(parts.gpu, parts.cpu, parts.memory, parts.undivided) >= 0


@given(NODE_PRICES, RATES, st.integers(1, 16))
def test_the_fraction_of_a_gpu_hour_times_the_gpus_is_the_gpus_part_of_the_node(price, rates, gpus):
    facts = node(gpus=gpus)
    quote = quote_for(facts, book(price, reference=rates), price)
    if isinstance(quote, NoPrice):
        return
    parts = split_node(price, rates, NodeSize(gpus, facts.cpu_millis, facts.memory_bytes), "USD")
    assert Fraction(quote.gpu_hour_nanos_num, quote.gpu_hour_den) * gpus == parts.gpu
    decision = PriceDecision(HOUR, quote, (), "")
    assert abs(node_gpu_cost_nanos(decision, gpus, HOUR_MS) - parts.gpu) <= Fraction(1, 2)


@given(NODE_PRICES, RATES, st.integers(0, 16), st.integers(1, 2 * HOUR_MS))
def test_all_components_of_a_node_sum_to_its_price_to_the_nano(price, rates, gpus, duration_ms):
    facts = node(gpus=gpus, gpu_model="h100-80gb" if gpus else None)
    quote = quote_for(facts, book(price, reference=rates), price)
    if isinstance(quote, NoPrice):
        return
    decision = PriceDecision(HOUR, quote, (), "")
    rest = node_rest_cost(decision, duration_ms)
    parts = (node_gpu_cost_nanos(decision, gpus, duration_ms), rest.cpu or 0, rest.memory or 0)
    assert min(parts) >= 0
    exact = Fraction(price.per_node_hour_nanos * duration_ms, HOUR_MS)
    assert sum(parts) == (exact + Fraction(1, 2)).__floor__()
    for part, known in zip(parts[1:], (quote.cpu, quote.memory), strict=True):
        assert abs(part - Fraction(known or 0) * duration_ms / HOUR_MS) <= 2


MOMENTS = st.integers(HOUR.start_ms - HOUR_MS, HOUR.end_ms + HOUR_MS)
SPANS = st.tuples(MOMENTS, MOMENTS).map(lambda pair: Window(min(pair), max(pair)))
MATCHES = st.fixed_dictionaries(
    {},
    optional={
        "gpu_model": st.sampled_from(["h100-80gb", "H100", "h200"]),
        "instance_type": st.sampled_from(["p5.48xlarge", "p4d.24xlarge"]),
        "region": st.sampled_from(["us-east-1", "eu-west-1"]),
        "provider": st.just("aws"),
        "capacity_type": st.sampled_from([CapacityType.ON_DEMAND, CapacityType.SPOT]),
    },
)


@st.composite
def entries(draw):
    made = entry(
        draw(st.sampled_from("abcd")),
        effective=draw(SPANS),
        list_price=draw(st.booleans()),
        priority=draw(st.integers(-1, 1)),
        **draw(MATCHES),
    )
    per_gpu, per_node = draw(st.sampled_from([(True, False), (False, True), (True, True)]))
    return replace(
        made,
        per_gpu_hour_nanos=draw(PRICES) if per_gpu else None,
        per_node_hour_nanos=draw(PRICES) if per_node else None,
    )


BOOKS = st.lists(entries(), max_size=6).map(lambda drawn: book(*drawn))


@given(BOOKS)
def test_decisions_partition_the_window(drawn):
    decisions = decide_prices(node(), [drawn], HOUR)
    edges = [decision.span.start_ms for decision in decisions] + [HOUR.end_ms]
    assert edges[0] == HOUR.start_ms
    assert [decision.span.end_ms for decision in decisions] == edges[1:]
    assert all(decision.span.length_ms > 0 for decision in decisions)


@settings(max_examples=60)
@given(st.lists(BOOKS, max_size=3), st.randoms(use_true_random=False))
def test_neither_the_order_of_books_nor_of_entries_matters(drawn, shuffle):
    books = [replace(each, name=f"book-{number}") for number, each in enumerate(drawn)]
    expected = decide_prices(node(), books, HOUR)
    shuffled = [replace(each, entries=tuple(shuffle.sample(each.entries, len(each.entries)))) for each in books]
    assert decide_prices(node(), shuffle.sample(shuffled, len(shuffled)), HOUR) == expected


@given(BOOKS)
def test_what_is_chosen_matches_the_node_and_is_in_force_throughout(drawn):
    for decision in decide_prices(node(), [drawn], HOUR):
        if decision.chosen is not None:
            fitting = [
                each
                for each in drawn.entries
                if each.name == decision.chosen.entry
                and each.effective.start_ms <= decision.span.start_ms
                and decision.span.end_ms <= each.effective.end_ms
            ]
            assert fitting


@given(BOOKS, MOMENTS)
def test_a_window_that_is_cut_in_two_is_decided_alike(drawn, at):
    if at not in HOUR or at == HOUR.start_ms:
        return
    whole = decide_prices(node(), [drawn], HOUR)
    halves = [*decide_prices(node(), [drawn], Window(HOUR.start_ms, at))]
    halves += decide_prices(node(), [drawn], Window(at, HOUR.end_ms))
    for part in halves:
        (holder,) = [decision for decision in whole if part.span.start_ms in decision.span]
        assert part.chosen == holder.chosen


NODES = st.sampled_from(
    [
        node(),
        node(name="gpu-2"),
        node(region="eu-west-1"),
        node(zone="us-east-1b"),
        node(instance_type="p4d.24xlarge"),
        node(capacity_type=CapacityType.SPOT),
        node(gpu_model="h200"),
        node(gpus=4),
        node(cpu_millis=96_000),
        node(memory_bytes=GIB),
        node(gpus=0, gpu_model=None),
        node(gpus=0, gpu_model=None, capacity={"nvidia.com/gpu": 8}),
        node(labels={"pool": "a"}),
        node(labels={"pool": "b", "kubernetes.io/hostname": "gpu-1"}),
        node(annotations={"aicost.dev/price-per-node-hour": "9.5"}),
        node(annotations={"other": "1"}),
    ]
)
LABELLED = st.builds(
    lambda made, labels: replace(made, match=replace(made.match, node_labels=labels)),
    entries(),
    st.sampled_from([{}, {"pool": "a"}, {"pool": "b"}]),
)


@settings(max_examples=150)
@given(
    st.lists(LABELLED, max_size=5),
    st.lists(NODES, max_size=12),
    st.sampled_from([None, Fraction(300)]),
    st.sampled_from([{}, {"pool": "b"}]),
)
def test_nodes_that_are_decided_one_after_another_cost_what_each_costs_alone(drawn, some, watts, labels):
    less = Discount("d", 75_000_000, NodeMatch(node_labels=labels), HOUR)
    books = [replace(book(*drawn), discounts=(less,))]
    decide = prices_of_nodes(books, HOUR)
    assert [decide(one, watts) for one in some] == [decide_prices(one, books, HOUR, watts) for one in some]
