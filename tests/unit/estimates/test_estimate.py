"""What an object will cost: by which offers, in which range, and what is said where something is missing."""

from dataclasses import replace
from fractions import Fraction

import pytest

from aicost.domain.estimates.estimate import estimate
from aicost.domain.estimates.market import market_of, offline_market
from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.inventory.nodes import CapacityType, SharingMode
from aicost.domain.pricing.quotes import node_gpu_cost_nanos
from aicost.domain.pricing.selection import decide_prices
from aicost.domain.workloads.shapes import Scaling
from support.estimating import list_prices, template, workload
from support.pricing import H100_NODE, UNIT, book, entry, node

NOW = 1_780_000_000_000
OFFERED = {"nvidia.com/gpu": 8}
H100 = replace(H100_NODE, capacity=OFFERED)
L4 = node(
    name="l4-1", instance_type="g6.12xlarge", gpu_model="l4", gpus=4, capacity={"nvidia.com/gpu": 4}, cpu_millis=48_000
)
BOOK = book(entry("h", gpu_hour=2.5), entry("l", gpu_hour=0.6, gpu_model="l4"))


def cluster(*nodes, books=(BOOK,)):
    return market_of(nodes, books, NOW)


def dollars(estimated):
    price = estimated.per_hour
    return None if price is None else (float(price.low) / UNIT, float(price.high) / UNIT)


def test_an_object_without_accelerators_has_no_lines_and_no_price():
    nothing = estimate(workload(template(0)), cluster(H100))
    assert (nothing.lines, nothing.per_hour, nothing.unpriced, nothing.gpu_milli) == ((), None, "", 0)


def test_pods_times_gpus_times_price_is_the_hour_and_times_duration_the_total():
    found = estimate(workload(template(8, "h100-80gb", pods=2), hours=13), cluster(H100))
    assert dollars(found) == (40, 40)
    assert found.total_nanos == (520 * UNIT, 520 * UNIT)
    assert found.lines[0].candidates[0].quote.entry == "h"


def test_the_estimate_of_a_whole_node_is_what_the_node_will_be_billed_for_its_gpus():
    market = market_of([H100], [list_prices()], NOW)
    found = estimate(workload(template(8), hours=1), market)
    (decision,) = decide_prices(H100, [list_prices()], Window(NOW, NOW + HOUR_MS))
    assert found.total_nanos[0] == node_gpu_cost_nanos(decision, 8, HOUR_MS) > 0


def test_several_kinds_of_nodes_that_would_do_give_a_range():
    found = estimate(workload(template(2)), cluster(H100, L4))
    assert dollars(found) == (1.2, 5)
    assert [offer.gpu_model for offer in found.lines[0].candidates] == ["l4", "h100-80gb"]


def test_parts_are_added_and_rounded_once():
    third = book(entry("t", node_hour=1.0, gpu_model="l4", split=BOOK.entries[0].split), name="thirds")
    odd = replace(L4, gpus=3, capacity={"nvidia.com/gpu": 3}, cpu_millis=0, memory_bytes=0)
    found = estimate(workload(template(1), template(2), hours=1), cluster(odd, books=[third]))
    assert found.per_hour.low == Fraction(UNIT)
    assert found.total_nanos == (UNIT, UNIT)


def test_a_node_with_too_few_gpus_for_one_pod_is_no_candidate():
    assert dollars(estimate(workload(template(8)), cluster(H100, L4))) == (20, 20)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({"pool": "fast"}, (2.5, 2.5)),
        ({"pool": "slow"}, (0.6, 0.6)),
        ({"pool": "none"}, None),
        ({"beta__kubernetes__io_instance-type": "P5.48XLARGE"}, (2.5, 2.5)),
        ({"topology__kubernetes__io_region": "us-east-1"}, (0.6, 2.5)),
        ({"topology__kubernetes__io_region": "mars"}, None),
        ({"karpenter__sh_capacity-type": "spot"}, None),
        ({"karpenter__sh_capacity-type": "on-demand"}, (0.6, 2.5)),
    ],
)
def test_labels_that_the_pod_asks_for_decide_which_nodes_count(labels, expected):
    nodes = (replace(H100, labels={"pool": "fast"}), replace(L4, labels={"pool": "slow"}))
    assert dollars(estimate(workload(template(1, **labels)), cluster(*nodes, books=[BOOK]))) == expected


