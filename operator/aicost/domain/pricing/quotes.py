"""What an entry says that a node costs, component by component, and what a span of time costs at it."""

from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from aicost.domain.exact.apportion import apportion, divide
from aicost.domain.exact.windows import HOUR_MS
from aicost.domain.inventory.nodes import NodeFacts
from aicost.domain.pricing.books import PriceBook, PriceDecision, PriceEntry, PriceQuote
from aicost.domain.pricing.node_split import NodeParts, NoPrice, size_of, split_node


def quote_for(node: NodeFacts, book: PriceBook, entry: PriceEntry) -> PriceQuote | NoPrice:
    """Work out what a node costs for an hour as exact fractions, or say why the entry gives no price."""
    size = size_of(node, entry)
    parts = split_node(entry, book.reference, size, book.currency)
    if isinstance(parts, NoPrice):
        return parts
    per_gpu = _per_gpu(entry, parts, size.gpus)
    if per_gpu < 0 or (per_gpu == 0 and (size.gpus > 0 or size.uncounted)):
        return NoPrice(f"its price per GPU-hour is {float(per_gpu):g} nano-units: prices must be above zero")
    return _quote(book, entry, per_gpu, size.gpus, parts)


def _per_gpu(entry: PriceEntry, parts: NodeParts, gpus: int) -> Fraction:
    if entry.per_gpu_hour_nanos is not None and (gpus or entry.per_node_hour_nanos is None):
        return Fraction(entry.per_gpu_hour_nanos)
    return parts.gpu / gpus if gpus else Fraction(0)


def _quote(book: PriceBook, entry: PriceEntry, per_gpu: Fraction, gpus: int, parts: NodeParts) -> PriceQuote:
    return PriceQuote(
        book=book.name,
        entry=entry.name,
        currency=book.currency,
        gpu_hour_nanos_num=per_gpu.numerator,
        gpu_hour_den=per_gpu.denominator,
        list_price=entry.list_price,
        source=entry.source,
        explanation=parts.how,
        node_hour=None if entry.per_node_hour_nanos is None else Fraction(entry.per_node_hour_nanos),
        gpus=gpus,
        cpu=(parts.cpu + parts.undivided) or None,
        memory=parts.memory or None,
        undivided=parts.undivided > 0,
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


@dataclass(frozen=True, slots=True)
class RestCost:
    """What a node costs for a span beside its GPUs, in nano-units; None for what the price says nothing of."""

    cpu: int | None
    memory: int | None


NOTHING_KNOWN = RestCost(None, None)


def node_rest_cost(decision: PriceDecision, duration_ms: int) -> RestCost:
    """Price CPU and memory of a node for a span.

    Where the whole node has a price, `rest = round(node) - round(GPUs)` is apportioned over the two: all components
    sum to the node's price, to the nano. Where they cost reference rates each is rounded once.
    """
    quote = decision.chosen
    if quote is None or (quote.cpu is None and quote.memory is None):
        return NOTHING_KNOWN
    if quote.node_hour is None:
        cpu, memory = (None if part is None else _cost(part, duration_ms) for part in (quote.cpu, quote.memory))
        return RestCost(cpu, memory)
    gpus = node_gpu_cost_nanos(decision, quote.gpus, duration_ms) or 0
    cpu, memory = _shared(_cost(quote.node_hour, duration_ms) - gpus, quote.cpu, quote.memory)
    return RestCost(cpu, memory)


def _shared(rest: int, cpu: Fraction | None, memory: Fraction | None) -> tuple[int | None, int | None]:
    if cpu is None or memory is None:
        return (None if cpu is None else rest), (None if memory is None else rest)
    scale = lcm(cpu.denominator, memory.denominator)
    ours, theirs = apportion(rest, [int(cpu * scale), int(memory * scale)])
    return ours, theirs


def _cost(per_hour: Fraction, duration_ms: int) -> int:
    return divide(per_hour.numerator * duration_ms, per_hour.denominator * HOUR_MS)
