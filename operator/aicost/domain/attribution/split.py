"""The split of one device over one span: how much of its time goes to whom, and into which bucket.

Times are exact: `busy_ppb_ms` is activity in parts per billion times milliseconds, and a weight of a whole span of dt
milliseconds is `dt * PPB`. Each bucket has its own rule, and their weights sum to the span's:

    exclusive      used = U dt            allocated-idle = (1 - U) dt        where samples cover the time
                   allocated-unmeasured = dt                                 where they do not
    nobody holds   unattributed = U dt    unallocated = (1 - U) dt           (all of it where nothing was measured)
    shared         allocated-unmeasured_i = r_i dt                           unallocated = (1 - sum r) dt
                   with r_i = raw_i / max(1, sum raw)                        by reservation: nothing is measured per pod
    unhealthy      unhealthy = dt
"""

from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from aicost.domain.attribution.spans import DeviceSpan, Hold
from aicost.domain.ledger.rows import Bucket, Method, Quality
from aicost.domain.sampling.series import PPB


@dataclass(frozen=True, slots=True)
class Activity:
    """What samples say of a device over one span.

    Attributes:
        busy_ppb_ms: integral of the activity, in parts per billion times milliseconds.
        covered_ms: how much of the span has samples behind it.
        error_ppb_ms: half-width of the 95 % error bar of the integral.
        signal: which signals were used, such as `engine-active`; empty for none.
    """

    busy_ppb_ms: int = 0
    covered_ms: int = 0
    error_ppb_ms: int = 0
    signal: str = ""


UNMEASURED = Activity()
_ALONE = Method.EXCLUSIVE


@dataclass(frozen=True, slots=True)
class Part:
    """A share of a span that goes to one holder and bucket.

    Attributes:
        hold: None for money that no pod owes.
        weight: device time in parts per billion times milliseconds, an exact fraction where a share is one.
        measured: the part of the weight that has samples behind it.
        error: half-width of the error bar in the same unit, None where nothing was measured.
    """

    hold: Hold | None
    bucket: Bucket
    method: Method
    quality: Quality
    signal: str
    weight: Fraction | int
    measured: int
    error: int | None


def split(span: DeviceSpan, activity: Activity, *, system: bool = False) -> tuple[Part, ...]:
    """Split one span of one device.

    Args:
        span: time and holders.
        activity: what samples say of it.
        system: the one holder is an exporter or a diagnostic: what it holds is the platform's.
    """
    whole = span.span.length_ms * PPB
    if span.unhealthy:
        return (_part(None, Bucket.UNHEALTHY, whole, activity),)
    if not span.holds:
        return _split_unheld(whole, activity)
    holder = span.exclusive
    if holder is None:
        return _split_by_reservation(whole, span.holds)
    if system:
        return (_part(holder, Bucket.SYSTEM, whole, activity),)
    return _split_exclusive(holder, whole, activity if holder.claim.seen else UNMEASURED)


def _split_exclusive(hold: Hold, whole: int, activity: Activity) -> tuple[Part, ...]:
    """Used is U dt, allocated-idle (1 - U) dt; time without samples is unmeasured, never idle."""
    covered = activity.covered_ms * PPB
    parts = (
        _measured(hold, Bucket.USED, activity.busy_ppb_ms, activity),
        _measured(hold, Bucket.ALLOCATED_IDLE, covered - activity.busy_ppb_ms, activity),
        Part(hold, Bucket.ALLOCATED_UNMEASURED, _ALONE, Quality.ASSUMED, "", whole - covered, 0, None),
    )
    return tuple(part for part in parts if part.weight)


def _split_unheld(whole: int, activity: Activity) -> tuple[Part, ...]:
    """Activity of one who holds nothing is unattributed; the rest of an unheld device is unallocated."""
    busy, covered = activity.busy_ppb_ms, activity.covered_ms * PPB
    quality = Quality.MEASURED_GAUGE if covered else Quality.ASSUMED
    parts = (
        _measured(None, Bucket.UNATTRIBUTED, busy, activity),
        Part(
            None,
            Bucket.UNALLOCATED,
            _ALONE,
            quality,
            activity.signal,
            whole - busy,
            covered - busy,
            activity.error_ppb_ms,
        ),
    )
    return tuple(part for part in parts if part.weight)


def _split_by_reservation(whole: int, holds: tuple[Hold, ...]) -> tuple[Part, ...]:
    """Nothing measured per holder: by reservation, quality assumed; never a utilisation of 0."""
    total = sum((hold.claim.share for hold in holds), Fraction(0))
    scale = max(Fraction(1), total)
    held = [(hold, Bucket.ALLOCATED_UNMEASURED, whole * hold.claim.share / scale) for hold in holds]
    shares: list[tuple[Hold | None, Bucket, Fraction]] = [
        *held,
        (None, Bucket.UNALLOCATED, whole * (1 - total / scale)),
    ]
    return tuple(
        Part(hold, bucket, Method.BY_RESERVATION, Quality.ASSUMED, "", weight, 0, None)
        for hold, bucket, weight in shares
        if weight
    )


def _measured(hold: Hold | None, bucket: Bucket, weight: int, activity: Activity) -> Part:
    """A part that rests on gauges."""
    return Part(
        hold, bucket, Method.EXCLUSIVE, Quality.MEASURED_GAUGE, activity.signal, weight, weight, activity.error_ppb_ms
    )


def _part(hold: Hold | None, bucket: Bucket, weight: int, activity: Activity) -> Part:
    """A part whose amount is certain from who held what; samples only say how sure the device was there."""
    covered = min(weight, activity.covered_ms * PPB)
    quality = Quality.MEASURED_GAUGE if covered else Quality.ASSUMED
    return Part(hold, bucket, _ALONE, quality, activity.signal, weight, covered, 0)


def integer_weights(weights: list[Fraction | int]) -> list[int]:
    """Scale exact weights to integers by their common denominator."""
    scale = lcm(*(weight.denominator for weight in weights)) if weights else 1
    return [int(weight * scale) for weight in weights]
