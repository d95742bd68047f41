"""What one request of a caller becomes: attempts, fallbacks, calls of agents, tokens that nobody reads.

amplification   attempts / requests of callers
retries         attempts - requests that the gateway's cache did not answer - fallbacks: at least so many

A part has a cost where tokens are known of it, and none elsewhere: the number of attempts does not say what they cost.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from aicost.domain.exact.apportion import divide
from aicost.domain.serving.gateways import GATEWAYS
from aicost.domain.serving.meters import Count, Outcome
from aicost.domain.serving.rounds.counting import RoundCount
from aicost.domain.serving.unit_costs import UnitCosts


class Part(StrEnum):
    """What a request becomes beside its one answer."""

    RETRIES = "retries"
    """The gateway tried again."""
    FALLBACKS = "fallbacks"
    """The gateway took another model."""
    CLIENT_RETRIES = "client-retries"
    """The caller's library asked again."""
    CHAINED = "chained-calls"
    """Calls of models that agents made, beyond one for each of their runs."""
    TOOL_CALLS = "tool-calls"
    GUARDRAILS = "guardrail-rounds"
    EVALUATIONS = "evaluation-rounds"
    REASONING = "reasoning-tokens"
    """Generated, and read by nobody."""
    RECOMPUTED = "recomputed-tokens"
    """Computed again after a request had lost its place."""
    ABANDONED = "abandoned-tokens"
    """Generated for callers who had gone, or for answers that failed."""
    TRUNCATED = "truncated"
    """Requests whose answers were cut."""
    SHED = "rejected"
    """Requests that the engine did not let in."""


@dataclass(frozen=True, slots=True)
class Behind:
    """One part of what is behind the requests.

    Attributes:
        number: requests, calls or tokens.
        per_call: for one request of a caller; for one run of an agent where agents count; None where those are unknown.
        cost_nanos: the part of the cost that it bears; None where no tokens are known of it.
        counted_by: the gateway, or `engine`.
    """

    part: Part
    number: int
    per_call: Fraction | None
    cost_nanos: int | None
    counted_by: str


@dataclass(frozen=True, slots=True)
class Amplification:
    """What the requests for a workload's models became.

    Attributes:
        calls: requests of callers; None where no gateway counts them.
        attempts: requests that were sent on; None where nobody counts them.
        counted_by: who counted the attempts: the gateway, or `engine` where only the engine shows what came in.
        factor: attempts for one request of a caller that no cache answered.
        parts: what is counted of it.
        tokens_per_request: prompts and answers, for one request that was let in.
    """

    calls: int | None
    attempts: int | None
    counted_by: str
    factor: Fraction | None
    parts: tuple[Behind, ...]
    tokens_per_request: Fraction | None


ENGINE = "engine"


def amplify(costs: UnitCosts, models: Sequence[str], rounds: Iterable[RoundCount]) -> Amplification:
    """What is behind the requests for some models.

    Args:
        costs: the workload that serves them.
        models: what its engines call them.
        rounds: what gateways count.
    """
    named = {model.lower() for model in models}
    counted = _Counted.of([one for one in rounds if one.model and one.model in named])
    calls, cached = counted.get(Count.CALLS), counted.get(Count.CALLS_CACHED) or 0
    attempts, by = counted.get(Count.ATTEMPTS), counted.by(Count.ATTEMPTS)
    if attempts is None and calls is not None and costs.did.requests is not None:
        attempts, by = costs.did.requests, ENGINE
    reached = None if calls is None else max(0, calls - cached)
    return Amplification(
        calls=calls,
        attempts=attempts,
        counted_by=by,
        factor=Fraction(attempts, reached) if attempts is not None and reached else None,
        parts=(*_of_gateways(costs, counted, reached), *_of_engine(costs, reached)),
        tokens_per_request=tokens_per_request(costs),
    )


def of_agents(rounds: Iterable[RoundCount]) -> tuple[Behind, ...]:
    """What agents and guardrails did where no model is named: for one run of an agent, and without a cost."""
    counted = _Counted.of([one for one in rounds if not one.model])
    runs, chained = counted.get(Count.AGENT_RUNS), counted.get(Count.CHAINED)
    beyond = None if runs is None or chained is None else max(0, chained - runs)
    found = (
        (Part.CHAINED, beyond, Count.CHAINED),
        (Part.TOOL_CALLS, counted.get(Count.TOOL_CALLS), Count.TOOL_CALLS),
        (Part.GUARDRAILS, counted.get(Count.GUARDRAILS), Count.GUARDRAILS),
        (Part.EVALUATIONS, counted.get(Count.EVALUATIONS), Count.EVALUATIONS),
    )
    return tuple(
        Behind(part, number, Fraction(number, runs) if runs else None, None, counted.by(count))
        for part, number, count in found
        if number is not None
    )


