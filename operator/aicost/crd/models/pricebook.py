"""PriceBook: what GPUs cost, by model, machine, place, way of buying and date."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from aicost.crd.fields.amounts import Currency, PositiveFraction, Price
from aicost.crd.fields.conditions import Reported
from aicost.crd.fields.text import ItemName, LabelValue, LongText, Moment, ShortText, Timestamp, moment_cel, moment_ms
from aicost.crd.schema.base import ApiModel
from aicost.crd.schema.markers import Rule, map_list
from aicost.domain.pricing.books import NodeSplit


class PricedCapacity(StrEnum):
    """How capacity that has a price was bought."""

    ON_DEMAND = "on-demand"
    SPOT = "spot"
    RESERVED = "reserved"


_MATCHED = ("gpuModel", "instanceType", "provider", "region", "zone", "capacityType", "nodeSelector")


class NodeMatch(ApiModel):
    """Which nodes an entry prices: all fields that are given must match."""

    rules = (
        Rule(
            " || ".join(f"has(self.{name})" for name in _MATCHED),
            "an empty match prices every node: name at least one of " + ", ".join(_MATCHED),
            lambda match: match.model_dump(exclude_none=True) != {},
        ),
    )

    gpu_model: ShortText | None = None
    """Model of the GPU: the node's label nvidia.com/gpu.product, or its short form such as h100-80gb."""
    instance_type: ShortText | None = None
    """Instance type: the node's label node.kubernetes.io/instance-type, for example p5.48xlarge."""
    provider: ShortText | None = None
    """Cloud or operator of the node, as in its providerID: aws, gce, azure."""
    region: ShortText | None = None
    """Region: the node's label topology.kubernetes.io/region."""
    zone: ShortText | None = None
    """Zone: the node's label topology.kubernetes.io/zone."""
    capacity_type: PricedCapacity | None = None
    """How the capacity was bought, read from the labels of EKS, GKE, AKS and Karpenter."""
    node_selector: Annotated[dict[str, LabelValue], Field(min_length=1, max_length=16)] | None = None
    """Labels that the node must have."""


class PriceEntry(ApiModel):
    """One price."""

    rules = (
        Rule(
            "has(self.perGpuHour) || has(self.perNodeHour)",
            "give a price: perGpuHour, perNodeHour or both",
            lambda entry: bool(entry.per_gpu_hour or entry.per_node_hour),
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
