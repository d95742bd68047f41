"""Golden vectors of shared devices: what the incumbents bill four times, or not at all."""

from collections import defaultdict
from dataclasses import replace
from fractions import Fraction

import pytest

from aicost.domain.attribution.sharing.choosing import NO_POLICY, Rules, SharingPolicy, SlotRule
from aicost.domain.attribution.sharing.rules import SplitRule
from aicost.domain.attribution.window import state_window
from aicost.domain.exact.windows import HOUR_MS
from aicost.domain.identity.claims import TargetRef, WorkloadClaim
from aicost.domain.inventory.nodes import SharingMode
from aicost.domain.ledger.rows import Bucket, Quality
from support.pricing import book, entry
from support.receipts import PADDING_MS, WINDOW, a_node, a_pod, at, inputs, prices
from support.samples import ENGINE, UTIL, raw, read

DOLLAR = 1_000_000_000
LEVELS = (40, 20, 20, 0)


def sliced_node(slots=4, resource="nvidia.com/gpu", name="gpu-1"):
    record = a_node(name, 1).record()
    offered = {resource: slots}
    facts = replace(
        record.facts,
        sharing=SharingMode.TIME_SLICING,
        slots_per_gpu=slots,
        capacity=offered,
        allocatable=offered,
    )
    return replace(record, facts=facts)


def steady(value, name, device="GPU-1", **labels):
    """One series with the same value all the time."""
    count = (HOUR_MS + 2 * PADDING_MS) // 30_000
    return raw(
        [value] * count, name, device, start=WINDOW.start_ms - PADDING_MS, step=30_000, target_node="gpu-1", **labels
    )


def pods(resource="nvidia.com/gpu", count=4):
    found = [a_pod(f"p{index}").record() for index in range(count)]
    return [replace(one, facts=replace(one.facts, devices={resource: 1})) for one in found]


def sliced_series(levels=LEVELS, device=80):
    """What dcgm-exporter shows of a sliced GPU: the device, and each pod twice: its own use, and the device's again."""
    shown = [steady(device, UTIL), steady(device / 100, ENGINE)]
    for index, level in enumerate(levels):
        who = {"namespace": "team-a", "pod": f"p{index}", "vgpu": str(index)}
        shown += [steady(level, UTIL, **who), steady(device / 100, ENGINE, **who)]
    return read(*shown, now=WINDOW.end_ms + HOUR_MS).series


def dollars(rows):
    """What each pod pays, and nobody under an empty name."""
    found = defaultdict(Fraction)
    for row in rows:
        found[row.holder.pod] += Fraction(row.cost_nanos, DOLLAR)
    return dict(found)


def bill(given):
    statement = state_window(given)
    assert statement.unbalanced_nanos == 0
    return [row for row in statement.rows if row.component == "gpu"]


@pytest.mark.parametrize("resource", ["nvidia.com/gpu", "nvidia.com/gpu.shared"])
def test_g1_and_g2_four_pods_on_one_sliced_gpu_pay_for_one_gpu(resource):
    given = inputs(pods(resource), [sliced_node(resource=resource)], sliced_series(), books=[prices(4)])
    rows = bill(given)
    assert dollars(rows) == {"p0": Fraction(9, 5), "p1": 1, "p2": 1, "p3": Fraction(1, 5)}
    assert {row.quality for row in rows} == {Quality.MEASURED_GAUGE}
    assert sum(row.gpu_milliseconds for row in rows) == HOUR_MS


def a100(per_gpu):
    """A price of that model alone."""
    return book(entry(gpu_hour=per_gpu, gpu_model="a100-40gb"))


def mig_node(capacity, product="NVIDIA-A100-SXM4-40GB", name="gpu-1"):
    record = a_node(name, 1).record()
    labels = {"nvidia.com/gpu.product": product, "nvidia.com/mig.strategy": "mixed"}
    facts = replace(
        record.facts,
        labels=labels,
        gpu_model="a100-40gb",
        sharing=SharingMode.MIG,
        capacity=capacity,
        allocatable=capacity,
    )
    return replace(record, facts=facts)


