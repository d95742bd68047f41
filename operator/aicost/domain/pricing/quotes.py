"""The price of a GPU-hour that an entry gives for a node, and what a span of time costs at it."""

from fractions import Fraction

from aicost.domain.exact.apportion import divide
from aicost.domain.exact.windows import HOUR_MS
from aicost.domain.inventory.nodes import NodeFacts
from aicost.domain.pricing.books import PriceBook, PriceDecision, PriceEntry, PriceQuote
from aicost.domain.pricing.node_split import NoPrice, size_of, split_node


def quote_for(node: NodeFacts, book: PriceBook, entry: PriceEntry) -> PriceQuote | NoPrice:
    """Work out the price of one GPU-hour of a node as an exact fraction, or say why the entry gives none."""
    size = size_of(node, entry)
    parts = split_node(entry, book.reference, size, book.currency)
    if isinstance(parts, NoPrice):
        return parts
    per_gpu = parts.gpu / size.gpus if entry.per_gpu_hour_nanos is None else Fraction(entry.per_gpu_hour_nanos)
    if per_gpu <= 0:
        return NoPrice(f"its price per GPU-hour is {float(per_gpu):g} nano-units: prices must be above zero")
    return _quote(book, entry, per_gpu, parts.how)


def _quote(book: PriceBook, entry: PriceEntry, per_gpu: Fraction, how: str) -> PriceQuote:
    return PriceQuote(
        book=book.name,
        entry=entry.name,
        currency=book.currency,
        gpu_hour_nanos_num=per_gpu.numerator,
        gpu_hour_den=per_gpu.denominator,
        list_price=entry.list_price,
        source=entry.source,
        explanation=how,
    )


def node_gpu_cost_nanos(decision: PriceDecision, gpus: int, duration_ms: int) -> int | None:
    """Price all GPUs of a node for a span: `price per GPU-hour x GPUs x time`, rounded once; None where unpriced.

    The result is the whole that is apportioned over the devices, so that their parts sum to the node's price. To price
    each device by itself would round once per device.
    """
    if decision.chosen is None:
        return None
    quote = decision.chosen
    return divide(quote.gpu_hour_nanos_num * gpus * duration_ms, quote.gpu_hour_den * HOUR_MS)
