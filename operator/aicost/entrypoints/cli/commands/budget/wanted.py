"""What somebody asks for, as it was said on the command line."""

from dataclasses import dataclass

from aicost.domain.budgets.overrides.values import Purpose
from aicost.domain.budgets.plans import BudgetRef


@dataclass(frozen=True, slots=True)
class Wanted:
    """A request for more.

    Attributes:
        namespace: where the request is put; for a Budget, its own.
        amount: in the budget's currency, as it was written; empty for none.
        until: a day or a time, as it was written; empty for the end of the period.
    """

    budget: BudgetRef
    namespace: str
    purpose: Purpose
    reason: str
    ticket: str = ""
    amount: str = ""
    percent: int | None = None
    until: str = ""
