"""All that a budget remembers between two evaluations, and across restarts: its status carries it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from aicost.domain.budgets.deciding.state import GateState
from aicost.domain.budgets.nudges.state import NudgeState
from aicost.domain.budgets.periods import Period
from aicost.domain.budgets.redlines import RedlineState


@dataclass(frozen=True, slots=True)
class PastPeriod:
    """A period that is over.

    Attributes:
        unit_ppm: unit cost over its target with its margin; None where no unit was counted.
        success_ppm: successes over units; None where they were not counted.
    """

    period: Period
    limit_nanos: int
    spent_nanos: int
    unit_ppm: int | None = None
    success_ppm: int | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """A message that is on its way, or was sent.

    Attributes:
        id: what it says, once in a period.
        sent: routes that took it.
        acknowledged_by: who has seen it; empty for nobody.
        escalated_ms: when it went to more people.
    """

    id: str
    at_ms: int
    summary: str
    sent: tuple[str, ...] = ()
    acknowledged_by: str = ""
    escalated_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Grown:
    """How a limit has grown.

    Attributes:
        limit_nanos: what it has grown to; None where it has not.
    """

    held_periods: int = 0
    limit_nanos: int | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Memory:
    """What a budget remembers.

    Attributes:
        period, limit_nanos: of the last evaluation; None and 0 before the first.
        history: the last periods that are over, the latest first.
        prices: kind of device -> nano-units per GPU-hour that it is known by.
        accepted_ms: the last word of a person that prices are right.
        nudged_hour: the hour since 1970 in which nudges looked last; a new controller looks at once.
        held: what holds the gate where it is, and since when; a new controller counts anew.
    """

    gate: GateState = field(default_factory=GateState)
    period: Period | None = None
    limit_nanos: int = 0
    unit_ppm: int | None = None
    success_ppm: int | None = None
    history: tuple[PastPeriod, ...] = ()
    said: tuple[Said, ...] = ()
    nudges: tuple[NudgeState, ...] = ()
    redlines: tuple[RedlineState, ...] = ()
    prices: Mapping[str, int] = field(default_factory=dict)
    accepted_ms: int = 0
    grown: Grown = Grown()
    nudged_hour: int = -1
    held: tuple[str, int] = ("", 0)

    def has_said(self, what: str) -> bool:
        """Whether something was said already."""
        return any(one.id == what for one in self.said)

    def with_said(self, *new: Said) -> "Memory":
        """With more that was said; of what is there already nothing is said again."""
        fresh = [one for one in new if not self.has_said(one.id)]
        return replace(self, said=(*self.said, *fresh))
