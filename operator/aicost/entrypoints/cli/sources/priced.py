"""A market with what should be known of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aicost.crd.convert.budget.left import SeenBudget, budgets_of
from aicost.domain.estimates.values import BudgetLeft, Market
from aicost.domain.inventory.cluster import NamespaceFacts
from aicost.domain.workloads.shapes import Workload


@dataclass(frozen=True, slots=True)
class PricedMarket:
    """A market, and what should be known of it.

    Attributes:
        of: whose prices these are, for people.
        gaps: what could not be read.
        budgets: what objects may count against; none offline.
        namespaces: those that budgets choose by their labels.
    """

    market: Market
    of: str
    gaps: tuple[str, ...] = ()
    budgets: tuple[SeenBudget, ...] = ()
    namespaces: Mapping[str, NamespaceFacts] = field(default_factory=dict)

    def budgets_of(self, workload: Workload) -> tuple[BudgetLeft, ...]:
        """What is left of the budgets that an object would count against, the least left first."""
        return budgets_of(self.budgets, workload, self.namespaces.get(workload.namespace))