def instance_rows(number, profile, pod=None, level=0.5, since=None, until=None):
    """Rows of one MIG instance, for the whole window or a part of it in minutes."""
    begin = WINDOW.start_ms - PADDING_MS if since is None else at(since)
    end = WINDOW.end_ms + PADDING_MS if until is None else at(until)
    labels = {"GPU_I_ID": str(number), "GPU_I_PROFILE": profile, "modelName": "NVIDIA A100-SXM4-40GB"}
    labels |= {"namespace": "team-a", "pod": pod} if pod else {}
    values = [level] * ((end - begin) // 30_000)
    return raw(values, ENGINE, start=begin, step=30_000, target_node="gpu-1", **labels)


def seen(*rows):
    return read(*rows, now=WINDOW.end_ms + HOUR_MS).series


def asking(resource, name, **life):
    record = a_pod(name).record(**life)
    return replace(record, facts=replace(record.facts, devices={resource: 1}))


ONE, FOUR, THREE = "nvidia.com/mig-1g.5gb", "nvidia.com/mig-4g.20gb", "nvidia.com/mig-3g.20gb"
G3 = {"p0": Fraction(2, 5), "p1": Fraction(2, 5), "p2": Fraction(2, 5), "p3": Fraction(8, 5)}


def test_g3_instances_of_two_sizes_pay_by_their_dominant_share():
    rows = [instance_rows(number, "1g.5gb", f"p{index}") for index, number in enumerate((7, 8, 9))]
    rows.append(instance_rows(1, "4g.20gb", "p3", level=1.29))
    holders = [*(asking(ONE, f"p{index}") for index in range(3)), asking(FOUR, "p3")]
    given = inputs(holders, [mig_node({ONE: 3, FOUR: 1})], seen(*rows), books=[a100(2.8)])
    found = bill(given)
    assert dollars(found) == G3
    used = {row.holder.pod: row.cost_nanos / DOLLAR for row in found if row.bucket is Bucket.USED}
    assert used == {"p0": 0.2, "p1": 0.2, "p2": 0.2, "p3": 1.6}


def test_g3_without_any_sample_is_the_same_money_and_not_measured():
    holders = [*(asking(ONE, f"p{index}") for index in range(3)), asking(FOUR, "p3")]
    others = seen(steady(0.5, ENGINE, "GPU-elsewhere"))
    given = inputs(holders, [mig_node({ONE: 3, FOUR: 1})], [replace(others[0], node="n2")], books=[a100(2.8)])
    found = bill(given)
    assert dollars(found) == G3
    assert {row.bucket for row in found} == {Bucket.ALLOCATED_UNMEASURED}


def test_instances_of_one_size_under_the_plain_name_are_no_whole_gpus():
    node = mig_node({"nvidia.com/gpu": 7}, "NVIDIA-A100-SXM4-40GB-MIG-1g.5gb")
    rows = [instance_rows(number, "1g.5gb", "p0" if number == 3 else None, 0.25) for number in range(1, 8)]
    found = bill(inputs([asking("nvidia.com/gpu", "p0")], [node], seen(*rows), books=[a100(7)]))
    assert dollars(found)["p0"] == 1
    assert {row.bucket.value: row.cost_nanos / DOLLAR for row in found if row.holder.pod} == {
        "used": 0.25,
        "allocated-idle": 0.75,
    }


def test_what_no_profile_fits_into_any_more_is_stranded():
    rows = [instance_rows(1, "3g.20gb", "p0"), *(instance_rows(number, "1g.5gb") for number in (7, 8, 9))]
    found = bill(inputs([asking(THREE, "p0")], [mig_node({THREE: 1, ONE: 3})], seen(*rows), books=[a100(14)]))
    by_bucket = sums(found)
    assert by_bucket["stranded"] == 1
    assert by_bucket["used"] + by_bucket["allocated-idle"] == 7
    assert by_bucket["unattributed"] == by_bucket["unallocated"] == 3


def test_what_another_instance_still_fits_into_is_unallocated():
    rows = [instance_rows(1, "3g.20gb", "p0", 1.0), instance_rows(7, "1g.5gb", level=0.0)]
    found = bill(inputs([asking(THREE, "p0")], [mig_node({THREE: 1, ONE: 1})], seen(*rows), books=[a100(14)]))
    assert sums(found) == {"used": 7, "unallocated": 7}


def test_instances_that_are_more_than_a_gpu_are_scaled_down_to_it():
    rows = [instance_rows(1, "4g.20gb", "p0", 1.0), instance_rows(2, "3g.20gb", "p1", 1.0)]
    holders = [asking(FOUR, "p0"), asking(THREE, "p1")]
    found = bill(inputs(holders, [mig_node({FOUR: 1, THREE: 1})], seen(*rows), books=[a100(15)]))
    assert dollars(found) == {"p0": 8, "p1": 7}


def test_a_gpu_that_is_cut_anew_inside_the_window_is_paid_by_what_it_was_cut_into():
    before = [instance_rows(number, "1g.5gb", "p0" if number == 7 else None, 0.0, until=30) for number in range(7, 14)]
    after = [instance_rows(number, "3g.20gb", "p1" if number == 1 else None, 0.0, since=30.5) for number in (1, 2)]
    first = asking(ONE, "p0", until_ms=at(29))
    second = asking(THREE, "p1")
    second = replace(second, facts=replace(second.facts, bound_ms=at(31)))
    found = bill(inputs([first, second], [mig_node({THREE: 2})], seen(*before, *after), books=[a100(7)]))
    paid = {row.holder.pod: 0 for row in found} | dollars(found)
    assert paid["p0"] == pytest.approx(29 / 60, abs=1e-8)
    assert paid["p1"] == pytest.approx(29 / 60 * 7 / 2, abs=1e-8)
    assert sum(dollars(found).values()) == 7


def test_replicas_of_an_instance_share_it_by_use_within_its_part():
    resource = "nvidia.com/mig-3g.20gb.shared"
    node = mig_node({resource: 4})
    node = replace(node, facts=replace(node.facts, labels=node.facts.labels | {"nvidia.com/mig-3g.20gb.replicas": "2"}))
    rows = [
        instance_rows(1, "3g.20gb", "p0", 0.8),
        instance_rows(1, "3g.20gb", "p1", 0.8),
        instance_rows(2, "3g.20gb", level=0.0),
    ]
    found = bill(inputs([asking(resource, "p0"), asking(resource, "p1")], [node], seen(*rows), books=[a100(8)]))
    assert dollars(found) == {"p0": 2, "p1": 2, "": 4}
    assert sums(found) == {"used": Fraction(16, 5), "allocated-idle": Fraction(4, 5), "unallocated": 4}


def sums(rows):
    found = defaultdict(Fraction)
    for row in rows:
        found[row.bucket.value] += Fraction(row.cost_nanos, DOLLAR)
    return dict(found)


def split_by(policy=NO_POLICY, node=None, claims=()):
    where = node or sliced_node()
    given = inputs(pods(), [where], sliced_series(), books=[prices(4)], sharing=policy)
    return dollars(bill(replace(given, claims=claims)))


BY_USAGE = {"p0": 2, "p1": 1, "p2": 1, "p3": 0}


def wish(name, rule, *names):
    """An AIWorkload of some pods that asks for a rule."""
    targets = [TargetRef("v1", "Pod", pod) for pod in names]
    return [WorkloadClaim("team-a", f"{name}-{t.name}", f"uid-{t.name}", 0, target=t, gpu_split=rule) for t in targets]


def test_a_cluster_a_node_and_all_holders_together_choose_how_a_gpu_is_split():
    paid = {pod: cost for pod, cost in BY_USAGE.items() if cost}
    assert split_by(SharingPolicy(Rules(SplitRule.BY_USAGE))) == paid
    node = sliced_node()
    marked = replace(node, facts=replace(node.facts, annotations={"aicost.dev/gpu-split": "by-reservation"}))
    assert split_by(SharingPolicy(Rules(SplitRule.BY_USAGE)), marked) == dict.fromkeys(BY_USAGE, 1)
    all_of_them = wish("w", SplitRule.BY_USAGE, "p0", "p1", "p2", "p3")
    assert split_by(claims=all_of_them) == paid
    assert split_by(claims=all_of_them[:3]) == split_by()


def test_replicas_by_their_holders_leave_nothing_unallocated():
    policy = SharingPolicy(Rules(slots=SlotRule.HOLDERS))
    given = inputs(pods(count=2), [sliced_node()], sliced_series((40, 20), 60), books=[prices(4)], sharing=policy)
    assert dollars(bill(given)) == {"p0": Fraction(12, 5), "p1": Fraction(8, 5)}


def counted(name, value_per_s, **labels):
    """A counter of the node agent that rises evenly from before the window."""
    count = (HOUR_MS + 2 * PADDING_MS) // 30_000
    return raw(
        [index * 30 * value_per_s for index in range(count)],
        name,
        "",
        start=WINDOW.start_ms - PADDING_MS,
        step=30_000,
        target_node="gpu-1",
        uuid="GPU-1",
        node="gpu-1",
        **labels,
    )


def test_what_a_pod_computes_that_holds_nothing_is_nobodys_and_takes_no_share_of_a_holder():
    pod_seconds = "aicost_pod_gpu_seconds_total"
    shown = [counted("aicost_device_busy_seconds_total", 0.8, model="H100", pod="agent-x", namespace="aicost")]
    for name, level in (("p0", 0.5), ("p1", 0.1), ("watcher-0", 0.2)):
        shown.append(counted(pod_seconds, level, namespace="team-a", pod=name, pod_uid=a_pod(name).record().facts.uid))
    watcher = a_pod("watcher-0").record()
    watcher = replace(watcher, facts=replace(watcher.facts, devices={}))
    given = inputs([*pods(count=2), watcher], [sliced_node()], seen(*shown), books=[prices(4)])
    found = bill(given)
    assert sums(found) == {
        "used": Fraction(12, 5),
        "unattributed": Fraction(4, 5),
        "allocated-idle": Fraction(2, 5),
        "unallocated": Fraction(2, 5),
    }
    assert {row.holder.pod for row in found} == {"p0", "p1", ""}
    assert {row.quality for row in found} == {Quality.MEASURED_COUNTER}


CARD = "GPU-8b22f6a1-0000-4000-8000-000000000001"


def test_g4_four_quarters_of_a_card_by_hami_are_one_gpu_hour():
    node = a_node("gpu-1", 1).record()
    registered = {"hami.io/node-nvidia-register": f"{CARD},10,81920,100,NVIDIA-NVIDIA H100,0,true:"}
    offered = {"nvidia.com/gpu": 10}
    told = {"annotations": registered, "capacity": offered, "allocatable": offered}
    node = replace(node, facts=replace(node.facts, sharing=SharingMode.OTHER, slots_per_gpu=10, **told))
    quarter = {"nvidia.com/gpu": 1, "nvidia.com/gpucores": 25, "nvidia.com/gpumem": 20_480}
    given = {"hami.io/vgpu-devices-allocated": f"{CARD},NVIDIA,20480,25:;", "hami.io/vgpu-node": "gpu-1"}
    records = [a_pod(f"p{index}").record() for index in range(4)]
    records = [replace(one, facts=replace(one.facts, devices=quarter, annotations=given)) for one in records]
    found = bill(inputs(records, [node], seen(steady(0.8, ENGINE, CARD)), books=[prices(4)]))
    assert sum(row.gpu_milliseconds for row in found) == HOUR_MS
    assert dollars(found) == {f"p{index}": 1 for index in range(4)}
    assert {row.place.device for row in found} == {CARD}
