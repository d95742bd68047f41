"""What changes when a window is computed again: signed difference rows that make the ledger's sums true again."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from aicost.domain.ledger.errorbars import signed_root, signed_square
from aicost.domain.ledger.rows import Row

Identity = tuple[Hashable, ...]
"""All that a row says beside its amounts, its revision and its reason; and which of its amounts are known."""


@dataclass(frozen=True, slots=True)
class _Amounts:
    """Signed sums over the rows of one identity."""

    cost_nanos: int = 0
    gpu_milliseconds: int = 0
    measured_milliseconds: int = 0
    error_squared: int = 0
    quantity: int = 0

    @property
    def changes(self) -> bool:
        """Whether there is anything to post: an error bar alone is no amount."""
        return bool(self.cost_nanos or self.gpu_milliseconds or self.measured_milliseconds or self.quantity)

    def add(self, row: Row, sign: int) -> "_Amounts":
        """These sums with one row added or taken away."""
        return _Amounts(
            self.cost_nanos + sign * (row.cost_nanos or 0),
            self.gpu_milliseconds + sign * row.gpu_milliseconds,
            self.measured_milliseconds + sign * row.measured_milliseconds,
            self.error_squared + sign * signed_square(row.error_nanos or 0),
            self.quantity + sign * row.quantity,
        )


def _items(mapping: Mapping[str, str]) -> Identity:
    return tuple(sorted(mapping.items()))


def identity(row: Row) -> Identity:
    """What makes two rows amounts of the same thing.

    Whether cost and error bar are known is part of it: a price that comes late takes the device time away from the
    unpriced row and adds it to a priced one, so that the sum of unpriced time is true as well.
    """
    holder = row.holder
    who = (holder.namespace, holder.pod, holder.pod_uid, holder.controller_kind, holder.controller, holder.workload)
    tags = (_items(holder.dimensions), _items(holder.provenance), _items(holder.labels), _items(holder.evidence))
    what = (row.window, row.component, row.place, row.bucket, row.method, row.quality, row.signal)
    price = (row.currency, row.price, row.list_price, row.flags)
    return (*what, *who, *tags, *price, row.cost_nanos is None, row.error_nanos is None)


def _difference_row(template: Row, change: _Amounts, revision: int, reason: str) -> Row:
    """A row with the template's identity and the change as its amounts."""
    return replace(
        template,
        revision=revision,
        reason=reason,
        cost_nanos=None if template.cost_nanos is None else change.cost_nanos,
        gpu_milliseconds=change.gpu_milliseconds,
        measured_milliseconds=change.measured_milliseconds,
        error_nanos=None if template.error_nanos is None else signed_root(change.error_squared),
        quantity=change.quantity,
    )


def difference(posted: Iterable[Row], recomputed: Iterable[Row], revision: int, reason: str) -> tuple[Row, ...]:
    """Rows that, posted beside all that is posted, make each sum what the recomputed rows sum to.

    For each identity: `difference = sum(recomputed) - sum(posted)`, exact for cost, device time, measured time and
    quantity. Identities whose amounts do not change are dropped. A row that changed in anything but its amounts is
    taken away in full under its old identity and added in full under its new one.

    Args:
        posted: the rows of all revisions so far.
        recomputed: the rows as they should be, of whatever revision.
        revision: revision of the rows that come out.
        reason: why they are posted, for people.
    """
    templates: dict[Identity, Row] = {}
    changes: defaultdict[Identity, _Amounts] = defaultdict(_Amounts)
    for rows, sign in ((posted, -1), (recomputed, 1)):
        for row in rows:
            key = identity(row)
            templates.setdefault(key, row)
            changes[key] = changes[key].add(row, sign)
    kept = ((templates[key], change) for key, change in changes.items() if change.changes)
    return tuple(_difference_row(template, change, revision, reason) for template, change in kept)


def same_rows(some: Sequence[Row], others: Sequence[Row]) -> bool:
    """Whether two postings say the same, in whatever order their rows stand."""
    return sorted(map(_whole, some)) == sorted(map(_whole, others))


def _whole(row: Row) -> str:
    amounts = (row.cost_nanos, row.gpu_milliseconds, row.measured_milliseconds, row.error_nanos, row.quantity)
    return repr((identity(row), amounts, row.revision, row.reason))
