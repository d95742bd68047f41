"""The status of a Budget or ClusterBudget: where it stands, what it does and what it remembers."""

from collections.abc import Mapping, Sequence
from typing import Any

from aicost.crd.fields.conditions import Condition
from aicost.crd.models.budget.doings import Enforced, NudgeStatus, PendingGate, RedlineStatus, Simulated, Told
from aicost.crd.models.budget.status import (
    AcceptedPrice,
    BudgetPeriod,
    BudgetStatus,
    BurnStatus,
    ClosedPeriod,
    DataStatus,
    Forecast,
    GrowthStatus,
    LimitParts,
    RungStatus,
    Spent,
)
from aicost.crd.status.budget.texts import duration, moment, rate
from aicost.crd.status.reports import Freshness
from aicost.crd.status.texts import INT64, money, percent, share, stored
from aicost.domain.budgets.deciding.state import GateState
from aicost.domain.budgets.evaluation import Evaluation
from aicost.domain.budgets.memory import Memory, PastPeriod
from aicost.domain.budgets.messages.outlook import outlook
from aicost.domain.budgets.pace import INFINITE, PPM, Burn, Standing
from aicost.domain.budgets.plans import BudgetPlan
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, to_rfc3339

MOST_SAID = 32
_SPANS = ((0, "now"), (HOUR_MS, "1h"), (6 * HOUR_MS, "6h"), (3 * DAY_MS, "3d"))


def budget_status(
    one: Evaluation,
    *,
    freshness: Freshness,
    conditions: Sequence[Mapping[str, Any]],
    enforced: Enforced | None = None,
    simulated: Simulated | None = None,
) -> dict[str, Any]:
    """The status of a budget.

    Args:
        one: what was found.
        freshness: what is said of its age.
        conditions: as made by `aicost.crd.status.conditions`.
        enforced: what is done now.
        simulated: whom it would stop at 100 %.
    """
    currency, standing, state = one.plan.currency, one.spend.standing, one.memory.gate
    committed = standing.spend.committed_nanos
    status = BudgetStatus(
        observed_generation=freshness.generation,
        conditions=[Condition.model_validate(condition) for condition in conditions],
        currency=currency,
        period=BudgetPeriod(start=to_rfc3339(one.period.start_ms), end=moment(one.period.end_ms)),
        limit=money(standing.limit_nanos, currency),
        limit_nanos=standing.limit_nanos,
        limit_parts=_parts(one),
        spent=_spent(one),
        percent_used=share(standing.used_ppm, PPM),
        pace=None if standing.pace_ppm is None else share(standing.pace_ppm, PPM),
        rate_per_hour=rate(standing.rate_per_hour_nanos, currency),
        rate_per_hour_nanos=_within(standing.rate_per_hour_nanos),
        committed_per_hour=rate(committed, currency),
        committed_per_hour_nanos=_within(committed),
        burn=[_burn(burn) for burn in standing.burns] or None,
        unit_cost=None if one.achieved.unit_ppm is None else share(one.achieved.unit_ppm, PPM),
        unit_cost_ppm=one.memory.unit_ppm,
        success_ppm=one.memory.success_ppm,
        forecast=_forecast(currency, standing, freshness.now_ms),
        time_to_exhaustion=None if standing.exhausted_in_ms is None else duration(standing.exhausted_in_ms),
        reason=str(one.last.reason),
        next_action=outlook(one),
        enforcement=enforced,
        simulate_at_100=simulated,
        overrides=[f"{each.namespace}/{each.name}" for each in one.weighed.active][:16] or None,
        data=_data(one),
        promotion=one.ready.why if one.ready else None,
        data_through=moment(freshness.data_through_ms),
        updated_at=moment(freshness.now_ms),
        **_state(state, one.plan),
        **_memory(one.memory, currency),
    )
    return status.model_dump(mode="json", by_alias=True, exclude_none=True)


def _parts(one: Evaluation) -> LimitParts:
    limit = one.limit
    return LimitParts(
        base_nanos=limit.base_nanos,
        carried_nanos=limit.carried_nanos,
        approved_nanos=limit.approved_nanos,
        minor_nanos=limit.minor_nanos,
        prorated_from=moment(limit.prorated_ms),
    )


def _spent(one: Evaluation) -> Spent:
    spend = one.spend.standing.spend
    return Spent(
        total=money(spend.counted_nanos, one.plan.currency),
        total_nanos=stored(spend.counted_nanos),
        provisional_nanos=stored(spend.provisional_nanos),
        accrued_nanos=stored(spend.accrued_nanos),
        unpriced_gpu_milliseconds=one.found.period.unpriced_ms,
    )


def _burn(burn: Burn) -> BurnStatus:
    text = "inf" if burn.ppm >= INFINITE else f"{burn.ppm / PPM:.2f}"
    rate_nanos = max(INT64[0], min(INT64[1], burn.rate_per_hour_nanos))
    return BurnStatus(over=dict(_SPANS)[burn.span_ms], rate_per_hour_nanos=rate_nanos, burn_rate=text)


