"""One budget at one moment: its figures, its decision and what it has to say."""

from dataclasses import dataclass

from aicost.domain.budgets.deciding.decide import GateDecision
from aicost.domain.budgets.deciding.figures import BudgetSpend
from aicost.domain.budgets.gates import Gate, Mode
from aicost.domain.budgets.lifecycle.growth import Ready
from aicost.domain.budgets.limits import Limit
from aicost.domain.budgets.memory import Memory
from aicost.domain.budgets.nudges.nudge import NudgeFinding
from aicost.domain.budgets.overrides.weigh import Weighed
from aicost.domain.budgets.periods import Period
from aicost.domain.budgets.plans import BudgetPlan
from aicost.domain.budgets.redlines import RedlineFinding
from aicost.domain.budgets.spend.found import ScopeSpend
from aicost.domain.budgets.spend.scopes import Scope
from aicost.domain.budgets.units.targets import Achieved


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was found of one budget, and what follows.

    Attributes:
        plan: what it asks for, as it is acted on: a broken glass makes it advise at most.
        decisions: the steps of the gate, at least one.
        before, memory: what was remembered before, and what is now.
        rolled: whether a new period began with this evaluation.
    """

    plan: BudgetPlan
    scope: Scope
    period: Period
    limit: Limit
    found: ScopeSpend
    spend: BudgetSpend
    decisions: tuple[GateDecision, ...]
    nudges: tuple[NudgeFinding, ...]
    redlines: tuple[RedlineFinding, ...]
    weighed: Weighed
    achieved: Achieved
    ready: Ready | None
    before: Memory
    memory: Memory
    now_ms: int
    rolled: bool = False

    @property
    def last(self) -> GateDecision:
        """The last step: where the gate is now."""
        return self.decisions[-1]

    @property
    def acts(self) -> bool:
        """Whether the budget does what its gate asks for."""
        return self.plan.mode is Mode.ENFORCE

    @property
    def tells(self) -> bool:
        """Whether the budget tells people."""
        return self.plan.mode is not Mode.OBSERVE

    @property
    def acting_gate(self) -> Gate | None:
        """The gate whose work is done; None while the budget only observes or advises."""
        return self.last.gate if self.acts else None
