"""Devices that pods hold through claims: whole, in parts, together, watched, and behind a plain request."""

from dataclasses import replace
from fractions import Fraction

from aicost.domain.attribution.claims import Ask
from aicost.domain.attribution.resolvers.claimed import shared_away
from aicost.domain.attribution.resolvers.scene import scene_of
from aicost.domain.attribution.resolvers.table import RESOLVERS, Held, held_by, reserved_share
from aicost.domain.attribution.tenancies import tenancies_of
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, Window
from aicost.domain.inventory.dra.claims import ClaimedDevice
from aicost.domain.inventory.nodes import OPEN_END_MS, NodeFacts
from support.builders import T0, make_pod

NODE = NodeFacts("u", "n", 0, gpus=2, cards=("GPU-a", "GPU-b"))
HALF, QUARTER = Fraction(1, 2), Fraction(1, 4)


def pod(name, *claimed, start=0, until=None, devices=None, served=()):
    builder = make_pod("team", name).created(T0 + start * MINUTE_MS).on("n")
    for resource, count in (devices or {}).items():
        builder = builder.gpus(count, resource)
    record = builder.record(None if until is None else T0 + until * MINUTE_MS)
    return replace(record, facts=replace(record.facts, claimed_resources=served), claimed=claimed)


def held(*pods, cards=NODE.cards):
    scene = scene_of(NODE, cards, pods)
    return [held_by(scene, one) for one in pods]


def device(share=1, card="GPU-a", claim="c", **more):
    return ClaimedDevice(claim, card, Fraction(share), **more)


def test_a_whole_device_is_named():
    assert held(pod("p", device())) == [Held(((None, (Ask(Fraction(1), "GPU-a"),)),))]


def test_an_instance_is_named_with_its_device():
    (found,) = held(pod("p", device(HALF, instance="MIG-1")))
    assert [asks for _, asks in found.pieces] == [(Ask(HALF, "GPU-a", "MIG-1"),)]


def test_a_device_that_is_not_billed_on_the_node_is_left_open():
    (found,) = held(pod("p", device(card="GPU-x", instance="MIG-x")))
    assert found.pieces[0][1] == (Ask(Fraction(1)),)


def test_pods_that_share_a_whole_device_all_ask_for_it():
    first, second = pod("a", device()), pod("b", device())
    assert [one.pieces for one in held(first, second)] == [((None, (Ask(Fraction(1), "GPU-a"),)),)] * 2
    scene = scene_of(NODE, NODE.cards, [first, second])
    assert [reserved_share(scene, one) for one in (first, second)] == [HALF, HALF]
    assert shared_away(scene, first, T0) == HALF


def test_pods_that_share_a_part_have_equal_parts_of_it_at_each_moment():
    first, second = pod("a", device(HALF)), pod("b", device(HALF), start=10, until=20)
    alone, both = (Ask(HALF, "GPU-a"),), (Ask(QUARTER, "GPU-a"),)
    found = held(first, second)
    at = [T0 + minute * MINUTE_MS for minute in (0, 10, 20)]
    assert found[0].pieces == (
        (Window(at[0], at[1]), alone), (Window(at[1], at[2]), both), (Window(at[2], OPEN_END_MS), alone),
    )  # fmt: skip
    assert [asks for _, asks in found[1].pieces] == [both]


def test_a_pod_whose_share_changes_is_a_holder_span_by_span():
    first, second = pod("a", device(HALF)), pod("b", device(HALF), start=10, until=20)
    tenancies = tenancies_of(NODE, enumerate([first, second]), [], 30_000, T0 + HOUR_MS)
    spans = [(one.pod, one.span.start_ms - T0, one.asks[0].share) for one in tenancies]
    ten = 10 * MINUTE_MS
    assert spans == [(0, 0, HALF), (0, ten, QUARTER), (0, 2 * ten, HALF), (1, ten, QUARTER)]


def test_what_is_only_watched_is_not_held_even_where_samples_show_the_pod():
    assert held(pod("p", device(0))) == [Held(nothing=True)]


def test_a_request_that_a_claim_serves_is_counted_once():
    plain = {"nvidia.com/gpu": 1}
    (served,) = held(pod("p", device(), devices=plain, served=("nvidia.com/gpu",)))
    assert served.pieces[0][1] == (Ask(Fraction(1), "GPU-a"),)
    (beside,) = held(pod("p", device(), devices=plain))
    assert beside.pieces[0][1] == (Ask(Fraction(1), "GPU-a"), Ask(Fraction(1)))


def test_a_request_whose_claim_is_not_known_is_counted_as_a_request():
    (unknown,) = held(pod("p", devices={"nvidia.com/gpu": 1}, served=("nvidia.com/gpu",)))
    assert unknown.pieces[0][1] == (Ask(Fraction(1)),)


def test_a_size_that_is_only_taken_to_be_whole_is_said():
    (found,) = held(pod("p", device(assumed=True)))
    assert found.flags == ("assumed-share",)


def test_names_of_the_table_are_told_apart():
    assert len({one.name for one in RESOLVERS}) == len(RESOLVERS)
