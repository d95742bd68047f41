"""Price books and the decisions taken from them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from aicost.domain.exact.windows import Window
from aicost.domain.inventory.nodes import CapacityType
from aicost.domain.pricing.currencies import ExchangeRate

ALWAYS = Window(-62_135_596_800_000, 253_402_300_799_999)
"""The effective dates of a price without dates: the years 1 to 9999. An end that is left open is an end of this."""

Rate = int | Fraction
"""Nano-units per hour: whole as people write prices, a fraction where a price is worked out."""


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
    storage_gib_month_nanos: int = 0
    """Per month of 730 hours, as people write it: no fraction of an hour is lost."""


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
class Power:
    """What a node of one's own draws, and what that costs.

    Attributes:
        rated_watts: what the whole node draws at full load, by its plate.
        load_ppm: mean part of that, where nothing is measured.
        host_watts: what it draws beside its GPUs; with it the measured power of the GPUs is used where it is known.
        pue_ppm: power of the whole building for each part that the machines draw, in parts per million; 1.0 or more.
        per_kwh_nanos: price of a kilowatt-hour.
    """

    rated_watts: int
    load_ppm: int
    pue_ppm: int
    per_kwh_nanos: int
    host_watts: int | None = None


@dataclass(frozen=True, slots=True)
class Amortisation:
    """What a node of one's own costs per hour: its loss of value in a straight line, its power, and the rest.

    Attributes:
        purchase_nanos, residual_nanos: what one node was bought for, and what it will be worth at the end.
        in_service_ms: when its life began.
        lifetime_months: months of the calendar that it lives; after them its value no longer falls.
        fixed_hour_nanos: all else, per node-hour: rack, network, staff, support.
    """

    purchase_nanos: int
    residual_nanos: int
    in_service_ms: int
    lifetime_months: int
    fixed_hour_nanos: int = 0
    power: Power | None = None


@dataclass(frozen=True, slots=True)
class Commitment:
    """A promise to pay for the whole time in which an entry is effective.

    Attributes:
        upfront_nanos: paid in advance for one node, spread evenly over that time.
        nodes: for how many nodes the promise was made; None where nobody says.
    """

    upfront_nanos: int = 0
    nodes: int | None = None


class Stacking(StrEnum):
    """How a discount goes together with others that match as well."""

    BEST = "best"
    """Of these the one that takes off most holds alone."""
    ADD = "add"
    """Its percentage is added to that of the best one, and the sum is taken off."""
    COMPOUND = "compound"
    """It is taken off what the others leave."""


@dataclass(frozen=True, slots=True)
class Discount:
    """A percentage off the hourly prices of entries.

    Attributes:
        off_ppb: what it takes off, in parts per billion of the price; above 0 and below 10^9.
        match: which nodes it is for; an empty match means all.
        books: names of the books whose entries it is taken off; empty for the book that it stands in.
        effective: when it holds.
    """

    name: str
    off_ppb: int
    match: NodeMatch
    effective: Window
    stacking: Stacking = Stacking.BEST
    books: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PriceEntry:
    """One price of a book.

    Attributes:
        per_gpu_hour_nanos, per_node_hour_nanos: at least one is given, or an amortisation, or an upfront payment; all
            prices are above zero. Fractions where `terms` worked them out.
        gpu_share_ppm: share of the GPUs in the node price, for `NodeSplit.GPU_SHARE` only.
        effective: when it holds; open ends are those of `ALWAYS`.
    """

    name: str
    match: NodeMatch
    per_gpu_hour_nanos: Rate | None
    per_node_hour_nanos: Rate | None
    split: NodeSplit
    gpu_share_ppm: int | None
    effective: Window
    list_price: bool = False
    source: str = ""
    priority: int = 0
    gpu_count: int | None = None
    """GPUs of such a node, for a price per node-hour where the node itself does not say."""
    amortisation: Amortisation | None = None
    commitment: Commitment | None = None
    on_node: bool = False
    """Whether the price stands on the node itself, and not in a book."""


@dataclass(frozen=True, slots=True)
class PriceBook:
    """A set of prices in one currency."""

    name: str
    currency: str
    entries: tuple[PriceEntry, ...]
    reference: ReferenceRates = ReferenceRates()
    discounts: tuple[Discount, ...] = ()
    exchange_rates: tuple[ExchangeRate, ...] = ()
    storage_classes: Mapping[str, int] = field(default_factory=dict)
    """Storage class -> nano-units for one GiB and a month of 730 hours."""
    list_prices: bool = False
    """Whether its prices of storage are public list prices."""


@dataclass(frozen=True, slots=True)
class PriceQuote:
    """A price of one source for one node.

    Attributes:
        gpu_hour_nanos_num / gpu_hour_den: price of one GPU-hour as an exact fraction of nano-units (a node price
            divided among 3 GPUs has no exact integer). 0 for a node without GPUs.
        node_hour: price of the whole node for one hour, where the entry gives one: gpu, cpu and memory sum to it.
        gpus: GPUs that the price was divided among.
        cpu, memory: what all CPU and all memory of the node cost for one hour, exactly. None where the price says
            nothing of them: they are not covered, which is not 0.
        undivided: `cpu` is all that is not the GPUs', because no reference rate tells CPU from memory.
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
    node_hour: Fraction | None = None
    gpus: int = 0
    cpu: Fraction | None = None
    memory: Fraction | None = None
    undivided: bool = False


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
