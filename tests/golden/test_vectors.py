"""Golden vectors: cases in which existing tools are known to be wrong."""

import pytest

from aicost.domain.attribution.stating.rows import state_node
from aicost.domain.exact.windows import HOUR_MS, SECOND_MS
from aicost.domain.ledger.rows import Bucket
from support.nodes import HOUR, node_input, price, record, seen, span, tenancy

DOLLAR = 1_000_000_000


def used_share(rows) -> float | None:
    """Utilisation from sums: used over used and idle; None where nothing was measured."""
    held = {Bucket.USED: 0, Bucket.ALLOCATED_IDLE: 0}
    for row in rows:
        if row.bucket in held:
            held[row.bucket] += row.gpu_milliseconds
    whole = sum(held.values())
    return held[Bucket.USED] / whole if whole else None


def test_g5_a_pod_that_keeps_eight_of_eight_gpus_busy_is_fully_efficient() -> None:
    pod = tenancy(0, -60, 120, gpus=8)
    devices = [f"GPU-{index}" for index in range(8)]
    series = [seen(device, pod, 0, 60) for device in devices]
    node = node_input([pod], life=record(gpus=8), series=series, levels=dict.fromkeys(devices, 1.0))
    rows = state_node("c", HOUR, node).rows
    assert used_share(rows) == 1.0
    assert sum(row.gpu_milliseconds for row in rows) == 8 * HOUR_MS


def test_g6_a_pod_that_uses_nothing_is_not_efficient_and_its_cost_is_idle() -> None:
    pod = tenancy(0, -60, 120)
    node = node_input([pod], series=[seen("GPU-a", pod, 0, 60)], levels={"GPU-a": 0.0})
    rows = state_node("c", HOUR, node).rows
    assert used_share(rows) == 0.0
    assert [(row.bucket, row.cost_nanos) for row in rows] == [(Bucket.ALLOCATED_IDLE, 4 * DOLLAR)]


def test_g7_a_pod_without_samples_has_no_utilisation_and_no_coverage() -> None:
    rows = state_node("c", HOUR, node_input([tenancy(0, -60, 120)])).rows
    assert used_share(rows) is None
    assert sum(row.measured_milliseconds for row in rows) == 0
    assert [row.bucket for row in rows] == [Bucket.ALLOCATED_UNMEASURED]


def test_g10_a_pod_of_ninety_seconds_owes_ninety_seconds() -> None:
    pod = tenancy(0, 10, 11.5)
    node = node_input([pod], series=[seen("GPU-a", pod, 10, 11.5)], levels={"GPU-a": 1.0})
    held = [row for row in state_node("c", HOUR, node).rows if row.holder.pod]
    assert sum(row.gpu_milliseconds for row in held) == pytest.approx(90 * SECOND_MS, abs=SECOND_MS)


def test_g11_a_price_that_changes_holds_from_when_it_changes() -> None:
    pod = tenancy(0, 0, 30)
    prices = [price(10, span(0, 30), "before"), price(20, span(30, 60), "after")]
    node = node_input([pod], series=[seen("GPU-a", pod, 0, 30)], levels={"GPU-a": 1.0}, prices=prices)
    rows = state_node("c", HOUR, node).rows
    assert sum(row.cost_nanos for row in rows if row.holder.pod) == 5 * DOLLAR
    assert sum(row.cost_nanos for row in rows) == 15 * DOLLAR
