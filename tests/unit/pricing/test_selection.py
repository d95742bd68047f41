from dataclasses import replace

import pytest

from aicost.domain.exact.windows import Window
from aicost.domain.inventory.nodes import CapacityType
from aicost.domain.pricing.books import NodeMatch
from aicost.domain.pricing.selection import decide_prices
from support.pricing import HOUR, INCUMBENT, book, entry, minutes, node


def decide(books, window=HOUR, **facts):
    (decision,) = decide_prices(node(**facts), books, window)
    return decision


def chosen(*entries, **facts):
    """The name of the entry that holds, None where none does."""
    quote = decide([book(*entries)], **facts).chosen
    return quote.entry if quote else None


@pytest.mark.parametrize(
    "match",
    [
        {"gpu_model": "h100-80gb"},
        {"gpu_model": "NVIDIA-H100-80GB-HBM3"},
        {"gpu_model": "H100"},
        {"instance_type": "P5.48xlarge"},
        {"provider": "AWS"},
        {"region": "us-east-1"},
        {"zone": "us-east-1a"},
        {"capacity_type": CapacityType.ON_DEMAND},
        {"node_labels": {"pool": "gpu"}},
        {"instance_type": "p5.48xlarge", "gpu_model": "h100-80gb", "region": "us-east-1"},
    ],
)
def test_an_entry_prices_the_nodes_that_it_names(match):
    assert chosen(entry("it", gpu_hour=2, **match), labels={"pool": "gpu"}) == "it"


@pytest.mark.parametrize(
    "match",
    [
        {"gpu_model": "h200"},
        {"instance_type": "p5.4xlarge"},
        {"provider": "gcp"},
        {"region": "us-east-2"},
        {"zone": "us-east-1b"},
        {"capacity_type": CapacityType.SPOT},
        {"node_labels": {"pool": "cpu"}},
        {"node_labels": {"pool": "gpu", "tier": "a"}},
        {"instance_type": "p5.48xlarge", "region": "eu-west-1"},
    ],
)
def test_an_entry_prices_no_other_node(match):
    assert chosen(entry("it", gpu_hour=2, **match), labels={"pool": "gpu"}) is None


def test_a_provider_may_be_written_as_in_provider_ids():
    assert chosen(entry("it", gpu_hour=2, provider="gce"), provider="gcp") == "it"


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"priority": 1, "list_price": True, "provider": "aws"}, {"instance_type": "p5.48xlarge"}),
        ({"provider": "aws"}, {"list_price": True, "instance_type": "p5.48xlarge"}),
        ({"node_labels": {"pool": "gpu"}}, {"instance_type": "p5.48xlarge"}),
        ({"node_labels": {"pool": "gpu", "tier": "a"}}, {"node_labels": {"pool": "gpu"}}),
        ({"instance_type": "p5.48xlarge"}, {"gpu_model": "h100-80gb", "region": "us-east-1"}),
        ({"gpu_model": "h100-80gb"}, {"capacity_type": CapacityType.ON_DEMAND, "zone": "us-east-1a"}),
        ({"capacity_type": CapacityType.ON_DEMAND}, {"zone": "us-east-1a", "region": "us-east-1"}),
        ({"zone": "us-east-1a"}, {"region": "us-east-1"}),
        ({"region": "us-east-1"}, {"provider": "aws"}),
        ({"provider": "aws", "effective": minutes(-10, 90)}, {"provider": "aws", "effective": minutes(-20, 90)}),
    ],
    ids=[
        "priority",
        "own price",
        "node labels",
        "more node labels",
        "instance type",
        "GPU model",
        "capacity type",
        "zone",
        "region",
        "began later",
    ],
)
def test_of_two_that_match_the_one_that_stands_first_holds(better, worse):
    facts = {"labels": {"pool": "gpu", "tier": "a"}}
    pair = (entry("z-better", gpu_hour=2, **better), entry("a-worse", gpu_hour=3, **worse))
    assert chosen(*pair, **facts) == chosen(*reversed(pair), **facts) == "z-better"


def test_of_equal_entries_the_first_name_holds_whatever_the_order():
    pair = [entry("b", gpu_hour=2), entry("a", gpu_hour=3)]
    assert chosen(*pair) == chosen(*reversed(pair)) == "a"
    books = [book(entry("e", gpu_hour=2), name="x"), book(entry("e", gpu_hour=3), name="w")]
    assert decide(books).chosen.book == decide(books[::-1]).chosen.book == "w"


def test_the_losers_are_listed_with_the_rule_that_put_them_back():
    own = entry("own", gpu_hour=2)
    listed = entry("listed", node_hour=98, list_price=True, instance_type="p5.48xlarge")
    elsewhere = entry("elsewhere", gpu_hour=1, instance_type="p5.48xlarge", region="eu-west-1")
    other = entry("other", gpu_hour=1, instance_type="g5.xlarge")
    decision = decide([book(other, elsewhere, listed, own)])
    assert decision.rejected == (
        ("book/elsewhere", "region: the entry says eu-west-1, the node us-east-1"),
        ("book/listed", "book/own stands before it: a price of your own beats a list price"),
    )
    assert decision.reason == "book/own matches by GPU model"


def test_an_entry_that_gives_no_price_is_passed_over_with_its_reason():
    broken = entry("broken", gpu_hour=20, node_hour=10, instance_type="p5.48xlarge")
    decision = decide([book(broken, entry("whole", gpu_hour=2))])
    assert decision.chosen.entry == "whole"
    assert "correct one of the two" in dict(decision.rejected)["book/broken"]


