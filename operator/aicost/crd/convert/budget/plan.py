"""A Budget or ClusterBudget as the domain knows it, with its defaults filled in."""

import re
from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from aicost.crd.convert.budget.rungs import ladder_of, max_gate_of
from aicost.crd.convert.budget.safety import safety_of
from aicost.crd.convert.claims import label_selector
from aicost.crd.convert.parsing import Converted, parse, zone_problem
from aicost.crd.fields.amounts import fraction_ppm
from aicost.crd.fields.text import duration_ms, moment_ms
from aicost.crd.models.budget.approvals import Approvals
from aicost.crd.models.budget.ladder import Redline as RedlineModel
from aicost.crd.models.budget.nudges import Nudge as NudgeModel
from aicost.crd.models.budget.period import Period, PeriodType
from aicost.crd.models.budget.resource import BudgetCommon, BudgetSpec, ClusterBudgetSpec
from aicost.crd.models.budget.scope import ClusterScope
from aicost.domain.budgets.periods import Calendar, PeriodRule, Rolling, Total, Unit
from aicost.domain.budgets.plans import (
    PPM,
    ApprovalRules,
    BudgetPlan,
    BudgetRef,
    Carry,
    Growth,
    MinorRule,
    Nudge,
    NudgeOn,
    Owner,
    Promotion,
    Redline,
)
from aicost.domain.exact.amounts import parse_nanos
from aicost.domain.exact.windows import HOUR_MS, from_rfc3339, to_millis
from aicost.domain.identity.claims import LabelSelector

__all__ = ["BudgetPlan", "budget_plan"]

USUAL_NUDGES = tuple(Nudge(re.sub(r"(?<!^)(?=[A-Z])", "-", on).lower(), on) for on in NudgeOn)
"""What people are told of where a budget names nothing."""


def budget_plan(body: Mapping[str, Any], default_zone: str) -> Converted[BudgetPlan]:
    """Read a budget as the API server shows it. One in a namespace is about that namespace alone.

    Args:
        body: the object.
        default_zone: IANA time zone for budgets that name none.
    """
    metadata = body["metadata"]
    namespace = str(metadata.get("namespace", ""))
    model: type[BudgetSpec | ClusterBudgetSpec] = BudgetSpec if namespace else ClusterBudgetSpec
    read = parse(model, body.get("spec") or {}, "spec")
    if read.value is None:
        return Converted(None, read.problems)
    spec = read.value
    period = spec.period or Period()
    if problem := zone_problem(period.time_zone or default_zone, "spec.period.timeZone"):
        return Converted(None, (problem,))
    ref = BudgetRef(str(metadata["name"]), namespace, str(metadata.get("uid", "")))
    return Converted(_plan(ref, spec, period, _made_ms(metadata), default_zone))


def _made_ms(metadata: Mapping[str, Any]) -> int:
    stamp = metadata.get("creationTimestamp")
    return from_rfc3339(str(stamp)) if stamp else 0


def _plan(
    ref: BudgetRef, spec: BudgetSpec | ClusterBudgetSpec, period: Period, made_ms: int, default_zone: str
) -> BudgetPlan:
    return BudgetPlan(
        ref=ref,
        currency=spec.currency,
        limits=_limits(spec, period.time_zone or default_zone),
        rule=_rule(period, default_zone),
        filters=_filters(spec, ref.namespace),
        namespaces=_namespaces(spec),
        components=tuple(component.value for component in spec.components or ()),
        created_ms=made_ms,
        prorate_first=period.prorate_first,
        carry=_carry(spec),
        parent=spec.parent_ref.name if spec.parent_ref else "",
        stage=spec.stage,
        ladder=ladder_of(spec),
        mode=spec.mode,
        max_gate=max_gate_of(spec),
        safety=safety_of(spec.enforcement),
        redlines=tuple(map(_redline, spec.redlines or ())),
        nudges=USUAL_NUDGES if spec.nudges is None else tuple(map(_nudge, spec.nudges)),
        approvals=_approvals(spec.approvals),
        growth=_growth(spec),
        promotion=_promotion(spec),
        owners=tuple(
            Owner(one.name, one.contact or "", one.role.value if one.role else "") for one in spec.owners or ()
        ),
        routes=tuple(spec.routes or ()),
        runbook=spec.runbook_url or "",
        paused=spec.paused,
    )


