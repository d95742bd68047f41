"""Where a budget stands: spend over limit, burn rates, forecast, and when the limit is reached."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from aicost.domain.budgets.periods import Period
from aicost.domain.exact.apportion import divide
from aicost.domain.exact.windows import DAY_MS, HOUR_MS

PPM = 1_000_000
INFINITE = 2**62
"""A burn rate where the limit is reached: nothing is left that could last."""
BURN_WINDOWS_MS = (HOUR_MS, 6 * HOUR_MS, 3 * DAY_MS)
"""Spans whose mean rates are compared with what is left, beside the rate that is committed now."""
_PAIRS = ((4 * PPM, (0, HOUR_MS)), (2 * PPM, (HOUR_MS, 6 * HOUR_MS)), (0, (6 * HOUR_MS, 3 * DAY_MS)))
"""From which burn rate on which two spans must agree: a fast burn is judged by short spans. 0: what runs now."""
_EARLY_PERCENT = 3
"""No burn rate is judged in the first part of a period: little was spent, and each step looks like a fire."""
_LEAST_SHARE = 200
"""A burn rate is judged once the hour has cost a two-hundredth (0.5 %) of the limit."""
MEDIAN_DAYS = 3
"""Full days that a forecast by days needs; before, it goes on at the mean rate of the period."""


class ForecastMethod(StrEnum):
    """How a forecast was computed."""

    PACE = "pace"
    """Spend so far, carried on at its mean rate."""
    DAYS = "daily-median"
    """Spend so far, and the median of the last full days for the rest."""


@dataclass(frozen=True, slots=True)
class Spend:
    """What was spent.

    Attributes:
        nanos: in the period so far, the open window included.
        provisional_nanos: the part of it that the open window contributes.
        recent_nanos: in the last `recent_ms` of the period.
        since_ms: from when on the ledger knows the spend; a pace is not taken from time that nobody watched.
        accrued_nanos: since the open window was last computed, at the price of what was held since; in no other figure.
        committed_nanos: cost per hour of what runs now.
        lately: (span, cost in it) of `BURN_WINDOWS_MS`, ending now; spans that the ledger does not cover are absent.
        days: cost of the last full days, the latest first.
    """

    nanos: int
    provisional_nanos: int
    recent_nanos: int
    recent_ms: int
    since_ms: int
    accrued_nanos: int = 0
    committed_nanos: int = 0
    lately: tuple[tuple[int, int], ...] = ()
    days: tuple[int, ...] = ()

    @property
    def counted_nanos(self) -> int:
        """All that a budget is judged by: what the ledger has, and what was held since it was last computed."""
        return self.nanos + self.accrued_nanos


@dataclass(frozen=True, slots=True)
class Burn:
    """A rate against what is left.

    Attributes:
        span_ms: over which the rate is a mean; 0: of what runs now.
        ppm: `rate x (end - now) / (limit - spent)` in parts per million, `INFINITE` where nothing is left.
    """

    span_ms: int
    rate_per_hour_nanos: int
    ppm: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a budget stands. None where a figure is not defined.

    Attributes:
        used_ppm: spend over limit, in parts per million.
        pace_ppm: share of the limit that is spent over share of the period that is gone.
        rate_per_hour_nanos: mean spend of the last day.
        forecast_nanos: spend at the end of the period.
        forecast_high_nanos: the same if the rest is as the dearest tenth of the days.
        exhausted_in_ms: until the limit is reached at the recent rate, or at what is committed where that is more; 0
            where it is.
        burns: burn rates, the shortest span first; none where the period has no end.
        judged: whether it is late enough in the period, and enough is spent, for a burn rate to mean something.
    """

    limit_nanos: int
    spend: Spend
    used_ppm: int
    pace_ppm: int | None
    rate_per_hour_nanos: int | None
    forecast_nanos: int | None
    exhausted_in_ms: int | None
    forecast_high_nanos: int | None = None
    forecast_method: ForecastMethod = ForecastMethod.PACE
    burns: tuple[Burn, ...] = ()
    judged: bool = False

    def burn_ppm(self, at_ppm: int) -> int | None:
        """The burn rate to compare with a threshold: the lower of two spans, which both must be above it."""
        if not self.judged:
            return None
        spans = next(pair for least, pair in _PAIRS if at_ppm >= least)
        found = [burn.ppm for burn in self.burns if burn.span_ms in spans]
        return min(found) if len(found) == len(spans) else None


