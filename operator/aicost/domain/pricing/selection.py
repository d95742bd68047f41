"""Which price holds for a node, piece by piece, and why not the others."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from aicost.domain.exact.windows import Window, to_rfc3339
from aicost.domain.inventory.nodes import NodeFacts
from aicost.domain.pricing.books import ALWAYS, NodeMatch, PriceBook, PriceDecision, PriceEntry, PriceQuote
from aicost.domain.pricing.fit import Standing, capacity_note, mismatches, named_fields, standing, why_before
from aicost.domain.pricing.node_split import NoPrice
from aicost.domain.pricing.quotes import quote_for
from aicost.domain.pricing.suggestion import suggest_entry

_OWN_KIND = ("instanceType", "gpuModel")
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An entry that is about the kind of node in question.

    Attributes:
        objection: why it gives no price at any time, empty if it does.
        quote: its price; None exactly where there is an objection.
    """

    label: str
    entry: PriceEntry
    standing: Standing
    objection: str
    quote: PriceQuote | None


def decide_prices(node: NodeFacts, books: Sequence[PriceBook], window: Window) -> tuple[PriceDecision, ...]:
    """Decide what a GPU-hour of a node costs over a window.

    The decisions partition the window, in order; a new one begins where another entry takes over. Of the entries that
    match the node and are in force the first by `fit.standing` holds. Where none is, the decision is unpriced, and its
    reason is the entry to add. The order of the books and of their entries does not matter.
    """
    candidates = sorted(_candidates(node, books), key=lambda candidate: candidate.standing)
    return tuple(_decision(node, candidates, span, holder) for span, holder in _pieces(candidates, window))


def _candidates(node: NodeFacts, books: Iterable[PriceBook]) -> Iterator[_Candidate]:
    """Entries that match the node, and those that would if it stood elsewhere or had been bought otherwise."""
    for book in books:
        for entry in book.entries:
            differences = mismatches(entry.match, node)
            if not any(difference.field in _OWN_KIND for difference in differences):
                objection = "; ".join(map(str, differences)) or _default(entry)
                yield _candidate(node, book, entry, objection)


def _default(entry: PriceEntry) -> str:
    """Object to an entry that would price whatever stands in the cluster: nothing is charged at a default."""
    return "its match is empty, and nothing is charged at a default" if entry.match == NodeMatch() else ""


def _candidate(node: NodeFacts, book: PriceBook, entry: PriceEntry, objection: str) -> _Candidate:
    quote = NoPrice(objection) if objection else quote_for(node, book, entry)
    label, place = f"{book.name}/{entry.name}", standing(book, entry)
    if isinstance(quote, NoPrice):
        return _Candidate(label, entry, place, quote.reason, None)
    return _Candidate(label, entry, place, "", quote)


def _pieces(candidates: Sequence[_Candidate], window: Window) -> Iterator[tuple[Window, _Candidate | None]]:
    """The spans in which one entry holds, or none."""
    priced = [candidate for candidate in candidates if candidate.quote is not None]
    moments = {moment for one in priced for moment in (one.entry.effective.start_ms, one.entry.effective.end_ms)}
    inside = {moment for moment in moments if window.start_ms < moment < window.end_ms}
    cuts = sorted({window.start_ms, window.end_ms} | inside)
    holders = [(start, end, _in_force(priced, start)) for start, end in pairwise(cuts)]
    for holder, run in groupby(holders, key=lambda piece: piece[2]):
        spans = list(run)
        yield Window(spans[0][0], spans[-1][1]), holder


def _in_force(priced: Sequence[_Candidate], at_ms: int) -> _Candidate | None:
    return next((candidate for candidate in priced if at_ms in candidate.entry.effective), None)


def _decision(
    node: NodeFacts, candidates: Sequence[_Candidate], span: Window, holder: _Candidate | None
) -> PriceDecision:
    others = [candidate for candidate in candidates if candidate is not holder]
    rejected = tuple((other.label, _why_not(other, span, holder)) for other in others)
    if holder is None:
        return PriceDecision(span, None, rejected, _unpriced(node, rejected))
    return PriceDecision(span, holder.quote, rejected, _why(node, holder))


def _why_not(candidate: _Candidate, span: Window, holder: _Candidate | None) -> str:
    if candidate.objection:
        return candidate.objection
    if holder is None or candidate.entry.effective.overlap(span) is None:
        return f"its price holds {_dates(candidate.entry)}"
    return f"{holder.label} stands before it: {why_before(holder.standing, candidate.standing)}"


def _dates(entry: PriceEntry) -> str:
    start, end = entry.effective.start_ms, entry.effective.end_ms
    since = f"from {to_rfc3339(start)}" if start > ALWAYS.start_ms else ""
    until = f"until {to_rfc3339(end)}" if end < ALWAYS.end_ms else ""
    return f"{since} {until}".strip() or "always"


def _why(node: NodeFacts, holder: _Candidate) -> str:
    note = capacity_note(holder.entry.match, node)
    kind = " (list price)" if holder.entry.list_price else ""
    return f"{holder.label}{kind} matches by {named_fields(holder.entry.match)}" + (f"; {note}" if note else "")


def _unpriced(node: NodeFacts, rejected: Sequence[tuple[str, str]]) -> str:
    """Say what is missing and give it: the entry itself, with the node's own values."""
    traits = (node.instance_type, node.gpu_model, node.region, node.capacity_type)
    kind = ", ".join(trait for trait in traits if trait)
    near = "".join(f"\nNot used: {label}: {reason}" for label, reason in rejected[:_SHOWN])
    return (
        f"no price for node {node.name} ({kind}). Add this to spec.entries of a PriceBook, with the price in place of "
        f"PRICE:\n{suggest_entry(node)}{near}"
    )
