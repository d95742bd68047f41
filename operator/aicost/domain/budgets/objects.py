"""Objects that do not run yet: whether what they would run is in the scope of a budget."""

from collections.abc import Mapping
from typing import Any

from aicost.domain.budgets.plans import BudgetPlan, Gated
from aicost.domain.identity.dimensions import LABEL_PREFIX, UNTAGGED, Dimension
from aicost.domain.identity.normalise import normalise
from aicost.domain.identity.selectors import selects
from aicost.domain.reporting.query import LABEL_KEY
from aicost.domain.workloads.reading import read_workload
from aicost.domain.workloads.shapes import Workload

Labels = Mapping[str, str]
_DIMENSIONS = frozenset(dimension.value for dimension in Dimension)


def concerns(plan: BudgetPlan, obj: Mapping[str, Any], namespaces: Mapping[str, Labels]) -> bool:
    """Whether a budget is about what an object would run.

    Args:
        plan: the budget.
        obj: the object as the API server shows it.
        namespaces: name -> labels.
    """
    workload = read_workload(obj)
    if workload is None:
        return False
    counts = plan.safety.gated is Gated.ALL_WORKLOADS or workload.wants_gpus
    return counts and in_scope(plan, workload, namespaces.get(workload.namespace, {}))


def in_scope(plan: BudgetPlan, workload: Workload, namespace: Labels) -> bool:
    """Whether an object's own words, and those of its namespace, put it in the scope of a budget."""
    if plan.namespaces is not None and not selects(plan.namespaces, namespace):
        return False
    return all(
        _value(key, workload, namespace) in {_accepted(key, value) for value in values}
        for key, values in plan.filters.items()
        if key != "cluster"
    )


def label_of(key: str) -> str:
    """The label that says the value of a key of a scope."""
    return key.removeprefix(LABEL_KEY) if key.startswith(LABEL_KEY) else f"{LABEL_PREFIX}{key}"


def _value(key: str, workload: Workload, namespace: Labels) -> str:
    """What the pods would say, then the object, then the namespace."""
    if key == "namespace":
        return workload.namespace
    label = label_of(key)
    places = [*(template.labels for template in workload.templates), workload.labels, namespace]
    found = next((labels[label] for labels in places if label in labels), "")
    return (normalise(Dimension(key), found) or "") if key in _DIMENSIONS and found else found


def _accepted(key: str, value: str) -> str:
    return "" if value == UNTAGGED and key in _DIMENSIONS else value
