"""Unit costs as a status shows them: ratios rounded once, and beside them the counts that they come from."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from aicost.crd.models.figures import Span
from aicost.crd.models.units import (
    MOST_MODELS,
    ModelUnits,
    OwnUnit,
    RowUnits,
    TokenPrices,
    UnitCosts,
    UnitCounts,
    UnitPrice,
)
from aicost.crd.status.load import amplification, prompt_bands, served_load
from aicost.crd.status.outcomes import outcome_costs
from aicost.crd.status.texts import money, percent, stored, unit_price
from aicost.domain.exact.apportion import divide
from aicost.domain.exact.windows import Window, to_rfc3339
from aicost.domain.serving import unit_costs as domain
from aicost.domain.serving.meters import Outcome
from aicost.domain.serving.outcomes.costs import OutcomeCosts
from aicost.domain.serving.own_units import UnitVerdict
from aicost.domain.serving.pods.models import ModelCosts
from aicost.domain.serving.rounds.amplification import Amplification, tokens_per_request
from aicost.domain.serving.tenants import Tenancy

_LONGEST_MODEL = 253
_OTHERS = "other"


@dataclass(frozen=True, slots=True)
class UnitFigures:
    """What is known of one workload in one currency.

    Attributes:
        costs: cost and counts of the windows that were counted.
        window: from the first to the last of them.
        pods, counted: pods that cost something, and those of them whose engine was heard.
        discovered: no AIWorkload speaks of them.
        by_model: the cost among the models, where there are several.
        tenancy: what a gateway counts of the same models.
        verdict: the unit that people judge it by.
        outcomes: its cost by how requests ended.
        behind: what its requests became.
        growth: by how much tokens for one request grew.
    """

    costs: domain.UnitCosts
    window: Window
    pods: int = 0
    counted: int = 0
    discovered: bool = False
    by_model: Sequence[ModelCosts] = ()
    tenancy: Tenancy | None = None
    verdict: UnitVerdict | None = None
    outcomes: OutcomeCosts | None = None
    behind: Amplification | None = None
    growth: Fraction | None = None


def unit_costs(found: UnitFigures) -> UnitCosts:
    """All that a status says of it."""
    costs, currency = found.costs, found.costs.spent.currency
    return UnitCosts(
        currency=currency,
        window=Span(from_=to_rfc3339(found.window.start_ms), to=to_rfc3339(found.window.end_ms)),
        cost=money(costs.spent.cost_nanos, currency),
        cost_nanos=stored(costs.spent.cost_nanos),
        engines=sorted(costs.did.engines) or None,
        discovered=found.discovered or None,
        full=full_prices(costs),
        active=_active_prices(costs),
        useful_output=price(costs.useful, currency),
        per_request=price(costs.per_request, currency),
        per_success=price(costs.per_success, currency),
        per_vector=price(costs.per_vector, currency),
        waste=percent(costs.waste),
        idle_share=percent(_part(costs.spent.idle_nanos, costs.spent.cost_nanos)),
        tokens_per_request=_tokens_per_request(costs),
        token_coverage=None if found.tenancy is None else percent(found.tenancy.coverage),
        gateway=found.tenancy.gateway or None if found.tenancy else None,
        counts=_counts(costs),
        method=costs.phases.method.value if costs.phases else None,
        confidence=costs.phases.confidence if costs.phases else None,
        at_least=costs.did.at_least or None,
        pods=found.pods,
        counted_pods=found.counted,
        models=_models(found.by_model) or None,
        load=served_load(costs, found.growth),
        amplification=None if found.behind is None else amplification(found.behind, currency),
        prompts=prompt_bands(costs) or None,
        outcomes=None if found.outcomes is None else outcome_costs(found.outcomes, currency),
        unit=None if found.verdict is None else own_unit(found.verdict),
    )


def row_units(costs: domain.UnitCosts, *, discovered: bool) -> RowUnits:
    """What a row of a report says of it."""
    currency = costs.spent.currency
    return RowUnits(
        cost_nanos=stored(costs.spent.cost_nanos),
        discovered=discovered or None,
        full=full_prices(costs),
        per_request=price(costs.per_request, currency),
        per_success=price(costs.per_success, currency),
        waste=percent(costs.waste),
        method=costs.phases.method.value if costs.phases else None,
        confidence=costs.phases.confidence if costs.phases else None,
    )


def own_unit(verdict: UnitVerdict) -> OwnUnit:
    """The unit that people judge a workload by."""
    target = verdict.unit.target
    wanted = None if target.nanos is None else Fraction(target.nanos)
    return OwnUnit(
        name=verdict.unit.name,
        per=target.per,
        units=verdict.done.units,
        successes=verdict.done.successes,
        cost=price(verdict.cost, verdict.currency),
        cost_per_success=price(verdict.per_success, verdict.currency),
        target=price(wanted, target.currency),
        against_target=percent(verdict.ratio),
        counted_by=verdict.done.by or None,
    )


def price(nanos: Fraction | None, currency: str) -> UnitPrice | None:
    """An amount for a unit; None of an undefined one."""
    if nanos is None:
        return None
    whole = divide(nanos.numerator, nanos.denominator)
    return UnitPrice(amount=unit_price(nanos, currency), nanos=stored(whole))


def full_prices(costs: domain.UnitCosts) -> TokenPrices | None:
    """What a million tokens cost, with what idles."""
    kinds = (costs.input, costs.cached, costs.output)
    return _prices([kind.full if kind else None for kind in kinds], costs.spent.currency)


def _active_prices(costs: domain.UnitCosts) -> TokenPrices | None:
    kinds = (costs.input, costs.cached, costs.output)
    return _prices([kind.active if kind else None for kind in kinds], costs.spent.currency)


def _prices(nanos: Sequence[Fraction | None], currency: str) -> TokenPrices | None:
    if all(one is None for one in nanos):
        return None
    prompts, cached, output = (price(one, currency) for one in nanos)
    return TokenPrices(input=prompts, cached=cached, output=output)


def _counts(costs: domain.UnitCosts) -> UnitCounts:
    did = costs.did
    return UnitCounts(
        input_tokens=did.computed,
        cached_tokens=did.cached,
        output_tokens=did.output,
        requests=did.requests,
        successes=did.outcomes.get(Outcome.SUCCESS),
    )


def _tokens_per_request(costs: domain.UnitCosts) -> str | None:
    each = tokens_per_request(costs)
    return None if each is None else f"{divide(each.numerator, each.denominator):,}"


def _models(found: Sequence[ModelCosts]) -> list[ModelUnits]:
    """The costliest models, and those beyond them as one, without ratios: those would be of nothing in particular."""
    named = [one for one in found if one.model]
    shown = [*named[:MOST_MODELS], *(one for one in found if not one.model)]
    models = [
        ModelUnits(
            model=one.model[:_LONGEST_MODEL],
            cost=money(one.costs.spent.cost_nanos, one.costs.spent.currency),
            cost_nanos=stored(one.costs.spent.cost_nanos),
            full=full_prices(one.costs),
            per_request=price(one.costs.per_request, one.costs.spent.currency),
        )
        for one in shown
    ]
    if rest := named[MOST_MODELS:]:
        nanos, currency = sum(one.costs.spent.cost_nanos for one in rest), rest[0].costs.spent.currency
        models.append(ModelUnits(model=_OTHERS, cost=money(nanos, currency), cost_nanos=stored(nanos)))
    return models


def _part(part: int | None, whole: int) -> Fraction | None:
    return Fraction(part, whole) if part is not None and whole else None
