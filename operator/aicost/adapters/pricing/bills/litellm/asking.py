"""LiteLLM's spend logs: all requests of whole days, page by page, each once."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, ClassVar

from aicost.adapters.pricing.bills.litellm.gateway import MOST_PAGES, READINGS, Gateway
from aicost.adapters.pricing.bills.litellm.rows import LITELLM, Asked, read_row
from aicost.adapters.pricing.tables.reading import Wrong
from aicost.domain.exact.windows import DAY_MS, MINUTE_MS, Window, to_rfc3339
from aicost.domain.thirdparty.lines import SpendLine
from aicost.ports.errors import InvalidAnswer, SourceUnavailable

_Page = Mapping[str, Any]
_Thing = tuple[str, str, str, tuple[tuple[str, str], ...]]
"""Provider, item, model and tags: what one line is about."""


@dataclass(slots=True)
class LitellmReader(Gateway):
    """Asks for single requests; a page of them has what every version of the gateway gives."""

    name: ClassVar[str] = LITELLM
    path: ClassVar[str] = "/spend/logs/v2"

    def lines(self, days: Window) -> Sequence[SpendLine]:
        """What the requests of whole days in UTC cost, by who asked for what.

        Raises:
            SourceUnavailable: no answer after several tries, or pages that never agree with each other.
            NotPermitted: the key may not read all logs.
            InvalidAnswer: this is no such gateway.
            InvalidRequest: there is no key.
        """
        self._left_out.clear()
        starts = range(days.start_ms, days.end_ms, DAY_MS)
        return [line for start in starts for line in self._day(Window(start, min(start + DAY_MS, days.end_ms)))]

    def _day(self, day: Window) -> Iterator[SpendLine]:
        """Lines of one day, those of one thing together: a day may have a million requests."""
        cost, tokens, first = Counter[_Thing](), Counter[_Thing](), dict[_Thing, SpendLine]()
        for one in self._requests(day):
            if one.here:
                self._left_out["requests to models that are served here were left out: their GPUs are costed"] += 1
            elif one.line is None:
                self._left_out["requests have no price at the gateway"] += 1
            else:
                key = (one.line.provider, one.line.item, one.line.model, tuple(one.line.tags.items()))
                first.setdefault(key, one.line)
                cost[key] += one.line.cost_attos
                tokens[key] += one.line.quantity
        for key, line in first.items():
            yield replace(line, cost_attos=cost[key], quantity=tokens[key])

    def _requests(self, span: Window) -> Iterator[Asked]:
        """Requests that began in a span, each once.

        Rows that are written meanwhile move the pages: a span whose pages do not agree is read again.
        """
        for _ in range(READINGS):
            first = self._page(span, 1)
            if first.get("total_is_capped") and span.length_ms > MINUTE_MS:
                middle = (span.start_ms + span.length_ms // 2) // 1_000 * 1_000
                yield from self._requests(Window(span.start_ms, middle))
                yield from self._requests(Window(middle, span.end_ms))
                return
            found = self._pages(span, first)
            if found is not None:
                yield from (one for one in found.values() if span.start_ms <= one.at_ms < span.end_ms)
                return
        raise SourceUnavailable(
            f"{self._wire.url}: pages of {to_rfc3339(span.start_ms)} to {to_rfc3339(span.end_ms)} were read "
            f"{READINGS} times and never held as many rows as the gateway says: it is tried again later"
        )

    def _pages(self, span: Window, first: _Page) -> dict[str, Asked] | None:
        """All requests by their names; None where the pages do not agree with each other."""
        total, pages = first["total"], first["total_pages"]
        if pages > MOST_PAGES:
            raise SourceUnavailable(f"{self._wire.url} has more than {MOST_PAGES:,} pages for a day: ask for less")
        found = self._read(first)
        for number in range(2, pages + 1):
            page = self._page(span, number)
            if page["total"] != total:
                return None
            found |= self._read(page)
        return found if len(found) == total else None

    def _read(self, page: _Page) -> dict[str, Asked]:
        try:
            return {one.name: one for one in map(read_row, page["data"])}
        except (KeyError, TypeError, AttributeError, Wrong) as problem:
            raise InvalidAnswer(
                f"{self._wire.url}: a row is none of a request ({problem}): check the address"
            ) from None

    def _page(self, span: Window, number: int) -> _Page:
        times = [("start_date", _said(span.start_ms)), ("end_date", _said(span.end_ms))]
        body = self._wire.get([*times, ("page", str(number)), ("page_size", str(self.page_rows))])
        try:
            page = json.loads(body, parse_float=Decimal)
            sizes = [page[name] for name in ("total", "total_pages")]
            if isinstance(page["data"], list) and all(type(size) is int and size >= 0 for size in sizes):
                return dict(page)
        except (ValueError, KeyError, TypeError, RecursionError):
            pass
        raise InvalidAnswer(f"{self._wire.url} answers with no page of spend logs: check the address") from None


def _said(at_ms: int) -> str:
    """A moment as the gateway reads it: in UTC, without a zone."""
    return to_rfc3339(at_ms)[:19].replace("T", " ")
