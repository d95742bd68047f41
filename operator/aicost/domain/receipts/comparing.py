"""Whether rows that were computed again say what the ledger says."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from aicost.domain.ledger.errorbars import signed_root, signed_square
from aicost.domain.ledger.rows import Row


@dataclass(frozen=True, slots=True)
class Sums:
    """Amounts of rows that are about the same thing; the fields are those of `Row`."""

    cost_nanos: int = 0
    gpu_milliseconds: int = 0
    measured_milliseconds: int = 0
    quantity: int = 0

    def add(self, row: Row) -> "Sums":
        """These sums with one more row."""
        return Sums(
            self.cost_nanos + (row.cost_nanos or 0),
            self.gpu_milliseconds + row.gpu_milliseconds,
            self.measured_milliseconds + row.measured_milliseconds,
            self.quantity + row.quantity,
        )


NOTHING = Sums()


@dataclass(frozen=True, slots=True)
class Unequal:
    """One thing of which the ledger says another amount than its inputs.

    Attributes:
        row: what it is about; its amounts mean nothing.
        stored: what the ledger sums to.
        recomputed: what the inputs give.
    """

    row: Row
    stored: Sums
    recomputed: Sums


def compare(stored: Iterable[Row], recomputed: Iterable[Row]) -> tuple[Unequal, ...]:
    """What differs, in order of device and bucket; empty where all is equal.

    Rows of all revisions are added up: a difference row corrects what it is a difference of. Who pays is left aside:
    tags that policies gave anew move cost from one tag to another, and no amount.
    """
    templates: dict[tuple[object, ...], Row] = {}
    before, after = _sums(stored, templates), _sums(recomputed, templates)
    keys = sorted({*before, *after}, key=str)
    pairs = ((key, before.get(key, NOTHING), after.get(key, NOTHING)) for key in keys)
    return tuple(Unequal(templates[key], was, now) for key, was, now in pairs if was != now)


def added_up(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Rows of several revisions as they stand: one for each thing, with its sums; what sums to nothing is left out.

    Tags, flags and evidence are those of the last revision; error bars add in squares.
    """
    ordered = sorted(rows, key=lambda row: (row.revision, row.cost_nanos or 0, row.gpu_milliseconds, row.quantity))
    groups: dict[tuple[object, ...], list[Row]] = defaultdict(list)
    for row in ordered:
        groups[subject_key(row)].append(row)
    return tuple(_sum(group) for group in groups.values() if _total(group) != NOTHING)


def subject_key(row: Row) -> tuple[object, ...]:
    """What a row is about, without who pays for it."""
    holder, place = row.holder, row.place
    who = (holder.namespace, holder.pod, holder.pod_uid)
    how = (row.bucket.value, row.method.value, row.quality.value, row.signal)
    price = (row.currency, row.price, row.list_price, row.cost_nanos is None)
    return (place.node, place.device, row.component.value, *who, *how, *price, row.window.start_ms, row.window.end_ms)


def _sums(rows: Iterable[Row], templates: dict[tuple[object, ...], Row]) -> dict[tuple[object, ...], Sums]:
    found: defaultdict[tuple[object, ...], Sums] = defaultdict(Sums)
    for row in rows:
        key = subject_key(row)
        templates.setdefault(key, row)
        found[key] = found[key].add(row)
    return {key: sums for key, sums in found.items() if sums != NOTHING}


def _total(rows: Sequence[Row]) -> Sums:
    total = NOTHING
    for row in rows:
        total = total.add(row)
    return total


def _sum(rows: Sequence[Row]) -> Row:
    total, last = _total(rows), rows[-1]
    error = signed_root(sum(signed_square(row.error_nanos or 0) for row in rows))
    return replace(
        last,
        cost_nanos=None if last.cost_nanos is None else total.cost_nanos,
        gpu_milliseconds=total.gpu_milliseconds,
        measured_milliseconds=total.measured_milliseconds,
        quantity=total.quantity,
        error_nanos=None if any(row.error_nanos is None for row in rows) else error,
    )
