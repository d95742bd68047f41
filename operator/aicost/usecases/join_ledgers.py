"""Several ledgers as one: each has clusters of its own, and an answer is about all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aicost.domain.exact.windows import Window
from aicost.domain.ledger.rows import Row
from aicost.domain.reporting.sums import GroupSum, merged
from aicost.ports.errors import InvalidRequest
from aicost.ports.ledger import LedgerReader

if TYPE_CHECKING:  # numpy takes long to import, and the command line reads a ledger without it
    from aicost.domain.budgets.spend.series import SpendSeries


@dataclass(frozen=True, slots=True)
class JoinedLedgers:
    """`LedgerReader` over the snapshots of several ledgers. Made by `join`.

    Attributes:
        owners: cluster -> the ledger that has its rows.
    """

    readers: tuple[LedgerReader, ...]
    owners: Mapping[str, LedgerReader]

    def clusters(self) -> Sequence[str]:
        """Clusters that have rows, of all ledgers."""
        return sorted(self.owners)

    def last_window(self, cluster: str) -> Window | None:
        """The latest window posted."""
        return self.owners[cluster].last_window(cluster) if cluster in self.owners else None

    def first_window(self, cluster: str) -> Window | None:
        """The earliest window posted."""
        return self.owners[cluster].first_window(cluster) if cluster in self.owners else None

    def revision(self, cluster: str, window: Window) -> int | None:
        """Highest revision posted for a window."""
        return self.owners[cluster].revision(cluster, window) if cluster in self.owners else None

    def windows(self, span: Window, *, cluster: str) -> Sequence[Window]:
        """The windows of a cluster that have rows and share time with the span."""
        return self.owners[cluster].windows(span, cluster=cluster) if cluster in self.owners else ()

    def rows(self, span: Window, *, cluster: str | None = None, provisional: bool = False) -> Sequence[Row]:
        """Rows of the windows that share time with the span."""
        return tuple(
            row
            for reader in self._asked(cluster)
            for row in reader.rows(span, cluster=cluster, provisional=provisional)
        )

    def edges(
        self, span: Window, filters: Mapping[str, tuple[str, ...]], *, cluster: str | None = None
    ) -> Sequence[Row]:
        """Rows of the windows that a bound of the span lies inside of."""
        return tuple(row for reader in self._asked(cluster) for row in reader.edges(span, filters, cluster=cluster))

    def sums(
        self,
        span: Window,
        keys: Sequence[str],
        filters: Mapping[str, tuple[str, ...]],
        *,
        cluster: str | None = None,
    ) -> Sequence[GroupSum]:
        """Sums by group keys over the windows that lie wholly inside the span; each group once."""
        found = [
            group for reader in self._asked(cluster) for group in reader.sums(span, keys, filters, cluster=cluster)
        ]
        return merged(found) if len(self.readers) > 1 else found

    def series(self, span: Window, keys: Sequence[str], *, cluster: str) -> "SpendSeries":
        """Cost and device time by group and window of one cluster."""
        return self.owners.get(cluster, self.readers[0]).series(span, keys, cluster=cluster)

    def _asked(self, cluster: str | None) -> tuple[LedgerReader, ...]:
        """The ledgers that know of a cluster, or all."""
        if cluster is None:
            return self.readers
        return (self.owners[cluster],) if cluster in self.owners else ()


def join(readers: Mapping[str, LedgerReader]) -> LedgerReader:
    """Several ledgers as one; a single one as it is.

    Args:
        readers: place -> a snapshot of the ledger there.

    Raises:
        InvalidRequest: two ledgers have rows of the same cluster: its cost would count twice.
        LedgerUnavailable: a ledger cannot be read.
    """
    if len(readers) == 1:
        return next(iter(readers.values()))
    places: dict[str, str] = {}
    for place, reader in readers.items():
        for cluster in reader.clusters():
            if cluster in places:
                raise InvalidRequest(
                    f"ledger: cluster {cluster!r} is in {places[cluster]} and in {place}, so that its cost would count "
                    "twice: leave one of them out"
                )
            places[cluster] = place
    return JoinedLedgers(tuple(readers.values()), {cluster: readers[place] for cluster, place in places.items()})
