"""What runs of training show of their progress."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Protocol

from aicost.domain.exact.windows import Window
from aicost.domain.sampling.series import RawSeries
from aicost.domain.training.run_costs import NO_AIMS, Aims
from aicost.domain.training.terms import Measure, Shape
from aicost.ports.measured.units import Counter, WorkloadKey


@dataclass(frozen=True, slots=True)
class Meter:
    """A metric that people named for a measure of a run.

    Attributes:
        shape: how it counts.
    """

    measure: Measure
    counter: Counter
    shape: Shape


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """What an AIWorkload says of the runs of its pods.

    Attributes:
        namespace: of the workload: no series of another one is read.
        workload: its name; both are empty for what holds everywhere.
        aims: what its measures show when all is done, and what a point of quality is.
    """

    namespace: str
    workload: str
    meters: tuple[Meter, ...] = ()
    aims: Aims = NO_AIMS

    @property
    def key(self) -> WorkloadKey:
        """The workload."""
        return self.namespace, self.workload


@dataclass(frozen=True, slots=True)
class Reported:
    """What a TrainJob said of itself at one moment.

    Attributes:
        name: of the TrainJob.
        at_ms: when it was so.
        progress: how much was done, from 0 to 1.
        remaining_s: seconds that it will still take.
        metrics: what else it said, by its own names.
    """

    namespace: str
    name: str
    at_ms: int
    progress: Fraction | None = None
    remaining_s: int | None = None
    metrics: Mapping[str, Fraction] = field(default_factory=dict)


class TrainingSource(Protocol):
    """Raw series of metrics that people named."""

    def series(self, namespace: str, counter: Counter, span: Window) -> Sequence[RawSeries]:
        """All samples in a half-open span of the series that were scraped in a namespace and speak of it.

        Labels are as the source shows them. Series that are too many to be read are none.

        Raises:
            SourceUnavailable, InvalidAnswer, NotPermitted: see the port `TelemetrySource`.
        """
