"""A price that stands on the node itself, in annotations: it goes before all books."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from aicost.domain.exact.amounts import parse_nanos
from aicost.domain.exact.windows import Window, from_rfc3339
from aicost.domain.inventory.nodes import NodeFacts
from aicost.domain.pricing.books import ALWAYS, NodeMatch, NodeSplit, PriceBook, PriceEntry, ReferenceRates

PER_GPU_HOUR = "aicost.dev/price-per-gpu-hour"
PER_NODE_HOUR = "aicost.dev/price-per-node-hour"
CURRENCY = "aicost.dev/price-currency"
FROM = "aicost.dev/price-from"
PRICE_ANNOTATIONS = (PER_GPU_HOUR, PER_NODE_HOUR, CURRENCY, FROM)
"""All that is read of a node's annotations for its price."""
NODE_BOOK = "node-annotations"
"""What stands for the name of a book beside amounts that rest on annotations; the entry is the node's name."""

_CURRENCY = re.compile(r"[A-Z]{3}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Annotated:
    """A price on a node.

    Attributes:
        book: a book of that one entry, with the reference rates that a price per node-hour is split by.
        problem: why it cannot be used, with annotation, value and fix; empty where it can. Then the books decide.
    """

    book: PriceBook
    problem: str = ""

    @property
    def entry(self) -> PriceEntry:
        """The price."""
        return self.book.entries[0]


class _Wrong(ValueError):
    """An annotation that cannot be used; the text names it, its value and the fix."""


def annotated_price(node: NodeFacts, books: Sequence[PriceBook]) -> Annotated | None:
    """The price that a node's annotations give; None where they give none.

    Args:
        node: the node.
        books: where reference rates are taken from: the first book by name in the same currency that has some.
    """
    said = {key: node.annotations[key].strip() for key in PRICE_ANNOTATIONS if key in node.annotations}
    if not said:
        return None
    try:
        entry, currency = _entry(node, said), _currency(said)
    except _Wrong as wrong:
        return Annotated(PriceBook(NODE_BOOK, "", (_unusable(node),)), str(wrong))
    lender = _lender(currency, books)
    if lender is None or entry.per_node_hour_nanos is None:
        return Annotated(PriceBook(NODE_BOOK, currency, (entry,), lender.reference if lender else ReferenceRates()))
    told = replace(entry, source=f"{entry.source}, split by the reference rates of {lender.name}")
    return Annotated(PriceBook(NODE_BOOK, currency, (told,), lender.reference))


def _entry(node: NodeFacts, said: Mapping[str, str]) -> PriceEntry:
    per_gpu, per_node = _price(said, PER_GPU_HOUR), _price(said, PER_NODE_HOUR)
    if per_gpu is None and per_node is None:
        raise _Wrong(f"it has {', '.join(sorted(said))} and no price: add {PER_GPU_HOUR} or {PER_NODE_HOUR}")
    return PriceEntry(
        name=node.name,
        match=_of_node(node),
        per_gpu_hour_nanos=per_gpu,
        per_node_hour_nanos=per_node,
        split=NodeSplit.RESIDUAL,
        gpu_share_ppm=None,
        effective=Window(_from(said), ALWAYS.end_ms),
        source="annotation of the node",
        on_node=True,
    )


def _unusable(node: NodeFacts) -> PriceEntry:
    return PriceEntry(node.name, _of_node(node), None, None, NodeSplit.RESIDUAL, None, ALWAYS, on_node=True)


def _of_node(node: NodeFacts) -> NodeMatch:
    return NodeMatch(node_labels={"kubernetes.io/hostname": node.name})


def _price(said: Mapping[str, str], key: str) -> int | None:
    text = said.get(key)
    if text is None:
        return None
    try:
        nanos = parse_nanos(text)
    except ValueError:
        nanos = 0
    if nanos <= 0:
        raise _Wrong(
            f"annotation {key}: {text[:_SHOWN]!r}: write a decimal above zero with at most 9 digits on each side of "
            'the point, for example "2.49"'
        )
    return nanos


def _currency(said: Mapping[str, str]) -> str:
    text = said.get(CURRENCY, "")
    if not _CURRENCY.fullmatch(text):
        raise _Wrong(f"annotation {CURRENCY}: {text[:_SHOWN]!r}: write an ISO 4217 code, for example USD or EUR")
    return text


def _from(said: Mapping[str, str]) -> int:
    text = said.get(FROM)
    if text is None:
        return ALWAYS.start_ms
    try:
        return from_rfc3339(f"{text}T00:00:00Z" if _DAY.fullmatch(text) else text)
    except (ValueError, OverflowError):
        raise _Wrong(
            f"annotation {FROM}: {text[:_SHOWN]!r}: write a day such as 2026-01-31 (midnight UTC) or an RFC 3339 time"
        ) from None


def _lender(currency: str, books: Sequence[PriceBook]) -> PriceBook | None:
    having = [book for book in books if book.currency == currency and book.reference != ReferenceRates()]
    return min(having, key=lambda book: book.name, default=None)
