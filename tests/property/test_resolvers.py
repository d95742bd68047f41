"""Whoever may write a pod's annotations and labels can write anything there: nobody else's money moves by it."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aicost.domain.attribution.claims import assign
from aicost.domain.attribution.devices import billed_devices
from aicost.domain.attribution.tenancies import tenancies_of
from aicost.domain.exact.windows import HOUR_MS
from aicost.domain.inventory.nodes import NodeFacts, SharingMode
from support.builders import T0, make_pod

A, B = (f"GPU-{letter * 8}-1111-2222-3333-444444444444" for letter in "ab")
FOREIGN = "GPU-ffffffff-1111-2222-3333-444444444444"
KEYS = (
    "hami.io/vgpu-devices-allocated", "hami.io/vgpu-node", "volcano.sh/vgpu-ids-new", "gpu-fraction", "gpu-memory",
    "run.ai/reserve_for_gpu_index", "received-resource-type",
)  # fmt: skip
CARDS = st.sampled_from((A, B, FOREIGN, "", "GPU-", "MIG-1", f"{A}[0-1]"))
NUMBERS = st.one_of(st.integers(-10, 10**14).map(str), st.sampled_from(("", "x", "1e9", "0.5", "\uff11", "9" * 5_000)))
PARTS = st.lists(st.tuples(CARDS, st.just("NVIDIA"), NUMBERS, NUMBERS).map(",".join), max_size=4)
WRITTEN = st.one_of(PARTS.map(":".join), PARTS.map(":;".join), NUMBERS, CARDS, st.text(max_size=40))
NOTES = st.dictionaries(st.sampled_from(KEYS), WRITTEN, max_size=4)
LABELS = st.dictionaries(
    st.sampled_from(("runai-gpu-group", "runai-gpu-group/g1", "runai-gpu-group/x")), st.sampled_from(("g1", "x", "")),
    max_size=3,
)  # fmt: skip
REGISTER = {"hami.io/node-nvidia-register": f"{A},10,40000,100,T,0,true:{B},10,40000,100,T,0,true:"}
VOLCANO = {"volcano.sh/node-vgpu-register": f"{A},10,40000,T,true:{B},10,40000,T,true:"}


def victim(name, resource, key, written):
    pod = make_pod("victims", name).on("n").bound(T0)
    return (pod.gpus(1, resource) if resource else pod).annotation(key, written)


def reservation():
    pod = make_pod("kai-resource-reservation", "gpu-reservation-g1").on("n").bound(T0).gpus(1)
    return replace(pod, labels={"runai-gpu-group": "g1"}).annotation("run.ai/reserve_for_gpu_index", A).record()


def hami():
    node = NodeFacts("u", "n", 0, annotations=REGISTER, gpus=2, sharing=SharingMode.OTHER, cards=(A, B))
    key = "hami.io/vgpu-devices-allocated"
    pods = [victim("a", "nvidia.com/gpu", key, f"{A},NVIDIA,30000,0:;"),
            victim("b", "nvidia.com/gpu", key, f"{B},NVIDIA,10000,20:;")]  # fmt: skip
    return node, [pod.record() for pod in pods], "nvidia.com/gpu"


def volcano():
    node = NodeFacts("u", "n", 0, annotations=VOLCANO, gpus=2, sharing=SharingMode.OTHER, cards=(A, B))
    pods = [victim("a", "volcano.sh/vgpu-number", "volcano.sh/vgpu-ids-new", f"{A},NVIDIA,30000,0:")]
    return node, [pod.record() for pod in pods], "volcano.sh/vgpu-number"


def kai():
    node = NodeFacts("u", "n", 0, gpus=2, cards=(A, B), gpu_model="a100-40gb")
    pod = replace(victim("a", "", "gpu-fraction", "0.75"), labels={"runai-gpu-group": "g1"})
    return node, [reservation(), pod.record()], ""


def plain():
    node = NodeFacts("u", "n", 0, gpus=2, cards=(A, B))
    return node, [make_pod("victims", "a").on("n").bound(T0).gpus(1).record()], "nvidia.com/gpu"


def paid(node, pods):
    """Pod -> its part of devices by reservation: `raw / max(1, sum raw)` of each device that it is on."""
    devices, _ = billed_devices(node, [])
    claims = assign(node, devices, tenancies_of(node, enumerate(pods), [], 30_000, T0 + HOUR_MS), [])
    found: dict[str, Fraction] = {}
    for held in claims.values():
        total = max(Fraction(1), sum((claim.share for claim in held), Fraction(0)))
        for claim in held:
            name = claim.tenancy.name[1]
            found[name] = found.get(name, Fraction(0)) + claim.share / total
    return found


@pytest.mark.parametrize("where", [hami, volcano, kai, plain])
@given(notes=NOTES, labels=LABELS, asks=st.booleans(), namespace=st.sampled_from(("team", "victims")))
@settings(max_examples=300, deadline=None)
def test_what_a_pod_says_of_itself_moves_nobody_elses_money(where, notes, labels, asks, namespace):
    node, pods, resource = where()
    before = paid(node, pods)
    liar = replace(make_pod(namespace, "liar").on("n").bound(T0 + 1), annotations=notes, labels=labels)
    liar = liar.gpus(1, resource) if asks and resource else liar
    after = paid(node, [*pods, liar.record()])
    assert {name: after[name] for name in before} == before
    assert after.get("liar", 0) <= 1
    assert sum(after.values()) <= node.gpus
