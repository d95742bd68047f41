"""Estimate what will be billed: what gateways counted, at list prices."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from aicost.domain.exact.windows import DAY_MS, HOUR_MS, Window
from aicost.domain.serving.api_prices import ApiPrice
from aicost.domain.serving.counted import WHO, Kind, tenants_of
from aicost.domain.serving.tenants import TenantCount, tenant_counts
from aicost.domain.thirdparty.estimating import Estimated, estimate
from aicost.domain.thirdparty.lines import SpendLine
from aicost.domain.thirdparty.providers import spellings
from aicost.ports.measured.counts import CountReader
from aicost.ports.measured.engines import EngineSource
from aicost.ports.prices import ApiPriceSource
from aicost.usecases.economics.counting import grown_in, tallies

_BY = ("source", "model", *(who.value for who in WHO))
_MOST_NAMED = 5
Counted = tuple[Sequence[TenantCount], Collection[str]]
"""Tokens of gateways in a span, and the models that pods served in it, in small letters."""


def counted_in(counts: CountReader, cluster: str) -> Callable[[Window], Counted]:
    """What was kept of closed windows; errors as of the port."""

    def read(span: Window) -> Counted:
        asked = tenants_of(counts.summed([span], Kind.GATEWAY, _BY, cluster=cluster))
        engines = counts.summed([span], Kind.ENGINE, ("model",), cluster=cluster)
        return asked, {row.model.lower() for row in engines if row.model}

    return read


def read_from(engines: EngineSource) -> Callable[[Window], Counted]:
    """What a source has of the counters themselves, hour by hour; errors as of the port."""

    def read(span: Window) -> Counted:
        asked, served = list[TenantCount](), set[str]()
        for start in range(span.start_ms, span.end_ms, HOUR_MS):
            grown = grown_in(engines, Window(start, min(start + HOUR_MS, span.end_ms)))
            asked += tenant_counts(one.grown for one in grown)
            served |= {model.lower() for models in tallies(grown).values() for model in models}
        return asked, served

    return read


@dataclass(slots=True)
class CountedSpend:
    """Spend by what gateways counted (port `BillSource`).

    Attributes:
        read: what was counted in a span.
        prices: lists of prices; one that stands before another overrides it.
    """

    read: Callable[[Window], Counted]
    prices: Sequence[ApiPriceSource]
    _notes: list[str] = field(default_factory=list)

    @property
    def notes(self) -> Sequence[str]:
        """What has no price, and what pods serve themselves."""
        return tuple(self._notes)

    def lines(self, days: Window) -> Sequence[SpendLine]:
        """Lines of whole days in UTC; a day of which nothing was counted has none.

        Raises:
            LedgerUnavailable, SourceUnavailable, InvalidAnswer, NotPermitted: what was counted cannot be read.
        """
        starts = range(days.start_ms, days.end_ms, DAY_MS)
        found = [self._day(Window(start, min(start + DAY_MS, days.end_ms))) for start in starts]
        unpriced = Counter[str]()
        for one in found:
            unpriced.update(one.unpriced)
        self._notes = []
        if unpriced:
            named = ", ".join(name for name, _ in unpriced.most_common(_MOST_NAMED))
            more = f" and {len(unpriced) - _MOST_NAMED:,} more" if len(unpriced) > _MOST_NAMED else ""
            self._notes.append(f"{sum(unpriced.values()):,} tokens have no one list price: {named}{more}")
        if served := sum(one.served for one in found):
            self._notes.append(f"{served:,} tokens of models that are served here were left out: their GPUs are costed")
        return [line for one in found for line in one.lines]

    def _day(self, day: Window) -> Estimated:
        asked, served = self.read(day)
        whole = Window(day.start_ms, day.start_ms + DAY_MS)
        return estimate(whole, asked, served, lambda model, provider: self._prices(model, provider, day))

    def _prices(self, model: str, provider: str, day: Window) -> Sequence[ApiPrice]:
        """Prices of a model that held when the day began: of the first list that has any, those of its seller first."""
        names = (*spellings(provider), "") if provider else ("",)
        asked = ((source, name) for source in self.prices for name in names)
        return next((found for source, name in asked if (found := source.find(model, name, day))), ())
