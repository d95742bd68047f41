"""Unit costs as statuses show them: texts for people, and beside them integers for programs."""

from typing import Annotated

from pydantic import Field

from aicost.crd.fields.amounts import Nanos, Readable, Share
from aicost.crd.models.figures import Span
from aicost.crd.models.outcomes import OutcomeCosts
from aicost.crd.models.serving.load import MOST_BANDS, Amplification, PromptBand, ServedLoad
from aicost.crd.schema.base import ApiModel
from aicost.crd.schema.markers import ATOMIC_LIST, SET_LIST

MOST_MODELS = 8
Whole = Annotated[int, Field(ge=0)]


class UnitPrice(ApiModel):
    """What one unit costs, or a million of them."""

    amount: Readable
    """Amount for people."""
    nanos: Nanos | None = None
    """Amount, to the nearest nano-unit of the currency. Absent beyond 64 bits."""


class TokenPrices(ApiModel):
    """What a million tokens of each kind cost. A kind of which there was none is absent."""

    input: UnitPrice | None = None
    """A million tokens of prompts that were computed."""
    cached: UnitPrice | None = None
    """A million tokens of prompts that a cache held."""
    output: UnitPrice | None = None
    """A million tokens of answers."""


class UnitCounts(ApiModel):
    """What was done. What nobody counts is absent, and not zero."""

    input_tokens: Whole | None = None
    """Tokens of prompts that were computed."""
    cached_tokens: Whole | None = None
    """Tokens of prompts that a cache held."""
    output_tokens: Whole | None = None
    """Tokens of answers, those that nobody waited for among them."""
    requests: Whole | None = None
    """Requests that ended, however they did."""
    successes: Whole | None = None
    """Requests that came to their own end."""


class ModelUnits(ApiModel):
    """One model of several."""

    model: Annotated[str, Field(max_length=253)]
    """Model as its engine calls it; empty for what belongs to no model, `other` for those beyond the most costly."""
    cost: Readable
    """What of the cost belongs to it."""
    cost_nanos: Nanos | None = None
    """The same, exact: the models sum to the whole."""
    full: TokenPrices | None = None
    """What a million of its tokens cost, with all that idles beside them."""
    per_request: UnitPrice | None = None
    """What one of its requests costs."""


class OwnUnit(ApiModel):
    """The unit of spec.unitMetric."""

    name: Annotated[str, Field(max_length=63)]
    """What one unit is called."""
    per: Whole
    """How many units the prices are for."""
    units: Whole | None = None
    """Units that were counted."""
    successes: Whole | None = None
    """Those of them that were a success, where they are counted."""
    cost: UnitPrice | None = None
    """What `per` units cost."""
    cost_per_success: UnitPrice | None = None
    """What `per` successes cost."""
    target: UnitPrice | None = None
    """What `per` units may cost."""
    against_target: Share | None = None
    """Cost over target, in percent."""
    counted_by: str | None = None
    """What the units were counted by: the counter of spec.unitMetric.units, or the engine."""


class UnitCosts(ApiModel):
    """What a token, a request and a success cost, in one currency."""

    currency: Annotated[str, Field(max_length=3)]
    """ISO 4217 code."""
    window: Span | None = None
    """From the first to the last closed window that was counted: both cost and counts are of these windows alone."""
    cost: Readable
    """What the pods cost in these windows, used and idle."""
    cost_nanos: Nanos | None = None
    """The same, exact."""
    engines: Annotated[list[str], Field(max_length=16), SET_LIST] | None = None
    """Engines whose counters were read."""
    discovered: bool | None = None
    """True where no AIWorkload speaks of these engines."""
    full: TokenPrices | None = None
    """What a million tokens cost with all that idles beside them: hold this against a price list."""
    active: TokenPrices | None = None
    """What a million tokens would cost if nothing idled. Absent where too little of the GPU time was measured."""
    useful_output: UnitPrice | None = None
    """What answers cost, for a million tokens of successful ones."""
    per_request: UnitPrice | None = None
    """What one request costs."""
    per_success: UnitPrice | None = None
    """What one success costs."""
    per_vector: UnitPrice | None = None
    """What one embedding costs."""
    waste: Share | None = None
    """Part of the generated tokens that was of no use: callers left, answers were cut or failed."""
    idle_share: Share | None = None
    """Part of the cost that idled."""
    tokens_per_request: str | None = None
    """Tokens of all kinds for one request."""
    token_coverage: Share | None = None
    """Tokens that a gateway counts over those that the engines count. Absent where no gateway counts these models."""
    gateway: str | None = None
    """Gateway that the coverage is about."""
    counts: UnitCounts | None = None
    """What was done."""
    method: str | None = None
    """What the division of the cost into prompts and answers rests on."""
    confidence: str | None = None
    """How far that division can be trusted: exact, high, medium, low or assumed."""
    at_least: bool | None = None
    """True where a counter began unseen: there may be more tokens, and the prices may be lower."""
    pods: Whole | None = None
    """Pods that cost something in these windows."""
    counted_pods: Whole | None = None
    """Those of them whose engine was heard: tokens of the others are missing."""
    models: Annotated[list[ModelUnits], Field(max_length=MOST_MODELS + 2), ATOMIC_LIST] | None = None
    """The models, where there are several: the costliest first, the rest as one."""
    load: ServedLoad | None = None
    """How the engines were used: latency, batches, what a cache saved."""
    amplification: Amplification | None = None
    """What the requests of callers became. Absent where neither a gateway nor the engine counts anything of it."""
    prompts: Annotated[list[PromptBand], Field(max_length=MOST_BANDS), ATOMIC_LIST] | None = None
    """What short and long prompts cost, where the engine counts their lengths."""
    outcomes: OutcomeCosts | None = None
    """What successes cost, and failures by reason. Of an AIWorkload alone, where a source tells."""
    unit: OwnUnit | None = None
    """The unit of spec.unitMetric. Only in an AIWorkload that names one."""


class RowUnits(ApiModel):
    """What a token, a request and a success cost, of what serves models in a row."""

    cost_nanos: Nanos | None = None
    """What the pods that serve models cost in the windows that were counted; the rest of the row serves none."""
    discovered: bool | None = None
    """True where no AIWorkload speaks of these engines."""
    full: TokenPrices | None = None
    """What a million tokens cost with all that idles beside them."""
    per_request: UnitPrice | None = None
    """What one request costs."""
    per_success: UnitPrice | None = None
    """What one success costs."""
    waste: Share | None = None
    """Part of the generated tokens that was of no use."""
    method: str | None = None
    """What the division of the cost into prompts and answers rests on."""
    confidence: str | None = None
    """How far that division can be trusted: exact, high, medium, low or assumed."""
