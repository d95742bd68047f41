"""Price books that a URL publishes (port `PriceFeed`)."""

from aicost.adapters.pricing.http.config import PriceFeedConfig
from aicost.adapters.pricing.http.documents import read_books
from aicost.adapters.pricing.http.fetching import fetch
from aicost.ports.prices import Published


class HttpPriceFeed:
    """Reads a URL; see `PriceFeed`.

    Args:
        config: where, and as whom.
    """

    def __init__(self, config: PriceFeedConfig) -> None:
        self._config = config

    def read(self, version: str) -> Published | None:
        """What is published now; None where it is still the version that is named."""
        found = fetch(self._config, version)
        return None if found is None else Published(read_books(found.body, self._config.place), found.tag)
