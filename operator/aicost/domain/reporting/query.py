"""A question to the ledger and its answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from aicost.domain.exact.windows import Window
from aicost.domain.identity.dimensions import Dimension

PLACE_KEYS = (
    "cluster", "namespace", "node", "region", "provider", "gpu-model", "component", "pod", "controller", "workload",
)  # fmt: skip
LABEL_KEY = "label:"
"""Prefix of a group key that names any label of the pod: `label:app.kubernetes.io/name`."""
SOURCE_KEY = "source:"
"""Prefix of a group key that names who gave a dimension its value, a name of `Source`: `source:team`."""
GROUP_KEYS: tuple[str, ...] = (*PLACE_KEYS, *(dimension.value for dimension in Dimension))
"""Keys that rows can be grouped and filtered by, beside `label:KEY` and `source:DIMENSION`."""


class IdlePolicy(StrEnum):
    """Who carries what nobody used. The total is the same under each."""

    SEPARATE = "separate"
    """Allocated-idle stands in a row of its own like all other idle."""
    TO_HOLDER = "to-holder"
    """Allocated-idle stays with the pods that held it; what nobody held is separate. The default."""
    WEIGHTED = "weighted"
    """What nobody held is spread over the rows in proportion to their cost."""
    EVEN = "even"
    """What nobody held is spread over the rows in equal parts."""


@dataclass(frozen=True, slots=True)
class ReportQuery:
    """What to report.

    Attributes:
        span: time asked for; bounds inside a billing window are pro-rated and flagged.
        group_by: group keys, at least one.
        filters: key -> accepted values; all keys must match.
        compare: also report the span before (see `span_before`).
        adjusted: also report what was posted as corrections.
        time_zone: zone in which days and months begin.
    """

    span: Window
    group_by: tuple[str, ...]
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    idle: IdlePolicy = IdlePolicy.TO_HOLDER
    compare: bool = False
    time_zone: str = "UTC"
    adjusted: bool = False


@dataclass(frozen=True, slots=True)
class Amounts:
    """Sums over rows of one currency.

    Attributes:
        buckets: bucket -> nano-units.
        gpu_milliseconds: bucket -> device time; unpriced time included. It stays with the line that held the device
            where an idle policy moves money, so that utilisation is the same under each policy.
        unpriced_gpu_milliseconds: device time without a price.
        measured_milliseconds: device time with samples behind it.
        provisional_nanos: the part of the cost that the open window contributes.
        list_price_nanos: the part of the cost that rests on list prices.
        tagged_nanos: dimension -> the part of the held cost of GPUs that carries that dimension.
        gpu_held_nanos: what pods held of GPUs: the whole of which labels cover a part. None where all cost is of GPUs.
        components: component -> nano-units.
        quantities: component -> what it counts beside device time: see `Row.quantity`; unpriced quantities included.
        unpriced_quantities: the part of it that has no price.
    """

    currency: str
    buckets: Mapping[str, int]
    gpu_milliseconds: Mapping[str, int]
    unpriced_gpu_milliseconds: int = 0
    measured_milliseconds: int = 0
    error_nanos: int | None = None
    provisional_nanos: int = 0
    list_price_nanos: int = 0
    tagged_nanos: Mapping[str, int] = field(default_factory=dict)
    gpu_held_nanos: int | None = None
    components: Mapping[str, int] = field(default_factory=dict)
    quantities: Mapping[str, int] = field(default_factory=dict)
    unpriced_quantities: Mapping[str, int] = field(default_factory=dict)

    @property
    def cost_nanos(self) -> int:
        """Sum over the buckets."""
        return sum(self.buckets.values())


@dataclass(frozen=True, slots=True)
class ReportLine:
    """One group.

    Attributes:
        keys: values in the order of the query's `group_by`.
        amounts: what its own rows sum to.
        shared_nanos: idle spread over it by the idle policy; its cost is `amounts.cost_nanos + shared_nanos`.
        previous_nanos: cost in the span before, None where that was not asked or nothing is known of it.
        merged: how many lines stand behind this one; above zero for the `other` line alone.
        adjusted_nanos: the part of its own cost that corrections of closed windows make, None where that was not asked.
    """

    keys: tuple[str, ...]
    amounts: Amounts
    shared_nanos: int = 0
    previous_nanos: int | None = None
    merged: int = 0
    adjusted_nanos: int | None = None

    @property
    def cost_nanos(self) -> int:
        """Cost of the line: its rows and what was spread over it."""
        return self.amounts.cost_nanos + self.shared_nanos


@dataclass(frozen=True, slots=True)
class Report:
    """An answer: one per currency, since sums never mix currencies.

    Attributes:
        lines: groups of held cost, largest first.
        idle: cost that no line carries under the idle policy, by bucket.
        total: sum over all rows; equals the lines plus idle, to the nano, under every policy and grouping.
        prorated: true where a bound lay inside a billing window.
        covered: the part of the span that the ledger (with the open window) answers for, None for none.
        not_covered: components of which nothing is in any amount: nothing measures them, or nothing prices them.
        partly_covered: components of which a part has no price.
        adjusted_nanos: the part of the total that corrections of closed windows make, None where that was not asked.
    """

    query: ReportQuery
    currency: str
    lines: tuple[ReportLine, ...]
    idle: Amounts
    total: Amounts
    previous_total_nanos: int | None = None
    prorated: bool = False
    covered: Window | None = None
    not_covered: tuple[str, ...] = ("cpu", "memory", "storage", "network", "api")
    partly_covered: tuple[str, ...] = ()
    adjusted_nanos: int | None = None
