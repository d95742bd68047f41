"""What a budget tells people: who, what, how much, what comes next and when, how to stop it, and where to read on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from aicost.domain.budgets.plans import BudgetRef


class Urgency(StrEnum):
    """How soon somebody should look."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Topic(StrEnum):
    """What a message is about; the last part of the type of a CloudEvent."""

    THRESHOLD = "budget.threshold.crossed"
    GATE = "budget.gate.changed"
    PLANNED = "budget.action.planned"
    APPLIED = "budget.action.applied"
    REVERTED = "budget.action.reverted"
    CONTESTED = "budget.action.contested"
    HELD = "budget.enforcement.held"
    NUDGE = "budget.nudge"
    ESCALATED = "budget.escalated"
    REQUESTED = "budget.override.requested"
    DECIDED = "budget.override.decided"
    REVIEW_DUE = "budget.review.due"
    REDLINE = "budget.redline.crossed"
    GROWN = "budget.limit.grown"
    PROMOTION = "budget.promotion.ready"


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to tell, once.

    Attributes:
        id: the same for the same thing, whoever sends it and however often: receivers can tell a repetition by it.
        title: the whole of it in one line.
        who: who pays, and who answers for it.
        what: what happened, with figures.
        next: what happens next and when; empty for nothing.
        stop: how to stop it, as a command; empty where there is nothing to stop.
        runbook: page to read on.
        data: the same for programs: texts and integers by name.
    """

    id: str
    topic: Topic
    urgency: Urgency
    budget: BudgetRef
    at_ms: int
    title: str
    who: str
    what: str
    next: str = ""
    stop: str = ""
    runbook: str = ""
    data: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def lines(self) -> tuple[tuple[str, str], ...]:
        """What it says beside the title, line by line, without what is empty."""
        told = (
            ("Who", self.who),
            ("What", self.what),
            ("Next", self.next),
            ("To stop it", self.stop),
            ("Runbook", self.runbook),
        )
        return tuple((label, text) for label, text in told if text)
