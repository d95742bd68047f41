"""Which price holds for a node, piece by piece, and why not the others."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby, pairwise

from aicost.domain.exact.windows import Window, to_rfc3339
from aicost.domain.inventory.nodes import NodeFacts
from aicost.domain.pricing.books import ALWAYS, NodeMatch, PriceBook, PriceDecision, PriceEntry, PriceQuote
from aicost.domain.pricing.fit import (
    Standing,
    capacity_note,
    is_of_another_kind,
    mismatches,
    named_fields,
    standing,
    why_before,
)
from aicost.domain.pricing.node_split import NoPrice
from aicost.domain.pricing.quotes import quote_for
from aicost.domain.pricing.suggestion import suggest_entry
from aicost.domain.pricing.terms.annotations import annotated_price
from aicost.domain.pricing.terms.effective import Terms, terms_of

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An entry that is about the kind of node in question.

    Attributes:
        label: book and entry.
        objection: why it gives no price at any time, empty if it does.
        quotes: what it gives, piece by piece of the time in which it is effective; empty exactly where there is an
            objection.
    """

    label: str
    entry: PriceEntry
    standing: Standing
    objection: str
    quotes: tuple[tuple[Window, PriceQuote | NoPrice], ...] = ()
    matches: bool = False

    def at(self, at_ms: int) -> PriceQuote | None:
        """Its price at a moment."""
        found = next((quote for span, quote in self.quotes if at_ms in span), None)
        return found if isinstance(found, PriceQuote) else None


@dataclass(frozen=True, slots=True)
class _Held:
    """Which candidate holds at a moment, at which price."""

    candidate: _Candidate
    quote: PriceQuote


def decide_prices(
    node: NodeFacts, books: Sequence[PriceBook], window: Window, gpu_watts: Fraction | None = None
) -> tuple[PriceDecision, ...]:
    """Decide what a GPU-hour of a node costs over a window.

    The decisions partition the window, in order; a new one begins where another price takes over: that of another
    entry, or of the same one where a discount begins or ends. A price on the node itself goes before all books; of the
    entries that match the node and are in force the first by `fit.standing` holds. Where none is, the decision is
    unpriced, and its reason is the entry to add. The order of the books and of their entries does not matter.

    Args:
        node: the node.
        books: all books, with their discounts.
        window: the window.
        gpu_watts: mean power of all its GPUs in the window, None where it was not measured. For machines of one's own.
    """
    candidates = sorted(
        _candidates(node, books, gpu_watts), key=lambda one: (one.standing, one.entry.effective.end_ms, one.objection)
    )
    return tuple(_decision(node, candidates, span, held) for span, held in _pieces(candidates, window))


def _candidates(node: NodeFacts, books: Sequence[PriceBook], gpu_watts: Fraction | None) -> Iterator[_Candidate]:
    """A price on the node, entries that match it, and those that would if it stood elsewhere.

    What is about other machines or GPUs is left out.
    """
    annotated = annotated_price(node, books)
    if annotated is not None:
        yield _candidate(node, annotated.book, annotated.entry, annotated.problem, books, None)
    for book in books:
        for entry in book.entries:
            if not is_of_another_kind(entry.match, node):
                objection = "; ".join(map(str, mismatches(entry.match, node))) or _default(entry)
                yield _candidate(node, book, entry, objection, books, gpu_watts)


def _default(entry: PriceEntry) -> str:
    """Object to an entry that would price whatever stands in the cluster: nothing is charged at a default."""
    return "its match is empty, and nothing is charged at a default" if entry.match == NodeMatch() else ""


def _candidate(
    node: NodeFacts,
    book: PriceBook,
    entry: PriceEntry,
    objection: str,
    books: Sequence[PriceBook],
    gpu_watts: Fraction | None,
) -> _Candidate:
    label, place = f"{book.name}/{entry.name}", standing(book, entry)
    if objection:
        return _Candidate(label, entry, place, objection)
    terms = terms_of(node, book, entry, books, gpu_watts)
    quotes = tuple((one.span, _quote(node, book, one)) for one in terms)
    if any(isinstance(quote, PriceQuote) for _, quote in quotes):
        return _Candidate(label, entry, place, "", quotes)
    refusals = [quote.reason for _, quote in quotes if isinstance(quote, NoPrice)]
    refusal = refusals[0] if refusals else "it is not in service while it is effective"
    return _Candidate(label, entry, place, refusal, matches=True)