def _within(nanos: int | None) -> int | None:
    """What a status can hold; a price that was mistyped must not keep it from being written."""
    return None if nanos is None else stored(nanos)


def _forecast(currency: str, standing: Standing, now_ms: int) -> Forecast | None:
    nanos, high = standing.forecast_nanos, standing.forecast_high_nanos
    if nanos is None:
        return None
    return Forecast(
        total=money(nanos, currency),
        total_nanos=stored(nanos),
        high=None if high is None else money(high, currency),
        high_nanos=None if high is None else stored(high),
        method=standing.forecast_method.value,
        as_of=to_rfc3339(now_ms - now_ms % 1000),
    )


def _data(one: Evaluation) -> DataStatus:
    data = one.spend.data
    return DataStatus(
        as_of=moment(data.as_of_ms),
        telemetry_coverage=percent(data.telemetry),
        price_coverage=percent(data.price),
        label_coverage=percent(data.labels),
    )


def _state(state: GateState, plan: BudgetPlan) -> dict[str, Any]:
    """Where the gate is, so that the next controller goes on from there."""
    pending = state.pending
    return {
        "gate": state.gate,
        "gate_since": to_rfc3339(state.since_ms) if state.gate else None,
        "decided_mode": state.mode.value,
        "decided_for": state.rung or None,
        "pending": None
        if pending is None
        else PendingGate(
            gate=pending.gate,
            rung=pending.rung or None,
            announced_at=to_rfc3339(pending.announced_ms),
            at=to_rfc3339(pending.due_ms),
        ),
        "rungs": [_rung(state, rung.name, rung.gate) for rung in plan.ladder] or None,
        "limit_raised_at": None if state.raised_ms is None else to_rfc3339(state.raised_ms),
        "stopped_at": None if state.stopped_ms is None else to_rfc3339(state.stopped_ms),
    }


def _rung(state: GateState, name: str, gate: Any) -> RungStatus:
    one = state.of(name)
    return RungStatus(
        name=name,
        gate=gate,
        reached=one.since_ms is not None,
        since=None if one.since_ms is None else to_rfc3339(one.since_ms),
        told_at=None if one.told_ms is None else to_rfc3339(one.told_ms),
        told_limit_nanos=one.told_limit_nanos or None,
    )


def _memory(memory: Memory, currency: str) -> dict[str, Any]:
    """What else the next controller goes on from."""
    growth = memory.grown
    has_grown = growth.held_periods or growth.limit_nanos or growth.message
    return {
        "history": [_past(one, currency) for one in memory.history] or None,
        "told": [
            Told(
                id=one.id,
                at=to_rfc3339(one.at_ms),
                summary=one.summary[:1024],
                sent=list(one.sent) or None,
                acknowledged_by=one.acknowledged_by or None,
                escalated_at=None if one.escalated_ms is None else to_rfc3339(one.escalated_ms),
            )
            for one in memory.said[-MOST_SAID:]
        ]
        or None,
        "nudges": [
            NudgeStatus(
                name=one.name,
                watch=one.on,
                subject=one.subject or None,
                since=to_rfc3339(one.since_ms),
                told_at=None if one.told_ms is None else to_rfc3339(one.told_ms),
                calm_since=None if one.calm_ms is None else to_rfc3339(one.calm_ms),
                until=None if one.until_ms is None else to_rfc3339(one.until_ms),
                message=one.message[:1024],
            )
            for one in memory.nudges[:32]
        ]
        or None,
        "redlines": [
            RedlineStatus(
                name=one.name,
                workload=str(one.subject),
                agreed=one.agreed,
                value=one.value or None,
                crossed_at=None if one.crossed_ms is None else to_rfc3339(one.crossed_ms),
                due_at=None if one.due_ms is None else to_rfc3339(one.due_ms),
            )
            for one in memory.redlines[:64]
        ]
        or None,
        "prices": [AcceptedPrice(what=what, nanos=nanos) for what, nanos in memory.prices.items()] or None,
        "prices_accepted_at": to_rfc3339(memory.accepted_ms) if memory.accepted_ms else None,
        "growth": GrowthStatus(
            held_periods=growth.held_periods, limit_nanos=growth.limit_nanos, message=growth.message or None
        )
        if has_grown
        else None,
    }


def _past(one: PastPeriod, currency: str) -> ClosedPeriod:
    return ClosedPeriod(
        start=to_rfc3339(one.period.start_ms),
        end=to_rfc3339(one.period.end_ms or one.period.start_ms),
        limit=money(one.limit_nanos, currency),
        limit_nanos=stored(one.limit_nanos),
        spent=money(one.spent_nanos, currency),
        spent_nanos=stored(one.spent_nanos),
        unit_cost_ppm=one.unit_ppm,
        success_ppm=one.success_ppm,
    )
