"""Sums over rows, group by group: the shape in which the ledger answers, and the same sums over rows in memory."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from aicost.domain.identity.dimensions import Dimension
from aicost.domain.ledger.errorbars import signed_square
from aicost.domain.ledger.rows import HELD, Bucket, Row
from aicost.domain.reporting.keys import passes, value_of


@dataclass(frozen=True, slots=True)
class GroupSum:
    """Sum over the rows of one group; signed difference rows count with their sign.

    Attributes:
        keys: group values, in the order of the keys that were asked for; empty string for none.
        bucket, currency, component: part of each group.
        cost_nanos: sum over priced rows.
        error_squared: sum of squared error bars: independent errors add in squares.
        unmeasured: true where a part of the group has no error bar.
        quantity: what the component counts beside device time: see `Row.quantity`.
        unpriced_quantity: the part of it without a price.
        tagged_nanos: dimension -> the part of the cost that carries it, for buckets that a pod holds.
    """

    keys: tuple[str, ...]
    bucket: str
    currency: str
    cost_nanos: int
    gpu_milliseconds: int
    unpriced_gpu_milliseconds: int
    measured_milliseconds: int
    error_squared: float
    unmeasured: bool
    list_price_nanos: int
    tagged_nanos: Mapping[str, int]
    component: str = "gpu"
    quantity: int = 0
    unpriced_quantity: int = 0


def _tagged(rows: Sequence[Row], dimension: Dimension) -> int:
    return sum(row.cost_nanos or 0 for row in rows if row.bucket in HELD and dimension.value in row.holder.dimensions)


def _group_sum(keys: tuple[str, ...], rows: Sequence[Row]) -> GroupSum:
    """The sum over rows that share keys, bucket, currency and component."""
    blind = [row for row in rows if row.error_nanos is None]
    tagged = {dimension.value: _tagged(rows, dimension) for dimension in Dimension}
    return GroupSum(
        keys=keys,
        bucket=rows[0].bucket.value,
        currency=rows[0].currency,
        component=rows[0].component.value,
        cost_nanos=sum(row.cost_nanos or 0 for row in rows),
        gpu_milliseconds=sum(row.gpu_milliseconds for row in rows),
        unpriced_gpu_milliseconds=sum(row.gpu_milliseconds for row in rows if row.cost_nanos is None),
        measured_milliseconds=sum(row.measured_milliseconds for row in rows),
        error_squared=float(sum(signed_square(row.error_nanos or 0) for row in rows)),
        unmeasured=any((sum(row.gpu_milliseconds for row in blind), sum(row.cost_nanos or 0 for row in blind))),
        list_price_nanos=sum(row.cost_nanos or 0 for row in rows if row.list_price),
        tagged_nanos={dimension: nanos for dimension, nanos in tagged.items() if nanos},
        quantity=sum(row.quantity for row in rows),
        unpriced_quantity=sum(row.quantity for row in rows if row.cost_nanos is None),
    )


def sum_rows(
    rows: Iterable[Row], keys: Sequence[str], filters: Mapping[str, tuple[str, ...]] | None = None
) -> tuple[GroupSum, ...]:
    """Sum rows by group keys, bucket, currency and component, as the ledger does in its own language."""
    groups: defaultdict[tuple[tuple[str, ...], Bucket, str, str], list[Row]] = defaultdict(list)
    for row in rows:
        if passes(row, filters or {}):
            group = tuple(value_of(row, key) for key in keys)
            groups[group, row.bucket, row.currency, row.component].append(row)
    return tuple(_group_sum(group, members) for (group, *_), members in sorted(groups.items()))


def merged(groups: Sequence[GroupSum]) -> tuple[GroupSum, ...]:
    """Sums of several ledgers, or of parts of the time of one, as one sum over all their rows."""
    found: dict[tuple[tuple[str, ...], str, str, str], GroupSum] = {}
    for group in groups:
        name = (group.keys, group.bucket, group.currency, group.component)
        found[name] = _added(found[name], group) if name in found else group
    return tuple(found[name] for name in sorted(found))


def _added(one: GroupSum, other: GroupSum) -> GroupSum:
    tagged: defaultdict[str, int] = defaultdict(int)
    for group in (one, other):
        for dimension, nanos in group.tagged_nanos.items():
            tagged[dimension] += nanos
    return replace(
        one,
        cost_nanos=one.cost_nanos + other.cost_nanos,
        gpu_milliseconds=one.gpu_milliseconds + other.gpu_milliseconds,
        unpriced_gpu_milliseconds=one.unpriced_gpu_milliseconds + other.unpriced_gpu_milliseconds,
        measured_milliseconds=one.measured_milliseconds + other.measured_milliseconds,
        error_squared=one.error_squared + other.error_squared,
        unmeasured=one.unmeasured or other.unmeasured,
        list_price_nanos=one.list_price_nanos + other.list_price_nanos,
        tagged_nanos={dimension: nanos for dimension, nanos in sorted(tagged.items()) if nanos},
        quantity=one.quantity + other.quantity,
        unpriced_quantity=one.unpriced_quantity + other.unpriced_quantity,
    )
