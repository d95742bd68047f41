"""Reads what annotations say. Whoever may change a pod may write anything there, so readers are strict and bounded."""

import re
from dataclasses import dataclass
from fractions import Fraction

LONGEST = 64
MOST_DEVICES = 256
_WHOLE = re.compile(r"[0-9]{1,12}")
_DECIMAL = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,12})?|\.[0-9]{1,12}")
_PART = re.compile(r"([A-Za-z0-9][\w.-]{0,127})(?:\[[\d-]{1,15}\])?,([^,;:]{0,64}),(\d{1,12}),(\d{1,12})", re.ASCII)
_CARD = re.compile(r"([A-Za-z]{1,16}-[0-9a-fA-F-]{8,64}),(\d{1,6}),(\d{1,12}),")
_CARD_ID = re.compile(r'"id"\s*:\s*"([A-Za-z]{1,16}-[0-9a-fA-F-]{8,64})"')
_CARD_MEMORY = re.compile(r'"devmem"\s*:\s*(\d{1,12})')


def whole_number(text: str) -> int | None:
    """A number of at most twelve digits, None for any other text."""
    return int(text) if _WHOLE.fullmatch(text) else None


def decimal(text: str) -> Fraction | None:
    """A plain decimal such as `0.5`, None for any other text."""
    written = text.strip() if len(text) <= LONGEST else ""
    return Fraction(written) if _DECIMAL.fullmatch(written) else None


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a card that a scheduler gave a container.

    Attributes:
        cores: of a hundred; 0 leaves them open.
    """

    device: str
    memory_mib: int
    cores: int


def allocated_parts(text: str) -> tuple[Part, ...] | None:
    """What HAMi and Volcano write on a pod: `UUID,TYPE,MIB,CORES` for each device, `:` and `;` between them.

    None where anything in it makes no sense.
    """
    written = [one for container in text.split(";") for one in container.split(":") if one.strip()]
    if not written or len(written) > MOST_DEVICES:
        return None
    found = [_PART.fullmatch(one.strip()) for one in written]
    if not all(found):
        return None
    return tuple(Part(one[1], int(one[3]), int(one[4])) for one in found if one)


def registered_cards(text: str) -> dict[str, int]:
    """Cards that a vGPU plugin registers on its node, with their memory in MiB: JSON, or `UUID,COUNT,MIB,...:`."""
    ids, sizes = _CARD_ID.findall(text), _CARD_MEMORY.findall(text)
    if ids and len(ids) == len(sizes):
        return {uuid: int(size) for uuid, size in zip(ids, sizes, strict=True)}
    return {uuid: int(size) for uuid, _, size in _CARD.findall(text)}
