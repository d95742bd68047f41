"""How many requests of a workload were a success, by whatever source says so."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from aicost.domain.serving.meters import Count, Outcome
from aicost.domain.serving.tallies import Tally


class JudgedBy(StrEnum):
    """Who says what was a success."""

    ENGINE = "engine"
    """The engine, by how its requests ended."""
    GATEWAY = "gateway"
    """The gateway, by the status that it answered."""
    QUERY = "query"
    """A query of the workload's own."""
    OUTCOMES = "outcomes"
    """Statements that were posted, request by request."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Requests that ended alike.

    Attributes:
        reason: how they ended; empty where nobody says.
        requests: how many.
        tokens: tokens that were generated for them, exact or in any proportion; None where they are not known.
        ran: whether an engine worked for them: who was turned away at the door costs nothing.
    """

    reason: str
    success: bool
    requests: int
    tokens: int | None = None
    ran: bool = True


@dataclass(frozen=True, slots=True)
class Judged:
    """What is known of the requests of one workload.

    Attributes:
        source: who says so.
        verdicts: by reason.
        requests: requests that there were, judged or not; None where nobody counts them.
        tokens: tokens that were generated for all of them, in the unit of the verdicts' tokens; None where nobody does.
        exact: tokens were counted request by request.
    """

    source: JudgedBy
    verdicts: tuple[Verdict, ...]
    requests: int | None
    tokens: int | None
    exact: bool = False


class FinishReason(StrEnum):
    """How an engine's request may end that could be called a success."""

    STOP = "stop"
    """It came to its own end: a stop token or sequence, or a call of a tool."""
    LENGTH = "length"
    """It reached a limit of length."""
    UNKNOWN = "unknown"
    """The engine does not say how."""


_OUTCOMES: Mapping[FinishReason, Outcome] = {
    FinishReason.STOP: Outcome.SUCCESS,
    FinishReason.LENGTH: Outcome.TRUNCATED,
    FinishReason.UNKNOWN: Outcome.UNKNOWN,
}
USUAL_REASONS = frozenset({FinishReason.STOP})


def requests_of(did: Tally) -> int | None:
    """Requests that an engine ran or turned away; None where it counts none.

    Some engines count how requests ended only where they ended badly, and the latency of all that did not.
    """
    timed, ended = did.get(Count.TIMED), did.requests
    known = [number for number in (timed, ended) if number is not None]
    return max(known, default=None)


def judged_by_engine(did: Tally, successes: Iterable[FinishReason] = USUAL_REASONS) -> Judged | None:
    """What the engine says; None where it does not tell how requests ended.

    Tokens by outcome are counted by no engine. Those of requests that callers left are what the engine generated beyond
    what it counts for finished requests; the tokens of finished ones are divided as their numbers are.
    """
    good = {_OUTCOMES[FinishReason(one)] for one in successes}
    if not did.outcomes or not good & did.outcomes.keys():
        return None
    ran: dict[Outcome, int] = {one: number for one, number in did.outcomes.items() if one is not Outcome.REJECTED}
    weights = _tokens(did, ran)
    verdicts = [
        Verdict(
            reason=outcome.value,
            success=outcome in good,
            requests=number,
            tokens=0 if outcome is Outcome.REJECTED and weights else weights.get(outcome),
            ran=outcome is not Outcome.REJECTED,
        )
        for outcome, number in did.outcomes.items()
        if number
    ]
    whole = sum(weights.values()) if weights else None
    return Judged(JudgedBy.ENGINE, tuple(verdicts), requests_of(did), whole)


def _tokens(did: Tally, ran: Mapping[Outcome, int]) -> Mapping[Outcome, int]:
    """Tokens by outcome, each times the number of those that share them: whole numbers. Empty where none are known."""
    output, finished = did.output, did.get(Count.FINISHED)
    left = finished is not None and Outcome.ABORTED in ran
    ended = {one: number for one, number in ran.items() if not (left and one is Outcome.ABORTED)}
    sharing = sum(ended.values())
    if not output or not sharing:
        return {}
    kept = output if finished is None else min(finished, output)
    weights = {one: kept * number for one, number in ended.items()}
    return weights | ({Outcome.ABORTED: (output - kept) * sharing} if left else {})
