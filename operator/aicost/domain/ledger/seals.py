"""Seals: what a posting's rows add up to as a checksum, so that a row that was altered later is found.

The canonical form does not depend on the order of rows, on how files were cut, or on columns that came later. Each row
is one JSON object in UTF-8 with sorted keys and without spaces, of the ledger's columns by their names; times are
milliseconds since 1970. Left out are texts, lists and maps that are empty, amounts that are null, `list_price` where it
is false and `quantity` where it is 0. The lines are sorted by their bytes and joined by line feeds. The seal is the
first 126 bits of their SHA-256, as two numbers of 63 bits, beside the number of rows.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from operator import attrgetter, itemgetter
from typing import Any, TypeVar

from aicost.domain.ledger.columns import RowColumns, Wording, columns_of
from aicost.domain.ledger.rows import Holder, Place, Row

_BITS = 63
_WORDING = (
    "component", "bucket", "method", "quality", "signal", "currency", "price", "reason", "flags", "list_price",
    "revision", "window_start", "window_end",
)  # fmt: skip
_PLACE = (
    "cluster", "node", "device", "gpu_model", "provider", "region", "zone", "instance_type", "capacity_type",
)  # fmt: skip
_HOLDER = (
    "namespace", "pod", "pod_uid", "controller_kind", "controller", "workload",
    "dimensions", "provenance", "labels", "evidence",
)  # fmt: skip
_AMOUNTS = ("cost_nanos", "gpu_milliseconds", "measured_milliseconds", "error_nanos", "quantity")
_COLUMNS = (*_WORDING, *_PLACE, *_HOLDER, *_AMOUNTS)
_in_order = itemgetter(*sorted(range(len(_COLUMNS)), key=_COLUMNS.__getitem__))
"""From what a row says, in the order of `_COLUMNS`, to the order of their names."""
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True, default=dict).encode
_of_place, _of_holder, _of_wording = attrgetter(*_PLACE), attrgetter(*_HOLDER), attrgetter(*_WORDING[:-3])
_Said = tuple[str, ...]
"""Each member of a JSON object with a comma before it, or an empty text for one that is left out."""


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
    return _lines(columns_of((row,)))[0]


def seal(lines: Iterable[bytes]) -> Seal:
    """The seal of rows in canonical form, in whatever order."""
    ordered = sorted(lines)
    number = int.from_bytes(sha256(b"\n".join(ordered)).digest()) >> (256 - 2 * _BITS)
    return Seal(len(ordered), number >> _BITS, number & ((1 << _BITS) - 1))


def seal_of(rows: Iterable[Row]) -> Seal:
    """The seal of rows; errors as of `canonical_line`."""
    return seal(_lines(columns_of(rows)))


def surplus(lines: Sequence[bytes], sealed: Seal) -> int:
    """How many lines stand there more than once, if without those repetitions they would be what was sealed; else 0.

    A writer that adds the same file again makes each of its rows stand there twice.
    """
    counted = Counter(lines)
    extra = len(lines) - len(counted)
    return extra if extra and seal(counted) == sealed else 0


def _lines(rows: RowColumns) -> list[bytes]:
    """The lines of rows. What a wording, a place and a holder say is written once for all rows that share them."""
    shared = zip(
        _told(rows.wording, _said_by_wording),
        _told(rows.place, lambda place: _members(_PLACE, _of_place(place))),
        _told(rows.holder, lambda holder: _members(_HOLDER, _of_holder(holder))),
        strict=True,
    )
    amounts = zip(
        _numbers("cost_nanos", rows.cost_nanos),
        _numbers("gpu_milliseconds", rows.gpu_milliseconds),
        _numbers("measured_milliseconds", rows.measured_milliseconds),
        _numbers("error_nanos", rows.error_nanos),
        _numbers("quantity", [one or None for one in rows.quantity]),
        strict=True,
    )
    return [
        f"{{{''.join(_in_order(wording + place + holder + amount))[1:]}}}".encode()
        for (wording, place, holder), amount in zip(shared, amounts, strict=True)
    ]


_Part = TypeVar("_Part", Wording, Place, Holder)


def _told(parts: Sequence[_Part], tell: Callable[[_Part], _Said]) -> list[_Said]:
    """What each part says. Objects are told apart by identity: that never takes two for one."""
    known: dict[int, _Said] = {}
    for part in parts:
        if id(part) not in known:
            known[id(part)] = tell(part)
    return [known[id(part)] for part in parts]


def _said_by_wording(wording: Wording) -> _Said:
    window = wording.window
    numbers = (f',"window_start":{window.start_ms}', f',"window_end":{window.end_ms}')
    words = _members(_WORDING[:-3], _of_wording(wording))
    return (*words, f',"revision":{wording.revision}', *numbers)


def _members(names: Sequence[str], values: Sequence[Any]) -> _Said:
    """Members of an object, without what is empty."""
    return tuple(
        f',"{name}":{_encode_text(value) if isinstance(value, str) else _encode(value)}' if value else ""
        for name, value in zip(names, values, strict=True)
    )


def _numbers(name: str, amounts: Sequence[int | None]) -> list[str]:
    """Members that are numbers, without those that are null."""
    return ["" if amount is None else f',"{name}":{amount}' for amount in amounts]


@lru_cache(maxsize=4_096)
def _encode_text(text: str) -> str:
    """Remembered: the same few words stand in most rows."""
    return _encode(text)
