"""What is shown of a simulation."""

from dataclasses import dataclass

from aicost.domain.budgets.plans import BudgetPlan
from aicost.domain.budgets.simulation.values import Simulation
from aicost.domain.exact.windows import Window


@dataclass(frozen=True, slots=True)
class Simulated:
    """A simulation, and what it is of.

    Attributes:
        asked: the time that was asked for.
        source: where the past was read, for people.
        own: the budget before anything was tried on it.
        again: words that ask for the same, but for what is tried on the gates.
    """

    found: Simulation
    asked: Window
    source: str
    own: BudgetPlan
    again: tuple[str, ...] = ()
