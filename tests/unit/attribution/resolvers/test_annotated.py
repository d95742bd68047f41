"""Parts of a GPU that schedulers write into annotations: HAMi, Volcano, KAI and Run:ai."""

from dataclasses import replace
from fractions import Fraction

import pytest

from aicost.domain.attribution.claims import Ask
from aicost.domain.attribution.resolvers.scene import scene_of
from aicost.domain.attribution.resolvers.table import Held, held_by
from aicost.domain.inventory.nodes import NodeFacts, SharingMode
from support.builders import T0, make_pod

A, B = (f"GPU-{letter * 8}-1111-2222-3333-444444444444" for letter in "ab")
FOREIGN = "GPU-ffffffff-1111-2222-3333-444444444444"
HALF, QUARTER = Fraction(1, 2), Fraction(1, 4)
OLD = f"{A},10,40000,100,NVIDIA-NVIDIA A100,0,true,0,hami-core:{B},10,40000,100,NVIDIA-NVIDIA A100,1,true,1,hami-core:"
NEW = f'[{{"id":"{A}","count":10,"devmem":40000,"devcore":100}},{{"id":"{B}","count":10,"devmem":40000}}]'
VOLCANO = f"{A},10,40000,NVIDIA-A100,true:{B},10,40000,NVIDIA-A100,true:"


def hami(register=OLD):
    return NodeFacts(
        "u", "n", 0, annotations={"hami.io/node-nvidia-register": register}, gpus=2, sharing=SharingMode.OTHER
    )


def volcano():
    return NodeFacts(
        "u", "n", 0, annotations={"volcano.sh/node-vgpu-register": VOLCANO}, gpus=2, sharing=SharingMode.OTHER
    )


def held(node, written=None, key="hami.io/vgpu-devices-allocated", **devices) -> Held:
    builder = make_pod("team", "p").on("n").bound(T0)
    for resource, count in (devices or {"nvidia.com/gpu": 1}).items():
        builder = builder.gpus(count, resource)
    record = (builder if written is None else builder.annotation(key, written)).record()
    return held_by(scene_of(node, (A, B), [record]), record)


def only(found: Held) -> tuple[Ask, ...]:
    ((span, asks),) = found.pieces
    assert span is None
    return asks


@pytest.mark.parametrize("register", [OLD, NEW])
@pytest.mark.parametrize(
    ("written", "cores", "share"),
    [
        (f"{A},NVIDIA,10000,0:;", 0, QUARTER),
        (f"{A},NVIDIA,10000,50:;", 50, HALF),
        (f"{A},NVIDIA,10000,50:;", 0, QUARTER),
        (f"{A},NVIDIA,40000,100:;", 100, 1),
        (f"{A},NVIDIA,30000,900:;", 100, 1),
        (f";{A},NVIDIA,20000,10:;", 10, HALF),
        (f"{A}[1-0],NVIDIA,20000,0:;", 0, HALF),
    ],
)
def test_hami_gives_the_larger_of_memory_and_cores_of_the_card_that_it_names(register, written, cores, share):
    found = held(hami(register), written, **{"nvidia.com/gpu": 1, "nvidia.com/gpucores": cores})
    assert (only(found), found.flags) == ((Ask(share, A),), ())


def test_two_parts_lie_on_two_cards():
    found = held(hami(), f"{A},NVIDIA,10000,0:{B},NVIDIA,20000,0:;", **{"nvidia.com/gpu": 2})
    assert only(found) == (Ask(QUARTER, A), Ask(HALF, B))


def test_what_the_pod_asked_for_is_the_least_that_it_pays():
    asked = {"nvidia.com/gpu": 1, "nvidia.com/gpumem": 20_000, "nvidia.com/gpucores": 10}
    assert only(held(hami(), f"{A},NVIDIA,1,0:;", **asked)) == (Ask(HALF, A),)


@pytest.mark.parametrize("nothing", [f"{A},NVIDIA,0,0:;", None, ""])
def test_a_part_of_no_size_is_the_whole_card(nothing):
    (ask,) = only(held(hami(), nothing))
    assert ask.share == 1


@pytest.mark.parametrize(
    "written",
    [
        "garbage", ":;:;:;a", "\x00", f"{A},", f"{A},NVIDIA,x,0:;", f"{A},NVIDIA,{10**40},0:;", f"{A},NVIDIA,-1,0:;",
        f"{A},NVIDIA,10000,0:" * 300, f"{A},NVIDIA,10000,0:{B},NVIDIA,10000,0:;", "GPU-\u2460,NVIDIA,\uff11,0:;",
    ],
)  # fmt: skip
def test_an_annotation_that_makes_no_sense_is_ignored_and_said(written):
    found = held(hami(), written, **{"nvidia.com/gpu": 1, "nvidia.com/gpumem": 20_000})
    assert (only(found), found.flags) == ((Ask(HALF),), ("annotation-ignored",))


def test_a_card_that_the_node_does_not_have_is_no_name():
    found = held(hami(), f"{FOREIGN},NVIDIA,10000,0:;", **{"nvidia.com/gpu": 1, "nvidia.com/gpumem": 20_000})
    assert (only(found), found.flags) == ((Ask(HALF),), ("foreign-device",))


