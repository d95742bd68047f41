"""A Budget or ClusterBudget as the domain knows it: a limit, a period, and which cost counts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aicost.crd.convert.claims import label_selector
from aicost.crd.convert.parsing import Converted, parse, zone_problem
from aicost.crd.fields.text import moment_ms
from aicost.crd.models.budget.period import Period, PeriodType
from aicost.crd.models.budget.resource import BudgetSpec, ClusterBudgetSpec
from aicost.crd.models.budget.scope import ClusterScope
from aicost.domain.budgets.periods import Calendar, PeriodRule, Rolling, Total, Unit
from aicost.domain.exact.amounts import parse_nanos
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from aicost.domain.identity.claims import LabelSelector

_STEP_MS = {"s": SECOND_MS, "m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}


@dataclass(frozen=True, slots=True)
class BudgetPlan:
    """What a budget asks for.

    Attributes:
        limits: (from, nano-units), oldest first: the last one that has begun is the limit.
        filters: report filters that select the cost in scope.
        namespaces: selects namespaces by label, None for no such choice.
        components: components of the cost that count, empty for all.
    """

    currency: str
    limits: tuple[tuple[int, int], ...]
    rule: PeriodRule
    filters: Mapping[str, tuple[str, ...]]
    namespaces: LabelSelector | None
    components: tuple[str, ...]

    def limit_nanos(self, start_ms: int) -> int:
        """The limit of a period that starts then."""
        return next(nanos for begin_ms, nanos in reversed(self.limits) if begin_ms <= start_ms)


def budget_plan(body: Mapping[str, Any], default_zone: str) -> Converted[BudgetPlan]:
    """Read a budget as the API server shows it. One in a namespace is about that namespace alone.

    Args:
        body: the object.
        default_zone: IANA time zone for budgets that name none.
    """
    namespace = str(body["metadata"].get("namespace", ""))
    model: type[BudgetSpec | ClusterBudgetSpec] = BudgetSpec if namespace else ClusterBudgetSpec
    read = parse(model, body.get("spec") or {}, "spec")
    if read.value is None:
        return Converted(None, read.problems)
    spec = read.value
    period = spec.period or Period()
    if problem := zone_problem(period.time_zone or default_zone, "spec.period.timeZone"):
        return Converted(None, (problem,))
    planned = [(moment_ms(one.from_), parse_nanos(one.amount)) for one in spec.planned_amounts or ()]
    plan = BudgetPlan(
        currency=spec.currency,
        limits=((-(2**63), parse_nanos(spec.limit)), *sorted(planned)),
        rule=_rule(period, default_zone),
        filters=_filters(spec, namespace),
        namespaces=_namespaces(spec),
        components=tuple(component.value for component in spec.components or ()),
    )
    return Converted(plan)


def _rule(period: Period, default_zone: str) -> PeriodRule:
    match period.type:
        case PeriodType.CALENDAR:
            unit = Unit(period.unit.value) if period.unit else Unit.MONTH
            return Calendar(unit, period.start_day or 1, period.time_zone or default_zone)
        case PeriodType.ROLLING:
            return Rolling(_milliseconds(period.length or "30d"))
        case PeriodType.TOTAL:
            return Total(moment_ms(period.start or ""), moment_ms(period.end) if period.end else None)


def _milliseconds(duration: str) -> int:
    """A duration such as `30d` or `1h30m`."""
    return sum(int(number) * _STEP_MS[unit] for number, unit in re.findall(r"(\d+)([smhd])", duration))


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