def test_a_model_without_a_size_names_all_its_sizes():
    nodes = [node(gpu_model=model, capacity=OFFERED) for model in ("a100-40gb", "a100-80gb", "a10")]
    prices = [entry(str(n), gpu_hour=n, gpu_model=one.gpu_model) for n, one in enumerate(nodes, 1)]
    assert dollars(estimate(workload(template(1, "a100")), cluster(*nodes, books=[book(*prices)]))) == (1, 2)


def test_a_slot_of_a_shared_gpu_costs_its_part():
    shared = replace(L4, sharing=SharingMode.TIME_SLICING, slots_per_gpu=4, capacity={"nvidia.com/gpu": 16})
    assert dollars(estimate(workload(template(2)), cluster(shared))) == (0.3, 0.3)
    renamed = replace(shared, capacity={"nvidia.com/gpu.shared": 16})
    asked = template(None, demand={"nvidia.com/gpu.shared": 1})
    assert dollars(estimate(workload(asked), cluster(renamed))) == (0.15, 0.15)


def test_half_a_gpu_costs_half():
    assert dollars(estimate(workload(template(0.5, demand={})), cluster(H100))) == (1.25, 1.25)


def test_one_unpriced_kind_of_node_among_those_that_would_do_makes_the_price_unknown():
    strange = node(name="x", gpu_model="b200", instance_type="x1.big", capacity=OFFERED)
    found = estimate(workload(template(1), hours=1), cluster(H100, strange))
    assert (found.per_hour, found.total_nanos) == (None, None)
    assert found.unpriced == "no price for x1.big b200: add an entry to a PriceBook"


def test_prices_in_two_currencies_are_no_range():
    euros = replace(book(entry("l", gpu_hour=0.6, gpu_model="l4"), name="euros"), currency="EUR")
    dollar_book = book(entry("h", gpu_hour=2.5))
    mixed = estimate(workload(template(1)), cluster(H100, L4, books=[dollar_book, euros]))
    assert mixed.per_hour is None
    assert "EUR and USD" in mixed.unpriced
    parts = workload(template(1, "l4", role="a"), template(1, "h100-80gb", role="b"))
    added = estimate(parts, cluster(H100, L4, books=[dollar_book, euros]))
    assert [line.per_hour.currency for line in added.lines] == ["EUR", "USD"]
    assert (added.per_hour, added.unpriced) == (
        None,
        "its parts are priced in different currencies, which are never added",
    )


def test_what_has_no_known_size_is_named_with_the_fix():
    found = estimate(workload(template(None, claims=("gpus",))), cluster(H100))
    assert found.per_hour is None
    assert found.unpriced == (
        "what the claim gpus asks for is not known here: put its ResourceClaimTemplate into the same file"
    )
    slice_of = estimate(workload(template(None, demand={"nvidia.com/mig-9g.1gb": 1})), cluster(H100))
    assert slice_of.unpriced == "it asks for nvidia.com/mig-9g.1gb, whose share of a GPU is not known"


def test_several_parts_that_miss_something_are_named():
    found = estimate(workload(template(1, "b200", role="head"), template(None, role="worker")), cluster(H100))
    assert found.unpriced == (
        "head: no node of the cluster has b200, and no PriceBook prices one that has; "
        "worker: what it asks for is described elsewhere (a runtime, a device class): put that into the same file"
    )


def test_the_most_that_an_autoscaled_object_may_cost_is_told():
    found = estimate(workload(template(1, "l4", pods=0, at_most=4), scaling=Scaling.AUTOSCALED), cluster(L4))
    assert dollars(found) == (0, 0)
    assert float(found.per_hour_max.high) / UNIT == 2.4
    assert estimate(workload(template(1, "l4")), cluster(L4)).per_hour_max is None


def test_what_no_node_has_is_priced_as_it_would_be_bought_where_the_cluster_stands():
    found = estimate(workload(template(8, "h100-80gb")), market_of([L4], [list_prices()], NOW))
    assert {(offer.region, offer.nodes) for offer in found.lines[0].candidates} == {("us-east-1", 0)}
    assert found.lines[0].note == "no node of the cluster would do now: priced as it would be bought"


