"""Steps on workloads as values: what is written, what stood there before, and how far a step has come."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any

from aicost.domain.budgets.gates import Destruction, Gate
from aicost.domain.budgets.plans import BudgetRef, RestorePolicy

Json = Mapping[str, Any]
"""An object as the API server shows it."""


class LeverName(StrEnum):
    """How a step is done."""

    ANNOTATE = "Annotate"
    LOWER_PRIORITY = "LowerPriority"
    LOWER_WEIGHT = "LowerWeight"
    CAP_AUTOSCALER = "CapAutoscaler"
    PAUSE_SCALE_OUT = "PauseScaleOut"
    CAP_WORKERS = "CapWorkers"
    CAP_SERVING = "CapServing"
    SUSPEND_SCHEDULE = "SuspendSchedule"
    CLAMP_QUOTA = "ClampQuota"
    SUSPEND_WORKFLOW = "SuspendWorkflow"
    SUSPEND_JOB = "SuspendJob"
    SUSPEND_TRAINING = "SuspendTraining"
    DEACTIVATE = "Deactivate"
    PAUSE_AUTOSCALER = "PauseAutoscaler"
    LOWER_AUTOSCALER = "LowerAutoscaler"
    SCALE = "Scale"
    STOP_SERVING = "StopServing"
    SUSPEND_RAY = "SuspendRay"


class ActionPhase(StrEnum):
    """How far a step has come."""

    NOTICED = "Noticed"
    APPLYING = "Applying"
    APPLIED = "Applied"
    REVERTING = "Reverting"
    REVERTED = "Reverted"
    WITHDRAWN = "Withdrawn"
    SUPERSEDED = "Superseded"
    CONTESTED = "Contested"
    FAILED = "Failed"


ENDED = frozenset({ActionPhase.REVERTED, ActionPhase.WITHDRAWN, ActionPhase.SUPERSEDED, ActionPhase.FAILED})
"""Phases that nothing follows."""
IN_FORCE = frozenset({ActionPhase.APPLYING, ActionPhase.APPLIED, ActionPhase.REVERTING})
"""Phases in which something of ours may stand on the object."""


class Absent(Enum):
    """A field that is not there, which is not null."""

    ABSENT = "absent"

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = Absent.ABSENT


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """An object of any kind."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str

    @property
    def group(self) -> str:
        """Its API group, empty for the core one."""
        return self.api_version.rpartition("/")[0]

    @property
    def place(self) -> tuple[str, str, str, str]:
        """Group, kind, namespace and name: what it is called whatever version and life it is of."""
        return self.group, self.kind, self.namespace, self.name

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Change:
    """One field that a step writes.

    Attributes:
        pointer: JSON pointer, `[key=value]` for the item of a list that has this value.
        before, after: what stood there and what is written; `ABSENT` for nothing.
        made: pointers to objects above it that were made for it, the innermost first.
    """

    pointer: str
    before: Any
    after: Any
    made: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a step saves and what it costs.

    Attributes:
        stake_ms: work, in milliseconds of one GPU, since the last checkpoint or the start; None where nothing is lost.
    """

    gpu_milli: int = 0
    save_nanos: int = 0
    stake_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Revert:
    """Somebody else undid a step."""

    at_ms: int
    by: str = ""


REDLINE = "redline/"
"""Begins the cause of a step that a redline asks for."""


@dataclass(frozen=True, slots=True)
class Action:
    """A step on one object, from its announcement to its end.

    Attributes:
        namespace, name: of its record, which lies beside its target.
        workload: what it is done for; the target itself unless it is, say, the autoscaler of it.
        cause: the rung that asks for it, or `redline/NAME`.
        action_at_ms: when it is done, if it is still needed then.
        order: place among the steps of one workload: done in this order, undone in the reverse.
        changes: every field that was written.
        saved_ms: when the workload said that its work is saved.
    """

    name: str
    budget: BudgetRef
    target: ObjectRef
    workload: ObjectRef
    gate: Gate
    lever: LeverName
    destruction: Destruction
    reason: str
    action_at_ms: int
    restore: RestorePolicy = RestorePolicy.ON_ROLLOVER
    order: int = 0
    estimate: Estimate = Estimate()
    currency: str = ""
    cause: str = ""
    phase: ActionPhase = ActionPhase.NOTICED
    changes: tuple[Change, ...] = ()
    noticed_ms: int = 0
    asked_ms: int | None = None
    saved_ms: int | None = None
    applied_ms: int | None = None
    ended_ms: int | None = None
    reverts: tuple[Revert, ...] = ()
    lost_ms: int | None = None
    not_restored: tuple[str, ...] = ()
    message: str = ""

    @property
    def namespace(self) -> str:
        """Namespace of the record and of its target."""
        return self.target.namespace

    @property
    def redline(self) -> str:
        """The redline that asks for it, empty for a rung."""
        return self.cause.removeprefix(REDLINE) if self.cause.startswith(REDLINE) else ""

    @property
    def stops(self) -> bool:
        """Whether it ends what runs."""
        return self.destruction >= Destruction.PAUSE

    @property
    def is_over(self) -> bool:
        """Whether nothing follows any more."""
        return self.phase in ENDED
