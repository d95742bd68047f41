"""Figures of a receipt as texts: exact, where a receipt must be exact."""

from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any

from aicost.crd.status.texts import UNPRICED, gpu_hours, money, share
from aicost.domain.exact.amounts import format_money
from aicost.domain.exact.apportion import divide

Document = Mapping[str, Any]
_PPB = 1_000_000_000
_HOUR_SECONDS = 3_600
SHARE = {"gpu": "GPU-h", "cpu": "core-h", "memory": "GiB-h", "storage": "GiB-h"}
"""Unit of the quantity that is shown for a component."""


def cost(nanos: int | None, currency: str | None) -> str:
    """An amount for people; what has no price is never shown as zero."""
    return UNPRICED if nanos is None or not currency else money(nanos, currency)


def exact_cost(nanos: int | None, currency: str | None) -> str:
    """An amount to the last nano: `$2.490000001`."""
    return UNPRICED if nanos is None or not currency else format_money(nanos, currency, 9)


def exact_fraction(text: str | None, currency: str | None) -> str:
    """An exact amount before rounding: `$0.933333333 + 1/3 nano`."""
    if text is None or not currency:
        return UNPRICED
    value = Fraction(text)
    whole, rest = divmod(value, 1)
    told = format_money(int(whole), currency, 9)
    if not rest:
        return told
    return f"{told} + {rest} nano" if rest.denominator < 10**6 else f"{told} + ~{float(rest):.6f} nano"


def per_hour(text: str | None, currency: str) -> str:
    """A price per hour, exact where nine decimals hold it."""
    if text is None:
        return "-"
    value = Fraction(text)
    if value.denominator == 1:
        digits = 2
        while value.numerator % 10 ** (9 - digits):
            digits += 1
        return format_money(value.numerator, currency, digits)
    return f"{format_money(int(value), currency, 9)}…"


def clock(at: str | None, day: str = "") -> str:
    """A moment of the day; with its date where that is another one than the day that is told above it."""
    if at is None:
        return "-"
    date, _, time = at.removesuffix("Z").partition("T")
    time = time.removesuffix(":00")
    return time if date == day else f"{date} {time}"


def span(one: Document, day: str = "") -> str:
    """`10:00 → 11:00`, with the date where it is another day."""
    return f"{clock(one['from'], day)} → {clock(one['to'], day)}"


def day_of(one: Document) -> str:
    """The date that a span begins on."""
    return str(one["from"]).partition("T")[0]


def seconds(milliseconds: int) -> str:
    """A length of time in seconds."""
    whole, rest = divmod(milliseconds, 1_000)
    return f"{whole:,}.{rest:03d} s" if rest else f"{whole:,} s"


def length_ms(one: Document) -> int:
    """Length of a span."""
    start, end = (datetime.fromisoformat(one[name]) for name in ("from", "to"))
    return round((end - start).total_seconds() * 1_000)


def quantity(row: Document) -> str:
    """What an amount stands for, in the unit of its component."""
    if row["component"] == "gpu":
        return f"{gpu_hours(row['gpu_milliseconds'])} GPU-h"
    scale = 1_000 if row["component"] == "cpu" else 1_024
    hundredths = divide(abs(row["quantity"]) * 100, scale * _HOUR_SECONDS)
    unit = SHARE.get(row["component"], "")
    if row["quantity"] and not hundredths:
        return f"<0.01 {unit}".strip()
    return f"{'-' if row['quantity'] < 0 else ''}{hundredths // 100:,}.{hundredths % 100:02d} {unit}".strip()


def of_time(ppb_ms: int | str, length: int) -> str:
    """A part of a time in percent."""
    return share(int(Fraction(ppb_ms)), length * _PPB) or "-"
