"""What runs of training cost as a status shows it: ratios rounded once, for people."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from aicost.crd.models.figures import Span
from aicost.crd.models.trained import MOST_RUNS, RunParts, TrainingCosts, TrainingRun
from aicost.crd.status.texts import money, percent, stored, unit_price
from aicost.domain.exact.apportion import divide
from aicost.domain.exact.windows import Window, to_rfc3339
from aicost.domain.training.dividing import Part
from aicost.domain.training.run_costs import RunCosts
from aicost.domain.training.terms import Measure

_LONGEST = 317
_MILLION = 1_000_000
NamedRun = tuple[str, RunCosts]
"""What a run is called, and what it cost."""


def training_costs(window: Window, runs: Sequence[NamedRun]) -> list[TrainingCosts]:
    """The runs of one AIWorkload, one item for each currency.

    Args:
        window: the windows that count.
        runs: the dearest first.
    """
    currencies = dict.fromkeys(costs.currency for _, costs in runs if costs.currency)
    return [_costs(window, currency, [one for one in runs if one[1].currency == currency]) for currency in currencies]


def _costs(window: Window, currency: str, runs: Sequence[NamedRun]) -> TrainingCosts:
    cost = sum(costs.cost_nanos for _, costs in runs)
    told = [costs.lost_nanos for _, costs in runs if _tells(costs)]
    return TrainingCosts(
        currency=currency,
        window=Span(from_=to_rfc3339(window.start_ms), to=to_rfc3339(window.end_ms)),
        runs=len(runs),
        cost=money(cost, currency),
        cost_nanos=stored(cost),
        lost=money(sum(told), currency) if told else None,
        lost_nanos=stored(sum(told)) if told else None,
        rows=[_run(name, costs) for name, costs in runs[:MOST_RUNS]],
    )


def _run(name: str, costs: RunCosts) -> TrainingRun:
    currency, coming = costs.currency, costs.completion.nanos
    steps = costs.did.get(Measure.STEPS)
    whole = None if coming is None else divide(coming.numerator, coming.denominator)
    return TrainingRun(
        run=name[:_LONGEST],
        state=costs.outcome.value,
        cost=money(costs.cost_nanos, currency),
        cost_nanos=stored(costs.cost_nanos),
        parts=RunParts.model_validate(dict(_parts(costs))),
        lost=money(costs.lost_nanos, currency) if _tells(costs) else None,
        goodput=percent(costs.goodput),
        restarts=costs.restarts,
        steps=None if steps is None else f"{divide(steps.numerator, steps.denominator):,}",
        per_step=_price(costs.per.get(Measure.STEPS), currency),
        per_epoch=_price(costs.per.get(Measure.EPOCHS), currency),
        per_million_samples=_price(costs.per.get(Measure.SAMPLES), currency, _MILLION),
        per_million_tokens=_price(costs.per.get(Measure.TOKENS), currency, _MILLION),
        per_point=_price(costs.quality.per_point if costs.quality else None, currency),
        progress=percent(costs.completion.progress),
        to_complete=None if whole is None else money(whole, currency),
        to_complete_nanos=None if whole is None else stored(whole),
        method=costs.basis.value if costs.basis else None,
        confidence=costs.confidence.value if costs.confidence else None,
    )


def _tells(costs: RunCosts) -> bool:
    return costs.basis is not None or bool(costs.lost_nanos)


def _parts(costs: RunCosts) -> Iterator[tuple[str, int | None]]:
    for part in Part:
        if costs.parts[part]:
            yield part.value.replace("-", "_"), stored(costs.parts[part])


def _price(nanos: Fraction | None, currency: str, times: int = 1) -> str | None:
    return None if nanos is None else unit_price(nanos * times, currency)
