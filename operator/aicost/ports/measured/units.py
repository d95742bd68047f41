"""Where counters of units come from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from aicost.domain.budgets.units.counts import UnitCount
from aicost.domain.budgets.units.targets import UnitTarget
from aicost.domain.exact.windows import Window

WorkloadKey = tuple[str, str]
"""Namespace and name."""


@dataclass(frozen=True, slots=True)
class Counter:
    """A counter that people named.

    Attributes:
        metric: its name.
        labels: labels that its series must have, besides those of its namespace.
    """

    metric: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CounterQuery:
    """What to count for one workload.

    Attributes:
        namespace: of the workload: no series of another one is read, whatever the labels say.
        workload: its name.
        units: counts what it does.
        successes: counts those among them that were a success; None where nobody does.
    """

    namespace: str
    workload: str
    units: Counter
    successes: Counter | None = None

    @property
    def key(self) -> WorkloadKey:
        """The workload."""
        return self.namespace, self.workload


@dataclass(frozen=True, slots=True)
class WorkloadUnit:
    """What is counted of a workload, and what one unit may cost."""

    query: CounterQuery
    target: UnitTarget


class UnitCounts(Protocol):
    """Counts of what workloads did."""

    def count(self, counters: Sequence[CounterQuery], span: Window) -> Mapping[WorkloadKey, UnitCount]:
        """Units and successes of each workload in a half-open span.

        Returns:
            One entry for each workload that was asked for. What is wrong with one workload's counters is said in its
            own entry, and takes nothing from the others.

        Raises:
            SourceUnavailable: no answer, or half an answer.
            InvalidAnswer: not what the source should say.
            NotPermitted: it refuses our credentials.
            InvalidRequest: a file of a secret cannot be read.
        """
