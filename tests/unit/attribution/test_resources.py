"""CPU and memory of one node: who holds how much, and what it costs."""

from dataclasses import replace

import pytest

from aicost.domain.attribution.resources.wording import UNDIVIDED
from aicost.domain.exact.windows import HOUR_MS
from aicost.domain.ledger.rows import Bucket, Component, Method, Quality
from aicost.domain.pricing.books import PriceDecision
from support.nodes import HOUR, at, span
from support.residents import DOLLAR, GIB, dollars, host, housed, priced, resident, state_host

ONE_A_CORE = priced(4 * DOLLAR, 16 * DOLLAR)
"""A dollar for each of four cores, and for each of sixteen GiB."""


def stated(*residents, life=None, prices=(ONE_A_CORE,), components=(Component.CPU, Component.MEMORY)):
    return state_host(housed(HOUR, residents, prices, life), components)


def cpu_of(*residents, **more):
    return dollars(stated(*residents, **more)[0])


def test_a_pod_whose_use_is_unknown_pays_for_what_it_asks_for():
    assert cpu_of(resident("a", [(0, 60, 1)])) == {("a", "allocated-unmeasured"): 1, ("", "unallocated"): 3}


def test_a_pod_that_uses_less_than_it_asks_for_pays_for_its_idle():
    found = cpu_of(resident("a", [(0, 60, 2)], cpu=[(0, 60, 0.5)]))
    assert found == {("a", "used"): 0.5, ("a", "allocated-idle"): 1.5, ("", "unallocated"): 2}


def test_a_pod_that_uses_more_than_it_asks_for_pays_for_what_it_uses():
    assert cpu_of(resident("a", [(0, 60, 1)], cpu=[(0, 60, 3)])) == {("a", "used"): 3, ("", "unallocated"): 1}


def test_use_and_request_are_compared_at_each_moment_and_not_over_the_hour():
    found = cpu_of(resident("a", [(0, 60, 1)], cpu=[(0, 30, 2), (30, 60, 0)]))
    assert found == {("a", "used"): 1, ("a", "allocated-idle"): 0.5, ("", "unallocated"): 2.5}


def test_time_that_no_sample_covers_is_unmeasured_and_not_idle():
    found = cpu_of(resident("a", [(0, 60, 1)], cpu=[(15, 45, 1)]))
    assert found == {("a", "used"): 0.5, ("a", "allocated-unmeasured"): 0.5, ("", "unallocated"): 3}


def test_a_pod_that_asks_for_nothing_pays_for_what_is_measured_and_else_for_nothing():
    assert cpu_of(resident("a", [(0, 60, 0)], cpu=[(0, 60, 1)])) == {("a", "used"): 1, ("", "unallocated"): 3}
    assert cpu_of(resident("a", [(0, 60, 0)])) == {("", "unallocated"): 4}


def test_what_is_held_beyond_the_node_is_scaled_down():
    pods = resident("a", [(0, 60, 3)]), resident("b", [(0, 60, 1)], cpu=[(0, 60, 5)])
    assert cpu_of(*pods) == {("a", "allocated-unmeasured"): 1.5, ("b", "used"): 2.5}


def test_a_part_of_the_platform_is_system_whether_it_is_measured_or_not():
    pods = resident("a", [(0, 60, 1)], system=True), resident("b", [(0, 60, 1)], cpu=[(0, 60, 2)], system=True)
    assert cpu_of(*pods) == {("a", "system"): 1, ("b", "system"): 2, ("", "unallocated"): 1}


def test_g15_a_pod_resized_in_place_pays_piece_by_piece():
    found = stated(resident("a", [(0, 15, 1), (15, 45, 4), (45, 60, 2)]))[0]
    assert dollars(found) == {("a", "allocated-unmeasured"): 2.75, ("", "unallocated"): 1.25}
    assert dollars(found, Component.MEMORY)["a", "allocated-unmeasured"] == 2.75
    (row,) = (row for row in found if row.holder.pod and row.component is Component.CPU)
    assert row.quantity == 1_000 * 2.75 * 3_600  # milli-core-seconds


def test_a_price_that_changes_counts_from_its_moment():
    prices = (priced(4 * DOLLAR, 0, span(0, 30)), priced(8 * DOLLAR, 0, span(30, 60), "later"))
    found = cpu_of(resident("a", [(0, 30, 4)]), resident("b", [(30, 60, 4)]), prices=prices)
    assert found == {("a", "allocated-unmeasured"): 2, ("b", "allocated-unmeasured"): 4}


