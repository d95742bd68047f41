"""Fetch what a provider billed lately into the ledger, and say how far the account has come."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from aicost.domain.exact.windows import DAY_MS, MINUTE_MS, Window, to_rfc3339
from aicost.domain.reporting.spans import parse_span
from aicost.domain.thirdparty.accounts import ProviderAccount, days_over
from aicost.domain.thirdparty.capture import Captured
from aicost.domain.thirdparty.lines import Mapped, SpendLine, rows_of_bill
from aicost.ports.bills import BillSource
from aicost.ports.errors import InvalidAnswer, InvalidRequest
from aicost.ports.ledger import LedgerReader, LedgerWriter
from aicost.usecases.economics.spend.capture_spend import capture_of
from aicost.usecases.economics.spend.post_bill import PostBill
from aicost.usecases.economics.spend.post_days import DayPosted

_MONTH_LETTERS = len("2026-03")
_SETTLES_MS = 5 * MINUTE_MS
"""What is younger is still being written by the gateway."""


@dataclass(frozen=True, slots=True)
class BillFetched:
    """What a fetch did, and how the account stands in the ledger after it.

    Attributes:
        new: days that the ledger did not have.
        restated: days that it had otherwise.
        through_ms: end of the last day that it has; None for none.
        month: the month in UTC, such as `2026-03`.
        cost_nanos: currency -> what the month cost; empty where the ledger has no day of it.
        asked: days that were asked for.
        captured: what its providers billed beside what gateways saw, over these days.
        notes: what was left out of what was fetched, and why.
    """

    new: int
    restated: int
    through_ms: int | None
    month: str
    cost_nanos: Mapping[str, int]
    asked: Window
    captured: Captured
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class FetchBill:
    """Ask for the days of an account and post what is new or other.

    Attributes:
        mapped: what its tags mean; None for what the account says.
        kept_days: days that the ledger keeps; 0 for all.
    """

    account: ProviderAccount
    source: BillSource
    ledger: LedgerReader
    writer: LedgerWriter
    mapped: Mapped | None = None
    kept_days: int = 0

    def __call__(self, now_ms: int) -> BillFetched:
        """Fetch once; what was posted before an error stays, and the same again changes nothing.

        Raises:
            AicostError: as of `BillSource.lines` and `PostBill`.
        """
        key = self.account.account
        asked = days_over(min(self.account.days, self.kept_days or self.account.days), now_ms)
        lines, mapped = self.source.lines(asked), self.mapped or self.account.mapped
        notes = tuple(self.source.notes)
        posted = self._post(lines, mapped)
        if self.account.estimates:
            self._open_day(mapped, now_ms)
        revisions = [day.revision for day in posted if day.revision is not None]
        last, month = self.ledger.last_window(key), _month(now_ms)
        return BillFetched(
            new=revisions.count(0),
            restated=len(revisions) - revisions.count(0),
            through_ms=last.end_ms if last else None,
            month=to_rfc3339(month.start_ms)[:_MONTH_LETTERS],
            cost_nanos=self._cost(month),
            asked=asked,
            captured=capture_of(self.ledger, asked, key, self.account.through),
            notes=notes,
        )

    def _post(self, lines: Sequence[SpendLine], mapped: Mapped) -> Sequence[DayPosted]:
        try:
            return list(PostBill(self.account.account, self.ledger, self.writer)(lines, mapped))
        except InvalidRequest as problem:
            raise InvalidAnswer(f"spec.account: {problem}") from problem

    def _open_day(self, mapped: Mapped, now_ms: int) -> None:
        """What was seen of today until a moment ago, in the place of what is provisional."""
        midnight = now_ms // DAY_MS * DAY_MS
        until = max(midnight, now_ms - _SETTLES_MS) // MINUTE_MS * MINUTE_MS
        if until <= midnight:
            return
        day = Window(midnight, until)
        found = rows_of_bill(self.account.account, self.source.lines(day), mapped)
        rows = [replace(row, window=day) for rows in found.values() for row in rows]
        self.writer.replace_provisional(self.account.account, day, rows)

    def _cost(self, span: Window) -> Mapping[str, int]:
        found: defaultdict[str, int] = defaultdict(int)
        for group in self.ledger.sums(span, (), {}, cluster=self.account.account):
            found[group.currency] += group.cost_nanos
        return dict(found)


def _month(now_ms: int) -> Window:
    """The month in UTC until the end of today."""
    start_ms = parse_span("month-to-date", now_ms - now_ms % DAY_MS + DAY_MS - 1).start_ms
    return Window(start_ms, now_ms // DAY_MS * DAY_MS + DAY_MS)
