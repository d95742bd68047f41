"""Figures that several statuses show."""

from typing import Annotated

from pydantic import Field

from aicost.crd.fields.amounts import GpuHours, Millis, Nanos, Readable, Share
from aicost.crd.fields.text import Timestamp
from aicost.crd.schema.base import ApiModel
from aicost.crd.schema.markers import ATOMIC_MAP, unit


class Span(ApiModel):
    """A half-open span of time."""

    from_: Annotated[Timestamp, Field(alias="from")]
    """Start, included."""
    to: Timestamp
    """End, not included."""


class Summary(ApiModel):
    """Figures as texts, for the columns of kubectl get. Programs read the integers beside them."""

    window: str | None = None
    """The span in words, for example month-to-date."""
    group_by: str | None = None
    """The keys that the rows are grouped by, joined by commas."""
    cost: str | None = None
    """Cost with its currency; several currencies stand side by side; `unpriced` where nothing has a price."""
    change: str | None = None
    """Change of the cost against the span before, in percent with its sign; `new` where there was no cost before.
    Absent where nothing is known of it."""
    gpu_hours: str | None = None
    """GPU-hours, priced or not."""
    utilisation: str | None = None
    """GPU time in use over GPU time held and measured, in percent. Absent where nothing was measured."""
    idle_share: str | None = None
    """Device time that was idle, held or not, over all device time, in percent. Absent where there is none."""
    telemetry_coverage: str | None = None
    """Share of device time with samples behind it, in percent."""
    label_coverage: str | None = None
    """Share of the held cost that names a team, in percent."""
    price_coverage: str | None = None
    """Share of device time with a price, in percent."""
    unpriced_gpu_hours: str | None = None
    """GPU-hours for which no PriceBook has a price: counted, never charged at a default."""
    provisional: str | None = None
    """The part of the cost that the open window contributes and that may still change."""


class BucketFigures(ApiModel):
    """One bucket of the cost."""

    cost: Readable
    """Amount for people; `unpriced` where nothing has a price."""
    cost_nanos: Nanos | None = None
    """Amount, exact. Absent where nothing has a price, or beyond 64 bits."""
    gpu_milliseconds: Millis
    """Device time, priced or not."""


class Buckets(ApiModel):
    """What the money was for. The buckets sum to the cost to the last nano-unit; one that is absent is zero."""

    used: BucketFigures | None = None
    """A pod held the GPU and the GPU was busy."""
    allocated_idle: BucketFigures | None = None
    """A pod held the GPU and the GPU was idle."""
    allocated_unmeasured: BucketFigures | None = None
    """A pod held the GPU and nothing was measured: neither busy nor idle is claimed."""
    unallocated: BucketFigures | None = None
    """No pod held the GPU."""
    stranded: BucketFigures | None = None
    """A part of the GPU that no profile fits into any more."""
    unhealthy: BucketFigures | None = None
    """The GPU was paid for and lost."""
    system: BucketFigures | None = None
    """Held by exporters and diagnostics."""
    unattributed: BucketFigures | None = None
    """Busy time that belongs to no known pod."""


class CurrencyTotal(ApiModel):
    """Sums over everything in the span, in one currency."""

    currency: Annotated[str, Field(max_length=3)]
    """ISO 4217 code."""
    cost: Readable
    """Cost for people; `unpriced` where nothing has a price."""
    cost_nanos: Nanos | None = None
    """Cost, exact: the sum of the buckets. Absent where nothing has a price, or beyond 64 bits."""
    gpu_hours: GpuHours
    """Device time, priced or not."""
    gpu_milliseconds: Millis
    """Device time, priced or not, exact."""
    measured_gpu_milliseconds: Millis | None = None
    """Device time with samples behind it."""
    unpriced_gpu_milliseconds: Millis | None = None
    """Device time without a price."""
    buckets: Buckets | None = None
    """The cost by what it was for."""
    components: Annotated[dict[str, Nanos], ATOMIC_MAP] | None = None
    """The cost by component, exact: gpu, cpu, memory, storage. One that is absent is zero or not covered."""
    error_nanos: Annotated[int, unit("nano-units of the currency (10^-9)")] | None = None
    """Half-width of the 95 % error bar. Absent where a part of the cost was not measured."""
    provisional_nanos: Nanos | None = None
    """The part of the cost that the open window contributes and that may still change."""
    list_price_nanos: Nanos | None = None
    """The part of the cost that rests on public list prices and not on what you pay."""
    previous_cost: Readable | None = None
    """Cost of the span before. Absent where nothing is known of it."""
    previous_cost_nanos: Nanos | None = None
    """Cost of the span before, exact."""
    change: Share | None = None
    """Change against the span before, with its sign; `new` where there was no cost before."""
