"""Amounts: decimal strings where people write them, integers of nano-units where programs read them."""

from typing import Annotated

from pydantic import Field

from aicost.crd.schema.markers import Rule, matches, unit
from aicost.domain.exact.amounts import parse_nanos

_DECIMAL = r"\d{1,9}(\.\d{1,9})?"
_FRACTION = r"(0(\.\d{1,6})?|1(\.0{1,6})?)"

_ABOVE_ZERO = Rule(
    "self.matches('[1-9]')",
    "must be above zero: write the amount, or leave an optional field out",
    lambda text: any(digit in text for digit in "123456789"),
)

Price = Annotated[
    str,
    Field(max_length=19),
    matches(_DECIMAL, 'write a decimal string with at most 9 digits on each side of the point, for example "2.49"'),
    _ABOVE_ZERO,
]
"""An amount above zero, to the last nano-unit."""
Amount = Annotated[
    str,
    Field(max_length=19),
    matches(_DECIMAL, 'write a decimal string with at most 9 digits on each side of the point, for example "5000"'),
]
"""An amount of zero or more."""
Fraction = Annotated[
    str,
    Field(max_length=8),
    matches(_FRACTION, 'write a decimal string from 0 to 1 with at most 6 decimals, for example "0.85"'),
]
PositiveFraction = Annotated[Fraction, _ABOVE_ZERO]
Factor = Annotated[
    str,
    Field(max_length=10),
    matches(r"\d{1,3}(\.\d{1,6})?", 'write a decimal string, for example "1.5"'),
    _ABOVE_ZERO,
]
Currency = Annotated[
    str,
    Field(max_length=3),
    matches(r"[A-Z]{3}", "write an ISO 4217 code of three capitals, for example USD or EUR"),
]
Percent = Annotated[int, Field(ge=1, le=1000), unit("percent")]
"""A whole percentage that may pass 100."""

Nanos = Annotated[int, unit("nano-units of the currency (10^-9)")]
Millis = Annotated[int, unit("milliseconds of one GPU")]
Readable = Annotated[str, unit("the currency, rounded for people")]
GpuHours = Annotated[str, unit("GPU-hours, rounded for people")]
Share = Annotated[str, unit("percent, rounded for people")]

_NANOS_PER_PPM = 1000


def fraction_ppm(text: str) -> int:
    """The parts per million of a `Fraction`: it is read like an amount, as parts per billion."""
    return parse_nanos(text) // _NANOS_PER_PPM
