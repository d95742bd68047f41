"""Bring days of an account to what they should say: new days whole, others by signed differences."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from aicost.domain.exact.windows import Window
from aicost.domain.ledger.difference import difference
from aicost.domain.ledger.rows import Row
from aicost.ports.errors import LedgerConflict
from aicost.ports.ledger import LedgerReader, LedgerWriter, Posting


@dataclass(frozen=True, slots=True)
class DayPosted:
    """One day of an account.

    Attributes:
        rows: what is to be posted, or was: all rows of a new day, the differences of one that is there.
        revision: under which revision; None where the ledger holds the day as it is.
    """

    day: Window
    rows: Sequence[Row]
    revision: int | None


@dataclass(frozen=True, slots=True)
class PostDays:
    """Post days, each in one commit; the same again changes nothing.

    Attributes:
        account: key of the account in the ledger, in the place of a cluster.
        ledger: the ledger; to post, one that sees each posting at once.
        writer: where rows are posted; None to look only.
        reason: why a day that is there changes, for people.
        attempts: how often a day is tried while others post.
    """

    account: str
    ledger: LedgerReader
    writer: LedgerWriter | None
    reason: str
    attempts: int = 5

    def __call__(self, days: Mapping[Window, Sequence[Row]]) -> Iterator[DayPosted]:
        """Go through the days, oldest first.

        Raises:
            LedgerConflict: another writer came first again and again.
            LedgerUnavailable: the ledger cannot be read or written.
        """
        for day, rows in sorted(days.items()):
            yield self._one(day, rows)

    def _one(self, day: Window, rows: Sequence[Row]) -> DayPosted:
        for attempts_left in reversed(range(self.attempts)):
            found = self._look(day, rows)
            if self.writer is None or found.revision is None:
                return found
            try:
                self.writer.post(Posting(self.account, day, found.revision, found.rows))
            except LedgerConflict:
                if not attempts_left:
                    raise
            else:
                return found
        raise AssertionError("the last attempt ends the loop")

    def _look(self, day: Window, rows: Sequence[Row]) -> DayPosted:
        """The revision is read before the rows: rows that come between give a conflict."""
        revision = self.ledger.revision(self.account, day)
        if revision is None:
            return DayPosted(day, rows, 0)
        changed = difference(self.ledger.rows(day, cluster=self.account), rows, revision + 1, self.reason)
        return DayPosted(day, changed, revision + 1 if changed else None)
