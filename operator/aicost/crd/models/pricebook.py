"""PriceBook: what GPUs cost, by model, machine, place, way of buying and date."""

from typing import Annotated

from pydantic import Field

from aicost.crd.fields.amounts import Currency, PositiveFraction, Price
from aicost.crd.fields.conditions import Reported
from aicost.crd.fields.text import ItemName, LongText, Moment, ShortText, Timestamp, moment_cel, moment_ms
from aicost.crd.models.nodematch import NodeMatch
from aicost.crd.models.terms import Amortisation, Commitment, Discount, ExchangeRate
from aicost.crd.schema.base import ApiModel
from aicost.crd.schema.markers import Rule, map_list
from aicost.domain.pricing.books import NodeSplit


class PriceEntry(ApiModel):
    """One price."""

    rules = (
        Rule(
            "has(self.perGpuHour) || has(self.perNodeHour) || has(self.amortisation) || "
            "(has(self.commitment) && has(self.commitment.upfront))",
            "give a price: perGpuHour, perNodeHour or both, or amortisation, or commitment.upfront",
            lambda entry: bool(entry.per_gpu_hour or entry.per_node_hour or entry.amortisation or entry.upfront),
        ),
        Rule(
            "!has(self.amortisation) || !(has(self.perGpuHour) || has(self.perNodeHour) || has(self.commitment))",
            "amortisation is the price: leave perGpuHour, perNodeHour and commitment out",
            lambda entry: (
                entry.amortisation is None or not (entry.per_gpu_hour or entry.per_node_hour or entry.commitment)
            ),
        ),
        Rule(
            "!has(self.commitment) || !has(self.commitment.upfront) || (has(self.from) && has(self.to))",
            "commitment.upfront is spread over the time of the promise: give its from and to",
            lambda entry: entry.upfront is None or (entry.from_ is not None and entry.to is not None),
        ),
        Rule(
            "!has(self.commitment) || !has(self.commitment.upfront) || !has(self.perGpuHour)",
            "commitment.upfront is paid for a whole node: give what is paid per hour as perNodeHour",
            lambda entry: entry.upfront is None or entry.per_gpu_hour is None,
        ),
        Rule(
            "(has(self.split) && self.split == 'gpuShare') == has(self.gpuShare)",
            "gpuShare goes with split: gpuShare: give both or neither",
            lambda entry: (entry.split is NodeSplit.GPU_SHARE) == (entry.gpu_share is not None),
        ),
        Rule(
            "!has(self.split) || self.split == 'residual' || !has(self.perGpuHour)",
            "with perGpuHour the GPUs have their price and there is nothing to split: leave split out",
            lambda entry: entry.split is NodeSplit.RESIDUAL or entry.per_gpu_hour is None,
        ),
        Rule(
            f"!has(self.from) || !has(self.to) || {moment_cel('self.from')} < {moment_cel('self.to')}",
            "from must be before to: the price holds from the first moment until just before the second",
            lambda entry: entry.from_ is None or entry.to is None or moment_ms(entry.from_) < moment_ms(entry.to),
        ),
    )

    name: ItemName
    """Name of the entry; it stands beside each amount that the price was used for."""
    match: NodeMatch
    """Which nodes it prices."""
    per_gpu_hour: Price | None = None
    """Price of one GPU for one hour, as a decimal string in the book's currency."""
    per_node_hour: Price | None = None
    """Price of the whole node for one hour, as a decimal string in the book's currency."""
    gpu_count: Annotated[int, Field(ge=1, le=1024)] | None = None
    """GPUs that such a node has, where the node itself does not say. For a price per node."""
    amortisation: Amortisation | None = None
    """What a machine of your own costs: its price per node-hour is worked out from its purchase, life and power."""
    commitment: Commitment | None = None
    """That you pay for such nodes whether you use them or not. For reserved capacity."""
    split: NodeSplit = NodeSplit.RESIDUAL
    """How a price per node alone is divided. residual: the GPUs get what CPU and memory at the reference rates leave,
    and a ratio where nothing would be left. ratio: all in proportion to the reference rates. gpuShare: the GPUs get a
    stated share."""
    gpu_share: PositiveFraction | None = None
    """Share of the node's price that is the GPUs', as a decimal string above 0 and at most 1. For split gpuShare."""
    from_: Annotated[Moment | None, Field(alias="from")] = None
    """When the price begins to hold, included: a day (midnight UTC) or an RFC 3339 time. Always, where absent."""
    to: Moment | None = None
    """When it ceases to hold, not included: a day (midnight UTC) or an RFC 3339 time. Never, where absent."""
    priority: Annotated[int, Field(ge=-1000, le=1000)] = 0
    """Of several entries that match a node the one with the highest priority holds, then the more specific one."""
    list_price: bool | None = None
    """Whether this is a public list price. As the book says, where absent."""
    source: LongText | None = None
    """Where the price was read. As the book says, where absent."""
    as_of: Moment | None = None
    """When the price was read. As the book says, where absent."""

    @property
    def upfront(self) -> str | None:
        """What is paid in advance, where anything is."""
        return self.commitment.upfront if self.commitment else None


