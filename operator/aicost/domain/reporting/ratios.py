"""Ratios for display, each from sums and exact; None where it is undefined, which is not zero."""

from fractions import Fraction

from aicost.domain.ledger.rows import HELD, Bucket
from aicost.domain.reporting.query import Amounts

PPM = 1_000_000
_NOBODYS = (Bucket.UNALLOCATED, Bucket.STRANDED, Bucket.ALLOCATED_IDLE)


def ratio(part: int, whole: int) -> Fraction | None:
    """`part / whole`, None where there is no whole."""
    return Fraction(part, whole) if whole > 0 else None


def to_ppm(value: Fraction | None) -> int | None:
    """Parts per million, rounded half up, for display and for API fields."""
    return None if value is None else (value * PPM + Fraction(1, 2)).__floor__()


def gpu_time(amounts: Amounts) -> int:
    """Device time of all buckets in milliseconds."""
    return sum(amounts.gpu_milliseconds.values())


def utilisation(amounts: Amounts) -> Fraction | None:
    """`used / (used + allocated-idle)` of device time that was measured."""
    used = amounts.gpu_milliseconds.get(Bucket.USED, 0)
    return ratio(used, used + amounts.gpu_milliseconds.get(Bucket.ALLOCATED_IDLE, 0))


def idle_share(amounts: Amounts) -> Fraction | None:
    """`(allocated-idle + unallocated + stranded) / all` of device time."""
    return ratio(sum(amounts.gpu_milliseconds.get(bucket, 0) for bucket in _NOBODYS), gpu_time(amounts))


def telemetry_coverage(amounts: Amounts) -> Fraction | None:
    """Share of device time that has samples behind it."""
    return ratio(amounts.measured_milliseconds, gpu_time(amounts))


def price_coverage(amounts: Amounts) -> Fraction | None:
    """Share of device time that has a price."""
    whole = gpu_time(amounts)
    return ratio(whole - amounts.unpriced_gpu_milliseconds, whole)


def label_coverage(amounts: Amounts, dimension: str) -> Fraction | None:
    """Share of the cost of GPUs that pods hold which carries the dimension."""
    return ratio(amounts.tagged_nanos.get(dimension, 0), gpu_held(amounts))


def gpu_held(amounts: Amounts) -> int:
    """What pods held of GPUs."""
    if amounts.gpu_held_nanos is not None:
        return amounts.gpu_held_nanos
    return sum(amounts.buckets.get(bucket, 0) for bucket in HELD)


def is_unpriced(amounts: Amounts) -> bool:
    """Whether there is something to pay and no part of it has a price: then nothing is known of the cost."""
    there = gpu_time(amounts) + sum(amounts.quantities.values())
    priceless = amounts.unpriced_gpu_milliseconds + sum(amounts.unpriced_quantities.values())
    return 0 < there <= priceless


def list_price_share(amounts: Amounts) -> Fraction | None:
    """Share of the cost that rests on list prices."""
    return ratio(amounts.list_price_nanos, amounts.cost_nanos)


def change(cost_nanos: int, previous_nanos: int | None) -> Fraction | None:
    """`(now - before) / before`; None where nothing is known of before, or it was not above zero."""
    return None if previous_nanos is None else ratio(cost_nanos - previous_nanos, previous_nanos)
