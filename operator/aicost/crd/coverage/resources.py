"""What the query API serves beside allocations: names, fields and parameters, as data."""

from collections.abc import Mapping
from dataclasses import dataclass

from aicost.crd.allocations.listing import Field
from aicost.crd.allocations.parameters import FORMAT

_COMMON = {
    "since": "The time to look at: 30d, 90d, month-to-date, 2026-10, FROM/TO. Default: 30d.",
    "limit": "Objects and values that each list names.",
}


@dataclass(frozen=True, slots=True)
class Served:
    """A resource that is computed when it is asked for.

    Attributes:
        about: what one of its items is.
        fields: fields of an item; `source` is the name in the document.
        parameters: every parameter that a request understands, with its meaning.
        namespaced: whether there is a path for one namespace; else what it tells belongs to the whole cluster.
        verbs: what one may do with it.
    """

    plural: str
    kind: str
    short_name: str
    about: str
    fields: tuple[Field, ...]
    parameters: Mapping[str, str]
    namespaced: bool = True
    verbs: tuple[str, ...] = ("list",)

    @property
    def list_kind(self) -> str:
        """Kind of a list of them."""
        return f"{self.kind}List"

    @property
    def report_kind(self) -> str:
        """Kind of the document that has everything in one."""
        return f"{self.kind}Report"


_WEIGHT = (
    Field("coverage", "by_cost", "string", "Share of the cost that carries the key; absent where there is no cost."),
    Field("cost", "cost", "string", "Cost that pods held, with its currency."),
    Field("costNanos", "cost_nanos", "integer", "The same in nano-units (10^-9) of the currency."),
    Field("coveredCostNanos", "covered_cost_nanos", "integer", "The part of it that carries the key."),
    Field("uncovered", "uncovered", "string", "The part of it that does not."),
    Field("objectCoverage", "by_objects", "string", "Share of the objects that carry the key."),
    Field("objects", "objects", "integer", "Objects that need the key."),
    Field("coveredObjects", "covered_objects", "integer", "Objects among them that carry it."),
)
COVERAGES = Served(
    plural="labelcoverages",
    kind="LabelCoverage",
    short_name="lcov",
    about="How much of the cost and of the objects of a namespace carries a label, computed when it is asked for.",
    fields=(
        Field("key", "key", "string", "The key; `all` stands for all required keys together."),
        Field("currency", "currency", "string", "ISO 4217 code of all amounts."),
        *_WEIGHT,
    ),
    parameters={**_COMMON, FORMAT: "report: the document of `aicost coverage -o json`."},
)
INVENTORIES = Served(
    plural="inventories",
    kind="Inventory",
    short_name="inv",
    about="An AI workload: what it is, whose it is, how it scales and what it costs, computed when it is asked for.",
    fields=(
        Field("object", "object", "string", "Kind and name of the object."),
        Field("type", "type", "string", "Workload type: training, inference ..."),
        Field("model", "model", "string", "AI model."),
        Field("owner", "owner", "string", "Team, or who answers for it by its annotations."),
        Field("product", "product", "string", "Product that it is part of."),
        Field("scaling", "scaling", "string", "How many pods, and how their number comes about."),
        Field("gpus", "gpus", "string", "GPUs that it asks for at the start."),
        Field("gpuHours", "gpu_hours", "string", "GPU-hours that it held, priced or not."),
        Field("currency", "currency", "string", "ISO 4217 code of all amounts."),
        Field("cost", "cost", "string", "Cost with its currency; absent where it is not known."),
        Field("costNanos", "cost_nanos", "integer", "The same in nano-units (10^-9) of the currency."),
        Field("monthlyCost", "monthly_cost", "string", "The cost of 30 days at that pace; absent below a day of data."),
        Field("monthlyCostNanos", "monthly_cost_nanos", "integer", "The same in nano-units."),
        Field("aiWorkload", "aiworkload", "string", "The AIWorkload that speaks for it."),
        Field("there", "there", "boolean", "Whether the object is there now; absent where nobody looked."),
    ),
    parameters={**_COMMON, FORMAT: "report: the document of `aicost inventory -o json`."},
)
