"""What a simulation comes to."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from aicost.domain.budgets.deciding.decide import GateDecision
from aicost.domain.budgets.deciding.figures import Blindness
from aicost.domain.budgets.gates import Gate
from aicost.domain.budgets.plans import BudgetPlan
from aicost.domain.budgets.simulation.figures import Term
from aicost.domain.budgets.simulation.victims import Kept
from aicost.domain.budgets.simulation.workloads import Seen
from aicost.domain.exact.windows import Window


@dataclass(frozen=True, slots=True)
class Turn:
    """A decision that moved a gate, or had something to tell.

    Attributes:
        told: how many workloads would have been told that they will be stopped.
        stopped: how many would have been stopped.
    """

    at_ms: int
    decision: GateDecision
    told: int = 0
    stopped: int = 0


@dataclass(frozen=True, slots=True)
class Stop:
    """A workload that would have been stopped.

    Attributes:
        gate: the gate that it is stopped for.
        announced_ms, stopped_ms: when.
        until_ms: when it comes back, or the simulation ends.
        returned: whether it comes back.
        saved_nanos: what it has cost in that time.
    """

    seen: Seen
    gate: Gate
    announced_ms: int
    stopped_ms: int
    until_ms: int
    returned: bool
    saved_nanos: int


@dataclass(frozen=True, slots=True)
class Hold:
    """A time in which nothing was opened or closed, because the figures were of no use."""

    why: Blindness
    since_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class Day:
    """A day, or what stands for one in the picture.

    Attributes:
        period_start_ms: start of its period.
        recorded_nanos, spent_nanos: cost in it as it was recorded, and as it would have been.
        counted_nanos: spend of the period at its end, as it would have been.
        gone_nanos: what would have been spent on top of that in the period.
        gate: open at its end.
        opened: gates that opened in it.
    """

    span: Window
    period_start_ms: int
    limit_nanos: int
    recorded_nanos: int
    spent_nanos: int
    counted_nanos: int
    gone_nanos: int
    gate: Gate | None
    opened: tuple[Gate, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a period came to within the simulation.

    Attributes:
        span: the part of the period that was simulated.
        recorded_nanos, spent_nanos: what was recorded, and what would have been spent.
    """

    term: Term
    span: Window
    recorded_nanos: int
    spent_nanos: int

    @property
    def saved_nanos(self) -> int:
        """What would have been saved."""
        return self.recorded_nanos - self.spent_nanos


@dataclass(frozen=True, slots=True)
class Simulation:
    """A budget against the past.

    Attributes:
        plan: the budget, as it was simulated.
        span: the time that was asked for, as far as the ledger knows it.
        began_ms: when the simulation began: with the period in which the time asked for begins.
        acts: whether workloads would have been stopped; else the gates alone are simulated.
        turns: what moved, the earliest first.
        stops: in their order.
        kept: workloads that would have been stopped if they could be, as they were last seen.
        periods: the last one is cut where the time ends.
        labels: share of the held cost that has a team; None where nothing has a cost.
        foreign: other currencies that a part of the cost is in, which is in no figure.
        unpriced_ms: device time in scope without a price.
        grain_ms: length of a window of the ledger.
    """

    plan: BudgetPlan
    span: Window
    began_ms: int
    acts: bool
    turns: Sequence[Turn]
    stops: Sequence[Stop]
    kept: Sequence[tuple[Seen, Kept]]
    holds: Sequence[Hold]
    days: Sequence[Day]
    periods: Sequence[Outcome]
    labels: Fraction | None
    foreign: tuple[str, ...]
    unpriced_ms: int
    grain_ms: int

    @property
    def recorded_nanos(self) -> int:
        """What was spent."""
        return sum(one.recorded_nanos for one in self.periods)

    @property
    def spent_nanos(self) -> int:
        """What would have been spent."""
        return sum(one.spent_nanos for one in self.periods)

    @property
    def saved_nanos(self) -> int:
        """What would have been saved."""
        return self.recorded_nanos - self.spent_nanos
