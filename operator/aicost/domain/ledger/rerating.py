"""What other prices change about rows that are posted: signed differences, and what costs more or less by them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from aicost.domain.ledger.difference import difference
from aicost.domain.ledger.rows import Holder, Row

REASON = "price-change"
"""Reason of each difference row that was posted for changed prices."""
_Key = tuple[object, ...]


@dataclass(frozen=True, slots=True, order=True)
class Charged:
    """What costs are compared by.

    Attributes:
        namespace: empty for what nobody held.
        prices: the price entries before and after, several joined by a comma; empty for none.
    """

    namespace: str
    component: str
    currency: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Costs:
    """Sums before and after, with the part of the device time that has no price."""

    before_nanos: int = 0
    after_nanos: int = 0
    unpriced_before_ms: int = 0
    unpriced_after_ms: int = 0

    def __add__(self, other: "Costs") -> "Costs":
        return Costs(
            self.before_nanos + other.before_nanos,
            self.after_nanos + other.after_nanos,
            self.unpriced_before_ms + other.unpriced_before_ms,
            self.unpriced_after_ms + other.unpriced_after_ms,
        )


@dataclass(frozen=True, slots=True)
class Rerating:
    """What changes about the rows of one window.

    Attributes:
        rows: difference rows to post; empty where nothing changes.
        changes: what costs more or less; what stays is left out.
    """

    rows: tuple[Row, ...] = ()
    changes: tuple[tuple[Charged, Costs], ...] = ()


def rerate(posted: Sequence[Row], before: Sequence[Row], after: Sequence[Row], revision: int) -> Rerating:
    """Compare a window at the prices that it was posted with and at others.

    Who pays stays as it is posted, also where policies tagged it anew since; and so do flags that a posting carries
    beside those of its statement.

    Args:
        posted: the rows of the window, all revisions.
        before: the statement that they rest on.
        after: the same at other prices.
        revision: the next revision of the window.
    """
    carried = _carried(posted, before, after)
    rows = difference(posted, carried, revision, REASON)
    return Rerating(rows, _changes(posted, carried) if rows else ())


def _carried(posted: Sequence[Row], before: Sequence[Row], after: Sequence[Row]) -> list[Row]:
    holders: dict[_Key, Holder] = {}
    for row in sorted(posted, key=lambda row: row.revision):
        if max(row.cost_nanos or 0, row.gpu_milliseconds, row.quantity) > 0:
            holders[_who(row)] = row.holder
    extra = _extra_flags(posted, before)
    return [
        replace(
            row,
            holder=holders.get(_who(row), row.holder),
            flags=(*row.flags, *(flag for flag in extra.get(_what(row), ()) if flag not in row.flags)),
        )
        for row in after
    ]


def _extra_flags(posted: Sequence[Row], before: Sequence[Row]) -> Mapping[_Key, tuple[str, ...]]:
    """Flags that all posted rows about a thing carry and its statement does not."""
    own: defaultdict[_Key, set[str]] = defaultdict(set)
    for row in before:
        own[_what(row)].update(row.flags)
    found: dict[_Key, tuple[str, ...]] = {}
    for row in posted:
        key = _what(row)
        flags = tuple(flag for flag in row.flags if flag not in own[key])
        found[key] = tuple(flag for flag in found.get(key, flags) if flag in flags)
    return found


def _who(row: Row) -> _Key:
    holder = row.holder
    return row.place.node, holder.namespace, holder.pod, holder.pod_uid, holder.controller_kind, holder.controller


def _what(row: Row) -> _Key:
    how = (row.bucket, row.method, row.quality, row.signal)
    return (row.component, row.place.node, row.place.device, *how, *_who(row))


def _changes(posted: Iterable[Row], carried: Iterable[Row]) -> tuple[tuple[Charged, Costs], ...]:
    """Costs by namespace and by the entries that priced the same device time before and after."""
    was, now = _by_thing(posted), _by_thing(carried)
    sums: defaultdict[Charged, Costs] = defaultdict(Costs)
    for key in {*was, *now}:
        before, after = was.get(key, []), now.get(key, [])
        namespace, component = str(key[0]), str(key[1])
        for currency in {row.currency for row in (*before, *after) if row.currency} or {""}:
            charged = Charged(namespace, component, currency, _names(before), _names(after))
            sums[charged] += Costs(_cost(before, currency), _cost(after, currency), _unpriced(before), _unpriced(after))
    same = Costs()
    kept = ((charged, costs) for charged, costs in sums.items() if costs != same and _differs(costs))
    return tuple(sorted(kept))


def _by_thing(rows: Iterable[Row]) -> Mapping[_Key, list[Row]]:
    found: defaultdict[_Key, list[Row]] = defaultdict(list)
    for row in rows:
        holder, place = row.holder, row.place
        thing = (holder.namespace, row.component.value, place.node, place.device, holder.pod_uid, row.bucket.value)
        found[thing].append(row)
    return found


def _names(rows: Sequence[Row]) -> str:
    """The entries that rows stand at, those whose rows sum to nothing left out."""
    sums: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in rows:
        for place, amount in enumerate((row.cost_nanos or 0, row.gpu_milliseconds, row.quantity)):
            sums[row.price][place] += amount
    return ", ".join(sorted(name for name, amounts in sums.items() if name and any(amounts)))


def _cost(rows: Sequence[Row], currency: str) -> int:
    return sum(row.cost_nanos or 0 for row in rows if row.currency == currency)


def _unpriced(rows: Sequence[Row]) -> int:
    return sum(row.gpu_milliseconds for row in rows if row.cost_nanos is None)


def _differs(costs: Costs) -> bool:
    return costs.before_nanos != costs.after_nanos or costs.unpriced_before_ms != costs.unpriced_after_ms
