"""A cluster together with what others bill: one ledger reader for reports and budgets of a cluster.

Accounts are keys of the ledger in the place of clusters. Whoever asks for the cluster itself also gets the accounts
that lie beside it; whoever asks for one account gets that alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aicost.domain.exact.windows import Window
from aicost.domain.inventory.nodes import OPEN_END_MS
from aicost.domain.ledger.rows import Component, Row
from aicost.domain.reporting.sums import GroupSum, merged
from aicost.ports.ledger import LedgerReader
from aicost.usecases.economics.spend.settle_estimates import accounts_in

if TYPE_CHECKING:  # numpy takes long to import, and the command line reads a ledger without it
    from aicost.domain.budgets.spend.series import SpendSeries

_ALWAYS = Window(0, OPEN_END_MS)
_SEVERAL = 2


@dataclass(frozen=True, slots=True)
class WithAccounts:
    """`LedgerReader` in which a cluster has its accounts. Made by `with_accounts`.

    Attributes:
        home: the cluster.
        accounts: keys of the accounts.
    """

    reader: LedgerReader
    home: str
    accounts: tuple[str, ...]

    def clusters(self) -> Sequence[str]:
        """Clusters and accounts that have rows."""
        return self.reader.clusters()

    def last_window(self, cluster: str) -> Window | None:
        """The latest window of the cluster itself; of its accounts where it has none yet."""
        return self._bound(cluster, self.reader.last_window(cluster), latest=True)

    def first_window(self, cluster: str) -> Window | None:
        """The earliest window, likewise."""
        return self._bound(cluster, self.reader.first_window(cluster), latest=False)

    def revision(self, cluster: str, window: Window) -> int | None:
        """Highest revision posted for a window of exactly this key."""
        return self.reader.revision(cluster, window)

    def windows(self, span: Window, *, cluster: str) -> Sequence[Window]:
        """The windows of exactly this key."""
        return self.reader.windows(span, cluster=cluster)

    def rows(self, span: Window, *, cluster: str | None = None, provisional: bool = False) -> Sequence[Row]:
        """Rows of the windows that share time with the span."""
        return [
            row for key in self._keys(cluster) for row in self.reader.rows(span, cluster=key, provisional=provisional)
        ]

    def edges(
        self, span: Window, filters: Mapping[str, tuple[str, ...]], *, cluster: str | None = None
    ) -> Sequence[Row]:
        """Rows of the windows that a bound of the span lies inside of."""
        return [row for key in self._keys(cluster) for row in self.reader.edges(span, filters, cluster=key)]

    def sums(
        self,
        span: Window,
        keys: Sequence[str],
        filters: Mapping[str, tuple[str, ...]],
        *,
        cluster: str | None = None,
    ) -> Sequence[GroupSum]:
        """Sums by group keys over the windows that lie wholly inside the span; each group once."""
        found = [group for key in self._keys(cluster) for group in self.reader.sums(span, keys, filters, cluster=key)]
        return merged(found)

    def series(self, span: Window, keys: Sequence[str], *, cluster: str) -> "SpendSeries":
        """Cost and device time by group and window."""
        from aicost.domain.budgets.spend.series import beside  # noqa: PLC0415 -- numpy takes long to import

        return beside([self.reader.series(span, keys, cluster=key or cluster) for key in self._keys(cluster)])

    def _keys(self, cluster: str | None) -> tuple[str | None, ...]:
        return (self.home, *self.accounts) if cluster == self.home else (cluster,)

    def _bound(self, cluster: str, own: Window | None, *, latest: bool) -> Window | None:
        if own is not None or cluster != self.home:
            return own
        look = self.reader.last_window if latest else self.reader.first_window
        known = [window for account in self.accounts if (window := look(account)) is not None]
        return (max if latest else min)(known, default=None)


def with_accounts(reader: LedgerReader, home: str) -> LedgerReader:
    """A cluster with all accounts of its ledger; the reader as it is where there are none.

    Args:
        reader: a snapshot of the ledger.
        home: the cluster.
    """
    opened = {row.place.cluster for row in reader.rows(_ALWAYS, provisional=True) if row.component is Component.API}
    accounts = tuple(sorted({*accounts_in(reader, _ALWAYS), *opened} - {home}))
    return WithAccounts(reader, home, accounts) if accounts else reader


def homes(reader: LedgerReader) -> Sequence[str]:
    """The clusters of a ledger without the accounts beside them; a ledger of accounts alone has these."""
    known = reader.clusters()
    if len(known) < _SEVERAL:
        return known
    return sorted(set(known) - set(accounts_in(reader, _ALWAYS))) or known
