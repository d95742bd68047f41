"""Seals: what a posting's rows add up to as a checksum, so that a row that was altered later is found.

The canonical form does not depend on the order of rows, on how files were cut, or on columns that came later. Each row
is one JSON object in UTF-8 with sorted keys and without spaces, of the ledger's columns by their names; times are
milliseconds since 1970. Left out are texts, lists and maps that are empty, amounts that are null, `list_price` where it
is false and `quantity` where it is 0. The lines are sorted by their bytes and joined by line feeds. The seal is the
first 126 bits of their SHA-256, as two numbers of 63 bits, beside the number of rows.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from operator import attrgetter
from typing import Any

from aicost.domain.ledger.rows import Row

_BITS = 63
_PLACE = (
    "cluster", "node", "device", "gpu_model", "provider", "region", "zone", "instance_type", "capacity_type",
)  # fmt: skip
_HOLDER = (
    "namespace", "pod", "pod_uid", "controller_kind", "controller", "workload",
    "dimensions", "provenance", "labels", "evidence",
)  # fmt: skip
_OWN = (
    "component", "bucket", "method", "quality", "signal", "currency", "price", "reason", "flags", "list_price",
    "quantity",
)  # fmt: skip
_PARTS = tuple(
    (attrgetter(part), names, attrgetter(*names)) for part, names in (("place", _PLACE), ("holder", _HOLDER))
)
_of_own = attrgetter(*_OWN)
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True, default=dict).encode
_Said = list[tuple[str, str]]
"""Names, and each with its value as they stand in the line."""


@dataclass(frozen=True, slots=True)
class Seal:
    """What a posting's rows came to when it was posted.

    Attributes:
        rows: how many there were.
        high, low: the checksum, two numbers of 63 bits.
    """

    rows: int
    high: int
    low: int


def canonical_line(row: Row) -> bytes:
    """One row in canonical form.

    Raises:
        UnicodeEncodeError: a text holds half a surrogate pair, which no UTF-8 can say.
    """
    return _line(row, {})


def seal(lines: Iterable[bytes]) -> Seal:
    """The seal of rows in canonical form, in whatever order."""
    ordered = sorted(lines)
    number = int.from_bytes(sha256(b"\n".join(ordered)).digest()) >> (256 - 2 * _BITS)
    return Seal(len(ordered), number >> _BITS, number & ((1 << _BITS) - 1))


def seal_of(rows: Iterable[Row]) -> Seal:
    """The seal of rows; errors as of `canonical_line`."""
    there, known = tuple(rows), dict[int, _Said]()
    return seal([_line(row, known) for row in there])


def surplus(lines: Sequence[bytes], sealed: Seal) -> int:
    """How many lines stand there more than once, if without those repetitions they would be what was sealed; else 0.

    A writer that adds the same file again makes each of its rows stand there twice.
    """
    counted = Counter(lines)
    extra = len(lines) - len(counted)
    return extra if extra and seal(counted) == sealed else 0


def _line(row: Row, known: dict[int, _Said]) -> bytes:
    """One row. What its place and its holder say is written once for all rows that share them."""
    said = _own(row)
    for part_of, names, values_of in _PARTS:
        part = part_of(row)
        if id(part) not in known:
            known[id(part)] = _named(names, values_of(part))
        said += known[id(part)]
    said.sort()
    return f"{{{','.join([one for _, one in said])}}}".encode()


def _own(row: Row) -> _Said:
    """What belongs to the row alone, without what is empty."""
    window = row.window
    amounts = (
        ("window_start", window.start_ms),
        ("window_end", window.end_ms),
        ("revision", row.revision),
        ("gpu_milliseconds", row.gpu_milliseconds),
        ("measured_milliseconds", row.measured_milliseconds),
        ("cost_nanos", row.cost_nanos),
        ("error_nanos", row.error_nanos),
    )
    said = [(name, f'"{name}":{amount}') for name, amount in amounts if amount is not None]
    return said + _named(_OWN, _of_own(row))


def _named(names: Sequence[str], values: Sequence[Any]) -> _Said:
    return [
        (name, f'"{name}":{_encode_text(value) if isinstance(value, str) else _encode(value)}')
        for name, value in zip(names, values, strict=True)
        if value
    ]


@lru_cache(maxsize=4_096)
def _encode_text(text: str) -> str:
    """Remembered: the same few words stand in most rows."""
    return _encode(text)
