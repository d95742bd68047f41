"""Price books and the decisions taken from them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from aicost.domain.exact.windows import Window
from aicost.domain.inventory.nodes import CapacityType

ALWAYS = Window(-62_135_596_800_000, 253_402_300_799_999)
"""The effective dates of a price without dates: the years 1 to 9999. An end that is left open is an end of this."""


class NodeSplit(StrEnum):
    """How a price per node-hour is divided between its GPUs and the rest of the node."""

    RESIDUAL = "residual"
    """GPU = node price less CPU and memory at the book's reference rates; by ratio where nothing would be left."""
    RATIO = "ratio"
    """All components scaled in proportion to the reference rates, as the incumbents do."""
    GPU_SHARE = "gpuShare"
    """A stated share."""


@dataclass(frozen=True, slots=True)
class ReferenceRates:
    """Prices per unit that a node price is split by, in nano-units of the book's currency per hour."""

    cpu_core_nanos: int = 0
    memory_gib_nanos: int = 0
    gpu_nanos: int = 0
    storage_gib_nanos: int = 0


@dataclass(frozen=True, slots=True)
class NodeMatch:
    """Which nodes an entry prices; a field that is empty matches any node."""

    gpu_model: str = ""
    instance_type: str = ""
    provider: str = ""
    region: str = ""
    zone: str = ""
    capacity_type: CapacityType | None = None
    node_labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PriceEntry:
    """One price of a book.

    Attributes:
        per_gpu_hour_nanos, per_node_hour_nanos: at least one is given; all prices are above zero.
        gpu_share_ppm: share of the GPUs in the node price, for `NodeSplit.GPU_SHARE` only.
        effective: when it holds; open ends are those of `ALWAYS`.
    """

    name: str
    match: NodeMatch
    per_gpu_hour_nanos: int | None
    per_node_hour_nanos: int | None
    split: NodeSplit
    gpu_share_ppm: int | None
    effective: Window
    list_price: bool = False
    source: str = ""
    priority: int = 0
    gpu_count: int | None = None
    """GPUs of such a node, for a price per node-hour where the node itself does not say."""


@dataclass(frozen=True, slots=True)
class PriceBook:
    """A set of prices in one currency."""

    name: str
    currency: str
    entries: tuple[PriceEntry, ...]
    reference: ReferenceRates = ReferenceRates()


@dataclass(frozen=True, slots=True)
class PriceQuote:
    """A price of one source for one node.

    Attributes:
        gpu_hour_nanos_num / gpu_hour_den: price of one GPU-hour as an exact fraction of nano-units (a node price
            divided among 3 GPUs has no exact integer).
    """

    book: str
    entry: str
    currency: str
    gpu_hour_nanos_num: int
    gpu_hour_den: int
    list_price: bool
    source: str
    explanation: str
    """How the price of a GPU-hour follows from the entry, for people."""


@dataclass(frozen=True, slots=True)
class PriceDecision:
    """Which quote holds for a node over a span, and why not the others.

    Attributes:
        span: the part of the window in which the decision holds.
        chosen: None means unpriced: time is still counted, money is not guessed.
        rejected: each other quote with the reason.
        reason: for people; where unpriced it names the entry to add.
    """

    span: Window
    chosen: PriceQuote | None
    rejected: tuple[tuple[str, str], ...]
    reason: str
