"""What a budget remembers, as its status carries it. What is missing or odd is forgotten; nothing raises."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from aicost.crd.models.budget.doings import NudgeStatus, PendingGate, RedlineStatus, Told
from aicost.crd.models.budget.status import BudgetStatus, ClosedPeriod, RungStatus
from aicost.domain.budgets.deciding.state import GateState, Pending, RungState
from aicost.domain.budgets.gates import Mode
from aicost.domain.budgets.memory import Grown, Memory, PastPeriod, Said
from aicost.domain.budgets.nudges.state import NudgeState
from aicost.domain.budgets.periods import Period, PeriodRule, period_before, period_key
from aicost.domain.budgets.redlines import RedlineState, Subject
from aicost.domain.exact.windows import from_rfc3339

T = TypeVar("T")


def memory_of(body: Mapping[str, Any], rule: PeriodRule) -> Memory:
    """What a budget remembers.

    Args:
        body: the object as the API server shows it.
        rule: how its periods follow each other.
    """
    raw = {key: value for key, value in (body.get("status") or {}).items() if key != "conditions"}
    try:
        status = BudgetStatus.model_validate(raw)
        return _memory(status, rule)
    except (ValidationError, ValueError):  # written by a later version, or by nobody that we know
        return Memory()


def _memory(status: BudgetStatus, rule: PeriodRule) -> Memory:
    period = None
    if status.period:
        period = Period(from_rfc3339(status.period.start), _ms(status.period.end))
    growth = status.growth
    return Memory(
        gate=_gate(status, _key(status, rule, period) if period else 0),
        period=period,
        limit_nanos=status.limit_nanos or 0,
        unit_ppm=status.unit_cost_ppm,
        success_ppm=status.success_ppm,
        history=tuple(_past(one) for one in status.history or ()),
        said=tuple(_said(one) for one in status.told or ()),
        nudges=tuple(_nudge(one) for one in status.nudges or ()),
        redlines=tuple(_redline(one) for one in status.redlines or ()),
        prices={one.what: one.nanos for one in status.prices or ()},
        accepted_ms=_ms(status.prices_accepted_at) or 0,
        grown=Grown(growth.held_periods, growth.limit_nanos, growth.message or "") if growth else Grown(),
    )


def _key(status: BudgetStatus, rule: PeriodRule, period: Period) -> int:
    """The period that the gate is of: not the one that is running where it held still, blind, at its turn."""
    before = period_before(rule, period)
    if before is None:
        return period_key(rule, period)
    rungs = [text for one in status.rungs or () for text in (one.since, one.told_at)]
    announced = status.pending.announced_at if status.pending else None
    texts = (status.gate_since, announced, status.stopped_at, status.limit_raised_at, *rungs)
    moments = [moment for text in texts if (moment := _ms(text)) is not None]
    return period_key(rule, before if min(moments, default=period.start_ms) < period.start_ms else period)


def _gate(status: BudgetStatus, key: int) -> GateState:
    mode = Mode(status.decided_mode) if status.decided_mode in set(Mode) else Mode.OBSERVE
    return GateState(
        key=key,
        mode=mode,
        gate=status.gate,
        since_ms=_ms(status.gate_since) or 0,
        rung=status.decided_for or "",
        rungs=tuple(_rung(one) for one in status.rungs or ()),
        pending=_pending(status.pending) if status.pending else None,
        stopped_ms=_ms(status.stopped_at),
        granted_nanos=_granted(status),
        raised_ms=_ms(status.limit_raised_at),
    )


def _granted(status: BudgetStatus) -> int:
    parts = status.limit_parts
    return parts.base_nanos + parts.approved_nanos if parts else status.limit_nanos or 0


def _rung(one: RungStatus) -> RungState:
    since = _ms(one.since) if one.reached else None
    return RungState(one.name, 0, since, _ms(one.told_at), one.told_limit_nanos or 0)


def _pending(one: PendingGate) -> Pending:
    return Pending(one.gate, one.rung or "", from_rfc3339(one.announced_at), from_rfc3339(one.at))


def _past(one: ClosedPeriod) -> PastPeriod:
    period = Period(from_rfc3339(one.start), from_rfc3339(one.end))
    return PastPeriod(period, one.limit_nanos or 0, one.spent_nanos or 0, one.unit_cost_ppm, one.success_ppm)


def _said(one: Told) -> Said:
    return Said(
        one.id,
        from_rfc3339(one.at),
        one.summary,
        tuple(one.sent or ()),
        one.acknowledged_by or "",
        _ms(one.escalated_at),
    )


def _nudge(one: NudgeStatus) -> NudgeState:
    return NudgeState(
        one.name,
        one.watch,
        one.subject or "",
        from_rfc3339(one.since),
        _ms(one.told_at),
        _ms(one.calm_since),
        _ms(one.until),
        one.message,
    )


def _redline(one: RedlineStatus) -> RedlineState:
    kind, _, place = one.workload.partition(" ")
    namespace, _, name = place.partition("/")
    subject = Subject(kind, namespace, name)
    return RedlineState(one.name, subject, one.agreed, _ms(one.crossed_at), _ms(one.due_at), one.value or "")


def _ms(text: str | None) -> int | None:
    return None if text is None else from_rfc3339(text)
