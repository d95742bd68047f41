"""Prices of many nodes: those that are bought alike are decided once."""

from collections.abc import Callable, Sequence
from fractions import Fraction

from aicost.domain.exact.windows import Window
from aicost.domain.inventory.nodes import NodeFacts
from aicost.domain.pricing.books import PriceBook, PriceDecision
from aicost.domain.pricing.selection import decide_prices
from aicost.domain.pricing.terms.annotations import PRICE_ANNOTATIONS

Decide = Callable[[NodeFacts, Fraction | None], tuple[PriceDecision, ...]]
"""Node and mean power of its GPUs -> price decisions."""


def prices_of_nodes(books: Sequence[PriceBook], window: Window) -> Decide:
    """A function that says what `decide_prices` says, for one node after another.

    A price on a node, and the words for a node without a price, are its own. All others rest on what it is, and on the
    labels that some entry or discount asks for.
    """
    matches = [entry.match for book in books for entry in book.entries]
    matches += [discount.match for book in books for discount in book.discounts]
    asked = sorted({key for match in matches for key in match.node_labels})
    known: dict[tuple[object, ...], tuple[PriceDecision, ...]] = {}

    def decide(node: NodeFacts, gpu_watts: Fraction | None) -> tuple[PriceDecision, ...]:
        if not node.annotations.keys().isdisjoint(PRICE_ANNOTATIONS):
            return decide_prices(node, books, window, gpu_watts)
        look = (*_kind(node), gpu_watts, *(node.labels.get(key) for key in asked))
        if look not in known:
            decisions = decide_prices(node, books, window, gpu_watts)
            if any(one.chosen is None for one in decisions):
                return decisions
            known[look] = decisions
        return known[look]

    return decide


def _kind(node: NodeFacts) -> tuple[object, ...]:
    """What prices look at beside labels and annotations."""
    bought = (node.provider, node.instance_type, node.region, node.zone, node.capacity_type)
    return *bought, node.gpu_model, node.gpus, node.cpu_millis, node.memory_bytes, tuple(node.capacity)
