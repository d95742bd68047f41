"""Where amounts are kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from aicost.domain.exact.windows import Window
from aicost.domain.ledger.rows import Row


@dataclass(frozen=True, slots=True)
class Posting:
    """Rows that are posted together: one commit.

    Attributes:
        window: the closed window.
        revision: 0 first, then one higher for each set of difference rows.
    """

    cluster: str
    window: Window
    revision: int
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class GroupSum:
    """Sum over the rows of one group.

    Attributes:
        keys: group values, in the order of the keys that were asked for; empty string for none.
        bucket, currency, component: part of each group.
        cost_nanos: sum over priced rows.
    """

    keys: tuple[str, ...]
    bucket: str
    currency: str
    cost_nanos: int
    gpu_milliseconds: int
    unpriced_gpu_milliseconds: int
    measured_milliseconds: int
    error_squared: float
    """Sum of squared error bars: independent errors add in squares."""
    unmeasured: bool
    """True where a row of the group has no error bar."""
    list_price_nanos: int
    tagged_nanos: Mapping[str, int]


class LedgerWriter(Protocol):
    """Append-only posting, exactly once."""

    def post(self, posting: Posting) -> bool:
        """Post rows; False if exactly this (cluster, window, revision) is already there.

        Raises:
            LedgerConflict: another writer is ahead of us.
            LedgerUnavailable: nothing was posted.
        """

    def replace_provisional(self, cluster: str, window: Window, rows: Sequence[Row]) -> None:
        """Replace the rows of the open window, in a place of its own that no sum of the ledger touches."""


class LedgerReader(Protocol):
    """Sums and rows."""

    def last_window(self, cluster: str) -> Window | None:
        """The latest window posted, None for an empty ledger."""

    def first_window(self, cluster: str) -> Window | None:
        """The earliest window posted."""

    def revision(self, cluster: str, window: Window) -> int | None:
        """Highest revision posted for a window, None if it was never posted."""

    def rows(self, span: Window, *, cluster: str | None = None, provisional: bool = False) -> Sequence[Row]:
        """Rows of the windows that lie in or overlap the span: of the ledger, or of the open window's place."""

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
