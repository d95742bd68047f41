"""Short ways to write nodes, entries and books in tests of prices."""

from dataclasses import replace

from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.inventory.nodes import CapacityType, NodeFacts
from aicost.domain.pricing.books import ALWAYS, NodeMatch, NodeSplit, PriceBook, PriceEntry, ReferenceRates

HOUR = Window(1_000 * HOUR_MS, 1_001 * HOUR_MS)
UNIT = 1_000_000_000
GIB = 2**30

INCUMBENT = ReferenceRates(cpu_core_nanos=31_611_000, memory_gib_nanos=4_237_000, gpu_nanos=950_000_000)
"""The reference rates that existing tools divide a node's price by."""

H100_NODE = NodeFacts(
    uid="n1",
    name="gpu-1",
    created_ms=0,
    provider="aws",
    instance_type="p5.48xlarge",
    region="us-east-1",
    zone="us-east-1a",
    capacity_type=CapacityType.ON_DEMAND,
    gpu_model="h100-80gb",
    gpus=8,
    cpu_millis=192_000,
    memory_bytes=2048 * GIB,
)


def node(**changes) -> NodeFacts:
    return replace(H100_NODE, **changes)


def minutes(start: float, end: float) -> Window:
    """A part of HOUR."""
    return Window(HOUR.start_ms + round(start * 60_000), HOUR.start_ms + round(end * 60_000))


def entry(
    name: str = "e",
    *,
    gpu_hour: float | None = None,
    node_hour: float | None = None,
    split: NodeSplit = NodeSplit.RESIDUAL,
    share_ppm: int | None = None,
    effective: Window = ALWAYS,
    list_price: bool = False,
    priority: int = 0,
    gpu_count: int | None = None,
    **match,
) -> PriceEntry:
    """An entry; what is left over names the match."""
    return PriceEntry(
        name=name,
        match=NodeMatch(**match) if match else NodeMatch(gpu_model="h100-80gb"),
        per_gpu_hour_nanos=None if gpu_hour is None else round(gpu_hour * UNIT),
        per_node_hour_nanos=None if node_hour is None else round(node_hour * UNIT),
        split=split,
        gpu_share_ppm=share_ppm,
        effective=effective,
        list_price=list_price,
        priority=priority,
        gpu_count=gpu_count,
    )


def book(*entries: PriceEntry, name: str = "book", reference: ReferenceRates = INCUMBENT) -> PriceBook:
    return PriceBook(name, "USD", entries, reference)
