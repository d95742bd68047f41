"""What tokens will be billed at: counts of gateways times list prices, for models that no pod serves.

cost of a kind of tokens   tokens x price of a million of that kind
tokens of a cache          at their own price, else as all others of a prompt

Only base prices are taken: what a long request costs more is known of one request and not of a sum. The bill wins, and
it comes from whom the gateway names as the seller, whoever made the model.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from aicost.domain.exact.windows import Window
from aicost.domain.serving.api_prices import ApiPrice
from aicost.domain.serving.gateways import GATEWAYS
from aicost.domain.serving.tenants import Asked, TenantCount
from aicost.domain.thirdparty.lines import Basis, SpendLine
from aicost.domain.thirdparty.providers import ON_OUR_OWN, billed_by, maker_of

_ATTOS_PER_TOKEN = 1_000
"""A nano-unit for a million tokens is a thousand of 10^-18 for one."""
_ENGINES = frozenset({"sglang-labels", "llm-d-epp"})
"""Gateways that count what pods serve and nothing else."""
_RANK = {gateway.name: place for place, gateway in enumerate(GATEWAYS)}


@dataclass(frozen=True, slots=True)
class Estimated:
    """A day of tokens at list prices.

    Attributes:
        unpriced: model -> tokens that no list has one price for.
        served: tokens of models that pods serve: they are costed by their GPUs.
    """

    lines: tuple[SpendLine, ...]
    unpriced: Mapping[str, int]
    served: int


def estimate(
    day: Window,
    counts: Iterable[TenantCount],
    served: Collection[str],
    prices: Callable[[str, str], Sequence[ApiPrice]],
) -> Estimated:
    """Price what gateways counted in a day.

    Args:
        day: the day in UTC.
        counts: tokens by gateway, model and who asked. Of several gateways that count a model the first in the order of
            authority is taken, so that no request counts twice.
        served: models that pods served that day, in small letters.
        prices: model and who sells it, as the gateway says it -> all prices that could be meant.
    """
    lines, unpriced, here = list[SpendLine](), Counter[str](), 0
    every = [one for one in counts if one.gateway not in _ENGINES]
    first = {model: _first(every, model) for model in sorted({one.model for one in every})}
    bare = {_bare(name) for name in served}
    for model, gateway in first.items():
        mine = [one for one in every if one.model == model and one.gateway == gateway]
        for provider in sorted({one.provider for one in mine}):
            sold = [one for one in mine if one.provider == provider]
            tokens = sum(one.asked.total for one in sold)
            if _bare(model) in bare or provider in ON_OUR_OWN:
                here += tokens
                continue
            price = chosen(model, prices(model, provider), provider)
            if price is None or (price.output_nanos is None and any(one.asked.output for one in sold)):
                unpriced[model] += tokens
                continue
            lines += [_line(day, one, price) for one in sold if one.asked.total]
    return Estimated(tuple(lines), unpriced, here)


def chosen(model: str, prices: Sequence[ApiPrice], provider: str = "") -> ApiPrice | None:
    """The one price of a model: that of who sells it, else its maker's, else the only one there is.

    None where several could be meant.
    """
    seller, maker = billed_by(provider), maker_of(model)
    sold = [price for price in prices if seller and billed_by(price.provider) == seller]
    made = [price for price in prices if maker and price.provider.lower() == maker]
    found = sold or made or list(prices)
    return found[0] if len(found) == 1 else None


def _first(counts: Iterable[TenantCount], model: str) -> str:
    return min((one.gateway for one in counts if one.model == model), key=lambda name: (_RANK.get(name, 99), name))


def _bare(model: str) -> str:
    return model.lower().rpartition("/")[2]


def _line(day: Window, count: TenantCount, price: ApiPrice) -> SpendLine:
    return SpendLine(
        day=day,
        provider=billed_by(count.provider or price.provider),
        cost_attos=_attos(count.asked, price),
        currency=price.currency,
        item=f"tokens counted by {count.gateway}",
        model=price.model,
        quantity=count.asked.total,
        tags={who.value: name for who, name in count.tenants.items()},
        basis=Basis.LIST,
        source=price.source,
    )


def _attos(asked: Asked, price: ApiPrice) -> int:
    of_cached = price.input_nanos if price.cached_nanos is None else price.cached_nanos
    nanos = asked.computed * price.input_nanos + asked.cached * of_cached + asked.output * (price.output_nanos or 0)
    return nanos * _ATTOS_PER_TOKEN