def _limits(spec: BudgetCommon, zone: str) -> tuple[tuple[int, int], ...]:
    planned = [(_local_ms(one.from_, zone), parse_nanos(one.amount)) for one in spec.planned_amounts or ()]
    return ((-(2**63), parse_nanos(spec.limit)), *sorted(planned))


def _local_ms(text: str, zone: str) -> int:
    """A moment; a day begins where the period does, in its own time zone."""
    if "T" in text:
        return moment_ms(text)
    return to_millis(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)))


def _rule(period: Period, default_zone: str) -> PeriodRule:
    match period.type:
        case PeriodType.CALENDAR:
            unit = Unit(period.unit.value) if period.unit else Unit.MONTH
            return Calendar(unit, period.start_day or 1, period.time_zone or default_zone)
        case PeriodType.ROLLING:
            return Rolling(duration_ms(period.length or "30d"))
        case PeriodType.TOTAL:
            return Total(moment_ms(period.start or ""), moment_ms(period.end) if period.end else None)


def _filters(spec: BudgetSpec | ClusterBudgetSpec, namespace: str) -> dict[str, tuple[str, ...]]:
    chosen = {key: tuple(values) for key, values in ((spec.scope and spec.scope.dimensions) or {}).items()}
    if namespace:
        return {**chosen, "namespace": (namespace,)}
    scope = spec.scope if isinstance(spec.scope, ClusterScope) else ClusterScope()
    places = {"namespace": scope.namespaces, "cluster": scope.clusters}
    return {**chosen, **{key: tuple(values) for key, values in places.items() if values}}


def _namespaces(spec: BudgetSpec | ClusterBudgetSpec) -> LabelSelector | None:
    scope = spec.scope
    return label_selector(scope.namespace_selector) if isinstance(scope, ClusterScope) else None


def _carry(spec: BudgetCommon) -> Carry:
    if spec.rollover is None:
        return Carry()
    most, least = spec.rollover.max_amount, spec.rollover.min_amount
    return Carry(spec.rollover.mode, None if most is None else parse_nanos(most), parse_nanos(least) if least else 0)


def _redline(model: RedlineModel) -> Redline:
    """Amounts and rates are read alike: a rate is parts per billion."""
    return Redline(
        name=model.name,
        metric=model.metric,
        above=None if model.above is None else parse_nanos(model.above),
        below=None if model.below is None else parse_nanos(model.below),
        window_ms=max(HOUR_MS, duration_ms(model.window)),
        min_samples=model.min_samples,
        evaluations=model.evaluations,
        notice_ms=duration_ms(model.notice),
        stages=tuple(model.stages),
    )


def _nudge(model: NudgeModel) -> Nudge:
    return Nudge(model.name, model.watch, Fraction(model.relative_percent, 100), parse_nanos(model.min_per_day))


def _approvals(model: Approvals | None) -> ApprovalRules:
    if model is None:
        return ApprovalRules()
    minor = model.minor
    rule = MinorRule()
    if minor is not None:
        most = None if minor.max_amount is None else parse_nanos(minor.max_amount)
        rule = MinorRule(minor.percent, most, minor.cumulative_percent, minor.self_approval)
    longest = None if model.max_duration is None else duration_ms(model.max_duration)
    return ApprovalRules(rule, longest, model.break_glass_hours * HOUR_MS)


def _growth(spec: BudgetCommon) -> Growth | None:
    model = spec.growth
    if model is None:
        return None
    success = Fraction(fraction_ppm(model.min_success_rate), PPM)
    return Growth(model.increase_percent, parse_nanos(model.max_amount), model.when_held_periods, success)


def _promotion(spec: BudgetCommon) -> Promotion | None:
    model = spec.promotion
    if model is None:
        return None
    return Promotion(model.when_held_periods, Fraction(fraction_ppm(model.min_success_rate), PPM))
