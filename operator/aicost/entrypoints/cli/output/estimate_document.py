"""Estimates for programs: exact integers beside texts."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from aicost.domain.estimates.texts import estimate_text, per_hour_text, range_text
from aicost.domain.estimates.values import BudgetLeft, EstimateLine, Offer, PriceRange
from aicost.domain.exact.apportion import divide
from aicost.domain.exact.windows import to_rfc3339
from aicost.entrypoints.cli.output.estimate_table import Estimated

FORMAT = "aicost.dev/estimate/v1alpha1"
Json = Mapping[str, Any]


def as_json(estimates: Sequence[Estimated], of: str, gaps: Sequence[str]) -> str:
    """The estimate document. Amounts are nano-units per hour, rounded once; a quote's price is an exact fraction."""
    document = {"format": FORMAT, "prices": of, "gaps": list(gaps), "objects": [_object(one) for one in estimates]}
    return json.dumps(document, indent=2, ensure_ascii=False)


def _object(one: Estimated) -> Json:
    document, workload, estimate = one.found.document, one.found.workload, one.estimate
    price = estimate.per_hour
    total = estimate.total_nanos
    return {
        "source": document.source,
        "origin": document.origin or None,
        "line": document.line,
        "apiVersion": workload.api_version,
        "kind": workload.kind,
        "namespace": workload.namespace,
        "name": workload.name,
        "text": estimate_text(estimate, one.budgets),
        "scaling": estimate.scaling.value,
        "gpu_milli": estimate.gpu_milli,
        "per_hour": _range(price),
        "per_hour_max": _range(estimate.per_hour_max),
        "duration_ms": estimate.duration_ms,
        "duration_source": estimate.duration_source or None,
        "total": _amounts(*total, price.currency) if total and price else None,
        "unpriced": estimate.unpriced or None,
        "budgets": [_budget(budget) for budget in one.budgets],
        "parts": [_part(line) for line in estimate.lines],
    }


def _budget(budget: BudgetLeft) -> Json:
    return {
        "name": budget.name,
        "left_nanos": budget.left_nanos,
        "limit_nanos": budget.limit_nanos,
        "currency": budget.currency,
        "until": None if budget.until_ms is None else to_rfc3339(budget.until_ms),
    }


def _part(line: EstimateLine) -> Json:
    return {
        "role": line.role,
        "replicas": line.replicas,
        "gpu_milli": line.gpu_milli,
        "gpu_models": list(line.gpu_models),
        "per_hour": _range(line.per_hour),
        "note": line.note or None,
        "candidates": [_offer(offer) for offer in line.candidates],
    }


def _offer(offer: Offer) -> Json:
    quote = offer.quote
    named = {
        "gpu_model": offer.gpu_model,
        "provider": offer.provider,
        "region": offer.region,
        "instance_type": offer.instance_type,
        "capacity_type": offer.capacity_type,
    }
    return {
        **{name: value or None for name, value in named.items()},
        "nodes": offer.nodes,
        "quote": None
        if quote is None
        else {
            "book": quote.book,
            "entry": quote.entry,
            "currency": quote.currency,
            "gpu_hour_nanos": [quote.gpu_hour_nanos_num, quote.gpu_hour_den],
            "list_price": quote.list_price,
            "source": quote.source or None,
            "explanation": quote.explanation,
        },
        "reason": offer.reason,
        "rejected": [{"entry": label, "reason": reason} for label, reason in offer.rejected],
    }


def _range(price: PriceRange | None) -> Json | None:
    if price is None:
        return None
    low, high = (divide(part.numerator, part.denominator) for part in (price.low, price.high))
    return {**_amounts(low, high, price.currency), "text": per_hour_text(price)}


def _amounts(low: int, high: int, currency: str) -> Json:
    return {"low_nanos": low, "high_nanos": high, "currency": currency, "text": range_text(low, high, currency)}
