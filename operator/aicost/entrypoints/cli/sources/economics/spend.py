"""Bills into a ledger."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from aicost.adapters.pricing.bills.keys import KeyFile
from aicost.adapters.pricing.bills.reading import read_bill
from aicost.adapters.pricing.bills.sources import bill_source
from aicost.bootstrap import open_counts, open_ledger
from aicost.domain.exact.windows import Window
from aicost.domain.thirdparty.lines import Mapped, SpendLine
from aicost.domain.thirdparty.machines import Ignored
from aicost.entrypoints.cli.output.spend.screen import Imported
from aicost.entrypoints.cli.sources.economics.api_prices import read_asked
from aicost.entrypoints.cli.sources.economics.units import Places, counters_of
from aicost.entrypoints.cli.sources.ledger import open_place
from aicost.ports.bills import BillSource
from aicost.ports.errors import InvalidRequest
from aicost.ports.measured.counts import CountReader
from aicost.usecases.economics.spend.estimate_spend import CountedSpend, counted_in, read_from
from aicost.usecases.economics.spend.post_bill import PostBill


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
    return _asked(bill_source(provider, KeyFile(key_file), url), days, into)


def estimate_in(places: Places, days: Window, api_prices: Path | None, into: Into) -> Imported:
    """Price what gateways counted and post that, or say what would be.

    Raises:
        InvalidRequest: nothing was counted, or by several clusters.
        AicostError: as of `CountedSpend.lines` and `PostBill`.
    """
    prices = read_asked(None, api_prices).sources
    if places.url is None and places.bundle is None:
        ledger = open_place(places.ledger)
        counts = open_counts(ledger)
        cluster = places.cluster or _that_counted(ledger.clusters(), counts, days, places.ledger)
        return _asked(CountedSpend(counted_in(counts, cluster), prices), days, into)
    with counters_of(places) as engines:
        return _asked(CountedSpend(read_from(engines), prices), days, into)


def _that_counted(known: Sequence[str], counts: CountReader, days: Window, place: str) -> str:
    """The one cluster of a ledger whose gateways were counted."""
    found = [name for name in known if counts.windows(days, cluster=name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise InvalidRequest(f"--cluster: {place} has counts of {', '.join(found)}: name one")
    fix = "let the controller count, replay a bundle, or name a source with --prometheus"
    raise InvalidRequest(f"{place}: nothing was counted in {days}: {fix}")


def _asked(source: BillSource, days: Window, into: Into) -> Imported:
    lines = source.lines(days)
    return replace(_posted(lines, (), into), notes=tuple(source.notes))


def _posted(lines: Sequence[SpendLine], ignored: Sequence[Ignored], into: Into) -> Imported:
    ledger = open_ledger(into.ledger)
    posted = PostBill(into.account, ledger, ledger if into.post else None)(lines, into.mapped)
    return Imported(into.account, tuple(posted), len(lines), ignored, posted_for_good=into.post)
