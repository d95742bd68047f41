"""Figures as texts for people: the columns of `kubectl get` print them as they are."""

from fractions import Fraction

from aicost.domain.exact.amounts import format_money
from aicost.domain.exact.apportion import divide
from aicost.domain.exact.windows import HOUR_MS

INT64 = (-(2**63), 2**63 - 1)
UNPRICED = "unpriced"
"""Stands in place of an amount where no part of it has a price: it is not known, and not zero."""


def gpu_hours(milliseconds: int) -> str:
    """Device time in hours with two decimals: 5400000 is `1.50`. The smallest time shown is not 0."""
    hundredths = (abs(milliseconds) * 100 + HOUR_MS // 2) // HOUR_MS
    if milliseconds and not hundredths:
        return "<0.01"
    return f"{'-' if milliseconds < 0 else ''}{hundredths // 100:,}.{hundredths % 100:02d}"


def counted(number: int, word: str, many: str = "") -> str:
    """`1 node`, `2 nodes`, `1,000 entries`.

    Args:
        number: how many.
        word: what one is called.
        many: what several are called, where that is more than an `s`.
    """
    return f"{number:,} {word if number == 1 else many or f'{word}s'}"


def share(part: int, whole: int) -> str | None:
    """A part in percent with one decimal, None of nothing. Less than all is never 100.0 %, and some is never 0.0 %."""
    if whole <= 0:
        return None
    tenths = (part * 2000 + whole) // (2 * whole)
    if tenths == 1000 and part < whole:
        return ">99.9%"
    if tenths == 0 and part > 0:
        return "<0.1%"
    return f"{tenths // 10}.{tenths % 10}%" if tenths >= 0 else f"-{-tenths // 10}.{-tenths % 10}%"


def percent(ratio: Fraction | None) -> str | None:
    """A ratio as `share` shows it, None of an undefined one."""
    return None if ratio is None else share(ratio.numerator, ratio.denominator)


def change(now: int, before: int | None) -> str | None:
    """The change against before, in percent with its sign; `new` where there was no cost before, None if not known."""
    if before is None:
        return None
    if before <= 0:
        return "new" if now > 0 else None
    difference = now - before
    tenths = (abs(difference) * 2000 + before) // (2 * before)
    sign = "-" if difference < 0 and tenths else "+" if tenths else ""
    return f"{sign}{tenths // 10:,}.{tenths % 10}%"


def money(nanos: int, currency: str) -> str:
    """An amount for people. A cost below a cent shows as many digits as it takes to see it."""
    if not currency:
        return UNPRICED
    decimals = 2
    while nanos and decimals < 9 and abs(nanos) * 10**decimals < 500_000_000:  # rounds to nothing
        decimals += 2
    return format_money(nanos, currency, min(decimals, 9))


def unit_price(nanos: Fraction | int, currency: str) -> str:
    """The price of a unit with three digits that say something, whatever its size."""
    rounded = divide(nanos.numerator, nanos.denominator)
    return format_money(rounded, currency, min(9, max(2, 12 - len(str(abs(rounded))))))


def stored(nanos: int) -> int | None:
    """The integer as a status can hold it: None beyond 64 bits, where the text says it alone."""
    return nanos if INT64[0] <= nanos <= INT64[1] else None
