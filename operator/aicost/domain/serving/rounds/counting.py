"""What gateways count behind the requests of callers: attempts, fallbacks, calls of agents, unread tokens."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from aicost.domain.exact.apportion import divide
from aicost.domain.serving.gateways import GATEWAYS, Gateway
from aicost.domain.serving.meters import Count, Meter
from aicost.domain.serving.tallies import Grown

ROUNDS: frozenset[Count] = frozenset(meter.count for one in GATEWAYS for meter in one.rounds)
"""All that is counted of it."""


@dataclass(frozen=True, slots=True)
class RoundCount:
    """What one gateway counted of one model.

    Attributes:
        model: what callers asked for, in small letters; empty where the gateway does not say it, as of agents.
        counts: what it counts; the rest is absent, never 0.
    """

    gateway: str
    model: str
    counts: Mapping[Count, int]


def round_counts(grown: Iterable[Grown]) -> tuple[RoundCount, ...]:
    """What series of gateways tell. Of several counters for one thing those of the lowest rank are read."""
    series = [one for one in grown if one.growth is not None]
    return tuple(
        RoundCount(gateway.name, model, {count: int(amount) for count, amount in sorted(counts.items())})
        for gateway in GATEWAYS
        for model, counts in sorted(_by_model(gateway, series).items())
    )


def together(rounds: Iterable[RoundCount]) -> tuple[RoundCount, ...]:
    """Those of several windows as one."""
    found: dict[tuple[str, str], Counter[Count]] = defaultdict(Counter)
    for one in rounds:
        found[one.gateway, one.model].update(one.counts)
    return tuple(RoundCount(*name, dict(counts)) for name, counts in sorted(found.items()))


def scaled(rounds: Iterable[RoundCount], parts: Mapping[str, Fraction]) -> tuple[RoundCount, ...]:
    """The part of the counts that belongs to one of several workloads that serve the same models.

    Args:
        rounds: all that was counted.
        parts: model in small letters -> its part; counts of other models are left out.
    """
    return tuple(
        RoundCount(
            one.gateway, one.model,
            {count: divide(number * part.numerator, part.denominator) for count, number in one.counts.items()},
        )
        for one in rounds
        if (part := parts.get(one.model)) is not None
    )  # fmt: skip


def _by_model(gateway: Gateway, series: Sequence[Grown]) -> Mapping[str, Mapping[Count, float]]:
    named: dict[str, list[Meter]] = defaultdict(list)
    for meter in gateway.rounds:
        named[meter.name].append(meter)
    read = [
        (meter, one) for one in series for meter in named.get(one.name, ()) if meter.reads(one.name, one.labels)
    ]  # fmt: skip
    lowest: dict[Count, int] = {}
    for meter, _ in read:
        lowest[meter.count] = min(meter.rank, lowest.get(meter.count, meter.rank))
    found: dict[str, dict[Count, float]] = defaultdict(lambda: defaultdict(float))
    for meter, one in read:
        if meter.rank == lowest[meter.count] and one.growth is not None:
            found[_model(gateway, one.labels)][meter.count] += one.growth.by
    return found


def _model(gateway: Gateway, labels: Mapping[str, str]) -> str:
    asked = gateway.asked_labels or gateway.model_labels
    return next((labels[label] for label in asked if labels.get(label)), "").lower()
