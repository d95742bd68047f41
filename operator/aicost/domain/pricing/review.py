"""What price each node has at a moment, and why: the quotes, the alternatives, what is missing, and promises."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from aicost.domain.exact.windows import Window
from aicost.domain.inventory.nodes import CapacityType, NodeFacts
from aicost.domain.pricing.books import PriceBook, PriceDecision, PriceEntry
from aicost.domain.pricing.defects import BookDefect, find_defects
from aicost.domain.pricing.selection import decide_prices
from aicost.domain.pricing.suggestion import suggest_entry
from aicost.domain.pricing.terms.annotations import annotated_price
from aicost.domain.pricing.terms.effective import terms_of


@dataclass(frozen=True, slots=True)
class Priced:
    """A node and what it costs now.

    Attributes:
        decision: the price with its reason, and each other one with the reason against it.
        to_add: the entry to add, as YAML; empty where the node has a price.
    """

    node: NodeFacts
    decision: PriceDecision
    to_add: str


@dataclass(frozen=True, slots=True)
class Promise:
    """How far what was promised is used.

    Attributes:
        label: book and entry.
        promised: nodes that are paid for.
        used: nodes that the entry prices now.
        node_hour: price of a node-hour by the entry; None where it gives none, or none now.
    """

    label: str
    currency: str
    promised: int
    used: int
    node_hour: Fraction | None

    @property
    def unused_hour(self) -> Fraction | None:
        """What the promised nodes that are not there cost per hour: no node carries that."""
        unused = max(0, self.promised - self.used)
        return None if self.node_hour is None else self.node_hour * unused


@dataclass(frozen=True, slots=True)
class PriceReview:
    """The prices of all nodes at a moment.

    Attributes:
        at_ms: the moment.
        nodes: by name.
        promises: entries that say for how many nodes they were promised.
        defects: what is wrong with the books.
        annotations: node -> what is wrong with the price that its annotations give.
    """

    at_ms: int
    nodes: tuple[Priced, ...]
    promises: tuple[Promise, ...]
    defects: tuple[BookDefect, ...]
    annotations: Mapping[str, str]

    @property
    def unpriced(self) -> tuple[Priced, ...]:
        """Nodes without a price."""
        return tuple(one for one in self.nodes if one.decision.chosen is None)


def review_prices(nodes: Sequence[NodeFacts], books: Sequence[PriceBook], at_ms: int) -> PriceReview:
    """Look at the price of each node at a moment."""
    priced = tuple(_priced(node, books, at_ms) for node in sorted(nodes, key=lambda node: (node.name, node.uid)))
    wrong = {node.name: found.problem for node in nodes if (found := annotated_price(node, books)) and found.problem}
    return PriceReview(at_ms, priced, tuple(_promises(priced, books, at_ms)), find_defects(books), wrong)


def _priced(node: NodeFacts, books: Sequence[PriceBook], at_ms: int) -> Priced:
    (decision,) = decide_prices(node, books, Window(at_ms, at_ms + 1))
    return Priced(node, decision, "" if decision.chosen else suggest_entry(node))


def _promises(priced: Sequence[Priced], books: Sequence[PriceBook], at_ms: int) -> Iterator[Promise]:
    chosen = [(quote.book, quote.entry) for one in priced if (quote := one.decision.chosen) is not None]
    for book in sorted(books, key=lambda book: book.name):
        for entry in book.entries:
            nodes = entry.commitment.nodes if entry.commitment else None
            if nodes is not None and at_ms in entry.effective:
                used = chosen.count((book.name, entry.name))
                price = _node_hour(book, entry, books, at_ms)
                yield Promise(f"{book.name}/{entry.name}", book.currency, nodes, used, price)


def _node_hour(book: PriceBook, entry: PriceEntry, books: Sequence[PriceBook], at_ms: int) -> Fraction | None:
    """What a node costs per hour by an entry, also where no such node is there."""
    pieces = terms_of(_such_a_node(entry), book, entry, books)
    held = next((one.entry for one in pieces if at_ms in one.span and one.entry is not None), None)
    if held is None or held.per_node_hour_nanos is None:
        return None
    return Fraction(held.per_node_hour_nanos)


def _such_a_node(entry: PriceEntry) -> NodeFacts:
    match = entry.match
    return NodeFacts(
        uid="",
        name=entry.name,
        created_ms=0,
        labels=match.node_labels,
        provider=match.provider,
        instance_type=match.instance_type,
        region=match.region,
        zone=match.zone,
        capacity_type=match.capacity_type or CapacityType.UNKNOWN,
        gpu_model=match.gpu_model or None,
    )
