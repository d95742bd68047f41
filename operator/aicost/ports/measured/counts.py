"""Where it is kept what engines, gateways and workloads counted in closed windows."""

from collections.abc import Sequence
from typing import Protocol

from aicost.domain.exact.windows import Window
from aicost.domain.serving.counted import CountRow, Kind


class CountReader(Protocol):
    """Counts of closed windows. Of each window the highest revision counts, and no other."""

    def version(self) -> int | None:
        """A number that grows with each change; None where nothing was ever kept."""

    def windows(self, span: Window, *, cluster: str) -> Sequence[Window]:
        """The windows that were counted and lie wholly inside a span, oldest first: also those that had nothing.

        Raises:
            LedgerUnavailable: it cannot be read.
        """

    def summed(self, runs: Sequence[Window], kind: Kind, by: Sequence[str], *, cluster: str) -> Sequence[CountRow]:
        """Sums over the windows that lie wholly inside some spans.

        Args:
            runs: the spans; no two share time.
            kind: whose counts.
            by: fields of `CountRow` that are kept apart beside `count` and `part`; all others are empty.
            cluster: of which cluster.

        Raises:
            LedgerUnavailable: it cannot be read.
        """


class CountStore(CountReader, Protocol):
    """Counts that are kept beside the ledger."""

    def revision(self, cluster: str, window: Window) -> int | None:
        """The highest revision that was kept of a window; None where it was never counted."""

    def rows(self, cluster: str, window: Window) -> Sequence[CountRow]:
        """The rows of the highest revision of a window, in no order."""

    def keep(self, cluster: str, window: Window, revision: int, rows: Sequence[CountRow]) -> bool:
        """Keep the counts of a window; False if this revision, or a higher one, is there already.

        Raises:
            LedgerConflict: we do not lead, or another writer was faster; nothing was kept.
            LedgerUnavailable: nothing was kept.
        """
