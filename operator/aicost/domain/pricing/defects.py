"""What is wrong with price books although the API server took them."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from aicost.domain.exact.windows import Window
from aicost.domain.inventory.gpu_models import FAMILIES
from aicost.domain.pricing.books import Commitment, NodeMatch, NodeSplit, PriceBook, PriceEntry
from aicost.domain.pricing.fit import model_name, named_fields, provider_name, standing, why_before


class DefectKind(StrEnum):
    """What is wrong; each fits as the reason of a condition."""

    OVERLAP = "OverlappingDates"
    NEVER_HOLDS = "NeverHolds"
    NO_PRICE = "NoPrice"
    NO_SHARE = "NoGpuShare"
    NO_REFERENCE_RATE = "NoReferenceRate"
    PRICES_EVERYTHING = "PricesEverything"
    AMBIGUOUS_MODEL = "AmbiguousModel"
    DUPLICATE_NAME = "DuplicateName"
    UNKNOWN_BOOK = "UnknownBook"
    NEVER_TAKEN_OFF = "NeverTakenOff"


_SHOWN_NAMES = 10


@dataclass(frozen=True, slots=True)
class BookDefect:
    """One thing that is wrong with a book.

    Attributes:
        book: the book that this is to be reported on.
        entries: names of its entries that are concerned, in order.
        message: for people: what happens because of it, and what to change.
    """

    book: str
    entries: tuple[str, ...]
    kind: DefectKind
    message: str


def find_defects(books: Sequence[PriceBook]) -> tuple[BookDefect, ...]:
    """Look through all books; what concerns two books is told to both."""
    names = frozenset(book.name for book in books)
    own = [defect for book in books for defect in (*_own_defects(book), *_discount_defects(book, names))]
    told = {*own, *_overlaps(books)}
    return tuple(sorted(told, key=lambda defect: (defect.book, defect.kind, defect.entries, defect.message)))


def _own_defects(book: PriceBook) -> Iterator[BookDefect]:
    for entry in book.entries:
        for kind, message in _entry_defects(book, entry):
            yield BookDefect(book.name, (entry.name,), kind, f"entry {entry.name}: {message}")
    for name, count in Counter(entry.name for entry in book.entries).items():
        if count > 1:
            message = f"{count} entries are named {name}: give each a name of its own, receipts refer to it"
            yield BookDefect(book.name, (name,), DefectKind.DUPLICATE_NAME, message)


def _entry_defects(book: PriceBook, entry: PriceEntry) -> Iterator[tuple[DefectKind, str]]:
    if entry.effective.length_ms == 0:
        yield DefectKind.NEVER_HOLDS, "from equals to, so it never holds: correct one of the dates"
    if entry.match == NodeMatch():
        yield (
            DefectKind.PRICES_EVERYTHING,
            "an empty match would price every node, so it is not used: name the gpuModel",
        )
    if not _has_price(entry):
        yield DefectKind.NO_PRICE, "it has no price above zero: give perGpuHour or perNodeHour"
    sizes = _sizes(entry.match.gpu_model)
    if sizes:
        wanted = " or ".join(f"{model_name(entry.match.gpu_model)}-{size}gb" for size in sizes)
        yield DefectKind.AMBIGUOUS_MODEL, f"gpuModel {entry.match.gpu_model} is sold in several sizes: write {wanted}"
    if entry.per_gpu_hour_nanos is None:
        yield from _split_defects(book, entry)


def _has_price(entry: PriceEntry) -> bool:
    hourly = (entry.per_gpu_hour_nanos or 0) > 0 or (entry.per_node_hour_nanos or 0) > 0
    return hourly or entry.amortisation is not None or (entry.commitment or Commitment()).upfront_nanos > 0


def _discount_defects(book: PriceBook, names: frozenset[str]) -> Iterator[BookDefect]:
    """What keeps a discount from being taken off."""
    for discount in book.discounts:
        if discount.effective.length_ms == 0:
            message = f"discount {discount.name}: from equals to, so it never holds: correct one of the dates"
            yield BookDefect(book.name, (discount.name,), DefectKind.NEVER_TAKEN_OFF, message)
        unknown = sorted(set(discount.books) - names)
        if unknown:
            message = (
                f"discount {discount.name}: there is no PriceBook {', '.join(unknown)}, so it is not taken off there: "
                f"correct the name; there are {', '.join(sorted(names)[:_SHOWN_NAMES])}"
            )
            yield BookDefect(book.name, (discount.name,), DefectKind.UNKNOWN_BOOK, message)


def _split_defects(book: PriceBook, entry: PriceEntry) -> Iterator[tuple[DefectKind, str]]:
    """What a price per node-hour needs for its split."""
    rates = book.reference
    if entry.split is NodeSplit.GPU_SHARE and not entry.gpu_share_ppm:
        yield DefectKind.NO_SHARE, 'split gpuShare needs gpuShare above 0 and at most 1, for example "0.85"'
    if entry.split is NodeSplit.RATIO and rates.gpu_nanos == 0:
        yield DefectKind.NO_REFERENCE_RATE, "split ratio needs spec.referenceRates.gpuHour"
    if entry.split is NodeSplit.RESIDUAL and rates.cpu_core_nanos == rates.memory_gib_nanos == 0:
        yield (
            DefectKind.NO_REFERENCE_RATE,
            "without spec.referenceRates.cpuCoreHour and memoryGibHour the node's whole price counts as its GPUs'",
        )


def _sizes(model: str) -> tuple[int, ...]:
    """Memory sizes among which a model's name does not decide; empty where it does."""
    name = model_name(model)
    return next((family.sizes_gb for family in FAMILIES if family.name == name), ())


