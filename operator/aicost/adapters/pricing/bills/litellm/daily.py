"""LiteLLM's daily activity: what it sums up of each day, where single requests are too many or are not kept."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from aicost.adapters.pricing.bills.litellm.days import Day, is_here
from aicost.adapters.pricing.bills.litellm.gateway import MOST_PAGES, READINGS, Gateway
from aicost.adapters.pricing.tables.reading import Wrong
from aicost.domain.exact.windows import DAY_MS, Window, to_rfc3339
from aicost.domain.thirdparty.lines import SpendLine
from aicost.ports.errors import InvalidAnswer, SourceUnavailable

LITELLM_DAILY = "litellm-daily"
_HERE = "amounts of models that are served here were left out: their GPUs are costed"
_FLAT = "days have capacity that is paid by the hour: it is in no amount of a request, and was left out"
_Page = Mapping[str, Any]


@dataclass(slots=True)
class DailyReader(Gateway):
    """Asks for the sums of each day."""

    name: ClassVar[str] = LITELLM_DAILY
    path: ClassVar[str] = "/user/daily/activity"
    page_rows: int = 1_000

    def lines(self, days: Window) -> Sequence[SpendLine]:
        """What whole days in UTC cost, by provider and key, and by model where that is known.

        Raises:
            SourceUnavailable: no answer after several tries, or pages that never agree with each other.
            NotPermitted: the key may not read what all did.
            InvalidAnswer: this is no such gateway.
            InvalidRequest: there is no key.
        """
        self._left_out.clear()
        starts = range(days.start_ms, days.end_ms, DAY_MS)
        return [line for start in starts for line in self._day(Window(start, start + DAY_MS))]

    def _day(self, day: Window) -> Iterator[SpendLine]:
        found = self._read(day)
        self._left_out[_FLAT] += found.flat
        for line in found.lines():
            if is_here(line):
                self._left_out[_HERE] += 1
            else:
                yield line
        self._left_out += Counter()  # a count of none says nothing

    def _read(self, day: Window) -> Day:
        """All pages of a day; a day that grows meanwhile is read again."""
        date = to_rfc3339(day.start_ms)[:10]
        for _ in range(READINGS):
            found = Day(day, date)
            pages = self._page(found, 1)
            if pages > MOST_PAGES:
                raise SourceUnavailable(f"{self._wire.url} has more than {MOST_PAGES:,} pages for a day")
            if all(self._page(found, number) == pages for number in range(2, pages + 1)):
                return found
        raise SourceUnavailable(
            f"{self._wire.url}: the pages of {date} were read {READINGS} times and never were as many as the gateway "
            "says: it is tried again later"
        )

    def _page(self, day: Day, number: int) -> int:
        """Add one page to a day; how many there are."""
        asked = [("start_date", day.date), ("end_date", day.date), ("page", str(number))]
        body = self._wire.get([*asked, ("page_size", str(self.page_rows))])
        try:
            page: _Page = json.loads(body, parse_float=Decimal)
            day.add(page["results"])
            pages = page["metadata"]["total_pages"]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, Wrong) as problem:
            said = f" ({problem})" if isinstance(problem, Wrong) else ""
            raise InvalidAnswer(
                f"{self._wire.url} answers with no page of daily activity{said}: check the address"
            ) from None
        if type(pages) is not int or pages < 0:
            raise InvalidAnswer(f"{self._wire.url}: total_pages {str(pages)[:40]!r} is no number: check the address")
        return pages
