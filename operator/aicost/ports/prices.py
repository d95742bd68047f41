"""Where prices come from."""

from collections.abc import Sequence
from typing import Protocol

from aicost.domain.pricing.books import PriceBook


class PriceSource(Protocol):
    """The price books in force."""

    def books(self) -> Sequence[PriceBook]:
        """All accepted books, as they are now; their entries carry their own dates."""
