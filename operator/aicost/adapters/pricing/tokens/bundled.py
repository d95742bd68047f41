"""The price list of the package genai-prices, as it was installed. Nothing is fetched: its updates stay off.

Only base prices are read. Its higher tiers are for one long request, and a sum of many requests is none.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from genai_prices import __version__
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo, ModelPrice, Provider, TieredPrices

from aicost.domain.exact.amounts import NANOS_PER_UNIT
from aicost.domain.exact.windows import Window
from aicost.domain.serving.api_prices import ApiPrice

SOURCE = f"genai-prices {__version__}"
TIERED = "base tier: requests with a long context cost more there"
CHANGES = "it changed in this time: the price of its beginning is taken"


class BundledPrices:
    """The list (port `ApiPriceSource`)."""

    def find(self, model: str, provider: str, span: Window) -> Sequence[ApiPrice]:
        """Every provider's model of exactly this name; where one is named, also what it takes the name for."""
        providers = [one for one in get_snapshot().providers if provider.lower() in {"", one.id.lower()}]
        named = [(one, info) for one in providers for info in one.models if is_named(info.id, model)]
        if not named and provider:
            named = [(one, info) for one in providers if (info := one.find_model(model)) is not None]
        return [price for one, info in named for price in _price(one, info, span)]


def is_named(known: str, sought: str) -> bool:
    """Whether a list means this model: the same name, or the same after the maker where one of them has none."""
    known, sought = known.lower(), sought.lower()
    one_is_bare = "/" not in known or "/" not in sought
    return known == sought or (one_is_bare and known.rpartition("/")[2] == sought.rpartition("/")[2])


def _price(provider: Provider, info: ModelInfo, span: Window) -> Iterator[ApiPrice]:
    began, ended = (info.get_prices(_moment(at)) for at in (span.start_ms, span.end_ms - 1))
    amounts = [_nanos(began, key) for key in ("input_mtok", "cache_read_mtok", "output_mtok")]
    if amounts[0] and amounts[2] != 0:  # a price of nothing is a trial, and not what it costs
        notes = tuple(_notes(began, ended))
        yield ApiPrice(info.id, provider.id, amounts[0], amounts[1], amounts[2], "USD", SOURCE, notes)


def _notes(began: ModelPrice, ended: ModelPrice) -> Iterator[str]:
    if any(isinstance(amount, TieredPrices) for amount in vars(began).values()):
        yield TIERED
    if began != ended:
        yield CHANGES


def _nanos(prices: ModelPrice, key: str) -> int | None:
    """A price for a million tokens; what is finer than a nano-unit is rounded to it."""
    amount = vars(prices).get(key)
    base = amount.base if isinstance(amount, TieredPrices) else amount
    return None if not isinstance(base, Decimal) else int((base * NANOS_PER_UNIT).to_integral_value())


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1_000, UTC)
