"""Where prices come from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from aicost.domain.exact.windows import Window
from aicost.domain.pricing.books import PriceBook
from aicost.domain.serving.api_prices import ApiPrice


class PriceSource(Protocol):
    """The price books in force."""

    def books(self) -> Sequence[PriceBook]:
        """All accepted books, as they are now; their entries carry their own dates."""


@dataclass(frozen=True, slots=True)
class Published:
    """What a place outside the cluster publishes.

    Attributes:
        books: PriceBooks as manifests, each valid, all of one reading.
        version: by which the next reading can say "unchanged"; empty where the place keeps no versions.
    """

    books: tuple[Mapping[str, Any], ...]
    version: str


class PriceFeed(Protocol):
    """A place outside the cluster that publishes price books."""

    def read(self, version: str) -> Published | None:
        """What is published now; None where it is still the version that is named.

        It is all or nothing: a document of which any part is wrong gives no book.

        Raises:
            SourceUnavailable: no answer, or less than was asked.
            NotPermitted: credentials are missing or wrong.
            InvalidAnswer: it answers with something that is no valid price book; the message names field and fix.
        """


class ApiPriceSource(Protocol):
    """A list of what APIs ask for tokens."""

    def find(self, model: str, provider: str, span: Window) -> Sequence[ApiPrice]:
        """The prices of a model when a span began.

        Args:
            model: its name, in any case of letters, with or without the maker before a slash.
            provider: who sells it; empty for all who do.
            span: the time that is compared. A price that changes in it has a note.
        """
