"""Which price holds for claimed storage: that of its class, else a book's reference rate."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from aicost.domain.pricing.books import PriceBook

HOURS_PER_MONTH = 730
"""Hours that a price per month is divided by."""


@dataclass(frozen=True, slots=True)
class StorageQuote:
    """The price of one GiB for an hour, exactly.

    Attributes:
        price: what it rests on, such as `own-prices/storage/fast-ssd`.
    """

    price: str
    currency: str
    gib_hour_nanos: Fraction
    list_price: bool


def storage_quote(books: Sequence[PriceBook], storage_class: str) -> StorageQuote | None:
    """The price of storage of a class; None where no book says one.

    A price of the class stands before a reference rate, a price of your own before a list price, and of equals the
    first name in the alphabet. Nothing is charged at a default: a reference rate is what a book says.
    """
    found = sorted(_quotes(books, storage_class), key=lambda quote: quote[:3])
    return found[0][3] if found else None


def _quotes(books: Sequence[PriceBook], storage_class: str) -> Iterator[tuple[bool, bool, str, StorageQuote]]:
    for book in books:
        named = book.storage_classes.get(storage_class)
        if named:
            yield False, book.list_prices, book.name, _quote(book, f"storage/{storage_class}", named)
        if book.reference.storage_gib_month_nanos:
            rate = book.reference.storage_gib_month_nanos
            yield True, book.list_prices, book.name, _quote(book, "storage", rate)


def _quote(book: PriceBook, label: str, month_nanos: int) -> StorageQuote:
    price = f"{book.name}/{label}"
    return StorageQuote(price, book.currency, Fraction(month_nanos, HOURS_PER_MONTH), book.list_prices)
