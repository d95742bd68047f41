"""Where a budget stands, what it does and what it would do."""

from typing import Annotated

from pydantic import Field

from aicost.crd.fields.amounts import Nanos, Readable, Share
from aicost.crd.fields.conditions import Reported
from aicost.crd.fields.text import Timestamp
from aicost.crd.models.budget.doings import Enforced, NudgeStatus, PendingGate, RedlineStatus, Simulated, Told
from aicost.crd.schema.base import ApiModel
from aicost.crd.schema.markers import ATOMIC_LIST, map_list, unit
from aicost.domain.budgets.gates import Gate

PerHourNanos = Annotated[int, unit("nano-units of the currency per hour")]
PerHour = Annotated[str, unit("currency per hour, rounded for people")]


class BudgetPeriod(ApiModel):
    """The period that is running."""

    start: Timestamp
    """Start, included."""
    end: Timestamp | None = None
    """End, not included. Absent for a Rolling period and an open Total."""


class LimitParts(ApiModel):
    """What the limit of the period is made of."""

    base_nanos: Nanos
    """As spec.limit or spec.plannedAmounts say, with what it has grown by."""
    carried_nanos: Nanos = 0
    """What was carried from the period before; below zero for an overrun."""
    approved_nanos: Nanos = 0
    """What overrides add."""
    minor_nanos: Nanos = 0
    """The part of it that minor overruns add in this period, ended ones included: their cap is cumulative."""
    prorated_from: Timestamp | None = None
    """From when on it is pro-rated, in the period in which the budget was made."""


class Spent(ApiModel):
    """What was spent in the period."""

    total: Readable
    """Spend for people, up to this moment."""
    total_nanos: Nanos | None = None
    """Spend, exact: closed windows, the open one, and what was held since that was computed. Absent beyond 64 bits."""
    provisional_nanos: Nanos | None = None
    """The part of it that the open window contributes and that may still change."""
    accrued_nanos: Nanos | None = None
    """The part of it that was held since the open window was last computed, at its price: in no total of the ledger
    yet."""
    unpriced_gpu_milliseconds: Annotated[int, unit("milliseconds of one GPU")] | None = None
    """Device time in scope without a price: it is not in the spend."""


class Forecast(ApiModel):
    """What will have been spent at the end of the period."""

    total: Readable
    """Forecast for people."""
    total_nanos: Nanos | None = None
    """Forecast, exact as computed. Absent beyond 64 bits."""
    high: Readable | None = None
    """The same if the rest is as the dearest tenth of the days. Absent for method pace."""
    high_nanos: Nanos | None = None
    """The same, exact."""
    method: Annotated[str, Field(max_length=63)]
    """How it was computed; pace: spend so far carried on at its mean rate; daily-median: the rest at the median of the
    last full days."""
    as_of: Timestamp
    """Moment that it was computed for."""


class BurnStatus(ApiModel):
    """How fast the rest of the limit is used up."""

    over: Annotated[str, Field(max_length=8)]
    """Span of the rate: now (what is committed), 1h, 6h or 3d."""
    rate_per_hour_nanos: PerHourNanos
    """Rate over the span."""
    burn_rate: Annotated[str, Field(max_length=24), unit("1 uses exactly the rest by the end; inf: nothing is left")]
    """Rate times the time that is left, over what is left of the limit."""


class DataStatus(ApiModel):
    """How far the figures can be trusted."""

    as_of: Timestamp | None = None
    """Moment that the newest measured figures are of. Beyond maxStaleness nothing is opened and nothing closed."""
    telemetry_coverage: Share | None = None
    """Share of the device time of the last day with samples; absent where that is too little to judge."""
    price_coverage: Share | None = None
    """Share of it with a price."""
    label_coverage: Share | None = None
    """Share of the cost in scope with the required labels; a gate above FreezeGrowth asks for enough of it."""


class RungStatus(ApiModel):
    """How one rung stands."""

    name: str
    """Its name."""
    gate: Gate
    """The gate that it opens."""
    reached: bool
    """Whether it holds now."""
    since: Timestamp | None = None
    """Since when."""
    told_at: Timestamp | None = None
    """When people were told in this period."""
    told_limit_nanos: Nanos | None = None
    """The limit that it was told for: an approved one is a new threshold."""


class AcceptedPrice(ApiModel):
    """The price of a GPU-hour that a kind of device is known by."""

    what: Annotated[str, Field(max_length=253)]
    """GPU model, instance type, region and how it was bought."""
    nanos: Nanos
    """Nano-units per GPU-hour."""


class GrowthStatus(ApiModel):
    """How the limit has grown."""

    held_periods: int = 0
    """Periods in a row in which unit cost and success held."""
    limit_nanos: Nanos | None = None
    """The limit that it has grown to."""
    message: Annotated[str, Field(max_length=1024)] | None = None
    """What was found of the last period, and what comes next."""


