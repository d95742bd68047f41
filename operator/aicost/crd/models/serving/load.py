"""What stands beside unit costs in a status: load, what is behind requests, short and long prompts."""

from typing import Annotated

from pydantic import Field

from aicost.crd.fields.amounts import Nanos, Readable, Share
from aicost.crd.schema.base import ApiModel
from aicost.crd.schema.markers import ATOMIC_LIST

MOST_PARTS, MOST_BANDS = 12, 4
Whole = Annotated[int, Field(ge=0)]


class ServedLoad(ApiModel):
    """How the engines were used. What nobody counts is absent, and not zero."""

    tokens_per_request_growth: Share | None = None
    """By how much tokens for one request grew against the same part of the month before."""
    latency: str | None = None
    """Mean time of a request."""
    latency_milliseconds: Whole | None = None
    """The same, for programs."""
    latency95: str | None = None
    """A bound that 95 percent of the requests keep, or that some of them do not: `<= 10s`, `> 60s`."""
    concurrency: str | None = None
    """Requests in one engine at a time, as a mean over the time that it was looked at."""
    batch_tokens: str | None = None
    """Tokens in a step of the engine."""
    batch_requests: str | None = None
    """Requests in a batch, where the engine counts these."""
    preempted_requests: Whole | None = None
    """Times that a request lost its place and was computed again."""
    recomputed_tokens: Whole | None = None
    """Tokens that were computed again because of it."""
    cache_savings: Readable | None = None
    """What tokens of the cache would have cost beyond what they did, had they been computed."""
    cache_savings_nanos: Nanos | None = None
    """The same, to the nearest nano-unit."""


class BehindRequests(ApiModel):
    """One part of what requests became."""

    part: Annotated[str, Field(max_length=63)]
    """Retries, fallbacks, client-retries, chained-calls, tool-calls, guardrail-rounds and so on."""
    number: Whole
    """Requests, calls or tokens."""
    per_request: str | None = None
    """For one request of a caller that no cache answered."""
    cost: Readable | None = None
    """What it bears of the cost. Absent where no tokens are known of it."""
    cost_nanos: Nanos | None = None
    """The same, to the nearest nano-unit."""
    counted_by: Annotated[str, Field(max_length=63)] | None = None
    """The gateway that counts it, or `engine`."""


class Amplification(ApiModel):
    """What the requests of callers became."""

    factor: str | None = None
    """Attempts for one request of a caller that no cache answered."""
    caller_requests: Whole | None = None
    """Requests of callers, as a gateway counts them."""
    attempts: Whole | None = None
    """Requests that were sent on."""
    counted_by: Annotated[str, Field(max_length=63)] | None = None
    """Who counts the attempts: a gateway, or `engine` where only the engine shows what came in."""
    parts: Annotated[list[BehindRequests], Field(max_length=MOST_PARTS), ATOMIC_LIST] | None = None
    """What is counted of it. The parts overlap and do not sum to anything."""


class PromptBand(ApiModel):
    """Requests whose prompts have a length."""

    above_tokens: Whole
    """Their prompts have more tokens than this."""
    to_tokens: Whole | None = None
    """Their prompts have at most so many. Absent in the last one."""
    requests: Whole
    """How many."""
    cost: Readable
    """What their prompts and answers cost."""
    cost_nanos: Nanos | None = None
    """The same, exact: the bands sum to the cost of all tokens."""
    per_request: Readable | None = None
    """What one of them costs."""
