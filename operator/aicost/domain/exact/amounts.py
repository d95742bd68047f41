"""Money as integers: amounts are nano-units of a currency, read and printed exactly."""

import re
from dataclasses import dataclass

NANOS_PER_UNIT = 1_000_000_000
"""Nano-units in one unit of a currency (1 USD = 10^9 nanos)."""

_DECIMAL = re.compile(r"(?P<sign>-?)(?P<whole>\d{1,9})(?:\.(?P<fraction>\d{1,9}))?", re.ASCII)
_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£"}


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount in one currency.

    Attributes:
        nanos: the amount in nano-units; negative for a correction.
        currency: ISO 4217 code. Amounts of different currencies are never added.
    """

    nanos: int
    currency: str

    def __add__(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise ValueError(f"cannot add {other.currency} to {self.currency}: sums never mix currencies")
        return Money(self.nanos + other.nanos, self.currency)

    def __str__(self) -> str:
        return format_money(self.nanos, self.currency)


def parse_nanos(text: str) -> int:
    """Read a decimal amount such as `2.49` as nano-units.

    At most nine digits stand on either side of the point, so nothing is rounded and nothing overflows 64 bits.

    Raises:
        ValueError: the text is not such a decimal (NaN, an exponent, more than nine decimals ...).
    """
    match = _DECIMAL.fullmatch(text.strip())
    if match is None:
        raise ValueError(
            f"{text[:40]!r} is not an amount: write a decimal with at most 9 digits on each side, such as 2.49"
        )
    fraction = (match["fraction"] or "").ljust(9, "0")
    nanos = int(match["whole"]) * NANOS_PER_UNIT + int(fraction)
    return -nanos if match["sign"] else nanos


def format_decimal(nanos: int) -> str:
    """Print nano-units as the shortest exact decimal: 2490000000 is `2.49`."""
    whole, fraction = divmod(abs(nanos), NANOS_PER_UNIT)
    digits = f"{fraction:09d}".rstrip("0")
    return f"{'-' if nanos < 0 else ''}{whole}{'.' + digits if digits else ''}"


def format_money(nanos: int, currency: str, decimals: int = 2) -> str:
    """Print an amount for people, rounded half away from zero for display only: `$1,234.50` or `1,234.50 CHF`."""
    step = 10 ** (9 - decimals)
    rounded = (abs(nanos) + step // 2) // step
    whole, fraction = divmod(rounded, 10**decimals)
    digits = f"{whole:,}" + (f".{fraction:0{decimals}d}" if decimals else "")
    sign = "-" if nanos < 0 and rounded else ""
    symbol = _SYMBOLS.get(currency)
    return f"{sign}{symbol}{digits}" if symbol else f"{sign}{digits} {currency}"
