"""The report document: an answer of the ledger as JSON, exact integers beside texts for people.

Amounts are integers of nano-units (10^-9) of the currency, device time is integers of milliseconds; both may need 64
bits. `null` means not known, which is not zero. `aicost.crd.allocations.reading` reads it back.
"""

from collections.abc import Sequence
from typing import Any

from aicost.crd.allocations.texts import bucket_nanos, cost_text, known_nanos
from aicost.crd.status.texts import change, gpu_hours, percent, share
from aicost.domain.exact.windows import Window, to_rfc3339
from aicost.domain.ledger.rows import Bucket, Component
from aicost.domain.reporting import ratios
from aicost.domain.reporting.query import Amounts, Report, ReportLine, ReportQuery
from aicost.domain.reporting.ratios import is_unpriced
from aicost.domain.reporting.spans import span_before

API_VERSION = "query.aicost.dev/v1alpha1"
KIND = "AllocationReport"


def report_document(reports: Sequence[Report], now_ms: int) -> dict[str, Any]:
    """The document of an answer, one report per currency.

    Args:
        reports: at least one, all of one query.
        now_ms: when the answer was made.
    """
    query = reports[0].query
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "generated_at": to_rfc3339(now_ms),
        **_asked(query),
        "reports": [_report(report) for report in reports],
    }


def row_document(report: Report, line: ReportLine) -> dict[str, Any]:
    """One line: its group, what it carries in all, and what its own rows sum to."""
    amounts, nanos = line.amounts, line.cost_nanos
    previous = line.previous_nanos
    return {
        "keys": {} if line.merged else dict(zip(report.query.group_by, line.keys, strict=True)),
        "merged_rows": line.merged,
        "cost": cost_text(amounts, nanos),
        "cost_nanos": known_nanos(amounts, nanos),
        "share": share(nanos, report.total.cost_nanos),
        "shared_idle_nanos": line.shared_nanos,
        "previous_cost_nanos": previous,
        "adjusted_nanos": line.adjusted_nanos,
        "change": None if is_unpriced(amounts) else change(nanos, previous),
        **figures(amounts),
    }


def total_document(amounts: Amounts) -> dict[str, Any]:
    """Sums that stand for themselves."""
    nanos = amounts.cost_nanos
    return {"cost": cost_text(amounts, nanos), "cost_nanos": known_nanos(amounts, nanos), **figures(amounts)}


def figures(amounts: Amounts) -> dict[str, Any]:
    """Everything that sums say beside their cost."""
    return {
        "gpu_hours": gpu_hours(ratios.gpu_time(amounts)),
        "gpu_milliseconds": ratios.gpu_time(amounts),
        "measured_gpu_milliseconds": amounts.measured_milliseconds,
        "unpriced_gpu_milliseconds": amounts.unpriced_gpu_milliseconds,
        "utilisation": percent(ratios.utilisation(amounts)),
        "idle_share": percent(ratios.idle_share(amounts)),
        "telemetry_coverage": percent(ratios.telemetry_coverage(amounts)),
        "price_coverage": percent(ratios.price_coverage(amounts)),
        "error_nanos": amounts.error_nanos,
        "provisional_nanos": amounts.provisional_nanos,
        "list_price_nanos": amounts.list_price_nanos,
        "tagged_nanos": dict(amounts.tagged_nanos),
        "gpu_held_nanos": amounts.gpu_held_nanos,
        "components": {component: _component(amounts, component) for component in _components(amounts)},
        "buckets": {bucket.value: _bucket(amounts, bucket) for bucket in Bucket if _has(amounts, bucket)},
    }


def span_document(window: Window | None) -> dict[str, str] | None:
    """A span of time, None for none."""
    return None if window is None else {"from": to_rfc3339(window.start_ms), "to": to_rfc3339(window.end_ms)}


def _asked(query: ReportQuery) -> dict[str, Any]:
    before = span_before(query.span, query.time_zone) if query.compare else None
    return {
        "window": span_document(query.span),
        "previous_window": span_document(before),
        "time_zone": query.time_zone,
        "group_by": list(query.group_by),
        "filters": {key: list(values) for key, values in query.filters.items()},
        "idle_policy": query.idle.value,
    }


def _report(report: Report) -> dict[str, Any]:
    before = report.previous_total_nanos
    return {
        "currency": report.currency,
        "covered": span_document(report.covered),
        "prorated": report.prorated,
        "not_covered": list(report.not_covered),
        "partly_covered": list(report.partly_covered),
        "total": {
            **total_document(report.total),
            "previous_cost_nanos": before,
            "adjusted_nanos": report.adjusted_nanos,
            "change": None if is_unpriced(report.total) else change(report.total.cost_nanos, before),
        },
        "idle": total_document(report.idle),
        "rows": [row_document(report, line) for line in report.lines],
    }


def _has(amounts: Amounts, bucket: Bucket) -> bool:
    return bool(amounts.buckets.get(bucket) or amounts.gpu_milliseconds.get(bucket))


def _components(amounts: Amounts) -> list[str]:
    return [one.value for one in Component if one in amounts.components or one in amounts.quantities]


def _component(amounts: Amounts, component: str) -> dict[str, int | None]:
    """Cost, and quantity: milli-core-seconds of cpu, MiB-seconds of memory and storage."""
    quantity, unpriced = amounts.quantities.get(component, 0), amounts.unpriced_quantities.get(component, 0)
    known = component in amounts.components or not unpriced
    cost = amounts.components.get(component, 0) if known else None
    return {"cost_nanos": cost, "quantity": quantity, "unpriced_quantity": unpriced}


def _bucket(amounts: Amounts, bucket: Bucket) -> dict[str, int | None]:
    time = amounts.gpu_milliseconds.get(bucket, 0)
    return {"cost_nanos": bucket_nanos(amounts, bucket), "gpu_milliseconds": time}