def test_an_entry_that_names_nothing_is_no_default():
    everything = replace(entry("all", gpu_hour=9), match=NodeMatch())
    decision = decide([book(everything)])
    assert decision.chosen is None
    assert decision.rejected == (("book/all", "its match is empty, and nothing is charged at a default"),)


def test_a_list_price_is_marked_in_the_reason_and_in_the_quote():
    decision = decide([book(entry("p5", gpu_hour=2, list_price=True, instance_type="p5.48xlarge"))])
    assert decision.reason == "book/p5 (list price) matches by instance type"
    assert decision.chosen.list_price


def test_a_spot_node_is_not_charged_at_an_on_demand_price():
    entries = [entry("od", gpu_hour=9, instance_type="p5.48xlarge", capacity_type=CapacityType.ON_DEMAND)]
    decision = decide([book(*entries)], capacity_type=CapacityType.SPOT)
    assert decision.chosen is None
    assert "capacityType: the entry says on-demand, the node spot" in decision.reason


def test_an_entry_that_names_no_capacity_type_prices_a_spot_node_and_says_so():
    decision = decide([book(entry("any", gpu_hour=9))], capacity_type=CapacityType.SPOT)
    assert decision.reason == (
        "book/any matches by GPU model; the entry names no capacityType, so it prices this spot node too"
    )


@pytest.mark.parametrize(
    ("named", "matches"),
    [(CapacityType.ON_DEMAND, True), (CapacityType.SPOT, False), (CapacityType.RESERVED, False)],
)
def test_a_node_that_does_not_say_how_it_was_bought_counts_as_on_demand(named, matches):
    decision = decide([book(entry("it", gpu_hour=9, capacity_type=named))], capacity_type=CapacityType.UNKNOWN)
    assert (decision.chosen is not None) is matches
    assert ("so it counts as on-demand" in decision.reason) is matches


def test_prices_that_change_inside_the_window_hold_piecewise():
    entries = [
        entry("always", gpu_hour=1, provider="aws"),
        entry("offer", gpu_hour=2, effective=minutes(10, 20)),
        entry("later", gpu_hour=3, effective=minutes(50, 90)),
    ]
    decisions = decide_prices(node(), [book(*entries)], HOUR)
    assert [(decision.span, decision.chosen.entry) for decision in decisions] == [
        (minutes(0, 10), "always"),
        (minutes(10, 20), "offer"),
        (minutes(20, 50), "always"),
        (minutes(50, 60), "later"),
    ]
    assert dict(decisions[0].rejected)["book/offer"].startswith("its price holds from 1970-02-11T16:10:00Z until")
    assert dict(decisions[1].rejected)["book/always"] == "book/offer stands before it: it names the GPU model"


def test_time_without_a_price_is_a_decision_of_its_own():
    decisions = decide_prices(node(), [book(entry("it", gpu_hour=2, effective=minutes(-60, 15)))], HOUR)
    assert [(decision.span, decision.chosen is None) for decision in decisions] == [
        (minutes(0, 15), False),
        (minutes(15, 60), True),
    ]


def test_dates_of_entries_that_do_not_hold_cut_nothing():
    entries = [
        entry("own", gpu_hour=2, instance_type="p5.48xlarge"),
        entry("worse", gpu_hour=3, effective=minutes(20, 40)),
        entry("elsewhere", gpu_hour=3, region="eu-west-1", effective=minutes(10, 30)),
    ]
    assert [decision.span for decision in decide_prices(node(), [book(*entries)], HOUR)] == [HOUR]


def test_a_price_holds_from_its_first_moment_until_just_before_its_last():
    price = entry("it", gpu_hour=2, effective=minutes(0, 60))
    assert chosen(price) == "it"
    before = Window(HOUR.start_ms - 1, HOUR.start_ms)
    assert decide([book(price)], before).chosen is None
    assert decide([book(price)], Window(HOUR.end_ms, HOUR.end_ms + 1)).chosen is None


def test_a_node_without_a_price_gets_the_entry_to_add():
    decision = decide([], capacity_type=CapacityType.SPOT)
    assert decision.chosen is None
    assert decision.reason == (
        "no price for node gpu-1 (p5.48xlarge, h100-80gb, us-east-1, spot). Add this to spec.entries of a PriceBook, "
        "with the price in place of PRICE:\n"
        "- name: p5.48xlarge-us-east-1-spot\n"
        "  match:\n"
        '    instanceType: "p5.48xlarge"\n'
        '    gpuModel: "h100-80gb"\n'
        '    provider: "aws"\n'
        '    region: "us-east-1"\n'
        '    capacityType: "spot"\n'
        '  perNodeHour: "PRICE"'
    )


def test_an_entry_that_matches_but_comes_to_no_price_is_what_to_mend():
    small = entry("small", node_hour=1, instance_type="p5.48xlarge")
    without_gpus = replace(INCUMBENT, gpu_nanos=0)
    decision = decide([book(small, reference=without_gpus)])
    assert decision.chosen is None
    assert decision.reason == (
        "no price for node gpu-1 (p5.48xlarge, h100-80gb, us-east-1, on-demand): book/small matches, "
        "but CPU and memory at the reference rates would leave nothing, so by ratio: the split by ratio "
        "needs the book's spec.referenceRates.gpuHour: add it"
    )
