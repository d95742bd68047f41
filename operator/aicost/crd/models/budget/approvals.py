"""Who may allow more, and whom to tell."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from aicost.crd.fields.amounts import Fraction, Price
from aicost.crd.fields.text import Duration, ItemName, ShortText
from aicost.crd.schema.base import ApiModel
from aicost.crd.schema.markers import unit


class MinorOverrun(ApiModel):
    """What counts as a minor overrun."""

    percent: Annotated[int, Field(ge=1, le=100), unit("percent of the limit")] = 10
    """Most that one request may ask for."""
    max_amount: Price | None = None
    """Most that one request may ask for, as a decimal string in the budget's currency."""
    cumulative_percent: Annotated[int, Field(ge=1, le=100), unit("percent of the limit")] = 15
    """Most that all minor overruns of a period may add."""
    self_approval: bool | None = None
    """Whether people with the verb approve-minor may approve their own request. Outside production, where absent."""


class Approvals(ApiModel):
    """Who may allow more."""

    minor: MinorOverrun | None = None
    """What counts as a minor overrun; everything above is a major one and needs other eyes."""
    max_duration: Duration | None = None
    """Longest time that an override holds. Until the end of the period, where absent, or 30 days where it has none."""
    break_glass_hours: Annotated[int, Field(ge=1, le=72), unit("hours")] = 24
    """Longest time that an emergency override holds before it is reviewed."""


class Growth(ApiModel):
    """A limit that grows with success."""

    increase_percent: Annotated[int, Field(ge=1, le=100), unit("percent of the limit")]
    """Step by which the limit grows."""
    when_held_periods: Annotated[int, Field(ge=1, le=24)] = 2
    """Periods in a row in which unit cost and success must have held."""
    max_amount: Price
    """The limit never grows beyond this: a decimal string in the budget's currency."""
    min_success_rate: Fraction = "0.95"
    """Least share of successes in each of these periods, as a decimal string from 0 to 1."""


class Promotion(ApiModel):
    """When the work is ready for the next stage. A person promotes it, with the verb grow."""

    when_held_periods: Annotated[int, Field(ge=1, le=24)] = 2
    """Periods in a row in which the unit cost must have stayed within its target."""
    min_success_rate: Fraction = "0.95"
    """Least share of successes in each of these periods, as a decimal string from 0 to 1."""


class OwnerRole(StrEnum):
    """What an owner is asked for."""

    ENGINEER = "Engineer"
    FINANCE = "Finance"
    PRODUCT = "Product"


class Owner(ApiModel):
    """A person or group that answers for the budget."""

    name: ItemName
    """Name of the person or group."""
    contact: ShortText | None = None
    """Where they are reached: a channel or an address."""
    role: OwnerRole | None = None
    """What they are asked for: Engineer, Finance or Product."""
