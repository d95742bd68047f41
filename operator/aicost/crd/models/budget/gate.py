"""BudgetGate: what a budget refuses in one namespace, as the API server reads it."""

from typing import Annotated

from pydantic import Field

from aicost.crd.fields.conditions import Reported
from aicost.crd.fields.text import Timestamp
from aicost.crd.models.budget.refs import ActingBudgetRef
from aicost.crd.schema.base import ApiModel
from aicost.crd.schema.markers import ATOMIC_LIST
from aicost.domain.budgets.gates import Gate


class GateSelector(ApiModel):
    """A value that an object must have for the gate to be about it."""

    key: Annotated[str, Field(max_length=317)]
    """Label, looked for on the pods, on the object, and on the namespace, in this order."""
    values: Annotated[list[Annotated[str, Field(max_length=253)]], Field(max_length=100), ATOMIC_LIST]
    """Values that are in scope; an empty one stands for objects without any."""


class Held(ApiModel):
    """A workload that the budget holds below what it was."""

    kind: Annotated[str, Field(max_length=63)]
    """Kind."""
    name: Annotated[str, Field(max_length=253)]
    """Name."""
    up_to: Annotated[int, Field(ge=0)]
    """What it was before: other controllers that set this back are no growth."""


class BudgetGateSpec(ApiModel):
    """Whose gate it is."""

    budget_ref: ActingBudgetRef
    """The budget."""


class BudgetGateStatus(Reported):
    """What is refused."""

    gate: Gate | None = None
    """The gate of the budget."""
    deny_new: bool = False
    """Whether new workloads are refused."""
    freeze_growth: bool = False
    """Whether what is there may not grow."""
    all_workloads: bool = False
    """Whether this is about all workloads, or about those that ask for GPUs."""
    clamp: bool = False
    """Whether other controllers may not set back what the budget holds either."""
    selectors: Annotated[list[GateSelector], Field(max_length=16), ATOMIC_LIST] | None = None
    """What an object must say to be in scope. All objects, where absent."""
    held: Annotated[list[Held], Field(max_length=500), ATOMIC_LIST] | None = None
    """Workloads that the budget holds below what they were."""
    until: Timestamp | None = None
    """Until when new workloads are refused; the controller moves it forward while it lives."""
    as_of: Timestamp | None = None
    """Moment that the decision was taken."""
    message: Annotated[str, Field(max_length=1024)] | None = None
    """What people are told who are refused: who pays, how much, what to do."""


class BudgetGate(ApiModel):
    """Shows the API server what a budget refuses in this namespace. Written by the controller alone."""

    spec: BudgetGateSpec
    """Whose gate it is."""
    status: BudgetGateStatus | None = None
    """What is refused."""
