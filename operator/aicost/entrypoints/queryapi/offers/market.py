"""Nodes and price books of the cluster, read with our own rights and kept for a while."""

import asyncio
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.seen.decode import decode_node
from aicost.adapters.kube.seen.values import BadObject
from aicost.adapters.kube.wire.errors import NotFound
from aicost.adapters.kube.wire.resources import NODES, Resource
from aicost.crd.convert.books import price_book
from aicost.crd.kinds import KINDS
from aicost.crd.schema.definition import GROUP, VERSION
from aicost.domain.estimates.market import market_of
from aicost.domain.estimates.values import Market, Offer
from aicost.domain.inventory.nodes import NodeFacts
from aicost.domain.pricing.books import PriceBook

KEPT_MS = 60_000
"""How long what was read is good for."""
_WORD = re.compile(r"[A-Za-z0-9](?:[-.A-Za-z0-9]*[A-Za-z0-9])?")
_A_NODE = "(node)"
_KIND = "PriceBook"
(_PLURAL,) = (one.plural for one in KINDS if one.kind == _KIND)
_BOOKS = Resource(GROUP, VERSION, _PLURAL, _KIND, namespaced=False)


@dataclass(slots=True)
class LiveMarket:
    """The market of this cluster. Many who ask at once wait for one reading."""

    client: KubeClient
    now_ms: Callable[[], int]
    _market: Market | None = field(default=None, init=False)
    _read_ms: int = field(default=0, init=False)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def __call__(self) -> Market:
        """What is on offer now.

        Raises:
            AicostError: the API server does not answer, or does not let us read.
        """
        async with self._lock:
            now_ms = self.now_ms()
            if self._market is None or not 0 <= now_ms - self._read_ms < KEPT_MS:
                nodes, books = await self._nodes(), await self._books()
                self._market = await asyncio.to_thread(_unnamed, nodes, books, now_ms)
                self._read_ms = now_ms
            return self._market

    async def _nodes(self) -> list[NodeFacts]:
        found: list[NodeFacts] = []
        async for page in self.client.pages(NODES):
            seen = (decode_node(bytes(raw)) for raw in page.items or ())
            found += [one.facts for one in seen if not isinstance(one, BadObject)]
        return found

    async def _books(self) -> list[PriceBook]:
        """A book that cannot be read is passed over: its own status says why."""
        found: list[PriceBook] = []
        try:
            async for page in self.client.pages(_BOOKS):
                read = (price_book(json.loads(bytes(raw))).value for raw in page.items or ())
                found += [book for book in read if book is not None]
        except NotFound:  # the definitions are not there yet: nothing has a price
            return []
        return found


def _unnamed(nodes: Sequence[NodeFacts], books: Sequence[PriceBook], now_ms: int) -> Market:
    """The market, with no node's name in what is said of prices."""
    names = frozenset(node.name for node in nodes)

    def clean(text: str) -> str:
        return _WORD.sub(lambda word: _A_NODE if word[0] in names else word[0], text)

    def offer_of(offer: Offer) -> Offer:
        quote = offer.quote and replace(
            offer.quote,
            book=clean(offer.quote.book),
            entry=clean(offer.quote.entry),
            source=clean(offer.quote.source),
            explanation=clean(offer.quote.explanation),
        )
        rejected = tuple((clean(label), clean(reason)) for label, reason in offer.rejected)
        return replace(offer, quote=quote, reason=clean(offer.reason), rejected=rejected)

    return Market(tuple(map(offer_of, market_of(nodes, books, now_ms).offers)))
