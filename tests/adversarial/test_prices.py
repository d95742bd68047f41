"""Price books as nobody should write them, and as the API server cannot know them to be wrong."""

from dataclasses import replace

import pytest

from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.inventory.nodes import CapacityType, NodeFacts
from aicost.domain.pricing.books import ALWAYS, NodeMatch, NodeSplit, ReferenceRates
from aicost.domain.pricing.defects import DefectKind, find_defects
from aicost.domain.pricing.quotes import node_gpu_cost_nanos
from aicost.domain.pricing.selection import decide_prices
from support.pricing import HOUR, UNIT, book, entry, minutes, node


@pytest.mark.parametrize("price", [{"gpu_hour": 0}, {"gpu_hour": -3}, {"node_hour": 0}, {"node_hour": -1}, {}])
@pytest.mark.parametrize("split", list(NodeSplit))
def test_a_price_that_is_none_never_becomes_a_cost(price, split):
    (decision,) = decide_prices(node(), [book(entry("bad", split=split, share_ppm=500_000, **price))], HOUR)
    assert decision.chosen is None
    assert node_gpu_cost_nanos(decision, gpus=8, duration_ms=HOUR_MS) is None
    assert decision.rejected[0][0] == "book/bad"
    assert decision.rejected[0][1] in decision.reason


def test_an_unknown_machine_is_never_charged_at_what_another_costs():
    entries = [entry("h100", gpu_hour=2), entry("p4d", node_hour=20, instance_type="p4d.24xlarge")]
    stranger = NodeFacts(uid="x", name="stranger", created_ms=0, gpus=4)
    (decision,) = decide_prices(stranger, [book(*entries)], HOUR)
    assert decision.chosen is None
    assert "no price for node stranger (unknown)" in decision.reason


def test_overlapping_dates_are_told_and_one_price_holds_all_the_same():
    overlapping = book(
        entry("old", gpu_hour=3, effective=minutes(-60, 40)), entry("new", gpu_hour=2, effective=minutes(20, 120))
    )
    assert [defect.kind for defect in find_defects([overlapping])] == [DefectKind.OVERLAP]
    decisions = decide_prices(node(), [overlapping], HOUR)
    assert [(decision.span, decision.chosen.entry) for decision in decisions] == [
        (minutes(0, 20), "old"),
        (minutes(20, 60), "new"),
    ]


def test_a_price_for_one_millisecond_holds_for_one_millisecond():
    blink = Window(HOUR.start_ms + 7, HOUR.start_ms + 8)
    entries = [entry("usual", gpu_hour=1), entry("blink", gpu_hour=9, effective=blink)]
    decisions = decide_prices(node(), [book(*entries)], HOUR)
    assert [decision.chosen.entry for decision in decisions] == ["usual", "blink", "usual"]
    assert decisions[1].span == blink


def test_an_entry_that_never_holds_is_told_and_harms_nothing():
    never = entry("never", gpu_hour=9, effective=minutes(30, 30))
    decisions = decide_prices(node(), [book(never, entry("usual", gpu_hour=1))], HOUR)
    assert [decision.chosen.entry for decision in decisions] == ["usual"]
    assert [defect.kind for defect in find_defects([book(never)])] == [DefectKind.NEVER_HOLDS]


def test_the_same_entry_twice_is_one_price():
    twice = [entry("e", gpu_hour=2)] * 2
    (decision,) = decide_prices(node(), [book(*twice)], HOUR)
    assert decision.chosen.entry == "e"
    assert {defect.kind for defect in find_defects([book(*twice)])} == {DefectKind.DUPLICATE_NAME, DefectKind.OVERLAP}


def test_a_thousand_entries_for_one_thing_are_told_once_each():
    crowd = book(*[entry(f"e{number:03}", gpu_hour=1) for number in range(1_000)])
    assert len(find_defects([crowd])) == 999
    (decision,) = decide_prices(node(), [crowd], HOUR)
    assert decision.chosen.entry == "e000"


def test_an_empty_window_needs_no_decision():
    assert decide_prices(node(), [book(entry(gpu_hour=1))], Window(HOUR.start_ms, HOUR.start_ms)) == ()


def test_the_longest_time_and_the_highest_price_stay_exact():
    dear = entry("dear", gpu_hour=1)
    dear = replace(dear, per_gpu_hour_nanos=999_999_999_999_999_999)
    (decision,) = decide_prices(node(), [book(dear)], ALWAYS)
    cost = node_gpu_cost_nanos(decision, gpus=1024, duration_ms=1_000 * HOUR_MS)
    assert cost == 999_999_999_999_999_999 * 1024 * 1_000


def test_reference_rates_above_the_price_of_the_node_charge_no_negative_gpu():
    dear = ReferenceRates(cpu_core_nanos=900 * UNIT, memory_gib_nanos=900 * UNIT)
    (decision,) = decide_prices(node(), [book(entry("p5", node_hour=98), reference=dear)], HOUR)
    assert decision.chosen is None
    assert "spec.referenceRates.gpuHour" in dict(decision.rejected)["book/p5"]
    with_gpu = replace(dear, gpu_nanos=UNIT)
    (decision,) = decide_prices(node(), [book(entry("p5", node_hour=98), reference=with_gpu)], HOUR)
    assert decision.chosen.gpu_hour_nanos_num > 0


@pytest.mark.parametrize("capacity", [CapacityType.SPOT, CapacityType.RESERVED])
def test_list_prices_for_on_demand_price_nothing_that_was_bought_otherwise(capacity):
    listed = entry(
        "p5", node_hour=98, list_price=True, instance_type="p5.48xlarge", capacity_type=CapacityType.ON_DEMAND
    )
    (decision,) = decide_prices(node(capacity_type=capacity), [book(listed)], HOUR)
    assert decision.chosen is None
    assert f'capacityType: "{capacity}"' in decision.reason


def test_odd_texts_in_a_match_are_compared_and_nothing_more():
    odd = replace(entry("odd", gpu_hour=1), match=NodeMatch(gpu_model="<<<NULL>>>", region="\x00", zone="é" * 300))
    (decision,) = decide_prices(node(), [book(odd)], HOUR)
    assert decision.chosen is None
