"""Receipts of GPUs that pods share: computed again from what was kept, they say what the ledger says."""

from dataclasses import replace

import pytest

from aicost.crd.receipts.document import receipt_document
from aicost.domain.attribution.sharing.choosing import Rules, SharingPolicy, SlotRule
from aicost.domain.attribution.sharing.rules import SplitRule
from aicost.domain.attribution.window import WindowInput
from aicost.domain.exact.windows import HOUR_MS
from aicost.domain.identity.claims import TargetRef, WorkloadClaim
from aicost.domain.inventory.nodes import SharingMode
from aicost.domain.ledger.rows import Method
from aicost.domain.receipts.subjects import SubjectKind
from aicost.domain.sampling.series import Signal
from aicost.entrypoints.cli.output.receipt.detail import detail_lines
from aicost.entrypoints.cli.terminal import Terminal
from support.receipts import PADDING_MS, WINDOW, Kept, a_node, a_pod, inputs, prices, with_series
from support.samples import ENGINE, UTIL, raw, read

ONE_OF_FOUR = {"nvidia.com/gpu": 4}


def rows(value, name, **labels):
    count = (HOUR_MS + 2 * PADDING_MS) // 30_000
    begin = WINDOW.start_ms - PADDING_MS
    return raw([value] * count, name, start=begin, step=30_000, target_node="gpu-1", **labels)


def sliced(**more) -> WindowInput:
    """One GPU in four slots, of which three are held."""
    node = a_node("gpu-1", 1).record()
    shared = {"sharing": SharingMode.TIME_SLICING, "slots_per_gpu": 4}
    node = replace(node, facts=replace(node.facts, capacity=ONE_OF_FOUR, allocatable=ONE_OF_FOUR, **shared))
    shown = [rows(70, UTIL), rows(0.7, ENGINE)]
    for index, level in enumerate((40, 20, 7)):
        shown.append(rows(level, UTIL, namespace="team-a", pod=f"p{index}", vgpu=str(index)))
    series = read(*shown, now=WINDOW.end_ms + HOUR_MS).series
    return inputs([a_pod(f"p{index}").record() for index in range(3)], [node], series, books=[prices(4)], **more)


def cut() -> WindowInput:
    """One GPU in three instances, of which one is held."""
    node = a_node("gpu-1", 1).record()
    offered = {"nvidia.com/mig-3g.40gb": 1, "nvidia.com/mig-1g.10gb": 2}
    facts = replace(node.facts, sharing=SharingMode.MIG, capacity=offered, allocatable=offered)
    labels = {"modelName": "NVIDIA H100 80GB HBM3"}
    shown = [
        rows(0.3, ENGINE, GPU_I_ID="1", GPU_I_PROFILE="3g.40gb", namespace="team-a", pod="p0", **labels),
        *(rows(0.0, ENGINE, GPU_I_ID=number, GPU_I_PROFILE="1g.10gb", **labels) for number in ("7", "8")),
    ]
    pod = a_pod("p0").record()
    pod = replace(pod, facts=replace(pod.facts, devices={"nvidia.com/mig-3g.40gb": 1}))
    series = read(*shown, now=WINDOW.end_ms + HOUR_MS).series
    return inputs([pod], [replace(node, facts=facts)], series, books=[prices(4)])


WISHES = tuple(
    WorkloadClaim("team-a", name, f"uid-{name}", 0, TargetRef("v1", "Pod", name), gpu_split=SplitRule.BY_USAGE)
    for name in ("p0", "p1", "p2")
)
WORLDS = {
    "replicas": (sliced, Method.TWO_PART),
    "replicas by usage and their holders": (
        lambda: sliced(sharing=SharingPolicy(Rules(SplitRule.BY_USAGE, SlotRule.HOLDERS))),
        Method.BY_USAGE,
    ),
    "replicas as all AIWorkloads want": (lambda: replace(sliced(), claims=WISHES), Method.BY_USAGE),
    "instances": (cut, Method.EXCLUSIVE),
}


@pytest.mark.parametrize("name", WORLDS)
def test_the_receipt_of_a_shared_gpu_is_equal(name, tmp_path):
    make, method = WORLDS[name]
    kept = Kept(tmp_path)
    posted = kept.post(make())
    assert {row.method for row in posted if row.component == "gpu"} == {method}
    (window,) = kept.explain("gpu-1", SubjectKind.NODE).windows
    assert (window.not_replayed, window.unequal, window.altered) == ("", (), "")


def test_one_changed_sample_of_one_pod_makes_a_receipt_differ(tmp_path):
    kept = Kept(tmp_path)
    kept.post(sliced())

    def less(given):
        changed = [
            replace(one, value=one.value // 2) if one.signal is Signal.POD_UTIL else one
            for one in given.telemetry.series
        ]
        return with_series(given, *changed)

    kept.alter(less)
    (window,) = kept.explain("gpu-1", SubjectKind.NODE).windows
    assert window.altered
    assert {one.row.holder.pod for one in window.unequal} >= {"p0", "p1"}


def test_another_rule_makes_a_receipt_differ(tmp_path):
    kept = Kept(tmp_path)
    kept.post(sliced())
    kept.alter(lambda given: replace(given, sharing=SharingPolicy(Rules(SplitRule.BY_RESERVATION))))
    (window,) = kept.explain("gpu-1", SubjectKind.NODE).windows
    assert window.differs


def test_a_receipt_of_a_gpu_under_mig_tells_its_instances_and_what_is_left(tmp_path):
    kept = Kept(tmp_path)
    kept.post(cut())
    document = receipt_document(kept.explain("GPU-1", SubjectKind.DEVICE), WINDOW.end_ms)
    (device,) = document["windows"][0]["detail"]["devices"]
    found = {
        (one["instance"], one["share"]): [each["holder"] for each in one["holders"]] for one in device["stretches"]
    }
    assert found == {("1", "1/2"): ["team-a/p0"], ("7", "1/7"): [], ("8", "1/7"): [], ("", "3/14"): []}
    lines = "\n".join(detail_lines(document["windows"][0], Terminal()))
    assert "instance 1, 1/2 of the GPU: team-a/p0" in lines
    assert "what is left, 3/14 of the GPU: nobody" in lines
