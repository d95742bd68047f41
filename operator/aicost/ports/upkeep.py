"""Looking after a ledger: what its log says, and keeping it small."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from aicost.domain.exact.windows import Window
from aicost.domain.ledger.audit import Census, ClusterLog, CountCensus
from aicost.domain.ledger.rows import Row


@dataclass(frozen=True, slots=True)
class Compacted:
    """What a compaction did.

    Attributes:
        dates: days whose files were put together, `2026-11-25`.
        before, after: number of files of these days.
        deleted: files that no version needs any more, and that were taken away.
    """

    dates: tuple[str, ...] = ()
    before: int = 0
    after: int = 0
    deleted: int = 0


@dataclass(frozen=True, slots=True)
class Dropped:
    """What retention dropped.

    Attributes:
        first, last: days, `2026-11-25`.
        windows: how many windows had rows there.
        cost_nanos: currency -> what these rows summed to.
    """

    cluster: str
    first: str
    last: str
    windows: int
    rows: int
    cost_nanos: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Erased:
    """What erasing customers did, or would do.

    Attributes:
        names: who, in normal form, with the other names that policies give them.
        labels: keys of labels that mean `customer`.
        rows: cluster -> rows that named them.
        days: first and last of these, `2026-11-25`; None where there are none.
        cost_nanos: currency -> what these rows sum to; it stays.
        parts: parts of kept inputs that named them.
        provisional: rows of the open window that named them.
        elsewhere: column -> rows that hold one of the names as a part of another name, which stays.
        outcomes: statements about requests that named them.
        counts: counts of tokens that named them.
    """

    names: tuple[str, ...]
    labels: tuple[str, ...]
    rows: Mapping[str, int] = field(default_factory=dict)
    days: tuple[str, str] | None = None
    cost_nanos: Mapping[str, int] = field(default_factory=dict)
    parts: int = 0
    provisional: int = 0
    elsewhere: Mapping[str, int] = field(default_factory=dict)
    outcomes: int = 0
    counts: int = 0

    @property
    def nothing(self) -> bool:
        """Whether nobody named them."""
        return not (self.rows or self.parts or self.provisional or self.outcomes or self.counts)


class CustomerEraser(Protocol):
    """Takes customers out of a ledger. No amount changes; the files of before go, and with them older versions."""

    def find(self, names: Sequence[str], labels: Sequence[str], cluster: str | None) -> Erased:
        """What `erase` would do; nothing is written. Arguments and errors as of `erase`."""

    def erase(self, names: Sequence[str], labels: Sequence[str], cluster: str | None) -> Erased:
        """Erase customers from rows, inputs, statements about requests, counts and the open window, for good.

        Args:
            names: of customers, or the ids that stand for them, in any spelling.
            labels: keys of labels that mean `customer`, beside `aicost.dev/customer` and the aliases that kept policies
                name.
            cluster: of one cluster; None for all.

        Raises:
            LedgerConflict: another writer was faster; what is left is erased the next time.
            LedgerUnavailable: the ledger cannot be read or written, or rows are not what was posted.
            InputsDamaged: kept inputs are not what was kept, or a newer aicost wrote them.
        """


class LedgerRecord(Protocol):
    """A ledger at one moment, for whoever checks it."""

    def schema_version(self) -> str:
        """Version of the columns."""

    def logs(self) -> Sequence[ClusterLog]:
        """What the log says of each cluster."""

    def census(self) -> Census:
        """How many rows of which posting are there."""

    def rows(self, cluster: str, window: Window) -> Sequence[Row]:
        """The rows of exactly this window, all revisions."""

    def counts(self) -> CountCensus:
        """What is there of the counts beside the ledger."""


class LedgerUpkeep(Protocol):
    """Keeping a ledger small. No sum changes by it but those that retention drops."""

    def compact(self, before_ms: int) -> Compacted:
        """Put the files of each whole day before a moment together, and take files away that nobody reads any more.

        Raises:
            LedgerConflict: another writer changed the same files.
            LedgerUnavailable: the ledger cannot be read or written.
        """

    def droppable(self, cluster: str, before_ms: int) -> Dropped | None:
        """What `drop` would drop; None for nothing."""

    def drop(self, cluster: str, before_ms: int) -> Dropped | None:
        """Drop the rows of whole days that ended before a moment, for good; None where there are none.

        Raises:
            LedgerConflict: another writer was faster; what was not dropped is dropped the next time.
            LedgerUnavailable: the ledger cannot be read or written.
        """
