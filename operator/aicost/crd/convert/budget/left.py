"""What is left of the budgets that an object would count against, as their status says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aicost.crd.convert.budget.plan import BudgetPlan, budget_plan
from aicost.crd.convert.parsing import Converted
from aicost.crd.fields.text import moment_ms
from aicost.domain.estimates.values import BudgetLeft
from aicost.domain.identity.selectors import selects
from aicost.domain.inventory.cluster import NamespaceFacts
from aicost.domain.workloads.shapes import Workload

_OWN_LABEL = "label:"


@dataclass(frozen=True, slots=True)
class SeenBudget:
    """A budget that has been computed at least once."""

    plan: BudgetPlan
    left: BudgetLeft


def read_budget(body: Mapping[str, Any]) -> Converted[SeenBudget]:
    """A budget with what is left of it; no value while nothing was computed."""
    read = budget_plan(body, "UTC")
    status = body.get("status") or {}
    limit, spent = status.get("limitNanos"), (status.get("spent") or {}).get("totalNanos")
    if read.value is None or not isinstance(limit, int) or not isinstance(spent, int):
        return Converted(None, read.problems)
    end = (status.get("period") or {}).get("end")
    left = BudgetLeft(
        name=str(body["metadata"]["name"]),
        left_nanos=limit - spent,
        limit_nanos=limit,
        currency=read.value.currency,
        until_ms=moment_ms(end) if end else None,
    )
    return Converted(SeenBudget(read.value, left))


def budgets_of(
    budgets: Sequence[SeenBudget], workload: Workload, namespace: NamespaceFacts | None
) -> tuple[BudgetLeft, ...]:
    """Budgets in whose scope the object is, by its own labels, the least left first."""
    found = [one.left for one in budgets if _in_scope(one.plan, workload, namespace)]
    return tuple(sorted(found, key=lambda left: (left.left_nanos, left.name)))


def _in_scope(plan: BudgetPlan, workload: Workload, namespace: NamespaceFacts | None) -> bool:
    labels = namespace.labels if namespace else {}
    if plan.namespaces is not None and not selects(plan.namespaces, labels):
        return False
    return all(_value(key, workload) in values for key, values in plan.filters.items() if key != "cluster")


def _value(key: str, workload: Workload) -> str:
    if key == "namespace":
        return workload.namespace
    label = key.removeprefix(_OWN_LABEL) if key.startswith(_OWN_LABEL) else f"aicost.dev/{key}"
    return workload.labels.get(label, "")
