"""Whose word it is which answers of some workloads were a success."""

from dataclasses import dataclass

from aicost.domain.serving.outcomes.costs import OutcomeCosts
from aicost.domain.serving.outcomes.judged import JudgedBy
from aicost.domain.serving.outcomes.rules import SuccessRule


@dataclass(frozen=True, slots=True)
class Word:
    """The word that was taken, where an AIWorkload says whose, or whoever asks does.

    Attributes:
        outcomes: what it says; None where it says nothing of them.
        mixed: their AIWorkloads name different sources, so that the engine judges all of them.
    """

    rule: SuccessRule
    outcomes: OutcomeCosts | None = None
    mixed: bool = False

    @property
    def source(self) -> JudgedBy:
        """Whose word it is."""
        return self.rule.source
