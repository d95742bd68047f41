"""Put workloads beside what APIs ask for the same models."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from aicost.domain.exact.windows import Window
from aicost.domain.serving.api_prices import ApiPrice, Comparison, Incomparable, compare
from aicost.ports.prices import ApiPriceSource
from aicost.usecases.economics.cost_units import UnitLine, UnitReport


@dataclass(frozen=True, slots=True)
class Sought:
    """A model that is compared.

    Attributes:
        model: as the engine calls it.
        provider, ref: whose price, and of which of its models; both empty for everyone who sells the same name.
    """

    model: str
    provider: str = ""
    ref: str = ""


@dataclass(frozen=True, slots=True)
class LineComparison:
    """A workload beside its prices.

    Attributes:
        found: the cheapest API first.
        refused: prices that say nothing of it, and why.
    """

    line: UnitLine
    found: tuple[Comparison, ...]
    refused: tuple[tuple[ApiPrice, Incomparable], ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """All workloads beside the prices of APIs.

    Attributes:
        lines: workloads for whose model there is a price, in the order of the report.
        unpriced: models that no list has a price for.
        mixed: workloads of several models: their tokens are one sum.
        unserved: models that were asked for and that nobody serves.
    """

    lines: tuple[LineComparison, ...]
    unpriced: tuple[str, ...]
    mixed: tuple[UnitLine, ...]
    unserved: tuple[str, ...]


def compare_prices(report: UnitReport, sources: Sequence[ApiPriceSource], sought: Sequence[Sought] | None) -> Compared:
    """Compare the full cost of workloads with the prices of APIs.

    Args:
        report: what the workloads cost.
        sources: lists of prices. One that stands before another overrides it for the same model of a provider.
        sought: the models; None for all that are served.
    """
    wanted = {one.model.lower() for one in sought or ()}
    chosen = [line for line in report.lines if sought is None or wanted & {name.lower() for name in line.models}]
    mixed = tuple(line for line in chosen if len(line.models) > 1)
    lines, unpriced = list[LineComparison](), set[str]()
    for line in chosen:
        if report.rests_on is None or len(line.models) != 1:
            continue
        prices = _prices(line.models[0], sources, sought, report.rests_on)
        if prices:
            lines.append(_compared(line, prices, report.covered_ms))
        else:
            unpriced.add(line.models[0])
    served = {name.lower() for line in report.lines for name in line.models}
    unserved = tuple(sorted({one.model for one in sought or () if one.model.lower() not in served}))
    return Compared(tuple(lines), tuple(sorted(unpriced)), mixed, unserved)


def _prices(
    model: str, sources: Iterable[ApiPriceSource], sought: Sequence[Sought] | None, span: Window
) -> Sequence[ApiPrice]:
    wanted = [Sought(model)] if sought is None else [one for one in sought if one.model.lower() == model.lower()]
    found: dict[str, ApiPrice] = {}
    for source in sources:
        before = {_key(price) for price in found.values()}
        found |= {price.name: price for price in _of(source, wanted, span) if _key(price) not in before}
    return list(found.values())


def _key(price: ApiPrice) -> tuple[str, str]:
    """A model of a provider, also where one list names its maker and another does not."""
    return price.provider.lower(), price.model.lower().rpartition("/")[2]


def _of(source: ApiPriceSource, wanted: Iterable[Sought], span: Window) -> Iterator[ApiPrice]:
    for one in wanted:
        yield from source.find(one.ref or one.model, one.provider, span)


def _compared(line: UnitLine, prices: Iterable[ApiPrice], span_ms: int) -> LineComparison:
    answers = [(price, compare(line.costs, price, span_ms)) for price in prices]
    found = [one for _, one in answers if isinstance(one, Comparison)]
    refused = tuple((price, one) for price, one in answers if isinstance(one, Incomparable))
    return LineComparison(line, tuple(sorted(found, key=lambda one: (one.there_nanos, one.price.name))), refused)
