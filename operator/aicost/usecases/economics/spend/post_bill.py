"""Post what a provider billed, or what a gateway saw: a day at a time, and what changes as signed differences."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from aicost.domain.exact.windows import Window
from aicost.domain.ledger.rows import Row
from aicost.domain.thirdparty.lines import AS_NAMED, Mapped, SpendLine, rows_of_bill
from aicost.domain.thirdparty.settling import Billed, billed, is_estimate, settled
from aicost.ports.errors import InvalidRequest
from aicost.ports.ledger import LedgerReader, LedgerWriter
from aicost.usecases.economics.spend.post_days import DayPosted, PostDays
from aicost.usecases.economics.spend.settle_estimates import SettleEstimates, rows_of_accounts

RESTATED = "bill restated"
"""Why a bill's day changes."""
SEEN_AGAIN = "gateway restated"
"""Why a gateway's day changes."""


@dataclass(frozen=True, slots=True)
class PostBill:
    """Bring a ledger to what a bill says of its days. A day that the bill does not name is left as it is.

    Estimates of a day are posted too, and taken back in the same commit where the day has its bill already; a bill
    takes back the estimates of its days that other accounts posted.

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
            InvalidRequest: bills would go where estimates are, or the other way: they would take each other back.
            LedgerConflict: another writer came first again and again.
            LedgerUnavailable: the ledger cannot be read or written.
        """
        days: Mapping[Window, Sequence[Row]] = rows_of_bill(self.account, lines, mapped)
        estimates = any(is_estimate(row) for rows in days.values() for row in rows)
        self._check(days, estimates=estimates)
        if estimates:
            yield from PostDays(self.account, self.ledger, self.writer, SEEN_AGAIN)(_settled(days, self._bills(days)))
        else:
            yield from self._bill(days)

    def _bill(self, days: Mapping[Window, Sequence[Row]]) -> Iterator[DayPosted]:
        """Day after day, estimates first: for a moment a day may be too small, and never twice as large."""
        estimated = self._estimated(days) if self.writer is not None else ()
        for day, rows in sorted(days.items()):
            if day in estimated:
                for _ in SettleEstimates(self.ledger, self.writer)([day], billed(rows)):
                    pass
            yield from PostDays(self.account, self.ledger, self.writer, RESTATED)({day: rows})

    def _check(self, days: Iterable[Window], *, estimates: bool) -> None:
        for day in days:
            if any(is_estimate(row) is not estimates for row in self.ledger.rows(day, cluster=self.account)):
                there, here = ("bills", "estimates") if estimates else ("estimates", "bills")
                raise InvalidRequest(
                    f"account {self.account!r} has {there} in the ledger: post {here} under another account"
                )

    def _bills(self, days: Collection[Window]) -> Billed:
        return billed(rows_of_accounts(self.ledger, _around(days)))

    def _estimated(self, days: Collection[Window]) -> Collection[Window]:
        """Days of which some account has an estimate."""
        if not days:
            return ()
        return {row.window for row in rows_of_accounts(self.ledger, _around(days)) if is_estimate(row)}


def _around(days: Collection[Window]) -> Window:
    return Window(min(day.start_ms for day in days), max(day.end_ms for day in days))


def _settled(days: Mapping[Window, Sequence[Row]], bills: Billed) -> Mapping[Window, Sequence[Row]]:
    return {day: settled(rows, bills) for day, rows in days.items()}