def test_a_node_is_charged_for_the_time_that_it_was_there():
    life = host(since_ms=at(30), until_ms=at(45))
    rows, charges = stated(resident("a", [(30, 45, 1)]), life=life)
    assert dollars(rows) == {("a", "allocated-unmeasured"): 0.25, ("", "unallocated"): 0.75}
    assert [charge.span for charge in charges] == [span(30, 45)] * 2


def test_the_quantities_sum_to_what_the_node_has():
    rows, _ = stated(resident("a", [(0, 7, 1.111)], cpu=[(0, 3, 0.3333)]), resident("b", [(3, 59, 0.001)]))
    for component, whole in ((Component.CPU, 4_000 * 3_600), (Component.MEMORY, 16 * 1024 * 3_600)):
        assert sum(row.quantity for row in rows if row.component is component) == whole


def test_without_a_price_the_quantities_are_counted_and_nothing_is_charged():
    rows, charges = stated(resident("a", [(0, 60, 1)]), prices=(PriceDecision(HOUR, None, (), "no entry"),))
    assert {row.cost_nanos for row in rows} == {None}
    assert {row.currency for row in rows} == {""}
    assert sum(row.quantity for row in rows if row.component is Component.CPU) == 4_000 * 3_600
    assert [charge.reason for charge in charges] == ["no entry"] * 2


def test_a_price_that_says_nothing_of_memory_leaves_it_uncovered_and_not_at_zero():
    rows, charges = stated(resident("a", [(0, 60, 1)]), prices=(priced(4 * DOLLAR, None),))
    assert {row.cost_nanos for row in rows if row.component is Component.MEMORY} == {None}
    assert "says no price of memory" in charges[1].reason


def test_what_no_reference_rate_divides_is_cpu_with_a_flag():
    decision = priced(4 * DOLLAR, None)
    decision = replace(decision, chosen=replace(decision.chosen, undivided=True))
    rows, _ = stated(resident("a", [(0, 60, 1)]), prices=(decision,))
    assert {row.flags for row in rows if row.component is Component.CPU} == {(UNDIVIDED,)}
    assert {row.flags for row in rows if row.component is Component.MEMORY} == {()}


def test_rows_say_what_they_rest_on():
    rows, _ = stated(resident("a", [(0, 60, 2)], cpu=[(0, 60, 1)], uncertain=True))
    found = {(row.component, row.holder.pod, row.bucket): row for row in rows}
    used = found[Component.CPU, "a", Bucket.USED]
    assert (used.method, used.quality, used.signal) == (Method.REQUEST_OR_USE, Quality.MEASURED_COUNTER, "cpu-usage")
    assert (used.flags, used.error_nanos, used.gpu_milliseconds) == (("gap",), None, 0)
    memory = found[Component.MEMORY, "a", Bucket.ALLOCATED_UNMEASURED]
    assert (memory.quality, memory.signal) == (Quality.ASSUMED, "")
    assert found[Component.MEMORY, "", Bucket.UNALLOCATED].quality is Quality.ASSUMED


def test_pods_of_one_holder_end_in_one_row():
    first = resident("a", [(0, 60, 1)])
    second = resident("b", [(0, 60, 1)])._replace(holder=first.holder)
    rows, _ = stated(first, second, components=(Component.CPU,))
    assert [(row.bucket, row.cost_nanos) for row in rows] == [
        (Bucket.ALLOCATED_UNMEASURED, 2 * DOLLAR),
        (Bucket.UNALLOCATED, 2 * DOLLAR),
    ]


def test_a_node_that_does_not_say_what_it_has_is_not_divided():
    assert stated(resident("a", [(0, 60, 1)]), life=host(cores=0, gib=0)) == ((), ())


@pytest.mark.parametrize("cores", [2**53 / 1_000, 10**12])
def test_absurd_amounts_neither_overflow_nor_lose_a_nano(cores):
    pods = [resident(name, [(0, 60, cores)], cpu=[(0, 60, 9_000_000)]) for name in "abc"]
    rows, charges = stated(*pods)
    assert sum(row.cost_nanos for row in rows) == sum(charge.cost_nanos for charge in charges) == 20 * DOLLAR
    huge = host(cores=2**50 / 1_000, gib=2**50 / GIB)
    rows, _ = stated(*pods, life=huge)
    assert sum(row.cost_nanos for row in rows) == 20 * DOLLAR


def test_a_storm_of_resizes_costs_what_each_of_them_held():
    steps = [(minute / 60, (minute + 1) / 60, 1 + minute % 2) for minute in range(3_600)]
    assert cpu_of(resident("a", steps)) == {("a", "allocated-unmeasured"): 1.5, ("", "unallocated"): 2.5}
    assert HOUR_MS == 3_600_000
