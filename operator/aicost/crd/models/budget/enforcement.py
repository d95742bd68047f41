"""How far a budget may go and how carefully."""

from typing import Annotated

from pydantic import Field

from aicost.crd.fields.amounts import Fraction
from aicost.crd.fields.text import Duration, LongText, ShortText
from aicost.crd.schema.base import ApiModel
from aicost.crd.schema.markers import ATOMIC_LIST, unit
from aicost.domain.budgets.plans import Gated, OnRevert, RestorePolicy, VictimOrder


class Victims(ApiModel):
    """Which workloads are stopped, and how many at once."""

    order: Annotated[list[VictimOrder], Field(min_length=1, max_length=6), ATOMIC_LIST] = Field(
        default=list(VictimOrder)
    )
    """What decides, the most important first."""
    allow_production: bool = False
    """Whether workloads of stage production may be stopped, once a BudgetOverride with purpose StopProduction was
    approved. Without one, or without this, none is."""
    min_runtime: Duration = "15m"
    """Workloads that run for less than this are left alone."""
    max_per_cycle: Annotated[int, Field(ge=1, le=100)] = 5
    """Workloads that are stopped in one cycle at most."""
    max_gpu_share_percent: Annotated[int, Field(ge=1, le=100), unit("percent of the GPUs in scope")] = 25
    """GPUs that are taken back in one cycle at most."""


class Checkpoint(ApiModel):
    """Whether a workload is asked to save its work first."""

    request: bool = True
    """Whether to ask."""
    timeout: Duration = "10m"
    """How long to wait for it."""


class Restore(ApiModel):
    """How what was stopped comes back."""

    policy: RestorePolicy = RestorePolicy.ON_ROLLOVER
    """With the next period or when more is approved (OnRollover), only when more is approved (OnApproval), or by hand
    (Manual)."""
    max_gpus_per_minute: Annotated[int, Field(ge=1, le=10000)] = 16
    """GPUs that are given back in one minute at most."""


class DataQuality(ApiModel):
    """What the data must be like before anything is done; else nothing is opened and nothing is closed."""

    max_staleness: Duration = "15m"
    """Oldest data that is acted on."""
    min_coverage: Fraction = "0.90"
    """Least telemetry coverage and price coverage that are acted on, as a decimal string from 0 to 1."""
    price_jump_factor: Annotated[int, Field(ge=2, le=1000)] = 3
    """A unit price that rises by more than this factor is set aside until a person has looked."""


class GitOps(ApiModel):
    """What to do when another controller undoes a step."""

    on_revert: OnRevert = OnRevert.YIELD
    """Give way and say who it was (Yield), or hold the value at admission while the gate is open (Clamp)."""
    max_reverts: Annotated[int, Field(ge=1, le=20)] = 3
    """Reverts within the window after which the controller gives way."""
    window: Duration = "15m"
    """Span in which reverts are counted."""


class CoverageOverride(ApiModel):
    """A statement that a budget may go beyond FreezeGrowth with less label coverage than 0.90."""

    min_coverage: Fraction
    """Least label coverage that is enough, as a decimal string from 0 to 1."""
    reason: Annotated[LongText, Field(min_length=10)]
    """Why that is enough here, for those who read it later."""
    approved_by: ShortText
    """Who decided it."""


class Enforcement(ApiModel):
    """How carefully a budget acts."""

    notice: Duration = "30m"
    """Time between the announcement of a step that stops pods and the step."""
    cooldown: Duration = "15m"
    """Time between two steps that stop pods."""
    min_hold: Duration = "30m"
    """Time that a gate stays open at least."""
    victims: Victims | None = None
    """Which workloads are stopped, and how many at once."""
    checkpoint: Checkpoint | None = None
    """Whether a workload is asked to save its work first."""
    restore: Restore | None = None
    """How what was stopped comes back."""
    data_quality: DataQuality | None = None
    """What the data must be like before anything is done."""
    git_ops: GitOps | None = None
    """What to do when another controller undoes a step."""
    forecast_may_freeze_growth: bool = False
    """Whether a forecast may open FreezeGrowth; it never opens anything harder."""
    clamp_resource_quota: bool = False
    """Whether DenyNew also holds the namespace at the GPUs that are in use, by a ResourceQuota of our own. Only for a
    budget of the whole namespace."""
    gated: Gated = Gated.GPU_WORKLOADS
    """Which new objects DenyNew refuses: those that ask for GPUs (GpuWorkloads), or all that run pods
    (AllWorkloads)."""
    escalate_after: Duration = "4h"
    """After this a message that nobody acknowledged goes to FinOps too, once."""
    coverage_override: CoverageOverride | None = None
    """Lets the budget go beyond FreezeGrowth with less label coverage than 0.90."""
