"""What a budget asks for, checked and with its defaults filled in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from aicost.domain.budgets.gates import Basis, Gate, Mode
from aicost.domain.budgets.periods import PeriodRule
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, MINUTE_MS
from aicost.domain.identity.claims import LabelSelector
from aicost.domain.identity.stages import Stage

PPM = 1_000_000


class CarryMode(StrEnum):
    """What of a period is carried into the next."""

    NONE = "None"
    UNUSED = "Unused"
    OVERAGE = "Overage"
    BOTH = "Both"


@dataclass(frozen=True, slots=True)
class Carry:
    """What is carried into the next period.

    Attributes:
        most_nanos: the most that is added to the next limit; None: any amount.
        least_nanos: the least that the next limit keeps.
    """

    mode: CarryMode = CarryMode.NONE
    most_nanos: int | None = None
    least_nanos: int = 0


@dataclass(frozen=True, slots=True)
class Rung:
    """A threshold that opens a gate.

    Attributes:
        at: where it opens: parts per million of the limit or target, a burn rate in parts per million, or nano-units
            per hour, as its basis says.
        exit: below this it closes again, in the same unit.
        evaluations: how many evaluations in a row must agree.
    """

    name: str
    gate: Gate
    basis: Basis
    at: int
    exit: int
    evaluations: int = 3


class VictimOrder(StrEnum):
    """What decides which workload is stopped first."""

    REDLINE = "Redline"
    STAGE = "Stage"
    IDLE = "Idle"
    PRIORITY = "Priority"
    LOSS_AT_STAKE = "LossAtStake"
    YOUNGEST = "Youngest"


@dataclass(frozen=True, slots=True)
class VictimRules:
    """Which workloads are stopped, and how many at once."""

    order: tuple[VictimOrder, ...] = tuple(VictimOrder)
    allow_production: bool = False
    min_runtime_ms: int = 15 * MINUTE_MS
    max_per_cycle: int = 5
    max_gpu_share: Fraction = Fraction(25, 100)


class RestorePolicy(StrEnum):
    """When what was stopped comes back."""

    ON_ROLLOVER = "OnRollover"
    ON_APPROVAL = "OnApproval"
    MANUAL = "Manual"


class OnRevert(StrEnum):
    """What to do when somebody else undoes a step."""

    YIELD = "Yield"
    CLAMP = "Clamp"


class Gated(StrEnum):
    """Which new objects a closed gate refuses."""

    GPU_WORKLOADS = "GpuWorkloads"
    ALL_WORKLOADS = "AllWorkloads"


@dataclass(frozen=True, slots=True)
class Safety:
    """How carefully a budget acts.

    Attributes:
        notice_ms: between the announcement of a step that stops pods and the step.
        cooldown_ms: between two steps that stop pods.
        min_hold_ms: time that a gate stays open at least.
        escalate_ms: after this a message that nobody acknowledged goes to more people, once.
        enough_labels: least label coverage with which a gate above FreezeGrowth may open.
        enough_data: least telemetry and price coverage that are acted on.
        price_jump_factor: a unit price that rises by more is set aside until a person has looked.
    """

    notice_ms: int = 30 * MINUTE_MS
    cooldown_ms: int = 15 * MINUTE_MS
    min_hold_ms: int = 30 * MINUTE_MS
    escalate_ms: int = 4 * HOUR_MS
    victims: VictimRules = VictimRules()
    checkpoint: bool = True
    checkpoint_timeout_ms: int = 10 * MINUTE_MS
    restore: RestorePolicy = RestorePolicy.ON_ROLLOVER
    restore_gpus_per_minute: int = 16
    max_staleness_ms: int = 15 * MINUTE_MS
    enough_data: Fraction = Fraction(90, 100)
    price_jump_factor: int = 3
    on_revert: OnRevert = OnRevert.YIELD
    max_reverts: int = 3
    revert_window_ms: int = 15 * MINUTE_MS
    forecast_may_freeze: bool = False
    clamp_quota: bool = False
    gated: Gated = Gated.GPU_WORKLOADS
    enough_labels: Fraction = Fraction(90, 100)


class RedlineMetric(StrEnum):
    """What a redline looks at."""

    TOTAL_COST = "TotalCost"
    COST_PER_UNIT = "CostPerUnit"
    COST_PER_SUCCESS = "CostPerSuccess"
    SUCCESS_RATE = "SuccessRate"


@dataclass(frozen=True, slots=True)
class Redline:
    """A limit of its own, beside the ladder, that fails an experiment fast.

    Attributes:
        above, below: the side on which the line is crossed, exactly one of them: nano-units, or for SuccessRate parts
            per billion.
        stages: stages that it may stop.
    """

    name: str
    metric: RedlineMetric
    above: int | None = None
    below: int | None = None
    window_ms: int = HOUR_MS
    min_samples: int = 50
    evaluations: int = 3
    notice_ms: int = 5 * MINUTE_MS
    stages: tuple[Stage, ...] = (Stage.SANDBOX, Stage.EXPERIMENT)


class NudgeOn(StrEnum):
    """What a nudge watches."""

    RATE = "Rate"
    UNIT_COST = "UnitCost"
    GPU_MODEL = "GpuModel"
    IDLE_SHARE = "IdleShare"


@dataclass(frozen=True, slots=True)
class Nudge:
    """A hint long before anything is stopped: something left its own normal.

    Attributes:
        relative: least change against the normal, as a share of it.
        floor_nanos: least change in nano-units per day; for UnitCost, of what the change costs in a day.
    """

    name: str
    on: NudgeOn
    relative: Fraction = Fraction(30, 100)
    floor_nanos: int = 25_000_000_000


@dataclass(frozen=True, slots=True)
class MinorRule:
    """What counts as a minor overrun.

    Attributes:
        self_approval: whether people may approve their own request; None: outside production.
    """

    percent: int = 10
    max_nanos: int | None = None
    cumulative_percent: int = 15
    self_approval: bool | None = None


@dataclass(frozen=True, slots=True)
class ApprovalRules:
    """Who may allow more."""

    minor: MinorRule = MinorRule()
    max_duration_ms: int | None = None
    break_glass_ms: int = DAY_MS


@dataclass(frozen=True, slots=True)
class Growth:
    """A limit that grows with success."""

    increase_percent: int
    most_nanos: int
    held_periods: int = 2
    least_success: Fraction = Fraction(95, 100)


@dataclass(frozen=True, slots=True)
class Promotion:
    """When work is ready for the next stage; a person promotes it."""

    held_periods: int = 2
    least_success: Fraction = Fraction(95, 100)


@dataclass(frozen=True, slots=True)
class Owner:
    """Somebody who answers for the budget."""

    name: str
    contact: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True)
class BudgetRef:
    """Which budget. One without a namespace is a ClusterBudget."""

    name: str
    namespace: str = ""
    uid: str = ""

    @property
    def kind(self) -> str:
        """Its kind."""
        return "Budget" if self.namespace else "ClusterBudget"

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class BudgetPlan:
    """What a budget asks for.

    Attributes:
        limits: (from, nano-units), oldest first: the last one that has begun is the limit.
        filters: report filters that select the cost in scope.
        namespaces: selects namespaces by label, None for no such choice.
        components: components of the cost that count, empty for all.
        created_ms: when the budget was made: a first period may get only its part of the limit.
        max_gate: the hardest gate that it may open.
    """

    ref: BudgetRef
    currency: str
    limits: tuple[tuple[int, int], ...]
    rule: PeriodRule
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    namespaces: LabelSelector | None = None
    components: tuple[str, ...] = ()
    created_ms: int = 0
    prorate_first: bool = False
    carry: Carry = Carry()
    parent: str = ""
    stage: Stage | None = None
    ladder: tuple[Rung, ...] = ()
    mode: Mode = Mode.OBSERVE
    max_gate: Gate = Gate.FREEZE_GROWTH
    safety: Safety = Safety()
    redlines: tuple[Redline, ...] = ()
    nudges: tuple[Nudge, ...] = ()
    approvals: ApprovalRules = ApprovalRules()
    growth: Growth | None = None
    promotion: Promotion | None = None
    owners: tuple[Owner, ...] = ()
    routes: tuple[str, ...] = ()
    runbook: str = ""
    paused: bool = False

    def limit_nanos(self, start_ms: int) -> int:
        """The limit of a period that starts then, before anything is carried or approved."""
        return next(nanos for begin_ms, nanos in reversed(self.limits) if begin_ms <= start_ms)

    @property
    def is_production(self) -> bool:
        """Whether the budget is for production: by its stage, or by the stages in its scope."""
        return self.stage is Stage.PRODUCTION or Stage.PRODUCTION in self.filters.get("stage", ())
