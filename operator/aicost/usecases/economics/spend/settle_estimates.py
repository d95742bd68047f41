"""Let bills win over estimates: what gateways saw of a day is taken back as soon as its provider has billed it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from aicost.domain.exact.windows import Window
from aicost.domain.ledger.rows import Component, Row
from aicost.domain.thirdparty.settling import Billed, billed, is_estimate, settled
from aicost.ports.errors import LedgerConflict
from aicost.ports.ledger import LedgerReader, LedgerWriter
from aicost.usecases.economics.spend.post_days import DayPosted, PostDays

SETTLED = "bill came"
ATTEMPTS = 5


def accounts_in(ledger: LedgerReader, span: Window) -> tuple[str, ...]:
    """Keys of the accounts that have rows in a span."""
    found = ledger.sums(span, ("cluster",), {"component": (Component.API.value,)})
    return tuple(sorted({group.keys[0] for group in found}))


def rows_of_accounts(ledger: LedgerReader, span: Window) -> Sequence[Row]:
    """All that accounts posted in a span."""
    return [row for account in accounts_in(ledger, span) for row in ledger.rows(span, cluster=account)]


@dataclass(frozen=True, slots=True)
class SettleEstimates:
    """Bring the estimates of all accounts to what has been billed.

    Attributes:
        ledger: the ledger; to post, one that sees each posting at once.
        writer: where rows are posted; None to look only.
    """

    ledger: LedgerReader
    writer: LedgerWriter | None = None

    def __call__(self, days: Iterable[Window], coming: Billed = ()) -> Iterator[DayPosted]:
        """Settle some days; what is settled is left as it is.

        Args:
            days: the days.
            coming: bills that are about to be posted. Estimates go first: who acts on money must never see both.

        Raises:
            LedgerConflict: another writer came first again and again.
            LedgerUnavailable: the ledger cannot be read or written.
        """
        wanted = set(days)
        for attempts_left in reversed(range(ATTEMPTS)):
            try:
                yield from self._settle(wanted, coming)
            except LedgerConflict:  # what was read is old now: read it again
                if not attempts_left:
                    raise
            else:
                return

    def _settle(self, days: Collection[Window], coming: Billed) -> Iterator[DayPosted]:
        if not days:
            return
        rows = rows_of_accounts(self.ledger, Window(min(days).start_ms, max(day.end_ms for day in days)))
        bills, estimates = {*billed(rows), *coming}, defaultdict[tuple[str, Window], list[Row]](list)
        for row in rows:
            if is_estimate(row) and row.window in days:
                estimates[row.place.cluster, row.window].append(row)
        for (account, day), mine in sorted(estimates.items()):
            yield from PostDays(account, self.ledger, self.writer, SETTLED, attempts=1)({day: settled(mine, bills)})
