"""Sums of a report as a status shows them: integers, and beside them texts for people."""

from collections.abc import Sequence
from functools import reduce

from aicost.crd.models.figures import BucketFigures, Buckets, CurrencyTotal, Summary
from aicost.crd.models.report import RowBuckets
from aicost.crd.status.texts import UNPRICED, change, gpu_hours, money, percent, stored
from aicost.domain.ledger.rows import Bucket
from aicost.domain.reporting import ratios
from aicost.domain.reporting.ordering import add_amounts
from aicost.domain.reporting.query import Amounts, Report
from aicost.domain.reporting.ratios import is_unpriced

_LABELLED = "team"
"""The dimension that the column of label coverage is about."""


def cost_text(amounts: Amounts, nanos: int) -> str:
    """An amount of these sums for people."""
    return UNPRICED if is_unpriced(amounts) else money(nanos, amounts.currency)


def cost_nanos(amounts: Amounts, nanos: int) -> int | None:
    """An amount of these sums for programs, None where nothing is known of it."""
    return None if is_unpriced(amounts) else stored(nanos)


def together(parts: Sequence[Amounts]) -> Amounts:
    """Sums of several currencies, of use for device time alone: amounts of different currencies mean nothing added."""
    return reduce(add_amounts, parts) if parts else Amounts("", {}, {})


def row_buckets(amounts: Amounts) -> RowBuckets | None:
    """The exact cost by bucket; None where nothing is known of it."""
    if is_unpriced(amounts):
        return None
    return RowBuckets.model_validate({_field(name): stored(nanos) for name, nanos in amounts.buckets.items() if nanos})


def total(report: Report) -> CurrencyTotal:
    """The sums of one currency."""
    amounts = report.total
    nanos = amounts.cost_nanos
    before = report.previous_total_nanos
    return CurrencyTotal(
        currency=amounts.currency,
        cost=cost_text(amounts, nanos),
        cost_nanos=cost_nanos(amounts, nanos),
        gpu_hours=gpu_hours(ratios.gpu_time(amounts)),
        gpu_milliseconds=ratios.gpu_time(amounts),
        measured_gpu_milliseconds=amounts.measured_milliseconds,
        unpriced_gpu_milliseconds=amounts.unpriced_gpu_milliseconds,
        buckets=_buckets(amounts),
        components={name: stored(nanos) for name, nanos in amounts.components.items()} or None,
        error_nanos=None if amounts.error_nanos is None else stored(amounts.error_nanos),
        provisional_nanos=stored(amounts.provisional_nanos),
        list_price_nanos=stored(amounts.list_price_nanos),
        previous_cost=None if before is None else money(before, amounts.currency),
        previous_cost_nanos=None if before is None else stored(before),
        change=None if is_unpriced(amounts) else change(nanos, before),
    )


def summary(reports: Sequence[Report], window: str, group_by: Sequence[str]) -> Summary:
    """The figures as texts. What cannot be said over several currencies is absent."""
    parts = [report.total for report in reports]
    time = together(parts)
    only = reports[0] if len(reports) == 1 and not is_unpriced(reports[0].total) else None
    return Summary(
        window=window,
        group_by=",".join(group_by),
        cost=_joined([cost_text(part, part.cost_nanos) for part in parts]),
        change=None if only is None else change(only.total.cost_nanos, only.previous_total_nanos),
        gpu_hours=gpu_hours(ratios.gpu_time(time)),
        utilisation=percent(ratios.utilisation(time)),
        idle_share=percent(ratios.idle_share(time)),
        telemetry_coverage=percent(ratios.telemetry_coverage(time)),
        label_coverage=None if only is None else percent(ratios.label_coverage(only.total, _LABELLED)),
        price_coverage=percent(ratios.price_coverage(time)),
        unpriced_gpu_hours=gpu_hours(time.unpriced_gpu_milliseconds),
        provisional=_joined([cost_text(part, part.provisional_nanos) for part in parts]),
    )


def _field(bucket: str) -> str:
    return bucket.replace("-", "_")


def _buckets(amounts: Amounts) -> Buckets:
    names = [bucket for bucket in Bucket if amounts.buckets.get(bucket) or amounts.gpu_milliseconds.get(bucket)]
    return Buckets.model_validate({_field(bucket): _bucket(amounts, bucket) for bucket in names})


def _bucket(amounts: Amounts, bucket: Bucket) -> BucketFigures:
    nanos = amounts.buckets.get(bucket, 0)
    return BucketFigures(
        cost=cost_text(amounts, nanos),
        cost_nanos=cost_nanos(amounts, nanos),
        gpu_milliseconds=amounts.gpu_milliseconds.get(bucket, 0),
    )


def _joined(texts: Sequence[str]) -> str | None:
    return " + ".join(texts) or None
