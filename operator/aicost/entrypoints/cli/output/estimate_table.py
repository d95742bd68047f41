"""Estimates on the screen: a line for each object, the prices behind them, and what is missing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from aicost.domain.estimates.texts import MONTH_HOURS, gpus_text, per_hour_text, range_text
from aicost.domain.estimates.values import BudgetLeft, Estimate, EstimateLine, Offer, PriceRange
from aicost.domain.exact.windows import describe_length, to_rfc3339
from aicost.domain.workloads.shapes import Scaling
from aicost.entrypoints.cli.manifests.workloads import Found
from aicost.entrypoints.cli.output.facts import wrapped
from aicost.entrypoints.cli.output.table import Column, Line, draw, printable
from aicost.entrypoints.cli.terminal import Style, Terminal

_NOTHING = "-"
_NOT_SAID = "not said"
_ENDLESS = frozenset({Scaling.FIXED, Scaling.AUTOSCALED})


@dataclass(frozen=True, slots=True)
class Estimated:
    """An object with its estimate, and what is left of the budgets that it would count against."""

    found: Found
    estimate: Estimate
    budgets: tuple[BudgetLeft, ...] = ()


def draw_estimates(estimates: Sequence[Estimated], of: str, terminal: Terminal, *, wide: bool) -> str:
    """The whole screen."""
    shown = [one for one in estimates if one.estimate.lines]
    rest = len(estimates) - len(shown)
    lines = [terminal.paint(f"Estimate of GPU cost · {printable(of)}", Style.HEAD), ""]
    if shown:
        lines += [*_table(shown, terminal, wide=wide), ""]
        lines += [*_prices(shown, terminal, wide=wide), *_budgets(shown, terminal), *_missing(shown, terminal)]
    if rest or not shown:
        lines.append(f"{rest} of {len(estimates)} objects that run something ask for no GPUs.")
    lines += _remarks(shown, terminal)
    return "\n".join(lines).rstrip()


def _table(shown: Sequence[Estimated], terminal: Terminal, *, wide: bool) -> Iterator[str]:
    """Columns that would say the same in each line, or nothing, are left out."""
    room = Terminal(None, colour=terminal.colour) if wide else terminal
    several = len({one.found.document.source for one in shown}) > 1 and (room.width or _ROOMY) >= _ROOMY
    grows = any(one.estimate.per_hour_max for one in shown)
    kept = [
        column for column in _COLUMNS if (several or column.title != "FILE") and (grows or column.title != "AT MOST")
    ]
    body = [_line(_cells(one), kept, Style.PLAIN if one.estimate.per_hour else Style.WARN) for one in shown]
    yield from draw(kept, [body, [_line(cells, kept, Style.HEAD) for cells in _totals(shown)]], room).lines


_COLUMNS = (
    Column("OBJECT", shrinks=True),
    Column("GPUS", shrinks=True),
    Column("PER HOUR", right=True),
    Column("AT MOST", right=True, drop=1),
    Column("RUNS FOR", right=True),
    Column("COST", right=True),
    Column("FILE", shrinks=True, drop=2),
)
_ROOMY = 150
"""Columns of a terminal from which on files are named as well."""
Cells = Mapping[str, str]


def _line(cells: Cells, columns: Sequence[Column], style: Style) -> Line:
    return Line(tuple(cells.get(column.title, "") for column in columns), style)


def _cells(one: Estimated) -> Cells:
    estimate = one.estimate
    price, most = estimate.per_hour, estimate.per_hour_max
    return {
        "OBJECT": one.found.name,
        "GPUS": gpus_text(estimate),
        "PER HOUR": per_hour_text(price) if price else "unpriced",
        "AT MOST": per_hour_text(most) if most else _NOTHING,
        "RUNS FOR": _runs_for(estimate),
        "COST": _cost(estimate),
        "FILE": _file(one.found),
    }


def _file(found: Found) -> str:
    return found.document.origin or found.document.source.rpartition("/")[2]


def _runs_for(estimate: Estimate) -> str:
    if estimate.duration_ms is not None:
        each = " each" if estimate.scaling is Scaling.SCHEDULED else ""
        return f"{describe_length(estimate.duration_ms)}{each}"
    return "always" if estimate.scaling in _ENDLESS else _NOT_SAID


def _cost(estimate: Estimate) -> str:
    """What one run costs, or a month of what goes on."""
    price = estimate.per_hour
    if price is None:
        return "unpriced"
    if estimate.total_nanos is not None:
        return range_text(*estimate.total_nanos, price.currency)
    return f"{per_hour_text(price, MONTH_HOURS)}/month" if estimate.scaling in _ENDLESS else _NOTHING


def _totals(shown: Sequence[Estimated]) -> Iterator[Cells]:
    """What all objects with a price cost an hour while they run, for each currency."""
    if len(shown) < 2:
        return
    for currency in sorted({one.estimate.per_hour.currency for one in shown if one.estimate.per_hour}):
        prices = [one.estimate.per_hour for one in shown if one.estimate.per_hour]
        priced = [price for price in prices if price.currency == currency]
        name = f"total of {len(priced)} of {len(shown)}" if len(priced) < len(shown) else "total"
        yield {"OBJECT": name, "PER HOUR": per_hour_text(_sum(priced))}


def _sum(prices: Sequence[PriceRange]) -> PriceRange:
    low, high = (sum(parts, Fraction(0)) for parts in zip(*((one.low, one.high) for one in prices), strict=True))
    return PriceRange(low, high, prices[0].currency)


def _prices(shown: Sequence[Estimated], terminal: Terminal, *, wide: bool) -> Iterator[str]:
    """The quotes that were used: the cheapest and the dearest for each kind of GPU; all of them where it is wide."""
    groups = _groups([line for one in shown for line in one.estimate.lines if line.per_hour])
    if not groups:
        return
    columns = [
        Column("PER GPU-HOUR"),
        Column("PRICE", right=True),
        Column("MACHINE", shrinks=True),
        Column("NODES", right=True, drop=2),
        Column("ENTRY", shrinks=True, drop=1),
    ]
    body = [line for models, offers in sorted(groups.items()) for line in _offers(models, offers, wide=wide)]
    yield from draw(columns, [body], Terminal(None, colour=terminal.colour) if wide else terminal).lines
    yield ""
    if wide:
        yield from _receipts([offer for offers in groups.values() for offer in offers])


def _groups(lines: Sequence[EstimateLine]) -> dict[str, tuple[Offer, ...]]:
    """By kind of GPU the offers that would do for some pod, the cheapest first."""
    groups: dict[str, dict[tuple[str, ...], Offer]] = {}
    for line in lines:
        for offer in line.candidates:
            groups.setdefault(_models(line), {})[_offer(offer)] = offer
    return {models: tuple(sorted(offers.values(), key=_price)) for models, offers in groups.items()}


def _price(offer: Offer) -> Fraction:
    quote = offer.quote
    assert quote is not None
    return Fraction(quote.gpu_hour_nanos_num, quote.gpu_hour_den)


def _models(line: EstimateLine) -> str:
    return ", ".join(model.upper() for model in line.gpu_models) or "GPU"


def _offers(models: str, offers: Sequence[Offer], *, wide: bool) -> Iterator[Line]:
    ends = offers if wide or len(offers) < 3 else (offers[0], offers[-1])
    for place, offer in enumerate(ends):
        yield Line((models if place == 0 else "", *_offer(offer)))


def _offer(offer: Offer) -> tuple[str, str, str, str]:
    quote, price = offer.quote, _price(offer)
    assert quote is not None
    named = (offer.instance_type or offer.gpu_model, offer.provider, offer.region, offer.capacity_type)
    where = " ".join(part for part in named if part)
    return (
        per_hour_text(PriceRange(price, price, quote.currency)),
        where,
        str(offer.nodes) if offer.nodes else _NOTHING,
        f"{quote.book}/{quote.entry}",
    )


def _receipts(offers: Sequence[Offer]) -> Iterator[str]:
    """How each price came about, and which others were not used."""
    for offer in dict.fromkeys(_Receipt.of(offer) for offer in offers):
        yield offer.why
        yield f"    {offer.how}"
        yield from (f"    not used: {label}: {reason}" for label, reason in offer.rejected)
    yield ""


@dataclass(frozen=True, slots=True)
class _Receipt:
    """A price as its receipt shows it."""

    why: str
    how: str
    rejected: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, offer: Offer) -> "_Receipt":
        quote = offer.quote
        assert quote is not None
        source = f" ({quote.source})" if quote.source else ""
        return cls(offer.reason, f"{quote.explanation}{source}", offer.rejected)


def _budgets(shown: Sequence[Estimated], terminal: Terminal) -> Iterator[str]:
    """What is left of each budget that an object would count against."""
    counting: dict[BudgetLeft, list[str]] = {}
    for one in shown:
        for budget in one.budgets:
            counting.setdefault(budget, []).append(one.found.name)
    columns = [
        Column("BUDGET", shrinks=True),
        Column("LEFT", right=True),
        Column("LIMIT", right=True, drop=1),
        Column("UNTIL", drop=2),
        Column("COUNTS", shrinks=True),
    ]
    body = [_budget(budget, names) for budget, names in counting.items()]
    if body:
        yield from draw(columns, [body], terminal).lines
        yield ""


def _budget(budget: BudgetLeft, names: Sequence[str]) -> Line:
    left, limit = (range_text(nanos, nanos, budget.currency) for nanos in (budget.left_nanos, budget.limit_nanos))
    until = to_rfc3339(budget.until_ms) if budget.until_ms is not None else _NOTHING
    style = Style.WARN if budget.left_nanos <= 0 else Style.PLAIN
    return Line((printable(budget.name), left, limit, until, ", ".join(names)), style)


def _missing(shown: Sequence[Estimated], terminal: Terminal) -> Iterator[str]:
    """What is not known, once each, with the objects that it is about."""
    reasons: dict[str, list[str]] = {}
    for one in shown:
        notes = [one.estimate.unpriced] if one.estimate.unpriced else [line.note for line in one.estimate.lines]
        for note in dict.fromkeys(filter(None, notes)):
            reasons.setdefault(note, []).append(one.found.name)
    for note, names in reasons.items():
        yield from wrapped(f"{printable(', '.join(names))}: {printable(note)}", terminal)
    if reasons:
        yield ""


def _remarks(shown: Sequence[Estimated], terminal: Terminal) -> Iterator[str]:
    """What a reader must know to take the figures for what they are."""
    offers = [offer for one in shown for line in one.estimate.lines if line.per_hour for offer in line.candidates]
    text = "CPU, memory, storage and network are in no figure."
    if any(offer.quote and offer.quote.list_price for offer in offers):
        text += " List prices are public prices, without your discounts."
    if any(one.estimate.per_hour and one.estimate.per_hour.low != one.estimate.per_hour.high for one in shown):
        text += " A range: several machines would do; name one in the manifest, or by --where, to narrow it."
    if any(one.estimate.unpriced.startswith("no GPU model") for one in shown):
        text += " --gpu-model takes a GPU for objects that name none."
    if any(_runs_for(one.estimate) == _NOT_SAID for one in shown):
        text += " Annotate aicost.dev/expected-duration (such as 13h) to see what a run costs."
    if shown:
        yield from (terminal.paint(line, Style.DIM) for line in wrapped(text, terminal))
