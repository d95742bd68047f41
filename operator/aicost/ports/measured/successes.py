"""Where queries of people about successes are asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from aicost.domain.exact.windows import Window
from aicost.domain.serving.outcomes.judged import Verdict
from aicost.ports.measured.units import WorkloadKey


@dataclass(frozen=True, slots=True)
class SuccessQuery:
    """What to ask for one workload.

    Attributes:
        namespace: of the workload: no series of another one is read, whatever the queries say.
        workload: its name.
        successes: PromQL for how many there were in a window.
        failures: PromQL for how many there were, by the label `reason`; empty where nobody counts them.
    """

    namespace: str
    workload: str
    successes: str
    failures: str = ""

    @property
    def key(self) -> WorkloadKey:
        """The workload."""
        return self.namespace, self.workload


class SuccessCounts(Protocol):
    """Successes and failures by queries of AIWorkloads."""

    def judged(self, queries: Sequence[SuccessQuery], span: Window) -> Mapping[WorkloadKey, Sequence[Verdict]]:
        """What each workload's queries say of a half-open span.

        Returns:
            One entry for each workload whose queries say something. What is wrong with one takes nothing from others,
            nor does a query that takes too long.

        Raises:
            NotPermitted: as of `UnitCounts`.
        """
