"""What a gateway is told that a token of a self-hosted model costs: the real cost, over all that serve the model."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from aicost.domain.serving.unit_costs import MILLION, TokenCost, UnitCosts


@dataclass(frozen=True, slots=True)
class GatewayPrice:
    """The price of a model.

    Attributes:
        model: as its engines call it.
        currency: of its costs.
        input, cached, output: full cost of a million tokens in nano-units: computed ones of prompts, those that a cache
            held, and answers; None where there was none. Ratios of sums over all that serve the model.
        rests_on: method and confidence of each division into prompts and answers.
    """

    model: str
    currency: str
    input: Fraction | None
    cached: Fraction | None
    output: Fraction | None
    rests_on: tuple[str, ...]


def gateway_prices(served: Iterable[tuple[str, UnitCosts]]) -> tuple[GatewayPrice, ...]:
    """The price of each model, by currency.

    Args:
        served: model and costs of each workload that serves it alone.
    """
    groups: dict[tuple[str, str], list[UnitCosts]] = defaultdict(list)
    for model, costs in served:
        groups[model, costs.spent.currency].append(costs)
    return tuple(
        GatewayPrice(
            model,
            currency,
            _full(one.input for one in mine),
            _full(one.cached for one in mine),
            _full(one.output for one in mine),
            tuple(sorted({f"{one.phases.method} ({one.phases.confidence})" for one in mine if one.phases})),
        )
        for (model, currency), mine in sorted(groups.items())
    )


def _full(kinds: Iterable[TokenCost | None]) -> Fraction | None:
    counted = [kind for kind in kinds if kind is not None]
    tokens = sum(kind.tokens for kind in counted)
    return Fraction(sum(kind.cost_nanos for kind in counted) * MILLION, tokens) if tokens else None
