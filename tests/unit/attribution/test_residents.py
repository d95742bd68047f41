"""Which pods have rows of their own, and from the cluster to rows of CPU, memory and storage."""

from dataclasses import replace

import numpy as np
import pytest

from aicost.domain.attribution.resources.residents import Counting
from aicost.domain.attribution.resources.use import ClusterUse, Levels, PodUse
from aicost.domain.attribution.window import WindowInput, state_window
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, Window
from aicost.domain.inventory.cluster import ClusterFacts, NamespaceFacts
from aicost.domain.ledger.rows import Bucket, Component
from aicost.domain.pricing.books import ALWAYS, NodeMatch, NodeSplit, PriceBook, PriceEntry, ReferenceRates
from aicost.domain.sampling.series import DeviceSeries, SampleDefects, Signal, Telemetry
from support.builders import T0, make_node, make_pod

HOUR = Window(T0, T0 + HOUR_MS)
GIB = 2**30
DOLLAR = 10**9
ENTRY = PriceEntry("e", NodeMatch(instance_type="m7i"), None, 40 * DOLLAR, NodeSplit.RESIDUAL, None, ALWAYS)
BOOK = PriceBook("own", "USD", (ENTRY,), ReferenceRates(cpu_core_nanos=DOLLAR, memory_gib_nanos=DOLLAR // 10))


def host(name="n1", kind="m7i", millis=10_000):
    record = make_node(name).instance(kind).record()
    return replace(record, facts=replace(record.facts, cpu_millis=millis, memory_bytes=100 * GIB))


def asking(pod, millis=1_000, node="n1", until=None):
    record = pod.on(node).running().record(until)
    return replace(record, facts=replace(record.facts, cpu_millis=millis, memory_bytes=GIB))


def stated(pods, nodes=None, *, series=(), **more):
    namespaces = {"web": NamespaceFacts("web", {"aicost.dev/team": "shop"})}
    facts = ClusterFacts(tuple(pods), tuple(nodes or [host()]), namespaces)
    telemetry = Telemetry(tuple(series), 30_000, SampleDefects())
    return state_window(WindowInput("c", HOUR, facts, telemetry, (BOOK,), (), 5 * MINUTE_MS, **more))


def cpu_by_holder(statement):
    found = {}
    for row in statement.rows:
        if row.component is Component.CPU and row.bucket is not Bucket.UNALLOCATED:
            key = (row.holder.namespace, row.holder.pod, row.holder.dimensions.get("team", ""))
            found[key] = found.get(key, 0) + row.cost_nanos / DOLLAR
    return found


def test_pods_that_say_nothing_of_their_own_are_their_namespace():
    found = stated([asking(make_pod("web", "a")), asking(make_pod("web", "b"))])
    assert cpu_by_holder(found) == {("web", "", "shop"): 4}
    assert found.unbalanced_nanos == 0


def test_a_pod_with_a_cost_label_of_its_own_has_a_row():
    found = stated([asking(make_pod("web", "a").label(team="other")), asking(make_pod("web", "b"))])
    assert cpu_by_holder(found) == {("web", "a", "other"): 2, ("web", "", "shop"): 2}


def test_a_pod_whose_owner_has_a_cost_label_has_a_row():
    found = stated([asking(make_pod("web", "a").owned_by("Deployment", "a", feature="search"))])
    assert cpu_by_holder(found) == {("web", "a", "shop"): 2}


def test_a_pod_that_holds_gpus_has_a_row():
    gpu_node = host(kind="p5")
    gpu_node = replace(gpu_node, facts=replace(gpu_node.facts, gpus=1, gpu_model="h100-80gb"))
    (row,) = (
        row
        for row in stated([asking(make_pod("web", "a").gpus(1))], [gpu_node]).rows
        if row.component is Component.CPU and row.holder.namespace
    )
    assert (row.holder.pod, row.cost_nanos, row.quantity) == ("a", None, 1_000 * 3_600)


def test_each_pod_has_a_row_where_that_is_asked():
    found = stated([asking(make_pod("web", "a"))], counting=Counting(each_pod=True))
    assert cpu_by_holder(found) == {("web", "a", "shop"): 2}


@pytest.mark.parametrize("wanted", [(), (Component.MEMORY,)])
def test_what_is_not_counted_has_no_rows(wanted):
    rows = stated([asking(make_pod("web", "a"))], counting=Counting(components=wanted)).rows
    assert {row.component for row in rows} == set(wanted)


def test_the_node_is_paid_in_full_by_all_components():
    rows = stated([asking(make_pod("web", "a"))]).rows
    assert sum(row.cost_nanos for row in rows) == 40 * DOLLAR
    assert sum(row.cost_nanos for row in rows if row.component is Component.CPU) == 20 * DOLLAR


def test_a_node_that_no_entry_matches_is_unpriced_and_its_quantities_are_counted():
    found = stated([asking(make_pod("web", "a"))], [host(kind="unknown")])
    assert {row.cost_nanos for row in found.rows} == {None}
    assert sum(row.quantity for row in found.rows if row.component is Component.CPU) == 10_000 * 3_600
    assert [one.node for one in found.unpriced_hosts] == ["n1"]
    assert found.unpriced == ()


def test_a_pod_of_the_platform_is_system():
    exporter = make_pod("gpu-operator", "dcgm-0").runs("nvcr.io/nvidia/k8s/dcgm-exporter:4")
    buckets = {row.bucket for row in stated([asking(exporter)]).rows if row.holder.namespace}
    assert buckets == {Bucket.SYSTEM}


def test_an_end_that_nobody_saw_is_told_by_the_last_use():
    pod = asking(make_pod("web", "a"))
    pod = replace(pod, held_until_ms=T0 + 50 * MINUTE_MS, gap=Window(T0 + 20 * MINUTE_MS, T0 + 50 * MINUTE_MS))
    assert cpu_by_holder(stated([pod])) == {("web", "", "shop"): pytest.approx(2 / 3)}
    piece = (np.array([one], np.int64) for one in (T0, T0 + 30 * MINUTE_MS, 1_000_000))
    told = ClusterUse({("web", "a"): PodUse(cpu=Levels(*piece))})
    assert cpu_by_holder(stated([pod], use=told)) == {("web", "", "shop"): 1}


def test_a_price_of_a_node_without_gpus_is_none_where_samples_show_gpus():
    at_ms = np.arange(T0, T0 + HOUR_MS, 30_000)
    shown = DeviceSeries(Signal.GPU_UTIL, "GPU-1", None, "n1", None, None, None, at_ms, np.zeros(len(at_ms), np.int64))
    found = stated([], series=[shown])
    assert {row.cost_nanos for row in found.rows} == {None}
    assert "set gpuCount" in found.unpriced[0].reason