class ClosedPeriod(ApiModel):
    """A period that is over."""

    start: Timestamp
    """Start, included."""
    end: Timestamp
    """End, not included."""
    limit: Readable
    """Limit for people."""
    limit_nanos: Nanos | None = None
    """Limit, exact."""
    spent: Readable
    """Spend for people."""
    spent_nanos: Nanos | None = None
    """Spend, exact. Absent beyond 64 bits."""
    unit_cost_ppm: Annotated[int, unit("parts per million of the target")] | None = None
    """Unit cost over its target. Absent where no unit was counted."""
    success_ppm: Annotated[int, unit("parts per million")] | None = None
    """Successes over units. Absent where they were not counted."""


class BudgetStatus(Reported):
    """Where the budget stands."""

    currency: str | None = None
    """ISO 4217 code of the amounts."""
    period: BudgetPeriod | None = None
    """The period that is running."""
    limit: Readable | None = None
    """Limit of the period, with what was carried into it and approved."""
    limit_nanos: Nanos | None = None
    """Limit of the period, exact."""
    limit_parts: LimitParts | None = None
    """What the limit is made of."""
    spent: Spent | None = None
    """What was spent in the period."""
    percent_used: Share | None = None
    """Spend over limit."""
    pace: Share | None = None
    """Share of the limit that is spent over share of the period that is gone: above 100 % is too fast."""
    rate_per_hour: PerHour | None = None
    """Mean spend of the last 24 hours in the period."""
    rate_per_hour_nanos: PerHourNanos | None = None
    """Mean spend of the last 24 hours in the period, exact."""
    committed_per_hour: PerHour | None = None
    """Cost per hour of what runs now."""
    committed_per_hour_nanos: PerHourNanos | None = None
    """Cost per hour of what runs now, exact."""
    burn: Annotated[list[BurnStatus], Field(max_length=8), map_list("over")] | None = None
    """How fast the rest of the limit is used up, over several spans. Absent where the period has no end."""
    unit_cost: Share | None = None
    """Unit cost over its target, in the period. Absent where no unit was counted."""
    unit_cost_ppm: Annotated[int, unit("parts per million of target and margin")] | None = None
    """Unit cost over its target with its margin: the period held where it is no more than 1000000."""
    success_ppm: Annotated[int, unit("parts per million")] | None = None
    """Successes over units, in the period. Absent where they are not counted."""
    forecast: Forecast | None = None
    """What will have been spent at the end of the period."""
    time_to_exhaustion: Annotated[str, unit("days, hours and minutes, such as 3d4h")] | None = None
    """Time until the limit is reached at this rate; 0m where it is, absent where nothing is spent."""
    gate: Gate | None = None
    """Gate that is open. While the budget only observes or advises: the one that would be."""
    gate_since: Timestamp | None = None
    """Since when."""
    decided_mode: Annotated[str, Field(max_length=16)] | None = None
    """The mode that the gate was decided in."""
    decided_for: Annotated[str, Field(max_length=63)] | None = None
    """The rung that opened the gate."""
    reason: Annotated[str, Field(max_length=63)] | None = None
    """Why the gate is where it is, as one word for programs."""
    pending: PendingGate | None = None
    """A gate that is announced and not open yet."""
    next_action: Annotated[str, Field(max_length=1024)] | None = None
    """What comes next and when, in words."""
    rungs: Annotated[list[RungStatus], Field(max_length=16), map_list("name")] | None = None
    """How each rung stands."""
    redlines: Annotated[list[RedlineStatus], Field(max_length=64), ATOMIC_LIST] | None = None
    """How each redline stands, for each workload that is near it or beyond."""
    nudges: Annotated[list[NudgeStatus], Field(max_length=32), ATOMIC_LIST] | None = None
    """What left its own normal."""
    told: Annotated[list[Told], Field(max_length=32), map_list("id")] | None = None
    """Messages that were sent, or are on their way."""
    enforcement: Enforced | None = None
    """What is done now."""
    simulate_at_100: Annotated[Simulated | None, Field(alias="simulateAt100")] = None
    """Whom it would stop if the limit were reached now, whatever mode and maxGate say."""
    overrides: Annotated[list[Annotated[str, Field(max_length=317)]], Field(max_length=16), ATOMIC_LIST] | None = None
    """Overrides that hold now, as namespace/name."""
    data: DataStatus | None = None
    """How far the figures can be trusted."""
    prices: Annotated[list[AcceptedPrice], Field(max_length=32), map_list("what")] | None = None
    """Prices that the devices in scope are known by: one that jumps is set aside until a person has looked."""
    prices_accepted_at: Timestamp | None = None
    """The last word of a person that prices are right, as the annotation aicost.dev/prices-accepted said it."""
    growth: GrowthStatus | None = None
    """How the limit has grown."""
    promotion: Annotated[str, Field(max_length=1024)] | None = None
    """Whether the work is ready for the next stage, and why or why not."""
    limit_raised_at: Timestamp | None = None
    """When the limit of this period was last raised."""
    stopped_at: Timestamp | None = None
    """When the last step that stops pods was taken."""
    data_through: Timestamp | None = None
    """End of the last closed window that the figures hold."""
    updated_at: Timestamp | None = None
    """When the figures were last computed."""
    history: Annotated[list[ClosedPeriod], Field(max_length=3), ATOMIC_LIST] | None = None
    """The last periods that are over, the latest first."""
