"""What is asked of runs of training, and what is answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from aicost.domain.exact.windows import Window
from aicost.domain.training.run_costs import RunCosts
from aicost.ports.measured.training import Reported, TrainingPlan


class RunKey(StrEnum):
    """What counts as one run."""

    RUN = "run"
    """The object that runs it: a Job, a PyTorchJob, a TrainJob ..."""
    EXPERIMENT = "experiment"
    """All that names the same experiment or run id, however often it was submitted."""
    WORKLOAD = "workload"
    """All that one AIWorkload claims."""


@dataclass(frozen=True, slots=True)
class TrainingQuestion:
    """What is asked of a span.

    Attributes:
        by: what counts as one run.
        filters: of the ledger: what counts.
        plans: what AIWorkloads say of their runs.
        usual: what holds where an AIWorkload says nothing of a measure; it is of no namespace.
        reported: what TrainJobs said of themselves.
    """

    by: RunKey = RunKey.RUN
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    plans: Sequence[TrainingPlan] = ()
    usual: TrainingPlan | None = None
    reported: Sequence[Reported] = ()


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run, in one currency.

    Attributes:
        run: `Kind/name`, or the experiment or AIWorkload that was asked for.
        experiment, workload: the experiment or run id that it carries, and the AIWorkload that claims its pods.
        pods: pods that cost something, each life of a name by itself.
        window: from the first to the last hour in which it cost something.
        unpriced_ms: device time without a price, which is in no amount.
        quality: what its quality is called.
        gaps: what one should know to see more, in words.
    """

    namespace: str
    run: str
    experiment: str
    workload: str
    pods: int
    window: Window
    costs: RunCosts
    unpriced_ms: int = 0
    quality: str = ""
    gaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """Runs of a span.

    Attributes:
        span: what was asked.
        rests_on: from the first to the last whole window of the ledger in it; None where there is none.
        lines: the dearest first.
        others: runs of kinds that need not train and that nobody says train: `namespace/Kind/name`, the dearest first.
        covered_ms: length of the windows that count.
        notes: what could not be read, in words.
    """

    span: Window
    rests_on: Window | None
    lines: tuple[RunLine, ...] = ()
    others: tuple[str, ...] = ()
    covered_ms: int = 0
    notes: tuple[str, ...] = ()
