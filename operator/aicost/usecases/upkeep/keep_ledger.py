"""Keep the ledger small: drop what retention no longer wants, and put files of past days together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aicost.domain.exact.windows import DAY_MS
from aicost.ports.upkeep import Compacted, Dropped, LedgerUpkeep


def _none(_: int) -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True)
class KeepLedger:
    """The two steps of upkeep. Drop first, so that nothing is put together that goes.

    They are two, so that what was dropped can be said even where the second one fails.

    Attributes:
        retention_days: rows of days that ended longer ago are dropped; 0 keeps all for ever.
        accounts: keys of the accounts that have rows of before a moment.
    """

    cluster: str
    upkeep: LedgerUpkeep
    retention_days: int
    accounts: Callable[[int], Sequence[str]] = _none

    def drop(self, now_ms: int) -> Dropped | None:
        """Drop what is too old; None for nothing.

        Raises:
            LedgerConflict, LedgerUnavailable: it is tried again the next time.
        """
        if not self.retention_days:
            return None
        return self.upkeep.drop(self.cluster, self._before(now_ms))

    def drop_of_accounts(self, now_ms: int) -> Sequence[Dropped]:
        """The same for all accounts of the ledger.

        Raises:
            LedgerConflict, LedgerUnavailable: it is tried again the next time.
        """
        if not self.retention_days:
            return ()
        before_ms = self._before(now_ms)
        found = (self.upkeep.drop(account, before_ms) for account in self.accounts(before_ms))
        return [gone for gone in found if gone is not None]

    def _before(self, now_ms: int) -> int:
        return _today(now_ms) - self.retention_days * DAY_MS

    def compact(self, now_ms: int) -> Compacted:
        """Put files together, but yesterday's: late data may still come, and readers may be at them.

        Raises:
            LedgerConflict, LedgerUnavailable: it is tried again the next time.
        """
        return self.upkeep.compact(_today(now_ms) - DAY_MS)


def _today(now_ms: int) -> int:
    return now_ms - now_ms % DAY_MS
