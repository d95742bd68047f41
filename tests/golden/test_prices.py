"""Golden vectors of prices: cases in which existing tools are known to be wrong, or which ours must reproduce."""

from fractions import Fraction

import pytest

from aicost.domain.exact.windows import MINUTE_MS
from aicost.domain.pricing.books import NodeSplit, ReferenceRates
from aicost.domain.pricing.node_split import NodeSize, split_node
from aicost.domain.pricing.quotes import node_gpu_cost_nanos
from aicost.domain.pricing.selection import decide_prices
from support.pricing import GIB, HOUR, INCUMBENT, UNIT, book, entry, minutes, node


def test_g8_a_node_is_divided_by_ratio_as_existing_tools_do() -> None:
    rates = ReferenceRates(cpu_core_nanos=30 * UNIT, memory_gib_nanos=10 * UNIT, gpu_nanos=30 * UNIT)
    size = NodeSize(gpus=1, cpu_millis=1_000, memory_bytes=GIB)
    parts = split_node(entry(node_hour=35, split=NodeSplit.RATIO), rates, size, "USD")
    assert (parts.gpu, parts.cpu, parts.memory, parts.undivided) == (15 * UNIT, 15 * UNIT, 5 * UNIT, 0)


def test_g9_by_ratio_the_gpus_of_a_p5_get_34_percent_and_by_residual_what_is_left() -> None:
    size = NodeSize(gpus=8, cpu_millis=192_000, memory_bytes=2048 * GIB)
    ratio = split_node(entry(node_hour=98.32, split=NodeSplit.RATIO), INCUMBENT, size, "USD")
    residual = split_node(entry(node_hour=98.32), INCUMBENT, size, "USD")
    price = round(98.32 * UNIT)
    assert float(ratio.gpu / price) == pytest.approx(0.340, abs=0.0005)
    assert residual.gpu == price - 192 * 31_611_000 - 2048 * 4_237_000
    assert residual.how == (
        "$98.3200 per node-hour less 192 cores ($6.0693) and 2048.0 GiB ($8.6774) at the reference rates leaves "
        "$83.5733 for 8 GPUs, $10.4467 per GPU-hour"
    )


def test_g11_a_price_that_doubles_at_half_past_costs_the_first_half_at_the_first_price() -> None:
    half = HOUR.start_ms + 30 * MINUTE_MS
    books = [
        book(
            entry("old", gpu_hour=10, effective=minutes(-600, 30)),
            entry("new", gpu_hour=20, effective=minutes(30, 600)),
        )
    ]
    first, second = decide_prices(node(gpus=1), books, HOUR)
    assert (first.span.end_ms, second.span.start_ms) == (half, half)
    assert node_gpu_cost_nanos(first, gpus=1, duration_ms=first.span.length_ms) == 5 * UNIT
    assert node_gpu_cost_nanos(second, gpus=1, duration_ms=second.span.length_ms) == 10 * UNIT
    assert Fraction(first.chosen.gpu_hour_nanos_num, first.chosen.gpu_hour_den) == 10 * UNIT
