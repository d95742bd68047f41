"""Where statements about requests are kept, beside the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from aicost.domain.exact.windows import Window
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.serving.outcomes.posted import Statement


@dataclass(frozen=True, slots=True)
class OutcomeSum:
    """Requests of one subject that ended alike, by the last statement about each.

    Attributes:
        workload, model: one of the two, as it was stated.
        requests: how many.
        counted: those of them whose tokens are known.
        tokens: tokens of these.
        who: for whom they were, where that was asked for; empty where nobody says.
    """

    namespace: str
    workload: str
    model: str
    success: bool
    reason: str
    requests: int
    counted: int
    tokens: int
    who: str = ""


class OutcomeReader(Protocol):
    """What was stated."""

    def sums(
        self, cluster: str, spans: Sequence[Window], *, namespace: str | None = None, who: Dimension | None = None
    ) -> Sequence[OutcomeSum]:
        """Requests that were made in any of the half-open spans, which share no time; of all namespaces or of one.

        Args:
            cluster: key of the cluster in the ledger.
            spans: when they were made.
            namespace: of one namespace; None for all.
            who: keep apart for whom they were, by one of `aicost.domain.serving.outcomes.posted.WHO`.

        Raises:
            LedgerUnavailable: they cannot be read.
        """

    def reasons(self, cluster: str, namespace: str, since_ms: int) -> frozenset[str]:
        """The reasons that statements of a namespace gave, about requests since then.

        Raises:
            LedgerUnavailable: they cannot be read.
        """


class OutcomeWriter(Protocol):
    """Where statements are kept."""

    def post(self, cluster: str, statements: Sequence[Statement], posted_ms: int) -> None:
        """Keep statements, in the order in which they were made: when this returns they survive a loss of power.

        Args:
            cluster: key of the cluster in the ledger.
            statements: the later of two about the same request counts.
            posted_ms: when they came: those that come later count.

        Raises:
            LedgerUnavailable: none of them was kept.
        """
