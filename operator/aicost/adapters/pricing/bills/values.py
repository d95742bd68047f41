"""What bills write: amounts of many digits, moments in three spellings, days."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from aicost.adapters.pricing.tables import cells
from aicost.adapters.pricing.tables.reading import Wrong
from aicost.domain.exact.windows import DAY_MS, Window, from_rfc3339

Value = TypeVar("Value")
_LARGEST = Decimal(10) ** 12
LONGEST_CHARGE_MS = 400 * DAY_MS
"""A year that was paid for at once has its line."""
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class WrongCell(Wrong):
    """A cell that cannot be used, with its column."""

    def __init__(self, column: str, fix: str) -> None:
        super().__init__(fix)
        self.column = column


def cell(said: Mapping[str, str], column: str, read: Callable[[str], Value], default: str = "") -> Value:
    """What a cell means.

    Raises:
        WrongCell: it means nothing.
    """
    try:
        return read(said.get(column, default))
    except Wrong as wrong:
        raise WrongCell(column, str(wrong)) from wrong


def attos(text: str, parts_of_a_unit: int = 1) -> int:
    """An amount in 10^-18 of a currency; `parts_of_a_unit` is 100 where a bill counts cents.

    Raises:
        Wrong: it is no number, it is beyond all bills, or it has more digits than are kept.
    """
    try:
        amount = Decimal(text.strip())
    except InvalidOperation:
        amount = Decimal("nan")
    if not amount.is_finite() or abs(amount) > _LARGEST:
        raise Wrong("write an amount as a decimal, such as 2.49")
    exact = amount.scaleb(18) / parts_of_a_unit
    if exact != exact.to_integral_value():
        raise Wrong("it has more than 18 digits behind the point: round it in the bill")
    return int(exact)


def count(text: str) -> int:
    """A number of things, rounded to whole ones; 0 for what is no number: a bill need not count."""
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return 0
    return int(number.to_integral_value()) if number.is_finite() and abs(number) < _LARGEST else 0


def moment(text: str) -> int:
    """A moment in milliseconds; a day alone is its midnight in UTC.

    Raises:
        Wrong: it is none.
    """
    try:
        return from_rfc3339(f"{text}T00:00:00Z" if _DAY.fullmatch(text) else cells.moment(text))
    except ValueError as problem:
        raise Wrong(f"write a moment such as 2026-03-02 or 2026-03-02T09:00:00Z ({problem})") from problem


def day_of(start_ms: int, end_ms: int | None = None) -> Window:
    """The day in UTC that a charge is about.

    Raises:
        Wrong: it reaches over several days.
    """
    start = start_ms - start_ms % DAY_MS
    if end_ms is not None and end_ms > start + DAY_MS:
        raise Wrong("the bucket is about more than one day in UTC: ask for buckets of one day")
    return Window(start, start + DAY_MS)


def days_of(start_ms: int, end_ms: int) -> tuple[tuple[Window, int], ...]:
    """The days in UTC that a charge is about, each with how many milliseconds of it; at least that of its start.

    Raises:
        Wrong: it reaches over more days than a bill is about.
    """
    if end_ms - start_ms > LONGEST_CHARGE_MS:
        raise Wrong("the charge is about more than 400 days: export the bill by day or by month")
    first = day_of(start_ms)
    if end_ms <= first.end_ms:
        return ((first, 1),)
    days = (day_of(at) for at in range(first.start_ms, end_ms, DAY_MS))
    return tuple((day, min(day.end_ms, end_ms) - max(day.start_ms, start_ms)) for day in days)
