"""Reads budgets and all that says something of them, as far as the rights of who asks go."""

from dataclasses import dataclass

from aicost.domain.budgets.plans import BudgetRef
from aicost.entrypoints.cli.output.budget.reading import Body, at, budget_of, ref_of, text
from aicost.entrypoints.cli.sources.budgets import Desk


@dataclass(frozen=True, slots=True)
class Budgets:
    """Budgets and cluster budgets; `gaps` is what could not be read."""

    budgets: tuple[Body, ...]
    now_ms: int
    gaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Requests:
    """Requests for more, and their budgets as far as they can be read."""

    requests: tuple[Body, ...]
    budgets: tuple[Body, ...]
    now_ms: int
    gaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Looked:
    """One budget, what it does, and what was asked of it."""

    budget: Body
    actions: tuple[Body, ...]
    requests: tuple[Body, ...]
    now_ms: int
    gaps: tuple[str, ...] = ()


async def budgets_of(desk: Desk, namespace: str | None) -> Budgets:
    """The budgets of a namespace, or of all, and the cluster budgets.

    Raises:
        NotPermitted: the budgets may not be listed.
    """
    gaps: list[str] = []
    own = await desk.listed("Budget", namespace)
    wide = await desk.beside("ClusterBudget", None, gaps)
    return Budgets((*own, *wide), desk.asker.now_ms, tuple(gaps))


async def requests_of(desk: Desk, namespace: str | None) -> Requests:
    """The requests of a namespace, or of all.

    Raises:
        NotPermitted: the requests may not be listed.
    """
    gaps: list[str] = []
    asked = await desk.listed("BudgetOverride", namespace)
    budgets = [*await desk.beside("Budget", namespace, gaps), *await desk.beside("ClusterBudget", None, gaps)]
    return Requests(tuple(asked), tuple(budgets), desk.asker.now_ms, tuple(gaps))


async def look_at(desk: Desk, ref: BudgetRef) -> Looked:
    """One budget with its steps and the requests about it. Those of a ClusterBudget lie in any namespace.

    Raises:
        InvalidRequest: there is no such budget.
        NotPermitted: it may not be read.
    """
    gaps: list[str] = []
    budget = await desk.budget(ref)
    place = ref.namespace or None
    actions = [one for one in await desk.beside("BudgetAction", place, gaps) if _acts_for(one, budget)]
    asked = [one for one in await desk.beside("BudgetOverride", place, gaps) if budget_of(one) == ref]
    return Looked(budget, tuple(actions), tuple(asked), desk.asker.now_ms, tuple(gaps))


def _acts_for(action: Body, budget: Body) -> bool:
    """Whether a step was taken by this budget, and not by one that had its name before."""
    named = at(action, "spec", "budgetRef")
    same = (text(named, "namespace"), text(named, "name")) == (ref_of(budget).namespace, ref_of(budget).name)
    return same and text(named, "uid") == ref_of(budget).uid