class ReferenceRates(ApiModel):
    """Prices of what stands beside the GPUs in a node; a price per node is split by them."""

    gpu_hour: Price | None = None
    """Price of one GPU for one hour, as a decimal string. For the split by ratio."""
    cpu_core_hour: Price | None = None
    """Price of one CPU core for one hour, as a decimal string."""
    memory_gib_hour: Price | None = None
    """Price of one GiB of memory for one hour, as a decimal string."""
    storage_gib_month: Price | None = None
    """Price of one GiB of storage for one month of 730 hours, as a decimal string."""


class StorageClassPrice(ApiModel):
    """The price of storage of one class."""

    name: Annotated[ShortText, Field(min_length=1)]
    """Name of the StorageClass, as PersistentVolumeClaims name it."""
    per_gib_month: Price
    """Price of one GiB for one month of 730 hours, as a decimal string in the book's currency."""


class PriceBookSpec(ApiModel):
    """A set of prices in one currency."""

    currency: Currency
    """ISO 4217 code of all prices in the book."""
    list_prices: bool = False
    """Whether these are public list prices: every report that rests on them says so."""
    source: LongText | None = None
    """Where the prices were read."""
    as_of: Moment | None = None
    """When the prices were read: a day or an RFC 3339 time."""
    entries: Annotated[list[PriceEntry], Field(max_length=1000), map_list("name")]
    """The prices, at most 1000."""
    reference_rates: ReferenceRates | None = None
    """Prices of CPU, memory and storage."""
    storage_classes: Annotated[list[StorageClassPrice], Field(max_length=100), map_list("name")] | None = None
    """Prices of claimed storage by class, at most 100. Other classes cost the reference rate, where there is one."""
    discounts: Annotated[list[Discount], Field(max_length=100), map_list("name")] | None = None
    """What you negotiated off the hourly prices, at most 100."""
    exchange_rates: Annotated[list[ExchangeRate], Field(max_length=500), map_list("base", "target", "from")] | None = (
        None
    )
    """Dated exchange rates, at most 500. For display alone: sums stay in the currency of their prices."""


class UnpricedNodes(ApiModel):
    """Nodes of one kind that no book has a price for."""

    gpu_model: str
    """Model of their GPUs; empty where nothing names it."""
    instance_type: str
    """Their instance type; empty where no label names it."""
    region: str
    """Their region; empty where no label names it."""
    capacity_type: str
    """How they were bought; unknown where no label says it."""
    nodes: int
    """How many there are."""
    gpus: int
    """How many GPUs they have."""
    entry: str
    """The entry to add to spec.entries, as YAML; put the price in."""


class PriceBookStatus(Reported):
    """What the book is used for."""

    entries: int | None = None
    """Entries in force now."""
    nodes_priced: int | None = None
    """GPU nodes that an entry of this book prices now."""
    unpriced: (
        Annotated[
            list[UnpricedNodes], Field(max_length=50), map_list("gpuModel", "instanceType", "region", "capacityType")
        ]
        | None
    ) = None
    """Kinds of GPU nodes that no book has a price for, with the entry to add."""
    updated_at: Timestamp | None = None
    """When this was last looked at."""


class PriceBook(ApiModel):
    """Prices of GPUs and nodes, for the whole cluster."""

    spec: PriceBookSpec
    """The prices."""
    status: PriceBookStatus | None = None
    """What the book is used for. Written by the controller alone."""
