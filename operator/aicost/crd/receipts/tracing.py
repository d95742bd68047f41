"""How the amounts of one window came about, as JSON."""

from fractions import Fraction
from typing import Any

from aicost.domain.exact.windows import Window, to_rfc3339
from aicost.domain.ledger.rows import Holder
from aicost.domain.pricing.books import PriceDecision, PriceQuote
from aicost.domain.receipts.tracing import ClaimTrace, DeviceTrace, Division, HostTrace, Samples, Stretch, Trace


def trace_document(trace: Trace) -> dict[str, Any]:
    """A trace as JSON."""
    return {
        "interval_ms": trace.interval_ms,
        "prices": [{"node": one.node, **_decision(decision)} for one in trace.prices for decision in one.decisions],
        "samples": [_samples(one) for one in trace.samples],
        "devices": [_device(one) for one in trace.devices],
        "hosts": [_host(one) for one in trace.hosts],
        "claims": [_claim(one) for one in trace.claims],
    }


def _host(one: HostTrace) -> dict[str, Any]:
    quote = one.decision.chosen
    exact = None if one.per_hour is None else one.per_hour * one.span.length_ms / 3_600_000
    return {
        "node": one.node,
        "component": one.component.value,
        **_span(one.span),
        "length_ms": one.span.length_ms,
        "quote": None if quote is None else f"{quote.book}/{quote.entry}",
        "currency": None if quote is None else quote.currency,
        "hour_nanos": _fraction(one.per_hour),
        "exact_nanos": _fraction(exact),
        "charge_nanos": one.charge_nanos,
    }


def _claim(one: ClaimTrace) -> dict[str, Any]:
    return {
        "claim": "/".join(one.claim),
        "storage_class": one.storage_class,
        "size_bytes": one.size_bytes,
        "quote": None if one.quote is None else one.quote.price,
        "currency": None if one.quote is None else one.quote.currency,
        "gib_hour_nanos": None if one.quote is None else _fraction(one.quote.gib_hour_nanos),
    }


def _span(span: Window) -> dict[str, str]:
    return {"from": to_rfc3339(span.start_ms), "to": to_rfc3339(span.end_ms)}


def _decision(decision: PriceDecision) -> dict[str, Any]:
    return {
        **_span(decision.span),
        "chosen": None if decision.chosen is None else _quote(decision.chosen),
        "reason": decision.reason,
        "rejected": [{"quote": label, "reason": reason} for label, reason in decision.rejected],
    }


def _quote(quote: PriceQuote) -> dict[str, Any]:
    return {
        "quote": f"{quote.book}/{quote.entry}",
        "currency": quote.currency,
        "gpu_hour_nanos": _fraction(Fraction(quote.gpu_hour_nanos_num, quote.gpu_hour_den)),
        "node_hour_nanos": _fraction(quote.node_hour),
        "cpu_hour_nanos": _fraction(quote.cpu),
        "memory_hour_nanos": _fraction(quote.memory),
        "list_price": quote.list_price,
        "source": quote.source,
        "explanation": quote.explanation,
    }


def _samples(one: Samples) -> dict[str, Any]:
    return {
        "node": one.node,
        "device": one.device,
        "signal": one.signal.value,
        "pods": [f"{namespace}/{name}" for namespace, name in one.pods],
        "count": one.count,
        "first": None if one.first_ms is None else to_rfc3339(one.first_ms),
        "last": None if one.last_ms is None else to_rfc3339(one.last_ms),
        "used": one.used,
    }


def _device(one: DeviceTrace) -> dict[str, Any]:
    return {
        "node": one.node,
        "device": one.device,
        **_span(one.span),
        "length_ms": one.span.length_ms,
        "price": None if one.decision.chosen is None else _quote(one.decision.chosen),
        "devices": one.devices,
        "charge_exact_nanos": _fraction(_exact(one)),
        "charge_nanos": one.charge_nanos,
        "cost_nanos": one.cost_nanos,
        "stretches": [_stretch(each) for each in one.stretches],
        "weight_sum": sum(each.weight for each in one.divisions),
        "divisions": [_division(each) for each in one.divisions],
    }


def _exact(one: DeviceTrace) -> Fraction | None:
    """Devices times price times time, before it is rounded."""
    quote = one.decision.chosen
    if quote is None:
        return None
    return Fraction(quote.gpu_hour_nanos_num, quote.gpu_hour_den) * one.devices * one.span.length_ms / 3_600_000


def _stretch(each: Stretch) -> dict[str, Any]:
    return {
        **_span(each.span),
        "length_ms": each.span.length_ms,
        "instance": each.instance,
        "share": _fraction(each.share),
        "holders": [{"holder": holder_name(holder), "share": _fraction(share)} for holder, share in each.holders],
        "unhealthy": each.unhealthy,
        "busy_ppb_ms": each.busy_ppb_ms,
        "covered_ms": each.covered_ms,
        "error_ppb_ms": each.error_ppb_ms,
        "signal": each.signal,
        "gaps": [_span(gap) for gap in each.gaps],
        "parts_ppb_ms": {bucket.value: _fraction(weight) for bucket, weight in each.parts.items()},
    }


def _division(each: Division) -> dict[str, Any]:
    return {
        "holder": holder_name(each.holder),
        "bucket": each.bucket.value,
        "method": each.method.value,
        "quality": each.quality.value,
        "signal": each.signal,
        "weight": each.weight,
        "time_ms": each.time_ms,
        "exact_nanos": _fraction(each.exact_nanos),
        "cost_nanos": each.cost_nanos,
        "rounded_up": each.rounded_up,
        "seen": each.seen,
    }


def holder_name(holder: Holder | None) -> str | None:
    """A holder by its namespace and pod; None for nobody."""
    return None if holder is None or not holder.namespace else f"{holder.namespace}/{holder.pod}".rstrip("/")


def _fraction(value: Fraction | int | None) -> str | None:
    """An exact number as text: `3` or `7/3`."""
    return None if value is None else str(Fraction(value))
