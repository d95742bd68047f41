"""The truth of shared GPUs: hand-computed bills, corner cases of the division, and conservation for any mix."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet import truth
from fleet.activity import IDLE, Steady
from fleet.builders import DOLLAR, node, pod
from fleet.faults import Fault, FaultKind
from fleet.models import A100, H100
from fleet.script import Fleet, SimExporter, gpu_hour
from fleet.sharing.builders import (
    DRA,
    KAI,
    SINGLE,
    VIRTUAL,
    agent,
    claimed,
    cut,
    exporter,
    fraction,
    hami,
    host,
    mixed,
    sliced,
    slots,
    tenant,
)
from fleet.sharing.mig import geometry, instances
from fleet.sharing.split import Bucket, Mode, Stake, divide
from fleet.sharing.terms import Part, Plugin
from fleet.truth import Rules
from support.shared_fleets import random_shared_fleet

HOUR = 3_600_000
QUARTER, FIFTH = Fraction(1, 4), Fraction(1, 5)


def dollars(fleet, by="pod", rules=truth.USUAL, **options):
    bill = truth.amounts(fleet, 0, HOUR, rules=rules, **options)
    return {group: amount.nanos / DOLLAR for group, amount in truth.totals(fleet, bill, by).items()}


def names(*levels):
    return {f"p{number}": Steady(Fraction(level)) for number, level in enumerate(levels)}


@pytest.mark.parametrize("renamed", [False, True])
def test_g1_and_g2_four_replicas_are_paid_by_use_and_what_they_keep_from_others(renamed):
    where = host("n", sliced(4, renamed=renamed))
    pods = tuple(tenant(name, where, 0, slots(), load) for name, load in names("0.4", "0.2", "0.2", 0).items())
    found = dollars(Fleet((where,), pods))
    assert found == {
        "team-a/p0": Fraction("1.8"),
        "team-a/p1": 1,
        "team-a/p2": 1,
        "team-a/p3": Fraction("0.2"),
    }


def test_g3_instances_cost_their_dominant_share():
    where = cut(
        host("n", mixed(), model=A100, price=gpu_hour(2_800_000_000)), 0, "4g.20gb", "1g.5gb", "1g.5gb", "1g.5gb"
    )
    pods = tuple(tenant(f"p{number}", where, 0, Part(instance=number), IDLE) for number in (1, 2, 3, 4))
    found = dollars(Fleet((where,), pods))
    assert found == {f"team-a/p{number}": Fraction(cost, 10) for number, cost in ((1, 16), (2, 4), (3, 4), (4, 4))}


def test_g4_four_quarters_of_hami_are_one_gpu_hour():
    where = host("n", VIRTUAL[Plugin.HAMI], exporters=(exporter(), hami()))
    pods = tuple(tenant(f"p{number}", where, 0, fraction(QUARTER, 20_000), IDLE) for number in range(4))
    bill = truth.amounts(Fleet((where,), pods), 0, HOUR)
    assert sum(amount.gpu_ms for amount in bill.values()) == HOUR
    assert {key.bucket for key in bill} == {Bucket.ALLOCATED_IDLE}


@pytest.mark.parametrize(
    ("mode", "first", "second", "nobody"),
    [
        (Mode.TWO_PART, Fraction(6, 10) + Fraction(3, 10) / 4, Fraction(1, 10) + Fraction(3, 10) / 4, Fraction(3, 20)),
        (Mode.BY_RESERVATION, QUARTER, QUARTER, Fraction(1, 2)),
        (Mode.BY_USAGE, Fraction(6, 7), Fraction(1, 7), 0),
    ],
)
def test_each_mode_divides_in_its_own_way(mode, first, second, nobody):
    where = host("n", sliced(4))
    pods = (
        tenant("first", where, 0, slots(), Steady(Fraction(6, 10))),
        tenant("second", where, 0, slots(), Steady(Fraction(1, 10))),
    )
    found = dollars(Fleet((where,), pods), rules=Rules(mode))
    assert [found["team-a/first"], found["team-a/second"], found.get(None, 0)] == [4 * first, 4 * second, 4 * nobody]


def test_co_tenants_share_what_slots_leave_to_nobody():
    where = host("n", sliced(4))
    pods = tuple(tenant(name, where, 0, slots(), IDLE) for name in ("a", "b"))
    assert dollars(Fleet((where,), pods)) == {"team-a/a": 1, "team-a/b": 1, None: 2}
    assert dollars(Fleet((where,), pods), rules=Rules(by_tenants=True)) == {"team-a/a": 2, "team-a/b": 2}


def test_who_cannot_be_told_apart_pays_by_reservation():
    for blind in (exporter(virtual_gpus=False), exporter(per_process="zero"), exporter(per_process="copied")):
        where = host("n", sliced(4), exporters=(blind,))
        pods = (
            tenant("busy", where, 0, slots(), Steady(Fraction(4, 5))),
            tenant("idle", where, 0, slots(3), IDLE),
        )
        found = dollars(Fleet((where,), pods), "bucket")
        assert found == {"used": Fraction("3.2"), "allocated-idle": Fraction("0.8")}
        assert dollars(Fleet((where,), pods)) == {"team-a/busy": 1, "team-a/idle": 3}


def test_what_nobody_measures_is_paid_by_reservation_and_never_idle():
    where = host("n", sliced(4), faults=(Fault(FaultKind.GAP, 0, HOUR),))
    pods = (tenant("one", where, 0, slots(), Steady(FIFTH)), tenant("two", where, 0, slots(), IDLE))
    found = dollars(Fleet((where,), pods), "bucket")
    assert found == {"allocated-unmeasured": 2, "unallocated": 2}


def test_a_pod_alone_on_its_gpu_pays_all_of_it():
    where = host("n", sliced(4))
    found = dollars(Fleet((where,), (tenant("all", where, 0, slots(4), Steady(FIFTH)),)), "bucket")
    assert found == {"used": Fraction("0.8"), "allocated-idle": Fraction("3.2")}


def test_an_instance_that_nobody_holds_is_unallocated_and_one_slice_that_fits_nothing_is_stranded():
    where = host("n", mixed(), model=H100)
    full = cut(where, 0, "3g.40gb", "1g.10gb", "1g.10gb", "1g.10gb")
    held = tenant("holds", full, 0, Part(instance=1), IDLE)
    found = dollars(Fleet((full,), (held,)), "bucket")
    assert found == {"allocated-idle": 2, "unallocated": Fraction(12, 7), "stranded": Fraction(4, 14)}
    room = cut(where, 0, "4g.40gb", "1g.10gb", "1g.10gb")
    found = dollars(Fleet((room,), ()), "bucket")
    assert found == {"unallocated": 4}


def test_shares_that_exceed_the_gpu_are_cut_down():
    where = cut(host("n", mixed(), model=H100), 0, "4g.40gb", "3g.40gb")
    pods = tuple(tenant(f"p{number}", where, 0, Part(instance=number), IDLE) for number in (1, 2))
    assert dollars(Fleet((where,), pods)) == {"team-a/p1": 4 * Fraction(8, 15), "team-a/p2": 4 * Fraction(7, 15)}


def test_a_gpu_that_is_cut_anew_is_billed_by_what_it_was_at_each_time():
    where = cut(
        cut(host("n", mixed(), model=H100), 0, "7g.80gb"), 0, "4g.40gb", "3g.40gb", from_ms=HOUR // 2, first_id=5
    )
    pods = (
        tenant("before", where, 0, Part(instance=1), Steady(Fraction(1)), finished_ms=HOUR // 4),
        tenant("after", where, 0, Part(instance=5), Steady(Fraction(1)), bound_ms=HOUR * 3 // 4),
    )
    assert dollars(Fleet((where,), pods)) == {
        "team-a/before": 1,
        "team-a/after": Fraction(8, 15),
        None: 3 - Fraction(8, 15),
    }


def test_pods_of_one_claim_share_it_and_an_administrator_pays_nothing():
    where = host("n", DRA, 2)
    pods = (
        tenant("one", where, 0, claimed("both", template=False), IDLE),
        tenant("two", where, 0, claimed("both", template=False), IDLE),
        tenant("watches", where, (0, 1), claimed("all", admin=True), IDLE),
        tenant("third", where, 1, claimed("a-third", consumed=Fraction(3, 10)), IDLE),
    )
    assert dollars(Fleet((where,), pods)) == {
        "team-a/one": 2,
        "team-a/two": 2,
        "team-a/third": Fraction(12, 10),
        None: Fraction(28, 10),
    }


def test_groups_of_kai_pay_their_fractions_and_the_reservation_pod_pays_nothing():
    where = host("n", KAI, model=A100)
    pods = (
        tenant("half", where, 0, fraction(Fraction(1, 2)), IDLE),
        tenant("memory", where, 0, fraction(Fraction(0), 10_240), IDLE),
    )
    assert dollars(Fleet((where,), pods)) == {"team-a/half": 2, "team-a/memory": 1, None: 1}


def test_the_agent_tells_pods_apart_that_the_exporter_does_not():
    where = host("n", sliced(2), exporters=(exporter(virtual_gpus=False), agent()))
    pods = (tenant("busy", where, 0, slots(), Steady(Fraction(1))), tenant("idle", where, 0, slots(), IDLE))
    assert dollars(Fleet((where,), pods)) == {"team-a/busy": 4}


def test_single_strategy_is_told_by_its_instances():
    where = cut(host("n", SINGLE, model=H100), 0, *["1g.10gb"] * 7)
    pods = (tenant("one", where, 0, Part(instance=1), Steady(Fraction(1, 2))),)
    assert dollars(Fleet((where,), pods), "bucket") == {
        "used": Fraction(2, 7),
        "allocated-idle": Fraction(2, 7),
        "unallocated": Fraction(24, 7),
    }


def settled(level, *stakes, mode=Mode.TWO_PART):
    rows = [
        Stake(str(number), Fraction(raw), None if a is None else Fraction(a)) for number, (raw, a) in enumerate(stakes)
    ]
    pieces = divide(None if level is None else Fraction(level), rows, mode)
    assert sum(piece.part for piece in pieces) == 1
    return {(piece.owner, str(piece.bucket)): piece.part for piece in pieces}


def test_activity_above_the_device_is_scaled_down_to_it():
    found = settled("0.5", ("0.5", "0.8"), ("0.5", "0.2"))
    assert found["0", "used"] == Fraction("0.4")
    assert found["1", "used"] == Fraction("0.1")


def test_activity_just_below_the_device_is_scaled_up_and_far_below_is_nobodys():
    assert settled("0.5", ("0.5", "0.45"), ("0.5", 0))["0", "used"] == Fraction("0.5")
    found = settled("0.5", ("0.5", "0.4"), ("0.5", 0))
    assert found["0", "used"] == Fraction("0.4")
    assert found[None, "unattributed"] == Fraction("0.1")


def test_what_is_left_of_the_device_goes_to_those_who_are_not_measured():
    found = settled("0.8", ("0.5", "0.2"), ("0.25", None), ("0.25", None))
    assert [found[str(number), "used"] for number in range(3)] == [FIFTH, Fraction("0.3"), Fraction("0.3")]


def test_a_device_that_is_not_measured_is_as_busy_as_its_pods():
    assert settled(None, ("0.5", "0.7"), ("0.5", "0.6"))["0", "used"] == Fraction(7, 13)
    assert settled(None, ("0.5", "0.7"), ("0.5", None))["0", "allocated-unmeasured"] == Fraction(1, 2)


def test_an_idle_device_is_held_idle_in_every_mode():
    for mode in Mode:
        found = settled(0, ("0.25", 0), ("0.25", 0), mode=mode)
        assert found == {
            ("0", "allocated-idle"): QUARTER,
            ("1", "allocated-idle"): QUARTER,
            (None, "unallocated"): Fraction(1, 2),
        }


def test_a_holder_of_nothing_pays_nothing_and_what_it_does_is_nobodys():
    found = settled("0.5", (0, "0.5"))
    assert found == {(None, "unattributed"): Fraction(1, 2), (None, "unallocated"): Fraction(1, 2)}


LEVELS = st.fractions(0, 1, max_denominator=20)
STAKES = st.lists(st.tuples(st.fractions(0, 2, max_denominator=9), st.one_of(st.none(), LEVELS)), max_size=5)


@given(st.one_of(st.none(), LEVELS), STAKES, st.sampled_from(Mode))
def test_the_parts_of_any_division_sum_to_one_and_none_is_negative(level, stakes, mode):
    found = settled(level, *stakes, mode=mode)
    assert min(found.values()) > 0


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(Mode), st.booleans())
def test_the_buckets_of_any_mix_sum_to_its_price(seed, mode, by_tenants):
    fleet = random_shared_fleet(seed, 0, HOUR)
    bill = truth.amounts(fleet, 0, HOUR, rules=Rules(mode, by_tenants))
    assert truth.totals(fleet, bill, "device") == truth.capacity(fleet, 0, HOUR)


def test_a_layout_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="do not fit on one NVIDIA H100"):
        instances(H100.name, "4g.40gb", "4g.40gb")
    with pytest.raises(ValueError, match=r"profile '1g\.5gb' is not known: use one of 1g\.10gb"):
        geometry(H100.name).profile("1g.5gb")
    with pytest.raises(ValueError, match="NVIDIA L4 has no MIG"):
        geometry("NVIDIA L4")


def test_a_script_that_gives_a_whole_gpu_and_a_slot_of_it_is_refused():
    where = node("n", sharing=sliced(2), exporters=(SimExporter(),))
    pods = (pod("all", where), tenant("slot", where, 0, slots(), IDLE))
    with pytest.raises(ValueError, match="hold GPU-"):
        truth.amounts(Fleet((where,), pods), 0, HOUR)
