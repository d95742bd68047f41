"""BudgetAction: the record of one step on one workload, with all that it takes to undo it."""

from typing import Annotated

from pydantic import Field

from aicost.crd.fields.amounts import Nanos, Readable
from aicost.crd.fields.conditions import Reported
from aicost.crd.fields.text import Timestamp
from aicost.crd.models.budget.refs import ActingBudgetRef, ObjectRef
from aicost.crd.schema.base import ApiModel
from aicost.crd.schema.markers import ATOMIC_LIST, unit
from aicost.domain.budgets.gates import Gate
from aicost.domain.budgets.plans import RestorePolicy
from aicost.domain.enforcement.values import ActionPhase, LeverName

_Json = Annotated[str, Field(max_length=65536)]
_GpuMilli = Annotated[int, unit("thousandths of a GPU")]
_GpuMillis = Annotated[int, unit("milliseconds of one GPU")]


class FieldChange(ApiModel):
    """One field that was written."""

    path: Annotated[str, Field(max_length=1024)]
    """JSON pointer to it; `[key=value]` names an item of a list."""
    before: _Json | None = None
    """What stood there, as JSON. Absent: nothing did."""
    after: _Json | None = None
    """What was written, as JSON. Absent: it was taken out."""
    made: Annotated[list[Annotated[str, Field(max_length=1024)]], Field(max_length=8), ATOMIC_LIST] | None = None
    """Objects above it that were made for it, the innermost first: they go with it if nothing else came into them."""


class Estimate(ApiModel):
    """What the step saves and what it costs, as it was known when it was planned."""

    gpu_milli: _GpuMilli = 0
    """GPUs that are given back."""
    save_per_hour: Annotated[Readable, Field(max_length=63)] | None = None
    """What it saves per hour."""
    save_per_hour_nanos: Annotated[int, unit("nano-units of the currency per hour")] = 0
    """What it saves per hour, exact."""
    gpu_milliseconds_at_stake: _GpuMillis | None = None
    """Work since the last checkpoint, or since the start where none is known. Absent: nothing is lost."""


class BudgetActionSpec(ApiModel):
    """What is done, to what, for whom and why."""

    budget_ref: ActingBudgetRef
    """The budget that acts."""
    target_ref: ObjectRef
    """The object that is changed."""
    workload_ref: ObjectRef | None = None
    """The workload that it is done for, where that is another object."""
    gate: Gate
    """The gate that asks for it."""
    cause: Annotated[str, Field(max_length=253)] | None = None
    """The rung that asks for it, or redline/NAME."""
    lever: LeverName
    """How it is done."""
    destruction: Annotated[int, Field(ge=0, le=5)]
    """Class of what it does: 0 informs, 1 blocks new work, 2 freezes growth, 3 pauses between steps, 4 stops pods, 5
    deletes objects."""
    reason: Annotated[str, Field(max_length=1024)]
    """Why, in words."""
    action_at: Annotated[Timestamp, Field(max_length=40)] | None = None
    """When it is done, if it is still needed then."""
    restore: RestorePolicy = RestorePolicy.ON_ROLLOVER
    """When it is undone."""
    order: Annotated[int, Field(ge=0)] = 0
    """Place among the steps of the budget: they are undone in the reverse order."""
    estimate: Estimate | None = None
    """What it saves and what it costs."""


class Revert(ApiModel):
    """Somebody else undid the step."""

    at: Timestamp
    """When it was seen."""
    by: Annotated[str, Field(max_length=253)] | None = None
    """Field manager that wrote the field last."""


class BudgetActionStatus(Reported):
    """How far the step has come."""

    phase: ActionPhase | None = None
    """Noticed, Applying, Applied, Reverting, Reverted, Withdrawn, Superseded, Contested or Failed."""
    changes: Annotated[list[FieldChange], Field(max_length=64), ATOMIC_LIST] | None = None
    """Every field that was written."""
    noticed_at: Timestamp | None = None
    """When it was announced."""
    checkpoint_asked_at: Timestamp | None = None
    """When the workload was asked to save its work."""
    checkpoint_saved_at: Timestamp | None = None
    """When it said that it had."""
    applied_at: Timestamp | None = None
    """When it was done."""
    ended_at: Timestamp | None = None
    """When it was undone, withdrawn or given up."""
    reverts: Annotated[list[Revert], Field(max_length=20), ATOMIC_LIST] | None = None
    """Times that somebody else undid it."""
    gpu_milliseconds_lost: _GpuMillis | None = None
    """Work that was lost, counted when it was done."""
    saved_nanos: Nanos | None = None
    """What was not spent since, by the estimate."""
    not_restored: Annotated[list[Annotated[str, Field(max_length=1024)]], Field(max_length=64), ATOMIC_LIST] | None = (
        None
    )
    """What did not come back, and why."""
    message: Annotated[str, Field(max_length=4096)] | None = None
    """What happened and what happens next, in words."""


class BudgetAction(ApiModel):
    """The record of one step on one workload, with what it takes to undo it. Written by the controller alone."""

    spec: BudgetActionSpec
    """What is done, to what, for whom and why."""
    status: BudgetActionStatus | None = None
    """How far it has come."""
