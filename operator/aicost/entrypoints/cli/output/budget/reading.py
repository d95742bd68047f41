"""Objects of another program's making, read with care: what is missing or of another shape is None, never an error."""

from collections.abc import Mapping, Sequence
from typing import Any

from aicost.crd.convert.budget.plan import budget_plan
from aicost.crd.fields.text import moment_ms
from aicost.domain.budgets.plans import PPM, BudgetPlan, BudgetRef
from aicost.domain.exact.amounts import NANOS_PER_UNIT, parse_nanos

Body = Mapping[str, Any]


def at(body: Any, *path: str) -> Any:
    """What stands at a path; None where nothing does."""
    for step in path:
        if not isinstance(body, Mapping):
            return None
        body = body.get(step)
    return body


def text(body: Any, *path: str) -> str:
    """The text at a path; empty where there is none."""
    found = at(body, *path)
    return found if isinstance(found, str) else ""


def whole(body: Any, *path: str) -> int | None:
    """The integer at a path."""
    found = at(body, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def items(body: Any, *path: str) -> Sequence[Body]:
    """The objects of the list at a path."""
    found = at(body, *path)
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def texts(body: Any, *path: str) -> Sequence[str]:
    """The texts of the list at a path."""
    found = at(body, *path)
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def moment(body: Any, *path: str) -> int | None:
    """The milliseconds of the time at a path."""
    try:
        return moment_ms(text(body, *path))
    except ValueError:
        return None


def share_ppm(body: Any, *path: str) -> int | None:
    """The parts per million of a percentage as statuses show it, such as `62.4%`."""
    try:
        return parse_nanos(text(body, *path).strip("<>%").replace(",", "")) * PPM // (100 * NANOS_PER_UNIT)
    except ValueError:
        return None


def condition(body: Body, name: str) -> Body:
    """A condition; empty where it is not stated."""
    return next((one for one in items(body, "status", "conditions") if one.get("type") == name), {})


def name_of(body: Body) -> str:
    """The name of an object."""
    return text(body, "metadata", "name")


def ref_of(body: Body) -> BudgetRef:
    """The budget that an object is."""
    return BudgetRef(name_of(body), text(body, "metadata", "namespace"), text(body, "metadata", "uid"))


def budget_of(override: Body) -> BudgetRef:
    """The budget that a request for more is about."""
    named = at(override, "spec", "budgetRef")
    if text(named, "kind") == "ClusterBudget":
        return BudgetRef(text(named, "name"))
    return BudgetRef(text(named, "name"), text(override, "metadata", "namespace"))


def plan_of(budget: Body | None) -> BudgetPlan | None:
    """What a budget asks for; None where it, or its spec, cannot be read."""
    if budget is None:
        return None
    try:
        return budget_plan(budget, "UTC").value
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
