"""What an object will cost, before it runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from aicost.domain.pricing.books import PriceQuote


@dataclass(frozen=True, slots=True)
class Offer:
    """A kind of GPU node that the object could run on.

    Attributes:
        gpu_model: canonical model.
        node_labels: labels that all nodes of the kind have.
        nodes: how many there are; 0 for a kind that is only known from a price book.
        quote: the price of a GPU-hour there, None where no book has one.
        reason: why that price, or what is missing.
    """

    gpu_model: str
    provider: str = ""
    region: str = ""
    instance_type: str = ""
    capacity_type: str = ""
    node_labels: Mapping[str, str] = field(default_factory=dict)
    nodes: int = 0
    quote: PriceQuote | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Market:
    """What GPUs are on offer: the cluster's nodes, or, offline, what the price books name."""

    offers: tuple[Offer, ...] = ()
    offline: bool = False


@dataclass(frozen=True, slots=True)
class PriceRange:
    """A price that is not yet certain, because several kinds of nodes would do. Nano-units of the currency per hour.

    Attributes:
        low, high: exact; equal where only one price is possible.
    """

    low: Fraction
    high: Fraction
    currency: str


@dataclass(frozen=True, slots=True)
class EstimateLine:
    """One template's part.

    Attributes:
        gpu_milli: thousandths of GPUs of all its pods at the start, None where unknown.
        per_hour: of all its pods, None where a price is missing.
        candidates: offers that fit, the cheapest first.
        note: what is not known, and the fix; empty where all is known.
    """

    role: str
    replicas: int
    gpu_milli: int | None
    gpu_models: tuple[str, ...]
    per_hour: PriceRange | None
    candidates: tuple[Offer, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an object will cost.

    Attributes:
        per_hour: of all its GPUs at the start; None where any part is unpriced, and then `unpriced` says why.
        per_hour_max: at its largest, where it scales by itself.
        duration_ms: of one run, None where nothing says it.
        total_nanos: (low, high) over the duration, rounded once; None without a price or a duration.
    """

    lines: tuple[EstimateLine, ...]
    gpu_milli: int | None
    per_hour: PriceRange | None
    per_hour_max: PriceRange | None
    duration_ms: int | None
    duration_source: str
    total_nanos: tuple[int, int] | None
    unpriced: str = ""


@dataclass(frozen=True, slots=True)
class BudgetLeft:
    """What is left of a budget that the object would count against."""

    name: str
    left_nanos: int
    limit_nanos: int
    currency: str
    until_ms: int | None
