"""Offers that a table makes, merged into entries of PriceBooks."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aicost.adapters.pricing.tables.cells import decimal
from aicost.adapters.pricing.tables.reading import Complaint
from aicost.crd.convert.parsing import parse
from aicost.crd.models.pricebook import PriceEntry
from aicost.crd.schema.definition import GROUP, VERSION

MOST_ENTRIES = 1000
_NAME_LENGTH = 63
_NOT_IN_A_NAME = re.compile(r"[^a-z0-9.]+")


@dataclass(frozen=True, slots=True)
class Offer:
    """One price that a row gives.

    Attributes:
        line: line of the file.
        column: the column of the price, as the file calls it.
        match: fields of the entry's match.
        per_gpu_nanos, per_node_nanos: at least one is given.
        more: other fields of the entry, as a manifest has them.
        name: as the file calls it, empty where it does not.
    """

    line: int
    column: str
    currency: str
    match: Mapping[str, Any]
    per_gpu_nanos: int | None = None
    per_node_nanos: int | None = None
    more: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""

    @property
    def scope(self) -> tuple[object, ...]:
        """What two offers share that are for the same nodes at the same time."""
        place = tuple(sorted((key, str(value)) for key, value in self.match.items()))
        return self.currency, place, self.more.get("from"), self.more.get("to"), self.more.get("priority")

    @property
    def prices(self) -> tuple[int | None, int | None]:
        """What it costs."""
        return self.per_gpu_nanos, self.per_node_nanos

    def entry(self) -> dict[str, Any]:
        """As an entry of a manifest, without its name."""
        said: dict[str, Any] = {"match": dict(self.match)}
        if self.per_gpu_nanos is not None:
            said["perGpuHour"] = decimal(self.per_gpu_nanos)
        if self.per_node_nanos is not None:
            said["perNodeHour"] = decimal(self.per_node_nanos)
        return {**said, **self.more}


@dataclass(frozen=True, slots=True)
class BookOptions:
    """What the books are called, and what is said of all their prices.

    Attributes:
        name: name of the book; more than one get a suffix.
        source: where the prices were read; empty: the file's own columns say it.
        as_of: when; empty likewise.
        list_prices: whether they are public list prices.
    """

    name: str
    source: str = ""
    as_of: str = ""
    list_prices: bool = False


def merged(offers: Sequence[Offer], complaints: list[Complaint]) -> list[Offer]:
    """The offers without repetitions. Two prices for the same nodes at the same time are a complaint."""
    kept: dict[tuple[object, ...], Offer] = {}
    for offer in offers:
        first = kept.setdefault(offer.scope, offer)
        if first.prices != offer.prices:
            nodes = ", ".join(str(value) for value in offer.match.values())
            fix = (
                f"another price than line {first.line} gives for the same nodes ({nodes}) at the same time: take one "
                "out, or give them dates (from, to)"
            )
            complaints.append(Complaint(offer.line, offer.column, _text(offer), fix))
    return list(kept.values())


def _text(offer: Offer) -> str:
    return " / ".join(decimal(price) for price in offer.prices if price is not None)


def price_books(offers: Sequence[Offer], options: BookOptions, complaints: list[Complaint]) -> list[dict[str, Any]]:
    """Manifests of PriceBooks: one for each currency, and for each thousand entries."""
    books: list[dict[str, Any]] = []
    currencies = sorted({offer.currency for offer in offers})
    for currency in currencies:
        entries = list(_entries([offer for offer in offers if offer.currency == currency], complaints))
        parts = [entries[start : start + MOST_ENTRIES] for start in range(0, len(entries), MOST_ENTRIES)]
        suffix = f"-{currency.lower()}" if len(currencies) > 1 else ""
        for number, part in enumerate(parts, start=1):
            place = f"-{number}" if len(parts) > 1 else ""
            books.append(_book(f"{options.name}{suffix}{place}", currency, part, options))
    return books


def _book(name: str, currency: str, entries: list[dict[str, Any]], options: BookOptions) -> dict[str, Any]:
    spec: dict[str, Any] = {"currency": currency}
    if options.list_prices:
        spec["listPrices"] = True
    if options.source:
        spec["source"] = options.source
    if options.as_of:
        spec["asOf"] = options.as_of
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "PriceBook",
        "metadata": {"name": name},
        "spec": {**spec, "entries": entries},
    }


def _entries(offers: Iterable[Offer], complaints: list[Complaint]) -> Iterator[dict[str, Any]]:
    """Entries, each with a name of its own, held against the rules of the API server."""
    taken: set[str] = set()
    for offer in offers:
        entry = {"name": _name(offer, taken), **offer.entry()}
        problems = parse(PriceEntry, entry).problems
        for problem in problems:
            column = problem.field or offer.column
            complaints.append(Complaint(offer.line, column, problem.value.strip("'"), problem.fix))
        if not problems:
            yield entry


def _name(offer: Offer, taken: set[str]) -> str:
    """The name of the file, or one of what the entry is about; a number keeps two apart."""
    match = offer.match
    labels = match.get("nodeSelector") or {}
    words = [match.get("instanceType") or match.get("gpuModel") or "-".join(labels.values())]
    words += [match.get(key, "") for key in ("region", "zone", "capacityType")]
    said = offer.name or "-".join(str(word) for word in words if word) or str(match.get("provider", "price"))
    slug = _NOT_IN_A_NAME.sub("-", said.lower()).strip("-.")[:_NAME_LENGTH].strip("-.") or "price"
    for candidate in _numbered(slug):
        if candidate not in taken:
            taken.add(candidate)
            return candidate
    raise AssertionError("numbers do not end")


def _numbered(slug: str) -> Iterator[str]:
    yield slug
    number = 2
    while True:
        tail = f"-{number}"
        yield f"{slug[: _NAME_LENGTH - len(tail)].rstrip('-.')}{tail}"
        number += 1
