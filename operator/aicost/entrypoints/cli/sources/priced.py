"""A market with what should be known of it."""

from dataclasses import dataclass

from aicost.domain.estimates.values import Market


@dataclass(frozen=True, slots=True)
class PricedMarket:
    """A market, and what should be known of it.

    Attributes:
        of: whose prices these are, for people.
        gaps: what could not be read.
    """

    market: Market
    of: str
    gaps: tuple[str, ...] = ()
