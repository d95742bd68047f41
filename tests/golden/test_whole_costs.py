"""Golden vectors of whole costs: a node divided (G8, G9) and a pod resized in place (G15), from objects to rows."""

from dataclasses import replace

import msgspec
import pytest

from aicost.adapters.journal.memory import MemoryInventory
from aicost.adapters.kube.seen.decode import decode_pod
from aicost.domain.attribution.window import WindowInput, state_window
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, Window
from aicost.domain.ledger.rows import Component
from aicost.domain.pricing.books import NodeSplit, PriceBook, ReferenceRates
from aicost.domain.sampling.series import Telemetry
from support.builders import T0, make_node, make_pod
from support.pricing import GIB, INCUMBENT, UNIT, book, entry

HOUR = Window(T0, T0 + HOUR_MS)


def stated(inventory: MemoryInventory, prices: PriceBook):
    facts = inventory.facts(Window(HOUR.start_ms - 5 * MINUTE_MS, HOUR.end_ms + 5 * MINUTE_MS))
    return state_window(WindowInput("c", HOUR, facts, Telemetry((), 30_000), (prices,), (), 5 * MINUTE_MS))


def inventory_of(*, gpus: int, millis: int, memory: int, kind: str) -> MemoryInventory:
    inventory = MemoryInventory(T0)
    node = make_node("n1").instance(kind)
    facts = (node.gpus(gpus) if gpus else node).facts()
    inventory.node_seen(replace(facts, cpu_millis=millis, memory_bytes=memory), T0)
    return inventory


def dollars(statement) -> dict[str, float]:
    found: dict[str, float] = {}
    for row in statement.rows:
        found[row.component.value] = found.get(row.component.value, 0) + (row.cost_nanos or 0) / UNIT
    return found


def test_g8_a_node_of_35_dollars_is_15_15_and_5_by_ratio():
    rates = ReferenceRates(cpu_core_nanos=30 * UNIT, memory_gib_nanos=10 * UNIT, gpu_nanos=30 * UNIT)
    inventory = inventory_of(gpus=1, millis=1_000, memory=GIB, kind="x")
    priced = entry(node_hour=35, split=NodeSplit.RATIO, instance_type="x")
    found = stated(inventory, book(priced, reference=rates))
    assert dollars(found) == {"gpu": 15, "cpu": 15, "memory": 5}
    assert found.unbalanced_nanos == 0


@pytest.mark.parametrize(("split", "share"), [(NodeSplit.RATIO, 0.340), (NodeSplit.RESIDUAL, 0.850)])
def test_g9_a_p5_is_paid_in_full_whatever_part_of_it_the_gpus_get(split, share):
    inventory = inventory_of(gpus=8, millis=192_000, memory=2048 * GIB, kind="p5.48xlarge")
    found = stated(
        inventory, book(entry(node_hour=98.32, split=split, instance_type="p5.48xlarge"), reference=INCUMBENT)
    )
    assert sum(row.cost_nanos for row in found.rows) == 98_320_000_000
    assert dollars(found)["gpu"] / 98.32 == pytest.approx(share, abs=0.0005)


def test_g15_a_pod_that_is_resized_in_place_pays_for_each_piece():
    inventory = inventory_of(gpus=0, millis=4_000, memory=16 * GIB, kind="m7i")
    for minute, cores, gib in ((0, "1", "4Gi"), (15, "4", "4Gi"), (45, "2", "8Gi")):
        manifest = make_pod("team", "etl").bound(T0).on("n1").running().manifest()
        granted = {"cpu": cores, "memory": gib}
        manifest["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "4", "memory": "8Gi"}}
        manifest["status"]["containerStatuses"] = [{"name": "main", "allocatedResources": granted}]
        inventory.pod_seen(decode_pod(msgspec.json.encode(manifest)).facts, T0 + minute * MINUTE_MS, live=True)
    rates = ReferenceRates(cpu_core_nanos=UNIT, memory_gib_nanos=UNIT // 4)
    found = stated(inventory, book(entry(node_hour=8, instance_type="m7i"), reference=rates))
    held = {row.component: row for row in found.rows if row.holder.namespace}
    # 1 core for 15 min, 4 for 30, 2 for 15: 2.75 core-hours at a dollar, where one average request would say 2.33
    assert held[Component.CPU].cost_nanos == 2_750_000_000
    assert held[Component.CPU].quantity == 2_750 * 3_600
    assert held[Component.MEMORY].cost_nanos == 5 * UNIT // 4
    assert sum(row.cost_nanos for row in found.rows) == 8 * UNIT
