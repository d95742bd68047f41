"""Rows without a customer: the money stays, who it was for is gone."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from aicost.domain.attribution.customers import ERASED, ErasedCustomers
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.identity.tags.evidence import Evidence, read_back, written
from aicost.domain.ledger.rows import Holder, Row


@dataclass(frozen=True, slots=True)
class Erasure:
    """Which customers are erased, and where they are looked for.

    Attributes:
        labels: keys of labels that mean `customer`.
    """

    customers: ErasedCustomers
    labels: frozenset[str]

    def row(self, row: Row) -> Row:
        """A row in which no erased customer stands; the same object where none stood.

        Where the value came from stays, so that policies that tag the row again say the same.
        """
        holder = row.holder
        again = replace(
            holder,
            dimensions={key: self.value(key, value) for key, value in holder.dimensions.items()},
            labels=self.customers.labels(holder.labels, self.labels),
            evidence=self._evidence(holder),
        )
        return row if again == holder else replace(row, holder=again)

    def value(self, dimension: str, value: str) -> str:
        """A value of a dimension."""
        return self.customers.id_of(value) if dimension == Dimension.CUSTOMER else value

    def _evidence(self, holder: Holder) -> Mapping[str, str]:
        kept = read_back(holder.evidence)
        again = self._heard(kept)
        return holder.evidence if again == kept else written(again)

    def _heard(self, kept: Evidence) -> Evidence:
        said = {
            (source, dimension): (self.value(dimension, raw), origin)
            for (source, dimension), (raw, origin) in kept.said.items()
        }
        return replace(kept, namespace_labels=self.customers.labels(kept.namespace_labels, self.labels), said=said)


def is_erased(row: Row) -> bool:
    """Whether a customer was erased from a row."""
    return row.holder.dimensions.get(Dimension.CUSTOMER) == ERASED
