"""Sums of a report as a status shows them: integers, and beside them texts for people."""

from collections.abc import Sequence

from aicost.crd.models.figures import BucketFigures, Buckets, CurrencyTotal, Summary
from aicost.crd.models.report import RowBuckets
from aicost.crd.status.texts import UNPRICED, change, gpu_hours, money, share, stored
from aicost.domain.ledger.rows import HELD, Bucket
from aicost.domain.reporting.query import Amounts, Report

IDLE = frozenset({Bucket.ALLOCATED_IDLE, Bucket.UNALLOCATED, Bucket.STRANDED})
"""Buckets of what worked and was not used, held or not."""
_LABELLED = "team"
"""The dimension that the column of label coverage is about."""


def device_time(amounts: Amounts) -> int:
    """All device time, in milliseconds of one GPU."""
    return sum(amounts.gpu_milliseconds.values())


def is_unpriced(amounts: Amounts) -> bool:
    """Whether there is device time and no part of it has a price: then nothing is known of the cost."""
    return 0 < device_time(amounts) <= amounts.unpriced_gpu_milliseconds


def cost_text(amounts: Amounts, nanos: int) -> str:
    """An amount of these sums for people."""
    return UNPRICED if is_unpriced(amounts) else money(nanos, amounts.currency)


def cost_nanos(amounts: Amounts, nanos: int) -> int | None:
    """An amount of these sums for programs, None where nothing is known of it."""
    return None if is_unpriced(amounts) else stored(nanos)


def utilisation(parts: Sequence[Amounts]) -> str | None:
    """GPU time in use over GPU time held and measured."""
    used = sum(part.gpu_milliseconds.get(Bucket.USED, 0) for part in parts)
    idle = sum(part.gpu_milliseconds.get(Bucket.ALLOCATED_IDLE, 0) for part in parts)
    return share(used, used + idle)


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
        gpu_hours=gpu_hours(device_time(amounts)),
        gpu_milliseconds=device_time(amounts),
        measured_gpu_milliseconds=amounts.measured_milliseconds,
        unpriced_gpu_milliseconds=amounts.unpriced_gpu_milliseconds,
        buckets=_buckets(amounts),
        error_nanos=None if amounts.error_nanos is None else stored(amounts.error_nanos),
        provisional_nanos=stored(amounts.provisional_nanos),
        list_price_nanos=stored(amounts.list_price_nanos),
        previous_cost=None if before is None else money(before, amounts.currency),
        previous_cost_nanos=None if before is None else stored(before),
        change=None if is_unpriced(amounts) else change(nanos, before),
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


def held_nanos(amounts: Amounts) -> int:
    """The cost that pods hold."""
    return sum(nanos for bucket, nanos in amounts.buckets.items() if bucket in HELD)


def telemetry_coverage(parts: Sequence[Amounts]) -> str | None:
    """Share of device time with samples behind it."""
    return share(sum(part.measured_milliseconds for part in parts), sum(map(device_time, parts)))


def price_coverage(parts: Sequence[Amounts]) -> str | None:
    """Share of device time with a price."""
    whole = sum(map(device_time, parts))
    return share(whole - sum(part.unpriced_gpu_milliseconds for part in parts), whole)


def label_coverage(amounts: Amounts, dimension: str) -> str | None:
    """Share of the held cost that names a dimension."""
    return share(amounts.tagged_nanos.get(dimension, 0), held_nanos(amounts))


def summary(reports: Sequence[Report], window: str, group_by: Sequence[str]) -> Summary:
    """The figures as texts. What cannot be said over several currencies is absent."""
    parts = [report.total for report in reports]
    only = reports[0] if len(reports) == 1 and not is_unpriced(reports[0].total) else None
    return Summary(
        window=window,
        group_by=",".join(group_by),
        cost=_joined([cost_text(part, part.cost_nanos) for part in parts]),
        change=None if only is None else change(only.total.cost_nanos, only.previous_total_nanos),
        gpu_hours=gpu_hours(sum(map(device_time, parts))),
        utilisation=utilisation(parts),
        idle_share=None if only is None else _idle_share(only.total),
        telemetry_coverage=telemetry_coverage(parts),
        label_coverage=None if only is None else label_coverage(only.total, _LABELLED),
        price_coverage=price_coverage(parts),
        unpriced_gpu_hours=gpu_hours(sum(part.unpriced_gpu_milliseconds for part in parts)),
        provisional=_joined([cost_text(part, part.provisional_nanos) for part in parts]),
    )


def _joined(texts: Sequence[str]) -> str | None:
    return " + ".join(texts) or None


def _idle_share(amounts: Amounts) -> str | None:
    return share(sum(amounts.buckets.get(bucket, 0) for bucket in IDLE), amounts.cost_nanos)
