"""Where a budget stands: spend over limit, forecast by pace, and when the limit is reached."""

from dataclasses import dataclass

from aicost.domain.budgets.periods import Period
from aicost.domain.exact.apportion import divide
from aicost.domain.exact.windows import DAY_MS, HOUR_MS

PPM = 1_000_000


@dataclass(frozen=True, slots=True)
class Spend:
    """What was spent.

    Attributes:
        nanos: in the period so far, the open window included.
        provisional_nanos: the part of it that the open window contributes.
        recent_nanos: in the last `recent_ms` of the period.
        since_ms: from when on the ledger knows the spend; a pace is not taken from time that nobody watched.
    """

    nanos: int
    provisional_nanos: int
    recent_nanos: int
    recent_ms: int
    since_ms: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a budget stands. None where a figure is not defined.

    Attributes:
        used_ppm: spend over limit, in parts per million.
        pace_ppm: share of the limit that is spent over share of the period that is gone.
        rate_per_hour_nanos: mean spend of the last day.
        forecast_nanos: spend at the end of the period if the rest goes on at the mean rate so far.
        exhausted_in_ms: until the limit is reached at the recent rate; 0 where it is.
    """

    limit_nanos: int
    spend: Spend
    used_ppm: int
    pace_ppm: int | None
    rate_per_hour_nanos: int | None
    forecast_nanos: int | None
    exhausted_in_ms: int | None


def stand(limit_nanos: int, period: Period, spend: Spend, now_ms: int) -> Standing:
    """Say where a budget stands.

        used     = spent / limit
        pace     = used / (elapsed / length)
        forecast = spent + (spent / watched) * (end - now)      watched: time of the period that the ledger knows
        TTE      = (limit - spent) / rate                       0 if spent >= limit, undefined if the rate is 0

    Raises:
        ValueError: the limit is not above zero.
    """
    if limit_nanos <= 0:
        raise ValueError(f"limit {limit_nanos} must be above zero")
    rate = divide(spend.recent_nanos * HOUR_MS, spend.recent_ms) if spend.recent_ms > 0 else None
    return Standing(
        limit_nanos=limit_nanos,
        spend=spend,
        used_ppm=divide(spend.nanos * PPM, limit_nanos),
        pace_ppm=_pace(limit_nanos, period, spend, now_ms),
        rate_per_hour_nanos=rate,
        forecast_nanos=_forecast(period, spend, now_ms),
        exhausted_in_ms=_exhausted_in(limit_nanos, spend.nanos, rate),
    )


def recent_start(period: Period, now_ms: int) -> int:
    """Start of the time whose mean is the rate: the last day, within the period."""
    return max(period.start_ms, now_ms - DAY_MS)


def _pace(limit_nanos: int, period: Period, spend: Spend, now_ms: int) -> int | None:
    """Undefined without an end, and in the first moment."""
    elapsed_ms = now_ms - period.start_ms
    if period.end_ms is None or elapsed_ms <= 0:
        return None
    return divide(spend.nanos * PPM * (period.end_ms - period.start_ms), limit_nanos * elapsed_ms)


def _forecast(period: Period, spend: Spend, now_ms: int) -> int | None:
    """Undefined without an end, and where the ledger knows less than an hour of the period."""
    watched_ms = now_ms - max(period.start_ms, spend.since_ms)
    if period.end_ms is None or watched_ms < HOUR_MS:
        return None
    return spend.nanos + divide(spend.nanos * max(0, period.end_ms - now_ms), watched_ms)


def _exhausted_in(limit_nanos: int, spent_nanos: int, rate: int | None) -> int | None:
    if spent_nanos >= limit_nanos:
        return 0
    return divide((limit_nanos - spent_nanos) * HOUR_MS, rate) if rate else None
