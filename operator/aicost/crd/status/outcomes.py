"""What successes and failures cost, as a status shows it."""

from collections.abc import Sequence

from aicost.crd.models.outcomes import MOST_REASONS, FailureCost, OutcomeCosts
from aicost.crd.status.texts import money, percent, stored
from aicost.domain.serving.outcomes import costs as domain

_OTHER, _NO_REASON = "other", "unknown"
_LONGEST = 63


def outcome_costs(found: domain.OutcomeCosts, currency: str) -> OutcomeCosts:
    """All that a status says of it."""
    good = [one for one in found.lines if one.verdict.success]
    good_nanos = sum(one.cost_nanos for one in good)
    return OutcomeCosts(
        by=found.source.value,
        divided_by=found.division.value if found.division else None,
        confidence=found.confidence,
        coverage=percent(found.coverage),
        successes=sum(one.verdict.requests for one in good),
        success_cost=money(good_nanos, currency),
        success_cost_nanos=stored(good_nanos),
        failures=_failures([one for one in found.lines if not one.verdict.success], currency) or None,
        unjudged_cost=money(found.unjudged_nanos, currency),
        unjudged_cost_nanos=stored(found.unjudged_nanos),
        unjudged_requests=found.unjudged_requests,
    )


def _failures(found: Sequence[domain.OutcomeCost], currency: str) -> list[FailureCost]:
    shown = [_failure(one.verdict.reason or _NO_REASON, [one], currency) for one in found[:MOST_REASONS]]
    return [*shown, _failure(_OTHER, found[MOST_REASONS:], currency)] if len(found) > MOST_REASONS else shown


def _failure(reason: str, found: Sequence[domain.OutcomeCost], currency: str) -> FailureCost:
    nanos = sum(one.cost_nanos for one in found)
    return FailureCost(
        reason=reason[:_LONGEST],
        requests=sum(one.verdict.requests for one in found),
        cost=money(nanos, currency),
        cost_nanos=stored(nanos),
    )
