"""The prices of nodes for programs: exact fractions beside texts."""

import json
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from aicost.domain.exact.amounts import format_decimal
from aicost.domain.exact.apportion import divide
from aicost.domain.exact.windows import to_rfc3339
from aicost.domain.pricing.books import PriceQuote
from aicost.domain.pricing.review import Priced, PriceReview, Promise
from aicost.entrypoints.cli.output.prices.check_text import per_gpu, per_node, promise_text


def review_json(review: PriceReview, of: str, notes: Sequence[str]) -> str:
    """The whole document."""
    return json.dumps(
        {
            "of": of,
            "at": to_rfc3339(review.at_ms),
            "nodes": [_node(one) for one in review.nodes],
            "unpriced": len(review.unpriced),
            "promises": [_promise(one) for one in review.promises],
            "problems": [
                {"book": one.book, "entries": list(one.entries), "kind": str(one.kind), "message": one.message}
                for one in review.defects
            ],
            "annotations": [{"node": node, "message": problem} for node, problem in review.annotations.items()],
            "notes": list(notes),
        },
        indent=2,
        ensure_ascii=False,
    )


def _node(one: Priced) -> Mapping[str, Any]:
    node, quote = one.node, one.decision.chosen
    return {
        "name": node.name,
        "instance_type": node.instance_type or None,
        "gpu_model": node.gpu_model,
        "gpus": node.gpus,
        "provider": node.provider or None,
        "region": node.region or None,
        "zone": node.zone or None,
        "capacity_type": str(node.capacity_type),
        "price": None if quote is None else _quote(quote),
        "reason": one.decision.reason,
        "alternatives": [{"entry": label, "reason": reason} for label, reason in one.decision.rejected],
        "entry_to_add": one.to_add or None,
    }


def _quote(quote: PriceQuote) -> Mapping[str, Any]:
    return {
        "book": quote.book,
        "entry": quote.entry,
        "currency": quote.currency,
        "per_gpu_hour": exact(per_gpu(quote)),
        "per_node_hour": exact(per_node(quote)),
        "cpu_per_hour": exact(quote.cpu),
        "memory_per_hour": exact(quote.memory),
        "list_price": quote.list_price,
        "source": quote.source or None,
        "explanation": quote.explanation,
    }


def exact(nanos: Fraction | None) -> Mapping[str, Any] | None:
    """An amount per hour: a decimal rounded to a nano-unit for people, and the fraction of nano-units that it is."""
    if nanos is None:
        return None
    rounded = divide(nanos.numerator, nanos.denominator)
    return {
        "amount": format_decimal(rounded),
        "nanos_numerator": nanos.numerator,
        "nanos_denominator": nanos.denominator,
    }


def _promise(one: Promise) -> Mapping[str, Any]:
    return {
        "entry": one.label,
        "currency": one.currency,
        "promised_nodes": one.promised,
        "used_nodes": one.used,
        "unused_per_hour": exact(one.unused_hour),
        "message": promise_text(one),
    }
