"""What cells of a price table mean: amounts, currencies, ways of buying, days, GPU models."""

import re
from collections.abc import Mapping
from fractions import Fraction

from aicost.adapters.pricing.tables.reading import Wrong
from aicost.crd.fields.text import moment_ms
from aicost.domain.exact.amounts import format_decimal, parse_nanos
from aicost.domain.inventory.gpu_models import FAMILIES, canonical_model

_PLAIN = re.compile(r"\d+(\.\d+)?", re.ASCII)
_NUMBER_OF_CURRENCY = re.compile(r"[$€£¥]\s*[\d.,]+|[\d.,]+\s*[A-Za-z$€£¥]{1,3}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_SPACED_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2})(?:\.\d+)?\s*(?:UTC|Z)?", re.ASCII)
_LABEL_KEY = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_GIB_OFF = 8
"""Clouds give the memory of a GPU in GiB or GB, and some less than is on the card."""
CAPACITY: Mapping[str, str] = {
    "on-demand": "on-demand",
    "ondemand": "on-demand",
    "standard": "on-demand",
    "regular": "on-demand",
    "consumption": "on-demand",
    "spot": "spot",
    "preemptible": "spot",
    "dynamic": "spot",
    "low-priority": "spot",
    "reserved": "reserved",
    "committed": "reserved",
    "commitment": "reserved",
    "reservation": "reserved",
}
"""How clouds and FOCUS call a way of buying."""


def amount(text: str) -> int:
    """An amount above zero in nano-units; zeros at its end are no decimals.

    Raises:
        Wrong: it is none.
    """
    if _NUMBER_OF_CURRENCY.fullmatch(text) and not _PLAIN.fullmatch(text):
        raise Wrong('write the number alone, for example "2.49", and the currency into the column currency')
    if "," in text:
        raise Wrong('write a point before the decimals and nothing between thousands, for example "1234.56"')
    if not _PLAIN.fullmatch(text):
        raise Wrong('write a decimal above zero, for example "2.49"')
    whole, _, decimals = text.partition(".")
    decimals = decimals.rstrip("0")
    if len(decimals) > 9:
        raise Wrong("has more than 9 decimals: round it to 9")
    try:
        nanos = parse_nanos(f"{int(whole)}.{decimals}" if decimals else str(int(whole)))
    except ValueError:
        raise Wrong("has more than 9 digits before the point: check the unit, prices are per hour") from None
    if nanos <= 0:
        raise Wrong("must be above zero: give the price, or take the row out")
    return nanos


def decimal(nanos: int) -> str:
    """An amount as a manifest has it."""
    return format_decimal(nanos)


def currency(text: str) -> str:
    """An ISO 4217 code.

    Raises:
        Wrong: it is none.
    """
    if not re.fullmatch(r"[A-Za-z]{3}", text):
        raise Wrong("write an ISO 4217 code of three letters, for example USD or EUR")
    return text.upper()


def capacity(text: str) -> str:
    """How capacity was bought.

    Raises:
        Wrong: nothing known is called so.
    """
    found = CAPACITY.get(re.sub(r"[\s_]+", "-", text.strip().lower()))
    if found is None:
        raise Wrong(f"write on-demand, spot or reserved (known too: {', '.join(sorted(set(CAPACITY)))})")
    return found


def moment(text: str) -> str:
    """A day or a time with its zone, as a manifest has it; `2024-09-01 22:00:00` counts as UTC.

    Raises:
        Wrong: it is none.
    """
    spaced = _SPACED_TIME.fullmatch(text)
    said = f"{spaced[1]}T{spaced[2]}Z" if spaced else text
    try:
        moment_ms(said)
    except (ValueError, OverflowError):
        raise Wrong("write a day such as 2026-01-31 or a time such as 2026-01-31T12:00:00Z") from None
    return said


def day(text: str) -> str:
    """The day of a moment."""
    return text if _DAY.fullmatch(text) else moment(text)[:10]


def gpu_count(text: str, most: int) -> Fraction:
    """GPUs of a machine: a whole number, or a part of one as clouds rent it.

    Raises:
        Wrong: it is neither.
    """
    number = Fraction(text) if re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,9})?", text) else Fraction(0)
    if not 0 < number <= most or (number > 1 and number.denominator > 1):
        raise Wrong(f"write a whole number from 1 to {most}, or a part of one GPU such as 0.25")
    return number


def label_key(text: str) -> str:
    """The key of a label.

    Raises:
        Wrong: no label is called so.
    """
    if not _LABEL_KEY.fullmatch(text) or len(text) > 317:
        raise Wrong("names no label: write its key, for example topology.kubernetes.io/zone")
    return text


def flag(text: str) -> bool:
    """Yes or no.

    Raises:
        Wrong: it is neither.
    """
    known = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    found = known.get(text.lower())
    if found is None:
        raise Wrong("write true or false")
    return found


def gpu_model(text: str, memory: str | None) -> str:
    """A GPU model as a book names it; the memory of the card tells models apart that are sold in several sizes.

    Raises:
        Wrong: it is sold in several sizes, and nothing tells which.
    """
    found = canonical_model(text)
    if found is None:
        return text
    family = next((one for one in FAMILIES if one.name == found), None)
    if family is None or not family.sizes_gb:
        return found
    sizes = [size for size in family.sizes_gb if memory and abs(size - _gib(memory)) <= _GIB_OFF]
    if len(sizes) != 1:
        raise Wrong(f"is sold in several sizes: write {' or '.join(f'{found}-{size}gb' for size in family.sizes_gb)}")
    return f"{found}-{sizes[0]}gb"


def _gib(text: str) -> int:
    number = re.match(r"[0-9]{1,6}", text)
    return int(number[0]) if number else 0
