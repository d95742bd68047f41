"""The market that an estimate is made in: the cluster's nodes and books, or books from files."""

from collections.abc import Sequence
from pathlib import Path

from aicost.adapters.clock import now_ms
from aicost.adapters.kube.config import ClusterConfig
from aicost.adapters.kube.wire.resources import NAMESPACES, NODES
from aicost.domain.estimates.market import market_of, offline_market
from aicost.domain.estimates.values import Market
from aicost.domain.pricing.books import PriceBook
from aicost.domain.workloads.shapes import Workload
from aicost.entrypoints.cli.manifests.documents import read_documents
from aicost.entrypoints.cli.sources.bodies import books_of, budgets_seen, namespaces_of
from aicost.entrypoints.cli.sources.objects import Gathered, Wish, gather, own_resource
from aicost.entrypoints.cli.sources.priced import PricedMarket
from aicost.entrypoints.cli.sources.query.offers import ask_offers
from aicost.ports.errors import AicostError, InvalidRequest

_BOOKS = own_resource("PriceBook")
LIST_PRICES = Path(__file__).parents[1] / "files" / "list-prices.yaml"
"""Public list prices, for those who name none."""


def market_of_files(places: Sequence[str]) -> PricedMarket:
    """The market of price books in files, or of public list prices where no file is named."""
    market = offline_market(read_books(places), now_ms())
    return PricedMarket(market, f"prices of {', '.join(places)}" if places else "public list prices")


def market_of_cluster(config: ClusterConfig, places: Sequence[str], workloads: Sequence[Workload]) -> PricedMarket:
    """The market of a cluster; books from files take the place of its own.

    Who may read no nodes or no price books gets the offers that the query API has for people of their namespace.

    Args:
        config: how the cluster is reached.
        places: files with books.
        workloads: what is estimated; it counts against the budgets of where it goes.
    """
    namespaces = sorted({one.namespace for one in workloads})
    books_wished = [] if places else [Wish(_BOOKS)]
    gathered = gather(config, [Wish(NODES), *books_wished, *_budget_wishes(namespaces)])
    problems: list[str] = []
    books = read_books(places) if places else books_of(gathered.bodies, problems)
    offered = None if places else _offered(config, gathered, workloads, namespaces)
    if not books and offered is None:
        gathered.gaps.append("no prices are known: name a PriceBook by --prices")
    market = offered or market_of(gathered.nodes, books, now_ms())
    named = f", prices of {', '.join(places)}" if places else ""
    budgets = budgets_seen(gathered.bodies, problems)
    facts = {one.name: one for one in namespaces_of(gathered.bodies)}
    return PricedMarket(market, f"{config.server}{named}", (*gathered.gaps, *problems), budgets, facts)


def _offered(
    config: ClusterConfig, gathered: Gathered, workloads: Sequence[Workload], namespaces: Sequence[str]
) -> Market | None:
    """What the query API offers, where nodes or books are not for the user to read; None where it need not be asked."""
    if not gathered.refused & {NODES, _BOOKS} or not namespaces:
        return None
    try:
        market = ask_offers(config, workloads, namespaces[0])
    except AicostError as problem:
        gathered.gaps.append(f"the query API offers no prices in their place: {problem}")
        return None
    blind = tuple(f"{one} are not" for one in (NODES, _BOOKS))
    gathered.gaps[:] = [gap for gap in gathered.gaps if not gap.startswith(blind)]
    return market


def _budget_wishes(namespaces: Sequence[str]) -> list[Wish]:
    """Budgets of the namespaces, those of the cluster, and the labels that those choose namespaces by."""
    own = [Wish(own_resource("Budget"), namespace) for namespace in namespaces]
    return [*own, Wish(own_resource("ClusterBudget")), *(Wish(NAMESPACES, name=name) for name in namespaces)]


def read_books(places: Sequence[str]) -> tuple[PriceBook, ...]:
    """The price books in files, or the public list prices.

    Raises:
        InvalidRequest: there is none, or an entry is wrong.
    """
    problems: list[str] = []
    documents = read_documents(places or [str(LIST_PRICES)])
    books = books_of((document.body for document in documents), problems)
    if problems:
        raise InvalidRequest(f"prices: {'; '.join(problems)}")
    if not books:
        raise InvalidRequest(
            f"prices: no PriceBook is in {', '.join(places)}: kubectl get pricebooks -o yaml prints some"
        )
    return books