def stand(limit_nanos: int, period: Period, spend: Spend, now_ms: int) -> Standing:
    """Say where a budget stands.

        used     = spent / limit
        pace     = used / (elapsed / length)
        burn(w)  = rate(w) * (end - now) / (limit - spent)      infinite if spent >= limit
        forecast = spent + rest at the mean rate so far, or, from three full days on, at the median of the days
        TTE      = (limit - spent) / rate                       0 if spent >= limit, undefined if the rate is 0

    Raises:
        ValueError: the limit is not above zero.
    """
    if limit_nanos <= 0:
        raise ValueError(f"limit {limit_nanos} must be above zero")
    rate = divide(spend.recent_nanos * HOUR_MS, spend.recent_ms) if spend.recent_ms > 0 else None
    low, high, method = _forecast(period, spend, now_ms)
    return Standing(
        limit_nanos=limit_nanos,
        spend=spend,
        used_ppm=divide(spend.counted_nanos * PPM, limit_nanos),
        pace_ppm=_pace(limit_nanos, period, spend, now_ms),
        rate_per_hour_nanos=rate,
        forecast_nanos=low,
        forecast_high_nanos=high,
        forecast_method=method,
        exhausted_in_ms=_exhausted_in(limit_nanos, spend.counted_nanos, max(rate or 0, spend.committed_nanos)),
        burns=_burns(limit_nanos, period, spend, now_ms),
        judged=_is_judged(limit_nanos, period, spend, now_ms),
    )


def recent_start(period: Period, now_ms: int) -> int:
    """Start of the time whose mean is the rate: the last day, within the period."""
    return max(period.start_ms, now_ms - DAY_MS)


def _pace(limit_nanos: int, period: Period, spend: Spend, now_ms: int) -> int | None:
    """Undefined without an end, and in the first moment."""
    elapsed_ms = now_ms - period.start_ms
    if period.end_ms is None or elapsed_ms <= 0:
        return None
    return divide(spend.counted_nanos * PPM * (period.end_ms - period.start_ms), limit_nanos * elapsed_ms)


def _forecast(period: Period, spend: Spend, now_ms: int) -> tuple[int | None, int | None, ForecastMethod]:
    """Likely and high spend at the end. Undefined without an end, and where less than an hour of it is known."""
    watched_ms = now_ms - max(period.start_ms, spend.since_ms)
    if period.end_ms is None or watched_ms < HOUR_MS:
        return None, None, ForecastMethod.PACE
    left_ms, spent = max(0, period.end_ms - now_ms), spend.counted_nanos
    if len(spend.days) < MEDIAN_DAYS:
        return spent + divide(spent * left_ms, watched_ms), None, ForecastMethod.PACE
    low, high = (divide(_quantile(spend.days, percent) * left_ms, DAY_MS) for percent in (50, 90))
    return spent + low, spent + high, ForecastMethod.DAYS


def _quantile(days: Sequence[int], percent: int) -> int:
    """The nearest-rank quantile: one of the days."""
    ranked = sorted(days)
    return ranked[max(0, -(-len(ranked) * percent // 100) - 1)]


def _exhausted_in(limit_nanos: int, spent_nanos: int, rate: int) -> int | None:
    if spent_nanos >= limit_nanos:
        return 0
    return divide((limit_nanos - spent_nanos) * HOUR_MS, rate) if rate else None


def _burns(limit_nanos: int, period: Period, spend: Spend, now_ms: int) -> tuple[Burn, ...]:
    """None where there is no end that the rest has to last to."""
    if period.end_ms is None:
        return ()
    rates = [(0, spend.committed_nanos)]
    rates += [(span_ms, divide(nanos * HOUR_MS, span_ms)) for span_ms, nanos in spend.lately]
    left_nanos, left_ms = limit_nanos - spend.counted_nanos, max(0, period.end_ms - now_ms)
    return tuple(Burn(span_ms, rate, _burn(rate, left_ms, left_nanos)) for span_ms, rate in rates)


def _burn(rate: int, left_ms: int, left_nanos: int) -> int:
    return INFINITE if left_nanos <= 0 else min(INFINITE, divide(rate * left_ms * PPM, left_nanos * HOUR_MS))


def _is_judged(limit_nanos: int, period: Period, spend: Spend, now_ms: int) -> bool:
    if spend.counted_nanos >= limit_nanos:
        return True
    length, hour = period.length_ms, dict(spend.lately).get(HOUR_MS, spend.committed_nanos)
    early = length is None or (now_ms - period.start_ms) * 100 < length * _EARLY_PERCENT
    return not early and hour * _LEAST_SHARE >= limit_nanos
