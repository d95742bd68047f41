"""How unit costs are written: prices with digits that say something, shares, and what is absent."""

from fractions import Fraction

from aicost.crd.status.texts import unit_price
from aicost.domain.exact.apportion import divide

ABSENT = "-"


def price(nanos: Fraction | int | None, currency: str) -> str:
    """A price with three digits that say something, whatever its size."""
    return ABSENT if nanos is None else unit_price(nanos, currency)


def percent(share: Fraction | None) -> str:
    """A share of 1."""
    return ABSENT if share is None else f"{float(share):.1%}"


def whole(amount: Fraction | int) -> int:
    """To the nearest whole unit."""
    return divide(amount.numerator, amount.denominator)


def whole_or_none(amount: Fraction | None) -> int | None:
    """To the nearest whole unit; what is not known stays so."""
    return None if amount is None else whole(amount)