class TestOffline:
    MARKET = offline_market([list_prices()], NOW)

    def test_the_books_are_the_market_by_model_and_by_instance_type(self):
        asked = template(1, beta__kubernetes__io_instance_type="g5.12xlarge")
        asked = replace(
            asked, hints=replace(asked.hints, node_labels={"beta.kubernetes.io/instance-type": "g5.12xlarge"})
        )
        found = estimate(workload(asked), self.MARKET)
        assert {offer.instance_type for offer in found.lines[0].candidates} == {"g5.12xlarge"}
        assert found.lines[0].gpu_models == ("a10g",)
        by_model = estimate(workload(template(8, "h200")), self.MARKET)
        assert {offer.instance_type for offer in by_model.lines[0].candidates} == {
            "p5en.48xlarge",
            "Standard_ND96isr_H200_v5",
        }

    def test_a_price_of_a_model_holds_on_the_machine_that_is_asked_for(self):
        labels = {"node.kubernetes.io/instance-type": "p5.48xlarge"}
        asked = replace(template(8), hints=replace(template(8).hints, node_labels=labels))
        own = offline_market([book(entry("own", gpu_hour=2), entry("l", gpu_hour=1, gpu_model="l4"))], NOW)
        assert dollars(estimate(workload(asked), own)) == (16, 16)

    def test_no_price_is_guessed_for_a_model_that_nothing_names(self):
        found = estimate(workload(template(1)), self.MARKET)
        assert found.per_hour is None
        assert found.unpriced == "no GPU model is named: add a nodeSelector such as nvidia.com/gpu.product"

    def test_a_person_may_say_which_model_is_meant(self):
        assumed = replace(self.MARKET, assumed_model="l4")
        found = estimate(workload(template(1), template(1, "t4")), assumed)
        assert [line.gpu_models for line in found.lines] == [("l4",), ("t4",)]

    def test_where_all_prices_are_of_one_model_nothing_is_left_to_guess(self):
        assert dollars(estimate(workload(template(1)), offline_market([book(entry("h", gpu_hour=2))], NOW))) == (2, 2)

    def test_a_machine_with_too_few_gpus_is_no_candidate(self):
        found = estimate(workload(template(4, "l4")), self.MARKET)
        assert min(offer.gpus for offer in found.lines[0].candidates) == 4

    def test_a_label_that_an_entry_names_tells_which_is_meant(self):
        lab = entry("lab", gpu_hour=1.1, gpu_model="rtx-pro-6000", node_labels={"pool": "lab"})
        market = offline_market([list_prices(), book(lab)], NOW)
        assert dollars(estimate(workload(template(1, pool="lab")), market)) == (1.1, 1.1)
        assert dollars(estimate(workload(template(1, pool="other")), market)) is None

    def test_a_price_of_ones_own_stands_before_list_prices_of_the_same_machine(self):
        market = offline_market([list_prices(), book(entry("own", gpu_hour=2), name="own")], NOW)
        found = estimate(workload(template(8, "h100-80gb")), market)
        assert {offer.quote.book for offer in found.lines[0].candidates} == {"own"}
        assert any(
            label.startswith("list-prices/") for offer in found.lines[0].candidates for label, _ in offer.rejected
        )

    def test_what_is_no_longer_in_force_is_no_offer(self):
        old = entry("old", gpu_hour=1, effective=Window(0, NOW))
        new = entry("new", gpu_hour=3, effective=Window(NOW, NOW + 1))
        assert dollars(estimate(workload(template(1)), offline_market([book(old, new)], NOW))) == (3, 3)

    def test_how_it_is_bought_is_a_range_unless_the_pod_says(self):
        prices = [
            entry("s", gpu_hour=1, gpu_model="l4", capacity_type=CapacityType.SPOT),
            entry("o", gpu_hour=3, gpu_model="l4", capacity_type=CapacityType.ON_DEMAND),
        ]
        market = offline_market([book(*prices)], NOW)
        assert dollars(estimate(workload(template(1)), market)) == (1, 3)
        spot = replace(template(1), hints=replace(template(1).hints, node_labels={"cloud.google.com/gke-spot": "true"}))
        assert dollars(estimate(workload(spot), market)) == (1, 1)
