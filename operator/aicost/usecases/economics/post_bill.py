"""Post what a provider billed: a day at a time, and what changes later as signed differences."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from aicost.domain.exact.windows import Window
from aicost.domain.ledger.difference import difference
from aicost.domain.ledger.rows import Row
from aicost.domain.thirdparty.lines import AS_NAMED, Mapped, SpendLine, rows_of_bill
from aicost.ports.errors import LedgerConflict
from aicost.ports.ledger import LedgerReader, LedgerWriter, Posting

ATTEMPTS = 5
RESTATED = "bill restated"


@dataclass(frozen=True, slots=True)
class DayPosted:
    """One day of a bill.

    Attributes:
        rows: what is to be posted, or was: all rows of a new day, the differences of one that is there.
        revision: under which revision; None where the ledger holds the day as it is.
    """

    day: Window
    rows: Sequence[Row]
    revision: int | None


@dataclass(frozen=True, slots=True)
class PostBill:
    """Bring a ledger to what a bill says of its days. A day that the bill does not name is left as it is.

    Attributes:
        account: key of the account in the ledger, in the place of a cluster.
        ledger: the ledger; to post, one that sees each posting at once.
        writer: where rows are posted; None to look only.
    """

    account: str
    ledger: LedgerReader
    writer: LedgerWriter | None = None

    def __call__(self, lines: Iterable[SpendLine], mapped: Mapped = AS_NAMED) -> Iterator[DayPosted]:
        """Go through the days, oldest first; each is one commit, and the same bill again changes nothing.

        Raises:
            LedgerConflict: another writer came first again and again.
            LedgerUnavailable: the ledger cannot be read or written.
        """
        for day, rows in rows_of_bill(self.account, lines, mapped).items():
            yield self._one(day, rows)

    def _one(self, day: Window, rows: Sequence[Row]) -> DayPosted:
        for attempts_left in reversed(range(ATTEMPTS)):
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
        changed = difference(self.ledger.rows(day, cluster=self.account), rows, revision + 1, RESTATED)
        return DayPosted(day, changed, revision + 1 if changed else None)
