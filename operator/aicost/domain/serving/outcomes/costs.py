"""What successes cost, and what failures do, by reason.

weight of a reason   tokens generated for it, where they are known for each; else its requests that an engine ran
weight of unjudged   what the engine counted beyond all that somebody judged
cost of each         the workload's cost, apportioned by these weights: the parts sum to it, to the last nano-unit

per success          cost of all that was judged / successes: failures are paid by what came of them
useful               cost of a generated token x weight of all that was judged / weight of successes, for a million
waste                weight of failures / weight of all that was judged
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from aicost.domain.exact.apportion import apportion
from aicost.domain.serving.outcomes.judged import Judged, JudgedBy, Verdict
from aicost.domain.serving.unit_costs import UnitCosts

_FULL = (Fraction(95, 100), Fraction(105, 100))
"""A coverage between these is as good as whole: counters and statements do not end at the same moment."""


class Division(StrEnum):
    """What the cost was divided by."""

    TOKENS = "tokens"
    REQUESTS = "requests"


@dataclass(frozen=True, slots=True)
class OutcomeCost:
    """What requests that ended alike cost.

    Attributes:
        share: of the workload's cost; None where that is 0.
    """

    verdict: Verdict
    cost_nanos: int
    share: Fraction | None


@dataclass(frozen=True, slots=True)
class OutcomeCosts:
    """The cost of a workload by how its requests ended.

    Attributes:
        source: who says so.
        division: what the cost was divided by; None where nothing tells how much of it was judged.
        coverage: judged part of what the engine counted; above 1 where more was judged than it counted.
        lines: successes first, then failures, each the dearest first.
        unjudged_nanos: the part that nobody judged.
        unjudged_requests: None where requests are not counted.
        per_success, useful, waste: see the module; None where they are not defined.
    """

    source: JudgedBy
    division: Division | None
    coverage: Fraction | None
    lines: tuple[OutcomeCost, ...]
    unjudged_nanos: int
    unjudged_requests: int | None
    exact: bool
    per_success: Fraction | None
    useful: Fraction | None
    waste: Fraction | None

    @property
    def confidence(self) -> str | None:
        """How far the division can be trusted: high or low; None where there is none."""
        if self.division is None or self.coverage is None:
            return None
        whole = _FULL[0] <= self.coverage <= _FULL[1]
        return "high" if self.exact and self.division is Division.TOKENS and whole else "low"

    @property
    def failed_nanos(self) -> int:
        """What failures cost."""
        return sum(one.cost_nanos for one in self.lines if not one.verdict.success)


def outcome_costs(costs: UnitCosts, judged: Judged) -> OutcomeCosts:
    """Divide what a workload cost by how its requests ended."""
    division, weights, whole = _weighed(judged)
    left = max(0, whole - sum(weights))
    cost = costs.spent.cost_nanos
    *parts, unjudged = apportion(cost, [*weights, left]) if sum(weights) + left else [*(0 for _ in weights), cost]
    lines = [
        OutcomeCost(verdict, nanos, Fraction(nanos, cost) if cost else None)
        for verdict, nanos in zip(judged.verdicts, parts, strict=True)
    ]
    counted = (verdict for verdict in judged.verdicts if verdict.ran or judged.source is JudgedBy.ENGINE)
    seen = sum(verdict.requests for verdict in counted)  # who is turned away elsewhere never comes to the engine
    return OutcomeCosts(
        source=judged.source,
        division=division,
        coverage=Fraction(sum(weights), whole) if division and whole else None,
        lines=tuple(sorted(lines, key=lambda one: (not one.verdict.success, -one.cost_nanos, one.verdict.reason))),
        unjudged_nanos=unjudged,
        unjudged_requests=None if judged.requests is None else max(0, judged.requests - seen),
        exact=judged.exact,
        **_ratios(costs, judged, division, weights, cost - unjudged),
    )


def _weighed(judged: Judged) -> tuple[Division | None, Sequence[int], int]:
    """What to divide by, the weight of each verdict, and the weight of all that there was."""
    tokens = [verdict.tokens for verdict in judged.verdicts if verdict.tokens is not None]
    if judged.tokens and len(tokens) == len(judged.verdicts) and sum(tokens):
        return Division.TOKENS, tokens, judged.tokens
    requests = [verdict.requests if verdict.ran else 0 for verdict in judged.verdicts]
    if judged.requests:
        turned_away = sum(verdict.requests for verdict in judged.verdicts if not verdict.ran)
        counted = judged.requests - turned_away if judged.source is JudgedBy.ENGINE else judged.requests
        return Division.REQUESTS, requests, max(0, counted)
    return None, [0] * len(requests), 0


def _ratios(
    costs: UnitCosts, judged: Judged, division: Division | None, weights: Sequence[int], judged_nanos: int
) -> dict[str, Fraction | None]:
    """The figures that need a division: ratios of sums, absent where they are not defined."""
    whole = sum(weights)
    if division is None or not whole:
        return {"per_success": None, "useful": None, "waste": None}
    good = sum(weight for verdict, weight in zip(judged.verdicts, weights, strict=True) if verdict.success)
    successes = sum(verdict.requests for verdict in judged.verdicts if verdict.success)
    full = costs.output.full if costs.output else None
    return {
        "per_success": Fraction(judged_nanos, successes) if successes else None,
        "useful": full * whole / good if full is not None and good else None,
        "waste": 1 - Fraction(good, whole),
    }
