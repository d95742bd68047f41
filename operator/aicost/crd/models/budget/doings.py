"""What a budget does, would do, and has said."""

from typing import Annotated

from pydantic import Field

from aicost.crd.fields.amounts import Readable
from aicost.crd.fields.text import Timestamp
from aicost.crd.schema.base import ApiModel
from aicost.crd.schema.markers import ATOMIC_LIST, SET_LIST, unit
from aicost.domain.budgets.gates import Gate
from aicost.domain.budgets.plans import NudgeOn

_Text = Annotated[str, Field(max_length=1024)]
_GpuMilli = Annotated[int, unit("thousandths of a GPU")]


class Victim(ApiModel):
    """A workload that would be stopped."""

    ref: Annotated[str, Field(max_length=512)]
    """Kind, namespace and name."""
    gpu_milli: _GpuMilli
    """GPUs that it holds."""
    save_per_hour: Readable | None = None
    """What it costs per hour."""
    gpu_hours_at_stake: Annotated[str, unit("GPU-hours, rounded for people")] | None = None
    """Work since its last checkpoint, or since its start where none is known."""
    why: _Text | None = None
    """Why it is among the first."""


class PendingGate(ApiModel):
    """A gate that is announced and not open yet."""

    gate: Gate
    """The gate."""
    rung: Annotated[str, Field(max_length=63)] | None = None
    """The rung that asks for it."""
    announced_at: Timestamp
    """When it was announced."""
    at: Timestamp
    """When it opens, if it is still needed then."""


class RedlineStatus(ApiModel):
    """How a redline stands for one workload."""

    name: Annotated[str, Field(max_length=63)]
    """Name of the redline."""
    workload: Annotated[str, Field(max_length=512)]
    """The workload, as kind, namespace and name; empty for the whole scope."""
    agreed: int
    """Evaluations in a row that found it crossed."""
    value: Annotated[str, Field(max_length=63)] | None = None
    """The figure."""
    crossed_at: Timestamp | None = None
    """Since when it is crossed."""
    due_at: Timestamp | None = None
    """When the workload is stopped, if it is still crossed then."""


class NudgeStatus(ApiModel):
    """Something that left its own normal."""

    name: Annotated[str, Field(max_length=63)]
    """Name of the nudge."""
    watch: NudgeOn
    """What is watched."""
    subject: Annotated[str, Field(max_length=253)] | None = None
    """What it is about: a GPU model. Absent for the whole scope."""
    since: Timestamp
    """Since when."""
    told_at: Timestamp | None = None
    """When people were told of it."""
    calm_since: Timestamp | None = None
    """Since when it is within its normal again, without a break."""
    until: Timestamp | None = None
    """When it was back to normal; absent while it is not."""
    message: _Text
    """What was found, against what is normal."""


class Told(ApiModel):
    """A message that was sent, or is on its way."""

    id: Annotated[str, Field(max_length=128)]
    """What it says, once in a period."""
    at: Timestamp
    """When it came up."""
    summary: _Text
    """What it says."""
    sent: Annotated[list[Annotated[str, Field(max_length=63)]], Field(max_length=16), SET_LIST] | None = None
    """Routes that took it."""
    acknowledged_by: Annotated[str, Field(max_length=253)] | None = None
    """Who acknowledged it: see the annotation aicost.dev/acknowledged."""
    escalated_at: Timestamp | None = None
    """When it went to FinOps because nobody acknowledged it."""


class Contested(ApiModel):
    """A step that somebody else keeps undoing."""

    ref: Annotated[str, Field(max_length=512)]
    """Kind, namespace and name."""
    by: Annotated[str, Field(max_length=253)] | None = None
    """Who undoes it: a field manager."""
    hint: Annotated[str, Field(max_length=2048)] | None = None
    """What lets the two live together."""


class Enforced(ApiModel):
    """What is done now."""

    active: int = 0
    """Steps that are in force."""
    noticed: int = 0
    """Steps that are announced."""
    restore_pending: int = 0
    """Steps that are to be undone and are not yet."""
    gpu_milli_stopped: _GpuMilli = 0
    """GPUs that were given back."""
    saved_per_hour: Readable | None = None
    """What that saves per hour."""
    gpu_hours_lost: Annotated[str, unit("GPU-hours, rounded for people")] | None = None
    """Work that was lost by steps of this budget, as far as their records go back."""
    contested: Annotated[list[Contested], Field(max_length=10), ATOMIC_LIST] | None = None
    """Steps that somebody else keeps undoing: the controller has given way."""
    left_out: Annotated[list[_Text], Field(max_length=10), ATOMIC_LIST] | None = None
    """Workloads that are left alone, and why."""


class Simulated(ApiModel):
    """Whom a budget would stop."""

    victims: Annotated[list[Victim], Field(max_length=10), ATOMIC_LIST] | None = None
    """The first of them, in their order."""
    workloads: int = 0
    """How many in all."""
    gpu_milli: _GpuMilli = 0
    """GPUs that they hold."""
    saves_per_hour: Readable | None = None
    """What they cost per hour."""
    spared: int = 0
    """Workloads that would be left alone: production, exempt, too young, or of a kind that cannot be stopped."""
