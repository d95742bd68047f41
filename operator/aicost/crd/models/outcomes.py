"""What successes and failures cost, as a status shows it."""

from typing import Annotated

from pydantic import Field

from aicost.crd.fields.amounts import Nanos, Readable, Share
from aicost.crd.schema.base import ApiModel
from aicost.crd.schema.markers import ATOMIC_LIST

MOST_REASONS = 8
Whole = Annotated[int, Field(ge=0)]


class FailureCost(ApiModel):
    """Failures for one reason."""

    reason: Annotated[str, Field(max_length=63)]
    """Why they failed; `other` for those beyond the costliest."""
    requests: Whole
    """How many."""
    cost: Readable
    """What they cost."""
    cost_nanos: Nanos | None = None
    """The same, exact."""


class OutcomeCosts(ApiModel):
    """The cost by how requests ended: successes, failures and what nobody judged sum to the whole."""

    by: Annotated[str, Field(max_length=63)]
    """Who says what a success was: engine, gateway, query or outcomes."""
    divided_by: str | None = None
    """What the cost was divided by: tokens or requests. Absent where nothing tells how much was judged."""
    confidence: str | None = None
    """How far that division can be trusted: high or low."""
    coverage: Share | None = None
    """Judged part of what the engine counted."""
    successes: Whole | None = None
    """Requests that were a success."""
    success_cost: Readable | None = None
    """What they cost."""
    success_cost_nanos: Nanos | None = None
    """The same, exact."""
    failures: Annotated[list[FailureCost], Field(max_length=MOST_REASONS + 1), ATOMIC_LIST] | None = None
    """Failures by reason, the costliest first."""
    unjudged_cost: Readable | None = None
    """What requests cost that nobody judged."""
    unjudged_cost_nanos: Nanos | None = None
    """The same, exact."""
    unjudged_requests: Whole | None = None
    """How many these are, where requests are counted."""
