"""Posted windows rated again, from a ledger that is opened directly."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from aicost.bootstrap import open_inputs
from aicost.domain.exact.windows import Window
from aicost.domain.pricing.books import PriceBook
from aicost.entrypoints.cli.sources.bodies import books_of
from aicost.entrypoints.cli.sources.cluster import find_cluster
from aicost.entrypoints.cli.sources.ledger import open_place
from aicost.entrypoints.cli.sources.market import read_books
from aicost.entrypoints.cli.sources.objects import Wish, gather, own_resource
from aicost.entrypoints.cli.sources.receipts.clusters import one_cluster
from aicost.ports.errors import InvalidAnswer, InvalidRequest
from aicost.usecases.economics.spend.with_accounts import homes
from aicost.usecases.receipts.rerate import Rerate, WindowRerated


def books_to_rate_by(places: Sequence[str], kubeconfig: Path | None, context: str | None) -> tuple[PriceBook, ...]:
    """The price books in files, or where none is named those of the cluster, as its controller uses them.

    Raises:
        InvalidRequest: there is no book, something in one is wrong, or there is no cluster to ask.
        InvalidAnswer: not all books of the cluster could be read: cost would become unpriced without a reason.
        NotPermitted: they may not be read.
        ClusterUnavailable: no answer.
    """
    if places:
        return read_books(places)
    config = find_cluster(kubeconfig, context, instead="or name price books by --prices FILE")
    gathered = gather(config, [Wish(own_resource("PriceBook"))])
    if gathered.gaps:
        raise InvalidAnswer(f"{'; '.join(gathered.gaps)}. Install the chart, or name price books by --prices FILE")
    books = books_of(gathered.bodies, [])
    if not books:
        raise InvalidRequest("the cluster has no usable PriceBook: apply one, or name some by --prices FILE")
    return books


class RatedLedger:
    """A ledger whose windows are rated again.

    Args:
        place: directory or URL.
        cluster: the cluster in it; None for the only one.
        post: whether differences are posted.
    """

    def __init__(self, place: str, cluster: str | None, *, post: bool) -> None:
        ledger = open_place(place)
        self.cluster = one_cluster(homes(ledger), cluster)
        self.version = ledger.version()
        reader = ledger if post else ledger.snapshot()
        self._use = Rerate(self.cluster, reader, open_inputs(ledger), ledger if post else None)

    def rate(self, span: Window, books: Sequence[PriceBook]) -> Iterator[WindowRerated]:
        """Go through the windows of a span; errors as of `Rerate`."""
        return self._use(span, books)
