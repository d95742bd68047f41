"""The prices of nodes for people: a table, why each is what it is, what is missing, and promises."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from aicost.domain.exact.amounts import format_money
from aicost.domain.exact.apportion import divide
from aicost.domain.exact.windows import to_rfc3339
from aicost.domain.inventory.nodes import CapacityType, NodeFacts
from aicost.domain.pricing.books import PriceQuote
from aicost.domain.pricing.review import Priced, PriceReview, Promise
from aicost.entrypoints.cli.output.facts import wrapped
from aicost.entrypoints.cli.output.table import Column, Line, draw, printable
from aicost.entrypoints.cli.terminal import Style, Terminal

_COLUMNS = (
    Column("NODE", shrinks=True),
    Column("MACHINE", shrinks=True, drop=1),
    Column("BOUGHT", drop=2),
    Column("GPUS", right=True),
    Column("GPU-HOUR", right=True),
    Column("NODE-HOUR", right=True),
    Column("PRICE", shrinks=True),
)
_DECIMALS = 4
_NONE = "-"
_NAMED = 5
"""Nodes that are named where many have the same price."""
_ALTERNATIVES = 8
"""Alternatives that are shown of one price; the document shows all."""


def draw_review(review: PriceReview, of: str, terminal: Terminal) -> str:
    """The whole screen."""
    lines = [terminal.paint(line, Style.HEAD) for line in wrapped(f"Prices of {of}", terminal)]
    lines += [terminal.paint(f"at {to_rfc3339(review.at_ms)}", Style.DIM), ""]
    if not review.nodes:
        return "\n".join([*lines, "There is no node."])
    lines += [*draw(_COLUMNS, [[_line(one) for one in review.nodes]], terminal).lines, ""]
    for part in (_reasons(review, terminal), _missing(review, terminal), _promises(review, terminal), _wrong(review)):
        found = list(part)
        lines += [*found, ""] if found else []
    return "\n".join(lines).rstrip("\n")


def machine(node: NodeFacts) -> str:
    """What a node is, in a few words."""
    words = (node.instance_type, node.gpu_model, node.region)
    return ", ".join(word for word in words if word) or _NONE


def per_gpu(quote: PriceQuote) -> Fraction | None:
    """Price of a GPU-hour; None for a node without GPUs."""
    return Fraction(quote.gpu_hour_nanos_num, quote.gpu_hour_den) if quote.gpus else None


def per_node(quote: PriceQuote) -> Fraction:
    """Price of a node-hour: as the entry gives it, else what its parts come to."""
    if quote.node_hour is not None:
        return quote.node_hour
    parts = (quote.cpu or Fraction(0)) + (quote.memory or Fraction(0))
    return (per_gpu(quote) or Fraction(0)) * quote.gpus + parts


def _line(one: Priced) -> Line:
    node, quote = one.node, one.decision.chosen
    bought = _NONE if node.capacity_type is CapacityType.UNKNOWN else str(node.capacity_type)
    head = (node.name, machine(node), bought, str(node.gpus) if node.gpus else _NONE)
    if quote is None:
        return Line((*head, _NONE, _NONE, "unpriced"), Style.WARN)
    listed = " (list price)" if quote.list_price else ""
    gpu = per_gpu(quote)
    gpu_text = _NONE if gpu is None else _money(gpu, quote.currency)
    return Line((*head, gpu_text, _money(per_node(quote), quote.currency), f"{quote.book}/{quote.entry}{listed}"))


def _reasons(review: PriceReview, terminal: Terminal) -> Iterator[str]:
    """Why each price holds, once for all nodes that have it for the same reasons."""
    priced = [one for one in review.nodes if one.decision.chosen is not None]
    for group in _alike(priced):
        decision = group[0].decision
        assert decision.chosen is not None
        yield from _paragraph(_names(group), terminal, Style.HEAD)
        yield from _paragraph(decision.reason, terminal, indent=2)
        yield from _paragraph(decision.chosen.explanation, terminal, indent=2)
        if decision.chosen.source:
            yield from _paragraph(f"source: {decision.chosen.source}", terminal, Style.DIM, indent=2)
        yield from _alternatives(decision.rejected, terminal)


def _missing(review: PriceReview, terminal: Terminal) -> Iterator[str]:
    for group in _alike(review.unpriced):
        title = f"{_names(group)}: no price. Add to spec.entries of a PriceBook, with the price in place of PRICE:"
        yield from _paragraph(title, terminal, Style.WARN)
        yield from (f"  {printable(line)}" for line in group[0].to_add.splitlines())
        yield from _alternatives(group[0].decision.rejected, terminal)


def _alternatives(rejected: Sequence[tuple[str, str]], terminal: Terminal) -> Iterator[str]:
    for label, reason in rejected[:_ALTERNATIVES]:
        yield from _paragraph(f"not used: {label}: {reason}", terminal, Style.DIM, indent=2)
    if len(rejected) > _ALTERNATIVES:
        yield from _paragraph(
            f"and {len(rejected) - _ALTERNATIVES} more: -o json shows all", terminal, Style.DIM, indent=2
        )


def _promises(review: PriceReview, terminal: Terminal) -> Iterator[str]:
    for promise in review.promises:
        yield from _paragraph(promise_text(promise), terminal, Style.PLAIN)


def promise_text(promise: Promise) -> str:
    """How far what was promised is used, and what follows from it."""
    text = f"{promise.label}: {promise.used} of {promise.promised} promised nodes are priced by it"
    if promise.used > promise.promised:
        more = promise.used - promise.promised
        return (
            f"{text}: {more} more than were promised. Tell those by a label: give it to the entry's nodeSelector, or "
            "mark the others aicost.dev/capacity-type=on-demand"
        )
    unused = promise.unused_hour
    if promise.used == promise.promised:
        return text
    if unused is None:
        return f"{text}; what the others cost is not known"
    return f"{text}; the others cost {_money(unused, promise.currency)} per hour, which no node carries"


def _wrong(review: PriceReview) -> Iterator[str]:
    for defect in review.defects:
        yield f"PriceBook {defect.book}: {printable(defect.message)}"
    for node, problem in review.annotations.items():
        yield f"Node {node}: {printable(problem)}. The books decide instead."


def _alike(nodes: Sequence[Priced]) -> list[list[Priced]]:
    groups: dict[object, list[Priced]] = {}
    for one in nodes:
        decision = one.decision
        reason = decision.reason if decision.chosen else one.to_add
        groups.setdefault((decision.chosen, decision.rejected, reason), []).append(one)
    return list(groups.values())


def _names(group: Sequence[Priced]) -> str:
    shown = ", ".join(one.node.name for one in group[:_NAMED])
    return f"{shown} and {len(group) - _NAMED} more" if len(group) > _NAMED else shown


def _paragraph(text: str, terminal: Terminal, style: Style = Style.PLAIN, indent: int = 0) -> Iterator[str]:
    for line in wrapped(text, terminal, indent):
        yield " " * indent + terminal.paint(line, style)


def _money(nanos: Fraction, currency: str) -> str:
    return format_money(divide(nanos.numerator, nanos.denominator), currency, _DECIMALS)
