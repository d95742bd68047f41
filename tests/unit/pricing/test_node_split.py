from fractions import Fraction

import pytest

from aicost.domain.pricing.books import NodeSplit, ReferenceRates
from aicost.domain.pricing.node_split import NodeParts, NodeSize, NoPrice, split_node
from support.pricing import GIB, INCUMBENT, UNIT, entry

SIZE = NodeSize(gpus=4, cpu_millis=10_000, memory_bytes=100 * GIB)
RATES = ReferenceRates(cpu_core_nanos=UNIT // 10, memory_gib_nanos=UNIT // 100, gpu_nanos=UNIT)
NO_RATES = ReferenceRates()


def parts(price, rates=RATES, size=SIZE) -> tuple[Fraction, ...]:
    """GPUs, CPU, memory and what is not divided, in whole units."""
    found = split_node(price, rates, size, "USD")
    assert isinstance(found, NodeParts), found
    return tuple(part / UNIT for part in (found.gpu, found.cpu, found.memory, found.undivided))


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        (entry(node_hour=10), (8, 1, 1, 0)),
        (entry(node_hour=12, split=NodeSplit.RATIO), (8, 2, 2, 0)),
        (entry(node_hour=10, split=NodeSplit.GPU_SHARE, share_ppm=900_000), (9, Fraction(1, 2), Fraction(1, 2), 0)),
        (entry(gpu_hour=2, node_hour=10), (8, 1, 1, 0)),
        (entry(gpu_hour=2, node_hour=8), (8, 0, 0, 0)),
        (entry(gpu_hour=2), (8, 1, 1, 0)),
    ],
    ids=["residual", "ratio", "gpuShare", "both", "both, nothing left", "per GPU alone"],
)
def test_each_split_gives_each_part_its_due(price, expected):
    assert parts(price) == expected


def test_residual_falls_back_to_ratio_where_nothing_would_be_left():
    found = split_node(entry(node_hour=2), RATES, SIZE, "USD")
    assert found.gpu == Fraction(4, 6) * 2 * UNIT
    assert found.how.startswith("CPU and memory at the reference rates would leave nothing, so by ratio")


def test_without_reference_rates_a_residual_gives_the_gpus_the_whole_node():
    assert parts(entry(node_hour=10), NO_RATES) == (10, 0, 0, 0)


@pytest.mark.parametrize(
    "price",
    [entry(node_hour=10, split=NodeSplit.GPU_SHARE, share_ppm=900_000), entry(gpu_hour=Fraction(9, 4), node_hour=10)],
)
def test_what_no_rate_divides_is_said_to_be_undivided(price):
    assert parts(price, NO_RATES) == (9, 0, 0, 1)


@pytest.mark.parametrize(
    ("price", "rates", "size", "reason"),
    [
        (entry(node_hour=10), RATES, NodeSize(0, 1, 1, uncounted=True), "set gpuCount in the entry"),
        (entry(node_hour=10, split=NodeSplit.RATIO), NO_RATES, SIZE, "spec.referenceRates.gpuHour"),
        (entry(node_hour=10, split=NodeSplit.GPU_SHARE), RATES, SIZE, "needs gpuShare above 0"),
        (entry(node_hour=10, split=NodeSplit.GPU_SHARE, share_ppm=0), RATES, SIZE, "needs gpuShare above 0"),
        (entry(node_hour=10, split=NodeSplit.GPU_SHARE, share_ppm=1_000_001), RATES, SIZE, "at most 1"),
        (entry(gpu_hour=3, node_hour=10), RATES, SIZE, "$12.0000 an hour, more than perNodeHour $10.0000"),
        (entry(), RATES, SIZE, "give perGpuHour or perNodeHour"),
    ],
)
def test_an_entry_that_gives_no_price_says_what_to_change(price, rates, size, reason):
    found = split_node(price, rates, size, "USD")
    assert isinstance(found, NoPrice)
    assert reason in found.reason


def test_fractions_of_cores_and_gib_are_exact():
    size = NodeSize(gpus=3, cpu_millis=3_333, memory_bytes=GIB // 3)
    found = split_node(entry(node_hour=1), INCUMBENT, size, "USD")
    assert found.gpu + found.cpu + found.memory == UNIT
    assert found.cpu == Fraction(31_611_000 * 3_333, 1_000)
