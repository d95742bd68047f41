"""What an entry comes to over time: with discounts taken off, payments in advance spread, machines amortised."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from aicost.domain.exact.amounts import format_money
from aicost.domain.exact.apportion import divide
from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.inventory.nodes import NodeFacts
from aicost.domain.pricing.books import PriceBook, PriceEntry, Rate
from aicost.domain.pricing.terms.amortisation import owned_hours, spread
from aicost.domain.pricing.terms.discounts import Granted, Reduction, granted, reduce

_DECIMALS = 4


@dataclass(frozen=True, slots=True)
class Terms:
    """What an entry comes to over a span.

    Attributes:
        span: when.
        entry: the entry with the prices that result, as exact fractions; None where it gives none then.
        how: how they follow from what the entry says, for people; empty where they are what it says. Where it gives no
            price: why.
    """

    span: Window
    entry: PriceEntry | None
    how: str = ""


def terms_of(
    node: NodeFacts, book: PriceBook, entry: PriceEntry, books: Sequence[PriceBook], gpu_watts: Fraction | None = None
) -> tuple[Terms, ...]:
    """What an entry comes to for a node, piece by piece; the pieces lie within the time in which it is effective.

    A discount is taken off the hourly prices that an entry states. It is never taken off what was paid: an upfront
    payment, a machine of one's own, a price on the node itself.

    Args:
        node: the node that the entry matches.
        book: the book that the entry stands in.
        entry: the entry.
        books: all books, whose discounts may concern it.
        gpu_watts: mean power of the node's GPUs, None where it was not measured.
    """
    if entry.effective.length_ms == 0:
        return (Terms(entry.effective, None, "its from equals its to, so it never holds"),)
    if entry.amortisation is not None:
        return tuple(_owned(book, entry, gpu_watts))
    found = () if entry.on_node else granted(node, book.name, books)
    if not found and entry.commitment is None:
        return (Terms(entry.effective, entry),)
    return tuple(_hourly(book, entry, found))


def _owned(book: PriceBook, entry: PriceEntry, gpu_watts: Fraction | None) -> Iterator[Terms]:
    """A node of one's own; it costs nothing before it is in service."""
    assert entry.amortisation is not None
    for price in owned_hours(entry.amortisation, book.currency, gpu_watts):
        span = price.span.overlap(entry.effective)
        if span is None or span.length_ms == 0:
            continue
        if price.nanos <= 0:
            yield Terms(span, None, f"{price.how}, and it has no power and no fixedPerHour: give what it costs now")
        else:
            yield Terms(span, replace(entry, per_node_hour_nanos=price.nanos), price.how)


def _hourly(book: PriceBook, entry: PriceEntry, found: Sequence[Granted]) -> Iterator[Terms]:
    """Hourly prices less discounts, plus what was paid in advance, cut where a discount begins or ends."""
    span = entry.effective
    bounds = {bound for one in found for bound in (one.discount.effective.start_ms, one.discount.effective.end_ms)}
    cuts = sorted({span.start_ms, span.end_ms} | {bound for bound in bounds if span.start_ms < bound < span.end_ms})
    for start, end in pairwise(cuts):
        reduction = reduce(found, start)
        if reduction.factor <= 0:
            why = f"its discounts take off everything or more ({reduction.how}): correct one, or its stacking"
            yield Terms(Window(start, end), None, why)
        else:
            yield _reduced(book, entry, reduction, Window(start, end))


def _reduced(book: PriceBook, entry: PriceEntry, reduction: Reduction, span: Window) -> Terms:
    per_gpu = _times(entry.per_gpu_hour_nanos, reduction.factor)
    per_node = _times(entry.per_node_hour_nanos, reduction.factor)
    words = [f"{_stated(book, entry)} {reduction.how}"] if reduction.how else []
    upfront = entry.commitment.upfront_nanos if entry.commitment else 0
    if upfront:
        share = spread(upfront, entry.effective)
        per_node = share + (per_node or 0)
        hours = f"{entry.effective.length_ms // HOUR_MS:,}"
        words.append(
            f"{format_money(upfront, book.currency)} paid in advance over {hours} h is "
            f"{_money(share, book.currency)} per node-hour"
        )
    listed = entry.list_price and not reduction.how
    changed = replace(entry, per_gpu_hour_nanos=per_gpu, per_node_hour_nanos=per_node, list_price=listed)
    return Terms(span, changed, "; ".join(words))


def _times(rate: Rate | None, factor: Fraction) -> Rate | None:
    return rate if rate is None or factor == 1 else rate * factor


def _stated(book: PriceBook, entry: PriceEntry) -> str:
    """The prices of an entry as it states them."""
    pairs = ((entry.per_gpu_hour_nanos, "GPU-hour"), (entry.per_node_hour_nanos, "node-hour"))
    said = [f"{_money(Fraction(rate), book.currency)} per {unit}" for rate, unit in pairs if rate is not None]
    return " and ".join(said)


def _money(nanos: Fraction, currency: str) -> str:
    return format_money(divide(nanos.numerator, nanos.denominator), currency, _DECIMALS)
