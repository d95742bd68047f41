"""Where a budget stands."""

from typing import Annotated

from pydantic import Field

from aicost.crd.fields.amounts import Nanos, Readable, Share
from aicost.crd.fields.conditions import Reported
from aicost.crd.fields.text import Timestamp
from aicost.crd.models.budget.ladder import Gate
from aicost.crd.schema.base import ApiModel
from aicost.crd.schema.markers import ATOMIC_LIST, unit


class BudgetPeriod(ApiModel):
    """The period that is running."""

    start: Timestamp
    """Start, included."""
    end: Timestamp | None = None
    """End, not included. Absent for an open Total."""


class Spent(ApiModel):
    """What was spent in the period."""

    total: Readable
    """Spend for people."""
    total_nanos: Nanos | None = None
    """Spend, exact. Absent beyond 64 bits."""
    provisional_nanos: Nanos | None = None
    """The part of it that the open window contributes and that may still change."""
    unpriced_gpu_milliseconds: Annotated[int, unit("milliseconds of one GPU")] | None = None
    """Device time in scope without a price: it is not in the spend."""


class Forecast(ApiModel):
    """What will have been spent at the end of the period."""

    total: Readable
    """Forecast for people."""
    total_nanos: Nanos | None = None
    """Forecast, exact as computed. Absent beyond 64 bits."""
    method: Annotated[str, Field(max_length=63)]
    """How it was computed; pace: spend so far carried on at its mean rate."""
    as_of: Timestamp
    """Moment that it was computed for."""


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


class BudgetStatus(Reported):
    """Where the budget stands."""

    currency: str | None = None
    """ISO 4217 code of the amounts."""
    period: BudgetPeriod | None = None
    """The period that is running."""
    limit: Readable | None = None
    """Limit of the period, with what was carried into it."""
    limit_nanos: Nanos | None = None
    """Limit of the period, exact."""
    spent: Spent | None = None
    """What was spent in the period."""
    percent_used: Share | None = None
    """Spend over limit."""
    pace: Share | None = None
    """Share of the limit that is spent over share of the period that is gone: above 100 % is too fast."""
    rate_per_hour: Annotated[str, unit("currency per hour, rounded for people")] | None = None
    """Mean spend of the last 24 hours in the period."""
    rate_per_hour_nanos: Annotated[int, unit("nano-units of the currency per hour")] | None = None
    """Mean spend of the last 24 hours in the period, exact."""
    forecast: Forecast | None = None
    """What will have been spent at the end of the period."""
    time_to_exhaustion: Annotated[str, unit("days, hours and minutes, such as 3d4h")] | None = None
    """Time until the limit is reached at this rate; 0m where it is, absent where nothing is spent."""
    gate: Gate | None = None
    """Gate that is open. While the budget only observes: the one that would be."""
    gate_since: Timestamp | None = None
    """Since when."""
    next_action: Annotated[str, Field(max_length=1024)] | None = None
    """What comes next and when, in words."""
    data_through: Timestamp | None = None
    """End of the last closed window that the figures hold."""
    updated_at: Timestamp | None = None
    """When the figures were last computed."""
    history: Annotated[list[ClosedPeriod], Field(max_length=3), ATOMIC_LIST] | None = None
    """The last periods that are over, the latest first."""
