"""What an object will cost, before it runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from aicost.domain.pricing.books import PriceQuote
from aicost.domain.workloads.shapes import Scaling


@dataclass(frozen=True, slots=True)
class Offer:
    """A kind of GPU node that the object could run on.

    Attributes:
        gpu_model: canonical model.
        node_labels: labels that all nodes of the kind have.
        nodes: how many there are; 0 for a kind that is only known from a price book.
        gpus: GPUs of one such node, 0 where that is not known.
        slots_per_gpu: replicas of each GPU that the node offers by time-slicing or MPS.
        resources: accelerators that one such node offers, by extended resource; empty for a kind that is only known
            from a price book.
        quote: the price of a GPU-hour there, None where no book has one.
        reason: why that price, or what is missing.
        rejected: each other quote that is about such nodes, with the reason against it.
    """

    gpu_model: str
    provider: str = ""
    region: str = ""
    instance_type: str = ""
    capacity_type: str = ""
    node_labels: Mapping[str, str] = field(default_factory=dict)
    nodes: int = 0
    gpus: int = 0
    slots_per_gpu: int = 1
    resources: Mapping[str, int] = field(default_factory=dict)
    quote: PriceQuote | None = None
    reason: str = ""
    rejected: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Market:
    """What GPUs are on offer: the cluster's nodes, and what the price books name; offline the books alone.

    Attributes:
        assumed_model: canonical model to take for what names none, as a person said; empty for no such assumption.
    """

    offers: tuple[Offer, ...] = ()
    offline: bool = False
    assumed_model: str = ""


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
        candidates: offers that fit, the cheapest first; equal ones stand once.
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
        lines: one for each template that asks for accelerators; none where no template does.
        gpu_milli: thousandths of GPUs at the start, None where the size of a part is not known.
        per_hour: of all its GPUs at the start; None where any part is unpriced, and then `unpriced` says why.
        per_hour_max: at its largest, where it scales by itself.
        duration_ms: of one run, None where nothing says it.
        total_nanos: (low, high) over the duration, rounded once; None without a price or a duration.
        scaling: how long it goes on: one run, one run after the other, or until somebody ends it.
    """

    lines: tuple[EstimateLine, ...]
    gpu_milli: int | None
    per_hour: PriceRange | None
    per_hour_max: PriceRange | None
    duration_ms: int | None
    duration_source: str
    total_nanos: tuple[int, int] | None
    unpriced: str = ""
    scaling: Scaling = Scaling.FIXED


@dataclass(frozen=True, slots=True)
class BudgetLeft:
    """What is left of a budget that the object would count against."""

    name: str
    left_nanos: int
    limit_nanos: int
    currency: str
    until_ms: int | None