def test_a_part_for_which_there_is_no_room_is_on_no_card_and_takes_nothing_from_others():
    key = "hami.io/vgpu-devices-allocated"
    first = make_pod("team", "a").on("n").bound(T0).gpus(1).annotation(key, f"{A},NVIDIA,30000,0:;").record()
    liar = make_pod("team", "b").on("n").bound(T0 + 1).gpus(1).annotation(key, f"{A},NVIDIA,20000,0:;").record()
    scene = scene_of(hami(), (A, B), [liar, first])
    assert only(held_by(scene, first)) == (Ask(Fraction(3, 4), A),)
    found = held_by(scene, liar)
    assert (only(found), found.flags) == ((Ask(Fraction(1)),), ("foreign-device",))


def test_where_no_plugin_registered_a_card_a_pod_is_not_believed():
    plain = NodeFacts("u", "n", 0, gpus=2)
    found = held(plain, f"{A},NVIDIA,1,0:;")
    assert (only(found), found.flags) == ((Ask(Fraction(1)),), ())


def test_volcano_is_read_likewise():
    asked = {"volcano.sh/vgpu-number": 1, "volcano.sh/vgpu-memory": 10_000, "volcano.sh/vgpu-cores": 10}
    found = held(volcano(), f"{A},NVIDIA,10000,10:", "volcano.sh/vgpu-ids-new", **asked)
    assert (only(found), found.flags) == ((Ask(QUARTER, A),), ())
    percent = {"volcano.sh/vgpu-number": 1, "volcano.sh/vgpu-memory-percentage": 50}
    assert only(held(volcano(), None, **percent)) == (Ask(HALF),)


# --- KAI and Run:ai -----------------------------------------------------------------------------------------------

RESERVED = "run.ai/reserve_for_gpu_index"


def reservation(group="g1", device=A, namespace="kai-resource-reservation"):
    builder = make_pod(namespace, f"gpu-reservation-{group}").on("n").bound(T0).gpus(1)
    return replace(builder, labels={"runai-gpu-group": group}).annotation(RESERVED, device).record()


def fraction(name, written, *groups, key="gpu-fraction"):
    labels = {"runai-gpu-group": groups[0]} if len(groups) == 1 else {f"runai-gpu-group/{g}": g for g in groups}
    return replace(make_pod("team", name).on("n").bound(T0), labels=labels).annotation(key, written).record()


def kai(*pods, model="a100-40gb"):
    node = NodeFacts("u", "n", 0, gpus=2, gpu_model=model)
    scene = scene_of(node, (A, B), pods)
    return {pod.facts.name: held_by(scene, pod) for pod in pods}


def test_the_device_belongs_to_the_pods_of_the_group_and_not_to_the_reservation_pod():
    found = kai(reservation(), fraction("a", "0.5", "g1"), fraction("b", "10000", "g1", key="gpu-memory"))
    assert found["gpu-reservation-g1"] == Held(nothing=True)
    assert only(found["a"]) == (Ask(HALF, A),)
    assert only(found["b"]) == (Ask(Fraction(10_000, 40 * 1024), A),)


def test_a_pod_on_two_devices_has_its_fraction_of_each():
    pods = reservation("g1", A), reservation("g2", B, "runai-reservation"), fraction("a", "0.25", "g1", "g2")
    assert only(kai(*pods)["a"]) == (Ask(QUARTER, A), Ask(QUARTER, B))


def test_a_pod_of_anybody_elses_namespace_reserves_nothing_for_others():
    found = kai(reservation(namespace="team"), fraction("a", "0.5", "g1"))
    assert only(found["gpu-reservation-g1"]) == (Ask(Fraction(1)),)
    assert found["a"] == Held()


def test_a_device_that_the_node_does_not_have_is_left_open():
    assert only(kai(reservation(device=FOREIGN), fraction("a", "0.5", "g1"))["a"]) == (Ask(HALF),)


@pytest.mark.parametrize("written", ["", "x", "-1", "0", "1.5", "1e9", "0." + "9" * 60, "½", "nan"])
def test_a_fraction_that_makes_no_sense_gets_what_the_others_leave(written):
    found = kai(reservation(), fraction("a", "0.75", "g1"), fraction("b", written, "g1"))
    assert (only(found["b"]), found["b"].flags) == ((Ask(QUARTER, A),), ("annotation-ignored",))
    full = kai(reservation(), fraction("a", "1", "g1"), fraction("b", written, "g1"))
    assert full["b"].nothing
    assert only(full["a"]) == (Ask(Fraction(1), A),)


def test_a_fraction_for_which_there_is_no_room_is_what_is_left():
    liar = replace(fraction("b", "1", "g1"), facts=replace(fraction("b", "1", "g1").facts, bound_ms=T0 + 1))
    found = kai(reservation(), fraction("a", "0.75", "g1"), liar)
    assert only(found["a"]) == (Ask(Fraction(3, 4), A),)
    assert (only(found["b"]), found["b"].flags) == ((Ask(QUARTER, A),), ("annotation-ignored",))


def test_a_pod_that_asks_for_a_whole_device_pays_for_it_whatever_it_says_beside():
    pod = make_pod("team", "a").on("n").bound(T0).gpus(1)
    liar = replace(pod, labels={"runai-gpu-group": "g1"}).annotation("gpu-fraction", "0.01").record()
    assert only(kai(reservation(), liar)["a"]) == (Ask(Fraction(1)),)
