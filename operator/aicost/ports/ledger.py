"""Where amounts are kept."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from aicost.domain.exact.windows import Window
from aicost.domain.ledger.rows import Row
from aicost.domain.reporting.sums import GroupSum

if TYPE_CHECKING:  # numpy takes long to import, and the command line reads a ledger without it
    from aicost.domain.budgets.spend.series import SpendSeries

__all__ = ["GroupSum", "LedgerReader", "LedgerSource", "LedgerTerms", "LedgerWriter", "Posting"]


@dataclass(frozen=True, slots=True)
class Posting:
    """Rows that are posted together: one commit.

    Attributes:
        window: the closed window.
        revision: 0 first, then one higher for each set of difference rows.
        inputs: number of the inputs that the rows rest on, as `aicost.ports.inputs` gives it; None where none were
            kept.
        term: the term of the leader that posts, as `LedgerTerms` gave it; None for what a person posts.
    """

    cluster: str
    window: Window
    revision: int
    rows: Sequence[Row]
    inputs: int | None = None
    term: int | None = None


class LedgerWriter(Protocol):
    """Append-only posting, exactly once."""

    def post(self, posting: Posting) -> bool:
        """Post rows; False if exactly this (cluster, window, revision) is already there, with these rows.

        A window without rows is posted too, so that a restart resumes after it.

        Raises:
            LedgerConflict: another writer is ahead of us, the revision is not the next one, or the window shares
                time with another one that was posted.
            TermOver: a leader of a later term may post, this one may not any more.
            LedgerUnavailable: nothing was posted.
        """

    def replace_provisional(self, cluster: str, window: Window, rows: Sequence[Row]) -> None:
        """Replace all provisional rows of a cluster, in a place of their own that no sum of the ledger touches.

        A provisional row's window is the part of the open window that it answers for: from its start to the moment
        that it was computed for.
        """


class LedgerTerms(Protocol):
    """Terms of leaders: numbers that grow, kept in the ledger itself."""

    def begin_term(self, cluster: str) -> int:
        """Begin a new term. Whatever is posted in an earlier one is refused from now on, even if it is on its way.

        Raises:
            LedgerConflict: others begin terms at the same time again and again.
            LedgerUnavailable: no term was begun.
        """


class LedgerReader(Protocol):
    """Sums and rows."""

    def clusters(self) -> Sequence[str]:
        """Clusters that have rows, in order of their names."""

    def last_window(self, cluster: str) -> Window | None:
        """The latest window posted, None for an empty ledger."""

    def first_window(self, cluster: str) -> Window | None:
        """The earliest window posted."""

    def revision(self, cluster: str, window: Window) -> int | None:
        """Highest revision posted for a window, None if it was never posted."""

    def windows(self, span: Window, *, cluster: str) -> Sequence[Window]:
        """The windows of a cluster that have rows and share time with the span, oldest first."""

    def rows(self, span: Window, *, cluster: str | None = None, provisional: bool = False) -> Sequence[Row]:
        """Rows of the windows that lie in or overlap the span: of the ledger, or of the open window's place.

        Provisional rows of a window that has been posted since are left out, so that nothing counts twice.
        """

    def edges(
        self, span: Window, filters: Mapping[str, tuple[str, ...]], *, cluster: str | None = None
    ) -> Sequence[Row]:
        """Whole rows, which pass the filters, of the windows that the start or the end of the span lies inside of."""

    def sums(
        self,
        span: Window,
        keys: Sequence[str],
        filters: Mapping[str, tuple[str, ...]],
        *,
        cluster: str | None = None,
    ) -> Sequence[GroupSum]:
        """Sums by group keys over the windows that lie wholly inside the span.

        Keys and filters are those of `aicost.domain.reporting.query` (`GROUP_KEYS` or `label:KEY`).
        """

    def series(self, span: Window, keys: Sequence[str], *, cluster: str) -> "SpendSeries":
        """Cost and device time by group and window, as columns, over the windows that lie wholly inside the span."""


class RowPicker(Protocol):
    """Rows of the ledger by what they are about."""

    def picked(self, span: Window, where: Mapping[str, Collection[str]], *, cluster: str) -> Sequence[Row]:
        """Posted rows of the windows that share time with the span and whose columns have one of the values.

        Columns: node, device, namespace, pod, workload, controller.
        """


class LedgerSource(Protocol):
    """A ledger that grows while it is read."""

    def version(self) -> int | None:
        """A number that grows with each posting; None for an empty ledger."""

    def snapshot(self) -> LedgerReader:
        """The ledger as it is now, posted and provisional rows together: what is posted later does not change it."""