_Scope = tuple[object, ...]
"""All that two entries must share to compete for the same nodes with nothing but dates and names to decide."""


def _scope(entry: PriceEntry) -> _Scope:
    match = entry.match
    places = (match.instance_type, match.region, match.zone)
    return (
        *(place.casefold() for place in places),
        model_name(match.gpu_model),
        provider_name(match.provider),
        match.capacity_type,
        tuple(sorted(match.node_labels.items())),
        entry.priority,
        entry.list_price,
    )


def _overlaps(books: Sequence[PriceBook]) -> Iterator[BookDefect]:
    """Each entry is held against the one before it that lasts longest: one defect per entry, not one per pair."""
    competing: dict[_Scope, list[tuple[PriceBook, PriceEntry]]] = defaultdict(list)
    for book in books:
        for entry in book.entries:
            competing[_scope(entry)].append((book, entry))
    for rivals in competing.values():
        rivals.sort(key=lambda pair: (pair[1].effective, standing(*pair)))
        longest = rivals[0]
        for rival in rivals[1:]:
            common = longest[1].effective.overlap(rival[1].effective)
            if common is not None:
                yield from _overlap(longest, rival, common)
            longest = max(longest, rival, key=lambda pair: pair[1].effective.end_ms)


def _overlap(
    one: tuple[PriceBook, PriceEntry], other: tuple[PriceBook, PriceEntry], common: Window
) -> Iterator[BookDefect]:
    (first_book, first), (second_book, second) = sorted((one, other), key=lambda pair: standing(*pair))
    message = (
        f"{first_book.name}/{first.name} and {second_book.name}/{second.name} price the same nodes "
        f"({named_fields(first.match)}) at the same time, {common}: {first.name} is used, because "
        f"{why_before(standing(first_book, first), standing(second_book, second))}. End the older price with `to`, or "
        "give one a higher priority."
    )
    for book in {first_book.name: first_book, second_book.name: second_book}.values():
        entries = [entry for owner, entry in (one, other) if owner.name == book.name]
        yield BookDefect(book.name, tuple(sorted(entry.name for entry in entries)), DefectKind.OVERLAP, message)
