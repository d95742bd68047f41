"""What prices are worked out from: discounts, payments in advance, machines of one's own, exchange rates."""

from typing import Annotated

from pydantic import Field

from aicost.crd.fields.amounts import Amount, Currency, PositiveFraction, Price
from aicost.crd.fields.text import ItemName, LongText, Moment, ObjectName, moment_cel, moment_ms
from aicost.crd.models.nodematch import NodeMatch
from aicost.crd.schema.base import ApiModel
from aicost.crd.schema.markers import SET_LIST, Rule, matches
from aicost.domain.exact.amounts import parse_nanos
from aicost.domain.pricing.books import Stacking

_ABOVE_ZERO = Rule(
    "self.matches('[1-9]')",
    "must be above zero: write the percentage, or leave the discount out",
    lambda text: any(digit in text for digit in "123456789"),
)
PercentOff = Annotated[
    str,
    Field(max_length=9),
    matches(
        r"\d{1,2}(\.\d{1,6})?", 'write a percentage above 0 and below 100 with at most 6 decimals, for example "7.5"'
    ),
    _ABOVE_ZERO,
]
"""A percentage above 0 and below 100, exact."""
Overhead = Annotated[
    str,
    Field(max_length=8),
    matches(r"[1-9](\.\d{1,6})?", 'write a decimal string of 1 or more and below 10, for example "1.35"'),
]
Watts = Annotated[int, Field(ge=1, le=1_000_000)]

_IN_ORDER = Rule(
    f"!has(self.from) || !has(self.to) || {moment_cel('self.from')} < {moment_cel('self.to')}",
    "from must be before to: it holds from the first moment until just before the second",
    lambda dated: dated.from_ is None or dated.to is None or moment_ms(dated.from_) < moment_ms(dated.to),
)


class Power(ApiModel):
    """What a machine draws, and what that costs."""

    rated_watts: Watts
    """Power of the whole node at full load, in watts, by its plate."""
    load_factor: PositiveFraction
    """Mean part of the rated power that it draws, as a decimal string, where nothing is measured."""
    host_watts: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    """Power of the node beside its GPUs, in watts. Where it is given, and the energy counters of all GPUs of the node
    were read, the power is this and what the GPUs were measured to draw; else rating times load factor."""
    pue: Overhead
    """Power usage effectiveness of the building, as a decimal string: 1 for none beyond the machines."""
    price_per_kwh: Price
    """Price of a kilowatt-hour, as a decimal string in the book's currency."""


class Amortisation(ApiModel):
    """What a machine of your own costs per hour.

    (purchase price - residual value) evenly over its life, power and the rest. When its life is over, only power and
    the fixed part are left.
    """

    rules = (
        Rule(
            "!has(self.residualValue) || double(self.residualValue) <= double(self.purchasePrice)",
            "residualValue is more than purchasePrice: correct one of the two",
            lambda owned: (
                owned.residual_value is None or parse_nanos(owned.residual_value) <= parse_nanos(owned.purchase_price)
            ),
        ),
    )

    purchase_price: Price
    """What one node was bought for, as a decimal string in the book's currency."""
    residual_value: Amount | None = None
    """What one node will be worth at the end of its life, as a decimal string. Nothing, where absent."""
    in_service: Moment
    """When its life began: a day (midnight UTC) or an RFC 3339 time. Before, the entry gives no price."""
    lifetime_months: Annotated[int, Field(ge=1, le=360)]
    """Months of the calendar over which it loses its value."""
    fixed_per_hour: Price | None = None
    """All else that one node costs per hour, as a decimal string: rack, network, staff, support."""
    power: Power | None = None
    """Its power. Not part of the price, where absent."""


class Commitment(ApiModel):
    """A promise to pay for nodes for the whole time from `from` to `to`, whether they are used or not."""

    rules = (
        Rule(
            "has(self.upfront) || has(self.nodes)",
            "say what was promised: upfront, nodes or both",
            lambda promise: promise.upfront is not None or promise.nodes is not None,
        ),
    )

    upfront: Price | None = None
    """What was paid in advance for one node, as a decimal string; it is spread evenly over the time from `from` to
    `to` and added to perNodeHour. A discount does not touch it."""
    nodes: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """For how many nodes. Nothing is priced by it: `aicost prices check` tells when more or fewer nodes are priced by
    the entry."""


class Discount(ApiModel):
    """A percentage off the hourly prices of entries.

    It does not touch what was paid in advance, machines of your own, and prices on nodes themselves.
    """

    rules = (_IN_ORDER,)

    name: ItemName
    """Name of the discount; it stands in the explanation of each price that it was taken off."""
    percent: PercentOff
    """What it takes off, in percent, as a decimal string."""
    match: NodeMatch | None = None
    """Which nodes it is for. All, where absent."""
    books: Annotated[list[ObjectName], Field(min_length=1, max_length=16), SET_LIST] | None = None
    """Names of the PriceBooks whose entries it is taken off, such as one of list prices. Those of this book, where
    absent."""
    stacking: Stacking = Stacking.BEST
    """How it goes together with others. best: of these the largest holds alone. add: its percentage is added to that of
    the best one. compound: it is taken off what the others leave."""
    from_: Annotated[Moment | None, Field(alias="from")] = None
    """When it begins to hold, included: a day (midnight UTC) or an RFC 3339 time. Always, where absent."""
    to: Moment | None = None
    """When it ceases to hold, not included. Never, where absent."""


class ExchangeRate(ApiModel):
    """What one unit of a currency is worth in another, from a day on."""

    rules = (
        _IN_ORDER,
        Rule(
            "self.base != self.target",
            "base and target are the same currency: name two",
            lambda rate: rate.base != rate.target,
        ),
    )

    base: Currency
    """The currency that is converted, as an ISO 4217 code."""
    target: Currency
    """The currency that it becomes, as an ISO 4217 code."""
    rate: Price
    """Units of target for one unit of base, as a decimal string."""
    from_: Annotated[Moment, Field(alias="from")]
    """Since when: a day (midnight UTC) or an RFC 3339 time. Of several rates the one holds that began last."""
    to: Moment | None = None
    """Until when, not included. Until the next one, where absent."""
    source: LongText | None = None
    """Where the rate was read, such as the reference rates of a central bank."""
