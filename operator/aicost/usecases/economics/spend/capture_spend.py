"""Say how much of what is billed went through a gateway."""

from collections.abc import Sequence

from aicost.domain.exact.windows import Window
from aicost.domain.reporting.keys import check_keys
from aicost.domain.thirdparty.capture import Captured, Through, capture
from aicost.ports.errors import InvalidRequest
from aicost.ports.ledger import LedgerReader
from aicost.usecases.economics.spend.settle_estimates import rows_of_accounts


def capture_spend(
    ledger: LedgerReader, span: Window, keys: Sequence[str] = (), through: Through | None = None, *, daily: bool = False
) -> Captured:
    """Compare the bills of whole days with what gateways saw; arguments as of `capture`.

    Raises:
        InvalidRequest: a key is none.
        LedgerUnavailable: the ledger cannot be read.
    """
    try:
        check_keys(tuple(keys), "by")
    except ValueError as problem:
        raise InvalidRequest(str(problem)) from problem
    inside = [row for row in rows_of_accounts(ledger, span) if row.window.overlap(span) == row.window]
    return capture(inside, keys, through, daily=daily)


def capture_of(ledger: LedgerReader, span: Window, account: str, through: Through | None = None) -> Captured:
    """The same for the providers that one account speaks of, over all accounts.

    Raises:
        LedgerUnavailable: the ledger cannot be read.
    """
    rows = [row for row in rows_of_accounts(ledger, span) if row.window.overlap(span) == row.window]
    own = {row.place.provider for row in rows if row.place.cluster == account}
    return capture(rows, (), through).of(own)
