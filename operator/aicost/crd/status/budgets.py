"""The status of a Budget or ClusterBudget: where it stands. It observes; it does nothing."""

from collections.abc import Mapping, Sequence
from typing import Any

from aicost.crd.fields.conditions import Condition
from aicost.crd.models.budget.status import BudgetPeriod, BudgetStatus, Forecast, Spent
from aicost.crd.status.reports import Freshness
from aicost.crd.status.texts import money, share, stored
from aicost.domain.budgets.pace import PPM, Standing
from aicost.domain.budgets.periods import Period
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, MINUTE_MS, to_rfc3339

_OBSERVES = "None: this version observes budgets and does nothing else."


def budget_status(
    currency: str,
    period: Period,
    standing: Standing,
    *,
    unpriced_milliseconds: int,
    freshness: Freshness,
    conditions: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """The status of a budget.

    Args:
        currency: ISO 4217 code of the budget.
        period: the period that is running.
        standing: where it stands.
        unpriced_milliseconds: device time in scope that no price is known of.
        freshness: what is said of its age.
        conditions: as made by `aicost.crd.status.conditions`.
    """
    spend = standing.spend
    rate = standing.rate_per_hour_nanos
    status = BudgetStatus(
        observed_generation=freshness.generation,
        conditions=[Condition.model_validate(condition) for condition in conditions],
        currency=currency,
        period=BudgetPeriod(start=to_rfc3339(period.start_ms), end=_moment(period.end_ms)),
        limit=money(standing.limit_nanos, currency),
        limit_nanos=standing.limit_nanos,
        spent=Spent(
            total=money(spend.nanos, currency),
            total_nanos=stored(spend.nanos),
            provisional_nanos=stored(spend.provisional_nanos),
            unpriced_gpu_milliseconds=unpriced_milliseconds,
        ),
        percent_used=share(standing.used_ppm, PPM),
        pace=None if standing.pace_ppm is None else share(standing.pace_ppm, PPM),
        rate_per_hour=None if rate is None else money(rate, currency),
        rate_per_hour_nanos=rate,
        forecast=_forecast(currency, standing, freshness.now_ms),
        time_to_exhaustion=None if standing.exhausted_in_ms is None else duration(standing.exhausted_in_ms),
        next_action=_OBSERVES,
        data_through=_moment(freshness.data_through_ms),
        updated_at=_moment(freshness.now_ms),
    )
    return status.model_dump(mode="json", by_alias=True, exclude_none=True)


def _forecast(currency: str, standing: Standing, now_ms: int) -> Forecast | None:
    nanos = standing.forecast_nanos
    if nanos is None:
        return None
    return Forecast(
        total=money(nanos, currency), total_nanos=stored(nanos), method="pace", as_of=to_rfc3339(now_ms - now_ms % 1000)
    )


def _moment(at_ms: int | None) -> str | None:
    return None if at_ms is None else to_rfc3339(at_ms - at_ms % 1000)


def duration(milliseconds: int) -> str:
    """A length of time in its two largest units: `3d4h`, `2h5m`, `0m`."""
    units = (("d", DAY_MS), ("h", HOUR_MS), ("m", MINUTE_MS))
    parts: list[str] = []
    rest = milliseconds
    for name, length in units:
        count, rest = divmod(rest, length)
        if count or parts:
            parts.append(f"{count}{name}")
    return "".join(parts[:2]) or "0m"
