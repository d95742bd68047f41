"""What stands beside unit costs, as a status shows it."""

from collections.abc import Sequence
from fractions import Fraction

from aicost.crd.models.serving.load import MOST_PARTS, Amplification, BehindRequests, PromptBand, ServedLoad
from aicost.crd.status.texts import money, percent, stored, unit_price
from aicost.domain.exact.apportion import divide
from aicost.domain.serving.load.context import bands
from aicost.domain.serving.load.latency import Bound, quantile
from aicost.domain.serving.meters import Count
from aicost.domain.serving.rounds import amplification as domain
from aicost.domain.serving.unit_costs import UnitCosts

MOST = Fraction(95, 100)
_MILLIS = 1_000


def served_load(costs: UnitCosts, growth: Fraction | None) -> ServedLoad | None:
    """How the engines were used; None where nothing of it is counted."""
    did, currency = costs.did, costs.spent.currency
    latency, saved = did.mean(Count.LATENCY, Count.TIMED), costs.cache_savings
    found = ServedLoad(
        tokens_per_request_growth=percent(growth),
        latency=None if latency is None else f"{float(latency) / _MILLIS:.2f}s",
        latency_milliseconds=None if latency is None else _whole(latency),
        latency95=_bound(quantile(did, MOST)),
        concurrency=_short(did.mean(Count.RUNNING, Count.WATCHED)),
        batch_tokens=_short(did.mean(Count.STEP_TOKENS, Count.STEPS)),
        batch_requests=_short(did.mean(Count.BATCHED, Count.BATCHES)),
        preempted_requests=did.get(Count.PREEMPTED),
        recomputed_tokens=did.recomputed,
        cache_savings=None if saved is None else money(_whole(saved), currency),
        cache_savings_nanos=None if saved is None else stored(_whole(saved)),
    )
    return found if found.model_dump(exclude_none=True) else None


def amplification(found: domain.Amplification, currency: str) -> Amplification | None:
    """What the requests became; None where nothing of it is counted."""
    parts = [_behind(one, currency) for one in found.parts[:MOST_PARTS]]
    if found.calls is None and not parts:
        return None
    return Amplification(
        factor=_short(found.factor),
        caller_requests=found.calls,
        attempts=found.attempts,
        counted_by=found.counted_by or None,
        parts=parts or None,
    )


def prompt_bands(costs: UnitCosts) -> Sequence[PromptBand]:
    """What short and long prompts cost."""
    currency = costs.spent.currency
    return [
        PromptBand(
            above_tokens=one.above,
            to_tokens=one.to,
            requests=one.requests,
            cost=money(one.cost_nanos, currency),
            cost_nanos=stored(one.cost_nanos),
            per_request=None if one.per_request is None else unit_price(one.per_request, currency),
        )
        for one in bands(costs)
    ]


def _behind(one: domain.Behind, currency: str) -> BehindRequests:
    return BehindRequests(
        part=one.part.value,
        number=one.number,
        per_request=_short(one.per_call),
        cost=None if one.cost_nanos is None else money(one.cost_nanos, currency),
        cost_nanos=None if one.cost_nanos is None else stored(one.cost_nanos),
        counted_by=one.counted_by or None,
    )


def _bound(bound: Bound | None) -> str | None:
    return None if bound is None else f"{'<=' if bound.is_upper else '>'} {bound.millis // _MILLIS}s"


def _short(number: Fraction | None) -> str | None:
    return None if number is None else f"{float(number):.2f}"


def _whole(amount: Fraction) -> int:
    return divide(amount.numerator, amount.denominator)