def tokens_per_request(costs: UnitCosts) -> Fraction | None:
    """Tokens of prompts and answers, as far as they are counted, for one request that was let in."""
    did = costs.did
    prompt = did.get(Count.INPUT) if did.get(Count.INPUT) is not None else did.computed
    let_in = (did.requests or 0) - did.outcomes.get(Outcome.REJECTED, 0)
    known = [tokens for tokens in (prompt, did.output) if tokens is not None]
    return Fraction(sum(known), let_in) if known and let_in else None


def growth(now: Fraction | None, before: Fraction | None) -> Fraction | None:
    """By which part of itself a figure grew; None where one of both is not known."""
    return None if now is None or not before else now / before - 1


@dataclass(frozen=True, slots=True)
class _Counted:
    """Each count as the first gateway has it that counts it: two views of one request are never added."""

    counts: Mapping[Count, tuple[int, str]]

    @classmethod
    def of(cls, rounds: Sequence[RoundCount]) -> "_Counted":
        found: dict[Count, tuple[int, str]] = {}
        for gateway in GATEWAYS:
            mine = [one.counts for one in rounds if one.gateway == gateway.name]
            for count in {count for one in mine for count in one}:
                found.setdefault(count, (sum(one.get(count, 0) for one in mine), gateway.name))
        return cls(found)

    def get(self, count: Count) -> int | None:
        return self.counts[count][0] if count in self.counts else None

    def by(self, count: Count) -> str:
        return self.counts[count][1] if count in self.counts else ""


def _of_gateways(costs: UnitCosts, counted: _Counted, reached: int | None) -> Iterable[Behind]:
    attempts, fallbacks = counted.get(Count.ATTEMPTS), counted.get(Count.FALLBACKS)
    if attempts is not None and reached is not None:
        again = max(0, attempts - reached - (fallbacks or 0))
        yield Behind(Part.RETRIES, again, _per(again, reached), None, counted.by(Count.ATTEMPTS))
    for part, number, into, out_of in _CALLS:
        many = counted.get(number)
        if many is not None:
            tokens = counted.get(into), counted.get(out_of)
            yield Behind(part, many, _per(many, reached), _cost(costs, *tokens), counted.by(number))
    hidden = counted.get(Count.REASONING)
    if hidden is not None:
        cost = _cost(costs, None, hidden)
        yield Behind(Part.REASONING, hidden, _per(hidden, reached), cost, counted.by(Count.REASONING))


_NONE = Count.REQUESTS
"""No gateway counts tokens by it."""
_CALLS = (
    (Part.FALLBACKS, Count.FALLBACKS, _NONE, _NONE),
    (Part.CLIENT_RETRIES, Count.CALLS_AGAIN, Count.AGAIN_INPUT, Count.AGAIN_OUTPUT),
    (Part.TOOL_CALLS, Count.TOOL_CALLS, _NONE, _NONE),
    (Part.GUARDRAILS, Count.GUARDRAILS, Count.GUARDRAIL_INPUT, Count.GUARDRAIL_OUTPUT),
    (Part.EVALUATIONS, Count.EVALUATIONS, Count.EVALUATION_INPUT, Count.EVALUATION_OUTPUT),
)


def _of_engine(costs: UnitCosts, reached: int | None) -> Iterable[Behind]:
    did = costs.did
    if did.recomputed is not None:
        cost = _again(costs, did.recomputed)
        yield Behind(Part.RECOMPUTED, did.recomputed, _per(did.recomputed, reached), cost, ENGINE)
    output, finished = did.get(Count.OUTPUT), did.get(Count.FINISHED)
    if output is not None and finished is not None:
        left = max(0, output - finished)
        yield Behind(Part.ABANDONED, left, _per(left, reached), _cost(costs, None, left), ENGINE)
    for part, outcome in ((Part.TRUNCATED, Outcome.TRUNCATED), (Part.SHED, Outcome.REJECTED)):
        if outcome in did.outcomes:
            yield Behind(part, did.outcomes[outcome], _per(did.outcomes[outcome], reached), None, ENGINE)


def _per(number: int, calls: int | None) -> Fraction | None:
    return Fraction(number, calls) if calls else None


def _cost(costs: UnitCosts, prompt: int | None, answer: int | None) -> int | None:
    """What some tokens of prompts and answers bear: their part of the tokens of the engine, at most all of it."""
    kinds = [kind for kind in (costs.input, costs.cached) if kind is not None]
    parts = (
        (prompt, sum(kind.cost_nanos for kind in kinds), sum(kind.tokens for kind in kinds)),
        (answer, costs.output.cost_nanos if costs.output else 0, costs.output.tokens if costs.output else 0),
    )
    known = [(min(tokens, whole) * cost, whole) for tokens, cost, whole in parts if tokens is not None and whole]
    return sum(divide(amount, whole) for amount, whole in known) if known else None


def _again(costs: UnitCosts, tokens: int) -> int | None:
    """What it cost to compute tokens of prompts once more: prompts bear it together with what was computed once."""
    whole = (costs.input.tokens if costs.input else 0) + tokens
    return divide(costs.input.cost_nanos * tokens, whole) if costs.input and whole else None
