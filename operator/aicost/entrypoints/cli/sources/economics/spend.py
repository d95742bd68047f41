"""Bills into a ledger."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from aicost.adapters.pricing.bills.keys import KeyFile
from aicost.adapters.pricing.bills.reading import read_bill
from aicost.adapters.pricing.bills.sources import bill_source
from aicost.bootstrap import open_ledger
from aicost.domain.exact.windows import Window
from aicost.domain.thirdparty.lines import Mapped, SpendLine
from aicost.domain.thirdparty.machines import Ignored
from aicost.entrypoints.cli.output.spend.screen import Imported
from aicost.ports.errors import InvalidRequest
from aicost.usecases.economics.post_bill import PostBill


@dataclass(frozen=True, slots=True)
class Into:
    """Where a bill goes.

    Attributes:
        ledger: directory or URL.
        account: key of the account in the ledger.
        mapped: what tags mean.
        post: whether to post, or to look only.
    """

    ledger: str
    account: str
    mapped: Mapped
    post: bool


def bring_in(files: Sequence[tuple[str, bytes]], into: Into, *, provider: str, currency: str) -> Imported:
    """Read bills and post them, or say what would be.

    Args:
        files: name and content of each.
        into: where they go.
        provider: who billed, where a file does not say it.
        currency: of its amounts, where it does not say it.

    Raises:
        InvalidRequest: a file is no bill, or there is no line in any.
        LedgerUnavailable, LedgerConflict: see `PostBill`.
    """
    bills = [read_bill(content, name, provider=provider, currency=currency) for name, content in files]
    lines = [line for bill in bills for line in bill.lines]
    ignored = [one for bill in bills for one in bill.ignored]
    others = sum(one.lines for one in ignored)
    if not lines:
        left = f", {others:,} lines are about something else" if others else ""
        raise InvalidRequest(f"{', '.join(name for name, _ in files)}: no line about AI is in it{left}")
    return _posted(lines, ignored, into)


def fetch_in(provider: str, key_file: Path, url: str | None, days: Window, into: Into) -> Imported:
    """Ask a provider and post what it billed, or say what would be; errors as of `BillSource.lines` and `PostBill`."""
    source = bill_source(provider, KeyFile(key_file), url)
    return replace(_posted(source.lines(days), (), into), notes=tuple(source.notes))


def _posted(lines: Sequence[SpendLine], ignored: Sequence[Ignored], into: Into) -> Imported:
    ledger = open_ledger(into.ledger)
    posted = PostBill(into.account, ledger, ledger if into.post else None)(lines, into.mapped)
    return Imported(into.account, tuple(posted), len(lines), ignored, posted_for_good=into.post)
