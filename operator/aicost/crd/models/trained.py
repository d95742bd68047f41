"""What runs of training cost, as the status of an AIWorkload shows it."""

from typing import Annotated

from pydantic import Field

from aicost.crd.fields.amounts import Nanos, Readable, Share
from aicost.crd.models.figures import Span
from aicost.crd.schema.base import ApiModel
from aicost.crd.schema.markers import ATOMIC_LIST

MOST_RUNS = 8
Whole = Annotated[int, Field(ge=0)]


class RunParts(ApiModel):
    """What the money of a run was for. The parts sum to its cost; one that is nothing is absent."""

    useful: Nanos | None = None
    """Work that stands."""
    lost_steps: Nanos | None = None
    """Steps that a restart undid."""
    restarts: Nanos | None = None
    """From the last step before a restart to the first after it."""
    failed: Nanos | None = None
    """After the last step of a run that failed; where no steps are counted, by pods that failed."""
    start: Nanos | None = None
    """Before the first step."""
    after: Nanos | None = None
    """After the last step that was seen."""
    untold: Nanos | None = None
    """Nothing tells what was done."""


class TrainingRun(ApiModel):
    """One run of training in one currency."""

    run: Annotated[str, Field(max_length=317)]
    """Kind and name of the object that runs it."""
    state: str
    """running, succeeded, failed, ended or unknown."""
    cost: Readable
    """What its pods cost, failed ones and restarts among them."""
    cost_nanos: Nanos | None = None
    """The same, exact."""
    parts: RunParts | None = None
    """What the money was for, in nano-units."""
    lost: Readable | None = None
    """What restarts and failures cost. Absent where nothing tells."""
    goodput: Share | None = None
    """Part of the cost that went into work that stands."""
    restarts: Whole | None = None
    """How often it began again."""
    steps: str | None = None
    """Steps that stand."""
    per_step: Readable | None = None
    """What one of them costs."""
    per_epoch: Readable | None = None
    """What an epoch costs."""
    per_million_samples: Readable | None = None
    """What a million samples cost."""
    per_million_tokens: Readable | None = None
    """What a million tokens cost."""
    per_point: Readable | None = None
    """What a point of quality costs."""
    progress: Share | None = None
    """How much is done."""
    to_complete: Readable | None = None
    """What the rest will cost if the run goes on as it went."""
    to_complete_nanos: Nanos | None = None
    """The same, to the nearest nano-unit."""
    method: str | None = None
    """Measure that tells when work was done."""
    confidence: str | None = None
    """How far the figures can be trusted: high, medium or low."""


class TrainingCosts(ApiModel):
    """What the runs of training of an AIWorkload cost, in one currency."""

    currency: Annotated[str, Field(max_length=3)]
    """ISO 4217 code."""
    window: Span | None = None
    """From the first to the last closed window of the month."""
    runs: Whole
    """How many runs there are."""
    cost: Readable
    """What all of them cost."""
    cost_nanos: Nanos | None = None
    """The same, exact."""
    lost: Readable | None = None
    """What restarts and failures of those cost of which it is known."""
    lost_nanos: Nanos | None = None
    """The same, exact."""
    rows: Annotated[list[TrainingRun], Field(max_length=MOST_RUNS), ATOMIC_LIST] | None = None
    """The dearest runs."""
