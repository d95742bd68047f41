"""Keeps price books that a URL publishes in the cluster, where people see them and all who need prices find them.

What was read last stays while the URL fails: the cluster itself remembers it. A book that is no longer published is
taken away; one that somebody else made under the same name is theirs and stays as it is.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from aicost.adapters.kube.client import KubeClient
from aicost.domain.exact.windows import SECOND_MS, from_rfc3339, to_rfc3339
from aicost.entrypoints.controller.attempts import Attempts
from aicost.entrypoints.controller.resources import resource_of
from aicost.entrypoints.controller.state import State
from aicost.ports.errors import AicostError, InvalidRequest
from aicost.ports.prices import PriceFeed, Published
from aicost.telemetry.logs import line
from aicost.telemetry.metrics import Metrics

PRICE_SOURCE = "aicost.dev/price-source"
"""Label of books that are kept as a URL shows them."""
HTTP = "http"
READ_AT = "aicost.dev/price-source-read-at"
"""Annotation: when the book was last read, or was said to be unchanged."""
FIELD_MANAGER = "aicost-price-source"
AGAIN_SECONDS = 60
"""Between tries while the URL fails."""
_STEP = "read-prices"
_log = logging.getLogger("aicost.prices")
_Meta = Mapping[str, Any]


class PublishedBooks:
    """Reads the URL now and then, and keeps its books in the cluster.

    Args:
        client: an open client.
        feed: reads the URL.
        place: the URL, for people.
        interval_s: seconds between readings.
        state: gets how the URL is doing.
        attempts: does the step.
        metrics: our own metrics.
        now_ms: tells the time.
    """

    def __init__(  # noqa: PLR0913 -- what it keeps together
        self,
        client: KubeClient,
        feed: PriceFeed,
        place: str,
        interval_s: int,
        state: State,
        attempts: Attempts,
        metrics: Metrics,
        *,
        now_ms: Callable[[], int],
    ) -> None:
        self._client, self._feed, self._interval_s, self._now_ms = client, feed, interval_s, now_ms
        self._state, self._attempts, self._metrics = state, attempts, metrics
        self._version, self._generations = "", dict[str, int]()
        state.prices = replace(state.prices, place=place)

    async def run(self) -> None:
        """Read again and again until cancelled; sooner while it fails."""
        while True:
            read = await self.once()
            await asyncio.sleep(self._interval_s if read else min(self._interval_s, AGAIN_SECONDS))

    async def once(self) -> bool:
        """Read once; False if that failed, and then everything stays as it is."""
        read = await self._attempts.attempt(_STEP, self._refresh)
        problem = "" if read else self._state.problems.get(_STEP, "")
        self._state.prices = replace(self._state.prices, problem=problem)
        self._metrics.show("aicost_price_source_up", float(read))
        if self._state.prices.read_ms is not None:
            self._metrics.show("aicost_price_source_timestamp_seconds", self._state.prices.read_ms / SECOND_MS)
        return read

    async def _refresh(self) -> None:
        """What is there; what is published; make the first the second."""
        there = await self._there()
        mine = {name: meta for name, meta in there.items() if (meta.get("labels") or {}).get(PRICE_SOURCE) == HTTP}
        self._remember(mine)
        published = await asyncio.to_thread(self._feed.read, self._version if self._is_ours(mine) else "")
        now_ms = self._now_ms()
        if published is None:
            await self._confirm(mine, now_ms)
            taken: list[str] = []
        else:
            taken = await self._keep(published, there, mine, now_ms)
        self._state.prices = replace(self._state.prices, read_ms=now_ms)
        if taken:
            raise InvalidRequest(
                f"the URL publishes PriceBooks under names that somebody else uses here, {', '.join(taken)}: those "
                "stay as they are; rename one of the two"
            )

    async def _confirm(self, mine: Mapping[str, _Meta], now_ms: int) -> None:
        """Nothing changed: say when that was asked."""
        for name in mine:
            await self._client.merge_patch(_BOOKS, name, _marked({}, now_ms), field_manager=FIELD_MANAGER)

    async def _there(self) -> Mapping[str, _Meta]:
        """Metadata of all price books, by name."""
        found: dict[str, _Meta] = {}
        async for page in self._client.pages(_BOOKS):
            metas = [json.loads(bytes(raw))["metadata"] for raw in page.items or ()]
            found |= {str(meta["name"]): meta for meta in metas}
        return found

    def _remember(self, mine: Mapping[str, _Meta]) -> None:
        """When the controller before us read them last."""
        if self._state.prices.read_ms is None:
            moments = [found for meta in mine.values() if (found := _moment(meta)) is not None]
            self._state.prices = replace(self._state.prices, read_ms=min(moments, default=None))

    def _is_ours(self, mine: Mapping[str, _Meta]) -> bool:
        """Whether all that we wrote is still there as we wrote it: else it is read whole and written again."""
        return {name: int(meta.get("generation", 0)) for name, meta in mine.items()} == self._generations

    async def _keep(
        self, published: Published, there: Mapping[str, _Meta], mine: Mapping[str, _Meta], now_ms: int
    ) -> list[str]:
        """Write what is published, then take away what is not any more; gives the names that are somebody else's.

        Raises:
            AicostError: a book was not written; the others were, and none was taken away.
        """
        names = [str(book["metadata"]["name"]) for book in published.books]
        taken = sorted(set(names) & (there.keys() - mine.keys()))
        written: dict[str, int] = {}
        self._version, self._generations = "", {}  # until all of it is written
        problems: list[AicostError] = []
        for book, name in zip(published.books, names, strict=True):
            if name not in taken:
                try:
                    written[name] = await self._write(book, name, now_ms)
                except AicostError as problem:
                    problems.append(problem)
        if problems:
            raise problems[0]
        for name in sorted(mine.keys() - set(names)):
            await self._client.delete(_BOOKS, name, uid=str(mine[name]["uid"]))
        self._tell(written, sorted(mine.keys() - set(names)))
        self._version, self._generations = published.version, written
        return taken

    async def _write(self, book: Mapping[str, Any], name: str, now_ms: int) -> int:
        body = _marked(book, now_ms)
        answer = await self._client.apply(_BOOKS, name, body, field_manager=FIELD_MANAGER)
        return int(json.loads(answer)["metadata"].get("generation", 0))

    def _tell(self, written: Mapping[str, int], gone: Sequence[str]) -> None:
        line(_log, logging.INFO, "published prices read", books=", ".join(written), gone=", ".join(gone))


_BOOKS = resource_of("PriceBook")


def _marked(book: Mapping[str, Any], now_ms: int) -> Mapping[str, Any]:
    """A book with where it is from and when it was read."""
    at = to_rfc3339(now_ms // SECOND_MS * SECOND_MS)
    metadata = {**(book.get("metadata") or {}), "labels": {PRICE_SOURCE: HTTP}, "annotations": {READ_AT: at}}
    return {**book, "metadata": metadata}


def _moment(meta: _Meta) -> int | None:
    try:
        return from_rfc3339((meta.get("annotations") or {})[READ_AT])
    except (KeyError, ValueError, OverflowError):
        return None
