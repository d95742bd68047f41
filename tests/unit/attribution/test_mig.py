"""What a GPU is cut into, and what is left of it."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from aicost.domain.attribution.claims import Ask, Claim, Tenancy
from aicost.domain.attribution.lanes import Device, lanes_of
from aicost.domain.attribution.mig.instances import ALWAYS, Instance, instances_of
from aicost.domain.exact.windows import Window
from aicost.domain.inventory.nodes import NodeFacts, SharingMode
from aicost.domain.ledger.rows import Bucket
from aicost.domain.sampling.series import DeviceSeries, Signal
from aicost.domain.workloads.gpus.geometry import fits_another, layout_of
from support.nodes import HOUR, INTERVAL, at, span

SEVENTH, HALF = Fraction(1, 7), Fraction(1, 2)


@pytest.mark.parametrize(
    ("profiles", "fits"),
    [
        (["1g.5gb"] * 7, False),
        (["1g.5gb"] * 6, True),
        (["3g.20gb", "3g.20gb"], False),
        (["3g.20gb", "1g.5gb", "1g.5gb", "1g.5gb"], False),
        (["4g.20gb", "1g.5gb", "1g.5gb"], True),
        (["2g.10gb", "2g.10gb", "2g.10gb"], True),
        (["2g.10gb", "2g.10gb", "2g.10gb", "1g.5gb+me"], False),
        (["7g.40gb"], False),
        ([], True),
    ],
)
def test_what_still_fits_beside_instances_of_an_a100(profiles, fits):
    layout = layout_of(["1g.5gb"], "a100-40gb")
    assert fits_another(layout, profiles) is fits


@pytest.mark.parametrize(("profiles", "fits"), [(["1g.6gb"] * 4, False), (["2g.12gb", "1g.6gb"], True)])
def test_an_a30_has_four_slices(profiles, fits):
    assert fits_another(layout_of(profiles, "a30"), profiles) is fits


def test_profiles_of_different_cards_tell_no_layout():
    assert layout_of(["1g.10gb", "1g.5gb"], None) is not None
    assert layout_of(["1g.10gb"], None) is None
    assert layout_of(["1g.10gb", "1g.6gb"], None) is None


def shown(number, profile, start, end):
    times = np.arange(at(start), at(end), INTERVAL, dtype=np.int64)
    zeros = np.zeros(len(times), np.int64)
    model = "NVIDIA A100-SXM4-40GB"
    return DeviceSeries(Signal.ENGINE_ACTIVE, "GPU-a", number, "n1", None, None, model, times, zeros, (), profile)


def test_instances_live_from_the_change_that_made_them_to_the_change_that_ended_them():
    series = [shown("7", "1g.5gb", -5, 30), shown("1", "3g.20gb", 31, 65), shown("2", "3g.20gb", 31, 65)]
    found = {one.id: one.life for one in instances_of(NodeFacts("u", "n1", 0, gpus=1), "GPU-a", series, INTERVAL)}
    assert found["7"] == Window(ALWAYS.start_ms, at(30.5))
    assert found["1"] == found["2"] == Window(at(30.5), ALWAYS.end_ms)


def test_one_number_under_two_profiles_is_two_instances():
    series = [shown("1", "1g.5gb", -5, 30), shown("1", "3g.20gb", 30.5, 65)]
    found = instances_of(NodeFacts("u", "n1", 0, gpus=1), "GPU-a", series, INTERVAL)
    assert [(one.profile, one.share) for one in found] == [("1g.5gb", SEVENTH), ("3g.20gb", HALF)]
    assert not found[0].life.overlaps(found[1].life)


def test_a_profile_that_no_table_has_tells_no_more_than_one_that_is_missing():
    facts = NodeFacts("u", "n1", 0, gpus=1, sharing=SharingMode.MIG, capacity={"nvidia.com/mig-3g.20gb": 1})
    facts = replace(facts, gpu_model="a100-40gb")
    for number, profile, share in (("1", "unheard of", HALF), ("2", "", HALF), ("3", "MIG 1g.5gb", SEVENTH)):
        found = instances_of(facts, "GPU-a", [shown(number, profile, -5, 65)], INTERVAL)
        assert [one.share for one in found] == [share]


def test_what_a_node_offers_is_believed_where_no_sample_shows_an_instance():
    mixed = {"nvidia.com/mig-1g.5gb": 4, "nvidia.com/mig-3g.20gb": 2}
    facts = NodeFacts("u", "n1", 0, gpus=2, gpu_model="a100-40gb", sharing=SharingMode.MIG, capacity=mixed)
    assert [one.share for one in instances_of(facts, "GPU-a", [], INTERVAL)] == [SEVENTH, SEVENTH, HALF]
    uneven = {"nvidia.com/mig-1g.5gb": 3}
    facts = NodeFacts("u", "n1", 0, gpus=2, gpu_model="a100-40gb", sharing=SharingMode.MIG, capacity=uneven)
    assert instances_of(facts, "GPU-a", [], INTERVAL) == ()


def claim(index, share, instance="", start=-60, end=120):
    tenancy = Tenancy(index, ("team", f"p{index}"), f"uid-{index}", span(start, end), (Ask(share),))
    return Claim(tenancy, share, seen=True, instance=instance)


def instance(number, profile, share):
    return Instance(number, profile, share, ALWAYS)


def held(lanes):
    """Share of the GPU -> who holds the lane with which share of it."""
    return sorted((lane.share, [(one.tenancy.pod, one.share) for one in lane.claims]) for lane in lanes if lane.claims)


def test_a_claim_goes_to_the_instance_that_is_named_then_to_a_free_one_of_its_size():
    instances = [instance("1", "3g.20gb", HALF), instance("7", "1g.5gb", SEVENTH), instance("8", "1g.5gb", SEVENTH)]
    claims = [claim(0, SEVENTH), claim(1, SEVENTH, "7"), claim(2, HALF)]
    lanes = lanes_of(Device(HOUR, claims, (), instances, "a100-40gb"))
    assert held(lanes) == [(SEVENTH, [(0, 1)]), (SEVENTH, [(1, 1)]), (HALF, [(2, 1)])]
    assert sum(lane.share for lane in lanes) == 1


def test_replicas_share_an_instance():
    lanes = lanes_of(Device(HOUR, [claim(0, HALF / 2), claim(1, HALF / 2)], (), [instance("1", "3g.20gb", HALF)]))
    assert held(lanes) == [(HALF, [(0, HALF), (1, HALF)])]


def test_a_claim_that_fits_no_instance_stands_for_one_and_all_are_scaled_to_the_gpu():
    lanes = lanes_of(Device(HOUR, [claim(0, HALF, start=-60, end=30)], (), [instance("1", "4g.20gb", Fraction(4, 7))]))
    first, second = [lane for lane in lanes if lane.spans[0].span.start_ms == HOUR.start_ms]
    assert {first.share, second.share} == {Fraction(8, 15), Fraction(7, 15)}
    later = [(lane.share, lane.left) for lane in lanes if lane.spans[0].span.start_ms == at(30)]
    assert later == [(Fraction(4, 7), None), (Fraction(3, 7), Bucket.UNALLOCATED)]


def test_a_lost_gpu_is_lost_with_all_its_parts():
    lanes = lanes_of(Device(HOUR, [claim(0, SEVENTH)], [span(10, 20)], [instance("7", "1g.5gb", SEVENTH)], "a100-40gb"))
    lost = [lane.share for lane in lanes for one in lane.spans if one.unhealthy and one.span == span(10, 20)]
    assert sum(lost) == 1


def test_instances_that_only_the_node_told_of_are_called_as_samples_call_their_holder():
    offered = [Instance("", "1g.5gb", SEVENTH, ALWAYS)] * 2
    lanes = lanes_of(Device(HOUR, [claim(0, SEVENTH, "9"), claim(1, SEVENTH)], (), offered, "a100-40gb"))
    found = {one.tenancy.pod: (lane.spans[0].instance, one.seen) for lane in lanes for one in lane.claims}
    assert found == {0: ("9", True), 1: ("?", True)}


def test_which_of_two_equal_instances_a_pod_has_is_a_guess_where_nothing_names_it():
    lanes = lanes_of(Device(HOUR, [claim(0, SEVENTH)], (), [instance("7", "1g.5gb", SEVENTH)] * 2))
    assert [one.seen for lane in lanes for one in lane.claims] == [False]


def test_two_replicas_of_one_pod_are_one_holder():
    lanes = lanes_of(Device(HOUR, [claim(0, HALF / 2)] * 2, ()))
    assert held(lanes) == [(1, [(0, HALF)])]


def test_a_pod_that_only_samples_know_holds_the_instance_that_names_it():
    ghost = replace(claim(0, Fraction(1), "7"), tenancy=replace(claim(0, SEVENTH).tenancy, asks=()))
    lanes = lanes_of(Device(HOUR, [ghost], (), [instance("7", "1g.5gb", SEVENTH), instance("8", "1g.5gb", SEVENTH)]))
    assert held(lanes) == [(SEVENTH, [(0, 1)])]
