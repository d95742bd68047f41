"""The truth: hand-computed bills, and conservation for any script."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet import truth
from fleet.activity import Steady
from fleet.builders import DOLLAR, node, pod
from fleet.faults import Fault, FaultKind
from fleet.script import Fleet, Price, PriceStep, SimExporter, SimNamespace, Stray, gpu_hour, node_hour
from fleet.spec import parse
from fleet.truth import Bucket

HOUR = 3_600_000
MINUTE = 60_000


def dollars(fleet, by="bucket", **options):
    bill = truth.amounts(fleet, 0, HOUR, **options)
    return {group: amount.nanos / DOLLAR for group, amount in truth.totals(fleet, bill, by).items()}


def test_a_busy_pod_pays_for_use_and_for_what_it_held_idle():
    host = node()
    fleet = Fleet((host,), (pod("train", host, activity=Steady(Fraction(7, 10))),))
    assert dollars(fleet) == {Bucket.USED: Fraction("2.8"), Bucket.ALLOCATED_IDLE: Fraction("1.2")}


def test_image_pull_holds_the_gpu_but_does_not_use_it():
    host = node()
    fleet = Fleet((host,), (pod("slow", host, bound_ms=0, started_ms=30 * MINUTE, activity=Steady(Fraction(1))),))
    assert dollars(fleet) == {Bucket.USED: 2, Bucket.ALLOCATED_IDLE: 2}


def test_holding_ends_with_the_terminal_phase_even_if_the_object_stays():
    host = node()
    done = pod("job", host, activity=Steady(Fraction(1)), finished_ms=15 * MINUTE, deleted_ms=45 * MINUTE)
    assert dollars(Fleet((host,), (done,))) == {Bucket.USED: 1, Bucket.UNALLOCATED: 3}


def test_a_pod_that_was_never_bound_costs_nothing():
    host = node()
    waiting = pod("waiting", host, bound_ms=None, started_ms=None)
    assert dollars(Fleet((host,), (waiting,))) == {Bucket.UNALLOCATED: 4}


def test_ninety_seconds_cost_ninety_seconds():
    host = node()
    short = pod("short", host, bound_ms=100_000, started_ms=100_000, finished_ms=190_000)
    bill = truth.amounts(Fleet((host,), (short,)), 0, HOUR)
    assert bill[host.gpus[0].uuid, short.uid, Bucket.ALLOCATED_IDLE] == truth.Amount(
        Fraction(90_000), Fraction(DOLLAR, 10)
    )


def test_a_price_that_changes_inside_the_window_applies_piecewise():
    host = node(price=Price((PriceStep(0, 10 * DOLLAR), PriceStep(30 * MINUTE, 20 * DOLLAR))))
    first_half = pod("first", host, finished_ms=30 * MINUTE)
    assert dollars(Fleet((host,), (first_half,))) == {Bucket.ALLOCATED_IDLE: 5, Bucket.UNALLOCATED: 10}


def test_a_node_price_is_shared_by_its_gpus_after_cpu_and_memory_took_theirs():
    host = node(gpus=8, price=node_hour(55 * DOLLAR, other_nanos=15 * DOLLAR))
    assert dollars(Fleet((host,), (pod("one", host),)), "namespace") == {"team-a": 5, None: 35}


def test_all_eight_gpus_of_a_node_at_full_use_are_all_used():
    host = node(gpus=8)
    assert dollars(Fleet((host,), (pod("all", host, gpus=8, activity=Steady(Fraction(1))),))) == {Bucket.USED: 32}


def test_an_exactly_idle_holder_has_used_nothing():
    host = node()
    assert dollars(Fleet((host,), (pod("loaded", host),))) == {Bucket.ALLOCATED_IDLE: 4}


def test_what_no_exporter_saw_is_unmeasured_and_not_idle():
    host = node(faults=(Fault(FaultKind.GAP, 15 * MINUTE, 30 * MINUTE),))
    fleet = Fleet((host,), (pod("train", host, activity=Steady(Fraction(1, 2))),))
    assert dollars(fleet) == {
        Bucket.USED: Fraction(3, 2),
        Bucket.ALLOCATED_IDLE: Fraction(3, 2),
        "allocated-unmeasured": 1,
    }
    carried = dollars(fleet, known_for_ms=3 * MINUTE)
    assert carried == {
        Bucket.USED: Fraction("1.6"),
        Bucket.ALLOCATED_IDLE: Fraction("1.6"),
        "allocated-unmeasured": Fraction("0.8"),
    }


def test_a_second_exporter_or_a_second_field_keeps_the_sight():
    gap = Fault(FaultKind.HTML, 0, HOUR, exporter=0)
    spoiled = Fault(FaultKind.SENTINEL, 0, HOUR, meanings=("engine",))
    for host in (node(exporters=(SimExporter(), SimExporter(pod="other")), faults=(gap,)), node(faults=(spoiled,))):
        assert dollars(Fleet((host,), (pod("idle", host),))) == {Bucket.ALLOCATED_IDLE: 4}


def test_an_exporter_without_other_activity_is_blind_when_its_only_field_is_spoiled():
    spoiled = Fault(FaultKind.SENTINEL, 0, HOUR, meanings=("engine",))
    host = node(exporters=(SimExporter(without=("util",)),), faults=(spoiled,))
    assert dollars(Fleet((host,), (pod("idle", host),))) == {Bucket.ALLOCATED_UNMEASURED: 4}


def test_a_lost_gpu_is_unhealthy_and_its_holder_is_not_billed():
    host = node(gpus=2)
    lost = Fault(FaultKind.LOST, 0, 30 * MINUTE, uuids=(host.gpus[0].uuid,))
    host = node(gpus=2, faults=(lost,))
    assert dollars(Fleet((host,), (pod("p", host, gpus=2),)), "pod") == {None: 2, "team-a/p": 6}


def test_activity_of_nobody_is_unattributed_and_exporters_are_system():
    host = node(gpus=2)
    host = node(gpus=2, strays=(Stray(host.gpus[1].uuid, 0, HOUR, Steady(Fraction(1, 4))),))
    diagnostic = pod("dcgm-diag", host, namespace="gpu-operator", system=True, activity=Steady(Fraction(1, 2)))
    assert dollars(Fleet((host,), (diagnostic,))) == {Bucket.SYSTEM: 4, Bucket.UNATTRIBUTED: 1, Bucket.UNALLOCATED: 3}


def test_a_team_comes_from_the_pod_then_the_namespace():
    host = node(gpus=3)
    pods = (
        pod("own", host, gpus=(0,), labels=(("aicost.dev/team", "vision"),)),
        pod("inherits", host, gpus=(1,)),
        pod("nobody", host, gpus=(2,), namespace="elsewhere"),
    )
    fleet = Fleet((host,), pods, (SimNamespace("team-a", (("aicost.dev/team", "search"),)),))
    assert dollars(fleet, "team") == {"vision": 4, "search": 4, "untagged": 4}


def test_a_node_without_a_price_counts_time_and_no_money():
    host = node(price=None)
    bill = truth.amounts(Fleet((host,), (pod("p", host),)), 0, HOUR)
    assert list(bill.values()) == [truth.Amount(Fraction(HOUR), unpriced_ms=Fraction(HOUR))]


def test_a_node_is_billed_while_it_is_there():
    host = node(booted_ms=15 * MINUTE, removed_ms=30 * MINUTE)
    assert dollars(Fleet((host,))) == {Bucket.UNALLOCATED: 1}


def test_a_script_that_gives_one_gpu_to_two_pods_is_refused():
    host = node()
    with pytest.raises(ValueError, match=r"lets \['a', 'b'\] hold GPU-"):
        truth.amounts(Fleet((host,), (pod("a", host), pod("b", host))), 0, HOUR)


MOMENTS = st.lists(st.integers(-HOUR // 4, 5 * HOUR // 4), min_size=6, max_size=6, unique=True).map(sorted)
TEXTS = st.sampled_from(["0.7", "idle", "duty:0.9/0.1/40s", "ramp:0.1/0.9/5/60s", "burst:0.05/0.95/5m/20s", "1"])
KINDS = st.sampled_from([FaultKind.GAP, FaultKind.LOST, FaultKind.NAN, FaultKind.FROZEN, FaultKind.LINGERING])
SPAN = st.tuples(st.integers(0, HOUR), st.integers(0, HOUR)).map(sorted)


@settings(max_examples=60, deadline=None)
@given(
    MOMENTS, TEXTS, TEXTS, st.lists(st.tuples(KINDS, SPAN), max_size=3), st.integers(0, 10**12), st.integers(0, HOUR)
)
def test_the_buckets_of_any_script_sum_to_its_price(moments, first, second, troubles, nanos, cut):
    faults = tuple(Fault(kind, *span) for kind, span in troubles)
    price = Price((PriceStep(0, nanos), PriceStep(cut, nanos // 3)))
    host = node(gpus=2, price=price, faults=faults)
    pods = (
        pod("first", host, activity=parse(first), bound_ms=moments[0], started_ms=moments[1], finished_ms=moments[2]),
        pod(
            "second",
            host,
            gpus=2,
            activity=parse(second),
            bound_ms=moments[3],
            started_ms=moments[4],
            deleted_ms=moments[5],
        ),
    )
    fleet = Fleet((host,), pods)
    bill = truth.amounts(fleet, 0, HOUR)
    assert truth.totals(fleet, bill, "device") == truth.capacity(fleet, 0, HOUR)


@settings(max_examples=30, deadline=None)
@given(MOMENTS, TEXTS, st.integers(1, HOUR - 1))
def test_the_bill_is_additive_in_time(moments, text, cut):
    host = node(price=gpu_hour(7 * DOLLAR))
    life = dict(zip(("bound_ms", "started_ms", "finished_ms"), moments, strict=False))
    fleet = Fleet((host,), (pod("p", host, activity=parse(text), **life),))
    parts = [truth.amounts(fleet, 0, cut), truth.amounts(fleet, cut, HOUR)]
    whole = truth.amounts(fleet, 0, HOUR)
    for key in whole.keys() | parts[0].keys() | parts[1].keys():
        assert parts[0].get(key, truth.Amount()) + parts[1].get(key, truth.Amount()) == whole.get(key, truth.Amount())