def _quote(node: NodeFacts, book: PriceBook, terms: Terms) -> PriceQuote | NoPrice:
    """The price that terms come to, with the words for both steps."""
    if terms.entry is None:
        return NoPrice(terms.how)
    quote = quote_for(node, book, terms.entry)
    if not terms.how or isinstance(quote, NoPrice):
        return quote
    return replace(quote, explanation=f"{terms.how}; {quote.explanation}")


def _pieces(candidates: Sequence[_Candidate], window: Window) -> Iterator[tuple[Window, _Held | None]]:
    """The spans in which one price holds, or none."""
    spans = [span for candidate in candidates for span, _ in candidate.quotes]
    moments = {moment for span in spans for moment in (span.start_ms, span.end_ms)}
    inside = {moment for moment in moments if window.start_ms < moment < window.end_ms}
    cuts = sorted({window.start_ms, window.end_ms} | inside)
    holders = [(start, end, _in_force(candidates, start)) for start, end in pairwise(cuts)]
    for held, run in groupby(holders, key=lambda piece: piece[2]):
        pieces = list(run)
        yield Window(pieces[0][0], pieces[-1][1]), held


def _in_force(candidates: Sequence[_Candidate], at_ms: int) -> _Held | None:
    priced = ((candidate, candidate.at(at_ms)) for candidate in candidates)
    return next((_Held(candidate, quote) for candidate, quote in priced if quote is not None), None)


def _decision(node: NodeFacts, candidates: Sequence[_Candidate], span: Window, held: _Held | None) -> PriceDecision:
    holder = held.candidate if held else None
    others = [candidate for candidate in candidates if candidate is not holder]
    rejected = tuple((other.label, _why_not(other, span, holder)) for other in others)
    if held is None:
        blocked = next((f"{one.label} matches, but {one.objection}" for one in others if one.matches), "")
        return PriceDecision(span, None, rejected, _unpriced(node, rejected, blocked))
    return PriceDecision(span, held.quote, rejected, _why(node, held.candidate))


def _why_not(candidate: _Candidate, span: Window, holder: _Candidate | None) -> str:
    if candidate.objection:
        return candidate.objection
    pieces = [quote for part, quote in candidate.quotes if part.overlaps(span)]
    refusal = next((quote.reason for quote in pieces if isinstance(quote, NoPrice)), "")
    if holder is None or not pieces:
        return refusal or f"its price holds {_dates(candidate.entry)}"
    return refusal or f"{holder.label} stands before it: {why_before(holder.standing, candidate.standing)}"


def _dates(entry: PriceEntry) -> str:
    start, end = entry.effective.start_ms, entry.effective.end_ms
    if entry.amortisation is not None:
        start = max(start, entry.amortisation.in_service_ms)
    since = f"from {to_rfc3339(start)}" if start > ALWAYS.start_ms else ""
    until = f"until {to_rfc3339(end)}" if end < ALWAYS.end_ms else ""
    return f"{since} {until}".strip() or "always"


def _why(node: NodeFacts, holder: _Candidate) -> str:
    if holder.entry.on_node:
        return f"{holder.label} stands on the node itself, by annotation"
    note = capacity_note(holder.entry.match, node)
    kind = " (list price)" if holder.entry.list_price else ""
    return f"{holder.label}{kind} matches by {named_fields(holder.entry.match)}" + (f"; {note}" if note else "")


def _unpriced(node: NodeFacts, rejected: Sequence[tuple[str, str]], blocked: str) -> str:
    """Say what is missing and give it: the entry itself, with the node's own values.

    Where an entry matches and comes to no price, that is what to mend: another entry would be no help.
    """
    traits = (node.instance_type, node.gpu_model, node.region, node.capacity_type)
    kind = ", ".join(trait for trait in traits if trait)
    if blocked:
        return f"no price for node {node.name} ({kind}): {blocked}"
    near = "".join(f"\nNot used: {label}: {reason}" for label, reason in rejected[:_SHOWN])
    return (
        f"no price for node {node.name} ({kind}). Add this to spec.entries of a PriceBook, with the price in place of "
        f"PRICE:\n{suggest_entry(node)}{near}"
    )
